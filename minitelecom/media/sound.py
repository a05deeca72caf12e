"""
What can be played: 8 kHz linear samples, and the same in either law of G.711, encoded when first played in it.

The longest sentence takes under two milliseconds to encode; all of them at the start would delay the first call.
"""

import wave
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from minitelecom.media import g711
from minitelecom.media.rtp import CLOCK_RATE, FRAME_SAMPLES


class UnsuitableSound(Exception):
    """A file that is not what we play; the sentence says what is wanted."""


class Sound:
    """Immutable. `samples` are 16-bit little-endian words at 8 kHz, one channel."""

    def __init__(self, samples: bytes) -> None:
        self.samples = samples[: len(samples) & ~1]

    @classmethod
    def from_wav(cls, path: Path | str) -> "Sound":
        """Read a file whole: for start-up, not for a call."""
        try:
            with wave.open(str(path), "rb") as file:
                form = (file.getnchannels(), file.getsampwidth(), file.getframerate())
                samples = file.readframes(file.getnframes())
        except (wave.Error, EOFError) as error:
            raise UnsuitableSound(f"{path}: not a wav file of plain samples ({error})") from None
        if form != (1, 2, CLOCK_RATE):
            channels, width, rate = form
            raise UnsuitableSound(
                f"{path}: {channels} channel(s) of {8 * width} bits at {rate} Hz; wanted is 1 of 16 bits at 8000 Hz"
            )
        return cls(samples)

    @cached_property
    def alaw(self) -> bytes:
        return g711.encode(g711.PCMA, self.samples)

    @cached_property
    def ulaw(self) -> bytes:
        return g711.encode(g711.PCMU, self.samples)

    def in_law(self, payload_type: int) -> bytes:
        """The encoding for an RTP payload type, 0 or 8."""
        return self.alaw if payload_type == g711.PCMA else self.ulaw

    def encode(self) -> None:
        """In both laws now, so that nobody waits for it later."""
        _ = self.alaw, self.ulaw

    @property
    def seconds(self) -> float:
        return len(self.samples) / 2 / CLOCK_RATE


class Playing:
    """A place in a sequence of sounds, given out frame by frame. The law may change between frames."""

    __slots__ = ("_index", "_offset", "_repeat", "_sounds")

    def __init__(self, sounds: Sequence[Sound], *, repeat: bool = False) -> None:
        self._sounds = tuple(sound for sound in sounds if sound.samples)
        self._repeat = repeat
        self._index = 0
        self._offset = 0

    def frame(self, payload_type: int) -> bytes | None:
        """The next 20 ms, the last filled up with silence; None at the end."""
        pieces: list[bytes] = []
        wanted = FRAME_SAMPLES
        while wanted and self._index < len(self._sounds):
            piece = self._sounds[self._index].in_law(payload_type)[self._offset : self._offset + wanted]
            pieces.append(piece)
            wanted -= len(piece)
            self._advance(len(piece))
        if not pieces:
            return None
        return b"".join(pieces) + bytes([g711.SILENCE[payload_type]]) * wanted

    def _advance(self, samples: int) -> None:
        self._offset += samples
        if self._offset * 2 >= len(self._sounds[self._index].samples):
            self._offset = 0
            self._index += 1
            if self._repeat and self._index == len(self._sounds):
                self._index = 0
