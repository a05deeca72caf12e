"""Keys heard in sound (ITU-T Q.24), and what must not be taken for keys."""

from math import pi, sin
from random import Random

import pytest

from minitelecom.media import g711
from minitelecom.media.goertzel import InBandKeys
from tests.media.network import KEY_TONES, frames, key_tones, mixed, sine


def keys_in(samples, law=g711.PCMA, ears=None):
    ears = ears or InBandKeys()
    heard = ""
    for frame in frames(samples + [0] * 320):
        heard += "".join(ears.heard(g711.decode(law, g711.encode(law, g711.words(frame)))))
    return heard


def noise(seconds, amplitude, seed=1):
    random = Random(seed)
    return [round(random.gauss(0, amplitude)) for _ in range(round(seconds * 8000))]


def vowel(seconds, pitch, formants, amplitude=9000.0):
    """Something like a sung vowel: harmonics of a wavering pitch, louder near the formants."""
    samples, phase = [], 0.0
    harmonics = range(1, int(3400 / pitch))
    weights = [sum(1 / (1 + ((n * pitch - formant) / 90) ** 2) for formant in formants) for n in harmonics]
    whole = sum(weights)
    for n in range(round(seconds * 8000)):
        phase += 2 * pi * pitch * (1 + 0.03 * sin(2 * pi * 5 * n / 8000)) / 8000
        samples.append(
            round(amplitude * sum(w * sin(h * phase) for h, w in zip(harmonics, weights, strict=True)) / whole)
        )
    return samples


@pytest.mark.parametrize("key", KEY_TONES)
@pytest.mark.parametrize("law", [g711.PCMA, g711.PCMU])
def test_every_key_is_heard_once(key, law):
    assert keys_in(key_tones(key, 0.1), law) == key


def test_forty_milliseconds_suffice_wherever_they_begin():
    for offset in range(0, 102, 7):
        assert keys_in([0] * offset + key_tones("8", 0.04)) == "8", offset


def test_twenty_milliseconds_are_none():
    for offset in range(0, 102, 7):
        assert keys_in([0] * offset + key_tones("8", 0.02)) == "", offset


def test_a_pause_of_forty_milliseconds_parts_two_presses():
    for offset in range(0, 102, 7):
        assert keys_in([0] * offset + key_tones("8", 0.06) + [0] * 320 + key_tones("8", 0.06)) == "88", offset


def test_a_dropped_packet_within_a_key_does_not_double_it():
    tones = key_tones("8", 0.2)
    for start in range(400, 900, 37):
        assert keys_in(tones[:start] + tones[start + 160 :]) == "8", start


@pytest.mark.parametrize(("row", "column"), [(6000, 6000), (3000, 6500), (6000, 4200), (700, 700), (15000, 15000)])
def test_levels_and_twist_within_the_recommendation(row, column):
    assert keys_in(key_tones("5", 0.1, row, column)) == "5"


@pytest.mark.parametrize(("row", "column"), [(1500, 6000), (8000, 3000), (100, 100)])
def test_levels_and_twist_beyond_it(row, column):
    assert keys_in(key_tones("5", 0.2, row, column)) == ""


@pytest.mark.parametrize("off", [0.985, 0.99, 1.01, 1.015])
def test_frequencies_within_one_and_a_half_percent_are_keys(off):
    assert "".join(keys_in(key_tones(key, 0.1, off=off)) for key in KEY_TONES) == "".join(KEY_TONES)


@pytest.mark.parametrize("off", [0.955, 1.045])
def test_frequencies_off_by_more_are_not(off):
    assert "".join(keys_in(key_tones(key, 0.2, off=off)) for key in KEY_TONES) == ""


def test_keys_are_heard_through_noise():
    for key in KEY_TONES:
        assert keys_in(mixed(key_tones(key, 0.1), noise(0.1, 900))) == key


def test_a_lone_tone_is_no_key():
    for hertz in (425, 697, 941, 1000, 1336, 1633):
        assert keys_in(sine(hertz, 0.3, 12000)) == ""


def test_a_key_with_its_harmonics_is_a_voice():
    for key, (row, column) in KEY_TONES.items():
        voice = mixed(key_tones(key, 0.2), sine(2 * row, 0.2, 4000), sine(2 * column, 0.2, 4000))
        assert keys_in(voice) == ""


def test_nobody_talks_a_key():
    for seed, pitch in enumerate(range(85, 330, 12)):
        formants = Random(seed).sample([(730, 1090, 2440), (270, 2290, 3010), (530, 1840), (570, 840), (700, 1220)], 1)[
            0
        ]
        assert keys_in(vowel(0.4, pitch, formants)) == "", pitch
    assert keys_in(noise(3.0, 6000)) == ""
