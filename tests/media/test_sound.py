"""Sounds, where one is in them, and the tones we make."""

import wave

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minitelecom.media import g711, tones
from minitelecom.media.sound import Playing, Sound, UnsuitableSound
from tests.media.network import level, sine


def write(path, samples, channels=1, width=2, rate=8000):
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(samples)
    return path


def test_a_wav_file_is_read_with_both_encodings(tmp_path):
    samples = g711.words(sine(700, 0.5))
    sound = Sound.from_wav(write(tmp_path / "a.wav", samples))
    assert (sound.samples, sound.seconds) == (samples, 0.5)
    assert len(sound.alaw) == len(sound.ulaw) == 4000
    assert sound.in_law(g711.PCMA) is sound.alaw
    assert sound.in_law(g711.PCMU) is sound.ulaw


@pytest.mark.parametrize("form", [{"channels": 2}, {"width": 1}, {"rate": 16000}])
def test_another_form_says_what_is_wanted(tmp_path, form):
    with pytest.raises(UnsuitableSound, match="wanted is 1 of 16 bits at 8000 Hz"):
        Sound.from_wav(write(tmp_path / "a.wav", bytes(400), **form))


@pytest.mark.parametrize("content", [b"", b"RIFF", b"ID3 music, says its name" * 9])
def test_a_file_that_is_no_wav_is_named(tmp_path, content):
    path = tmp_path / "welcome.wav"
    path.write_bytes(content)
    with pytest.raises(UnsuitableSound, match=r"welcome\.wav"):
        Sound.from_wav(path)


@given(st.lists(st.integers(0, 700), max_size=6), st.lists(st.sampled_from([0, 8]), min_size=40, max_size=40))
def test_frames_are_the_sounds_one_after_the_other_in_whichever_law(lengths, laws):
    sounds = [Sound(g711.words([1000 * (n + 1)] * length)) for n, length in enumerate(lengths)]
    playing, heard = Playing(sounds), []
    for law in laws:
        frame = playing.frame(law)
        if frame is None:
            break
        assert len(frame) == 160
        heard += g711.decode(law, frame)
    expected = [1000 * (n + 1) for n, length in enumerate(lengths) for _ in range(length)]
    assert [round(sample, -3) for sample in heard[: len(expected)]] == expected
    assert len(heard) == -(-len(expected) // 160) * 160
    assert all(abs(sample) <= 8 for sample in heard[len(expected) :])


def test_what_repeats_has_no_end_unless_there_is_nothing_of_it():
    playing = Playing([Sound(bytes(200))], repeat=True)
    assert all(playing.frame(8) for _ in range(1000))
    assert Playing([Sound(b"")], repeat=True).frame(8) is None


@pytest.mark.parametrize(
    ("sound", "on", "off"), [(tones.ringback(), 1.0, 4.0), (tones.busy(), 0.5, 0.5), (tones.congestion(), 0.25, 0.25)]
)
def test_call_progress_tones_are_425_hertz_in_the_bulgarian_cadence(sound, on, off):
    samples = g711.decode(g711.PCMA, sound.alaw)
    sounding = round(on * 8000)
    assert sound.seconds == on + off
    assert level(samples[:sounding], 425) == pytest.approx(level(sine(425, on, 7070), 425), abs=0.5)
    assert max(map(abs, samples[sounding:])) <= 8


def test_the_beep_is_short_and_unlike_them():
    samples = g711.decode(g711.PCMU, tones.beep().ulaw)
    assert 0.1 <= tones.beep().seconds <= 0.4
    assert level(samples, 425) < level(samples, tones.BEEP_HERTZ) - 30
