#!/usr/bin/env python3
"""
Plays `music.wav`, what somebody hears who is put on hold: a slow waltz of sixteen bars, by arithmetic.

    prompts/music.py

A piece of our own, so that nobody's rights are touched.  8 kHz, 16 bit, mono, as loud as the voices; what still sounds
at the end sounds on at the beginning, so that it can be repeated without a seam.
"""

from __future__ import annotations

import wave
from array import array
from math import exp, pi, sin
from pathlib import Path

MUSIC = Path(__file__).resolve().parent / "music.wav"
RATE = 8000
BEAT_SECONDS = 0.5
BEATS_A_BAR = 3
LOUDNESS = 2300  # root of the mean square, of 32767: about −23 dBFS, as in speak.py
FADE_PER_SECOND = 2.2
HARMONICS = (1.0, 0.35, 0.12)  # of a plucked string, and none above the telephone's 3400 Hz

# A bar: the bass, the two notes of the chord above it, and the melody, each of its notes with its beats.
# Notes are numbers of the piano's keys as MIDI counts them: 60 is the middle C.
BARS = (
    (43, (59, 62), ((74, 2), (71, 1))),
    (40, (59, 64), ((71, 3),)),
    (45, (60, 64), ((72, 2), (69, 1))),
    (38, (57, 60), ((69, 3),)),
    (43, (59, 62), ((67, 1), (69, 1), (71, 1))),
    (40, (55, 59), ((76, 2), (74, 1))),
    (48, (60, 64), ((72, 1), (71, 1), (69, 1))),
    (38, (57, 60), ((66, 3),)),
    (43, (59, 62), ((74, 2), (71, 1))),
    (47, (62, 66), ((78, 2), (74, 1))),
    (48, (60, 64), ((79, 2), (76, 1))),
    (45, (60, 64), ((76, 2), (72, 1))),
    (43, (59, 62), ((74, 1), (71, 1), (67, 1))),
    (45, (60, 64), ((69, 2), (72, 1))),
    (38, (57, 60), ((71, 1), (69, 1), (66, 1))),
    (43, (59, 62), ((67, 3),)),
)


def pluck(sound: list[float], beat: float, key: int, beats: float, loudness: float) -> None:
    """Add one note; it sounds a little longer than it is held."""
    hertz = 440.0 * 2 ** ((key - 69) / 12)
    first = round(beat * BEAT_SECONDS * RATE)
    for index in range(round((beats + 1) * BEAT_SECONDS * RATE)):
        seconds = index / RATE
        swell = min(1.0, seconds / 0.006)
        strength = loudness * swell * exp(-FADE_PER_SECOND * seconds)
        tone = sum(
            part * sin(2 * pi * hertz * number * seconds)
            for number, part in enumerate(HARMONICS, 1)
            if hertz * number < 3400
        )
        sound[(first + index) % len(sound)] += strength * tone


def play() -> array[int]:
    sound = [0.0] * round(len(BARS) * BEATS_A_BAR * BEAT_SECONDS * RATE)
    for bar, (bass, chord, melody) in enumerate(BARS):
        beat = float(bar * BEATS_A_BAR)
        pluck(sound, beat, bass, 3, 0.5)
        for offset in (1, 2):
            for key in chord:
                pluck(sound, beat + offset, key, 1, 0.25)
        for key, beats in melody:
            pluck(sound, beat, key, beats, 0.8)
            beat += beats
    factor = LOUDNESS / (sum(sample * sample for sample in sound) / len(sound)) ** 0.5
    return array("h", (round(sample * factor) for sample in sound))


if __name__ == "__main__":
    with wave.open(str(MUSIC), "wb") as wav:
        wav.setnchannels(1)
        wav.setsampwidth(2)
        wav.setframerate(RATE)
        wav.writeframes(play().tobytes())
