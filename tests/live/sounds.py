"""
Sound as the tests make and measure it, written apart from the product's: G.711 by its definition, tones, keys, levels.
"""

import math
import sys
import wave
from array import array
from collections.abc import Sequence
from functools import cache
from pathlib import Path

RATE = 8000
FRAME = 160  # 20 ms
PCMU, PCMA, EVENT = 0, 8, 101

LOUDEST = {PCMU: 32124, PCMA: 32256}
AMPLITUDE = 8000.0
WAV_HEADER, WAV_HEADERS = 44, 512  # bytes at least, and at most
LEVEL_WITHIN = 1.0  # decibels
ABSENT = -40.0

KEYS = "0123456789*#ABCD"
KEY_HERTZ = {
    key: (row, column)
    for row, keys in zip((697, 770, 852, 941), ("123A", "456B", "789C", "*0#D"), strict=True)
    for column, key in zip((1209, 1336, 1477, 1633), keys, strict=True)
}


@cache
def table(payload_type: int) -> tuple[int, ...]:
    """What each of the 256 codes stands for (ITU-T G.711 tables 1 and 2), on a scale of 16 bits."""
    return tuple(_alaw(code) if payload_type == PCMA else _ulaw(code) for code in range(256))


def _alaw(code: int) -> int:
    code ^= 0x55
    segment, step = code >> 4 & 7, code & 15
    level = (2 * step + 1) << 3 if segment == 0 else (2 * step + 33) << segment + 2
    return level if code & 0x80 else -level


def _ulaw(code: int) -> int:
    code ^= 0xFF
    level = (((2 * (code & 15) + 33) << (code >> 4 & 7)) - 33) << 2
    return -level if code & 0x80 else level


@cache
def codes(payload_type: int) -> bytes:
    """The nearest code of each 16-bit sample, by sample + 32768."""
    levels = sorted((level, code) for code, level in enumerate(table(payload_type)))
    nearest = bytearray()
    place = 0
    for sample in range(-32768, 32768):
        while place + 1 < len(levels) and abs(levels[place + 1][0] - sample) <= abs(levels[place][0] - sample):
            place += 1
        nearest.append(levels[place][1])
    return bytes(nearest)


def encode(payload_type: int, samples: Sequence[float]) -> bytes:
    law = codes(payload_type)
    return bytes(law[round(max(-32768, min(32767, sample))) + 32768] for sample in samples)


def decode(payload_type: int, payload: bytes) -> list[int]:
    levels = table(payload_type)
    return [levels[code] for code in payload]


def sine(hertz: float, count: int, start: int = 0, amplitude: float = AMPLITUDE) -> list[float]:
    """So many samples of a tone, from the sample `start` on."""
    step = 2 * math.pi * hertz / RATE
    return [amplitude * math.sin(step * index) for index in range(start, start + count)]


def key_tone(key: str, seconds: float) -> list[float]:
    """Both tones of a key, each about -12 dBm0."""
    row, column = (sine(hertz, round(seconds * RATE), amplitude=5600) for hertz in KEY_HERTZ[key])
    return [low + high for low, high in zip(row, column, strict=True)]


def keyed(keys: str, *, down: float = 0.07, up: float = 0.07) -> list[float]:
    """Keys pressed one after another, in sound."""
    samples: list[float] = []
    for key in keys:
        samples += key_tone(key, down) + [0.0] * round(up * RATE)
    return samples


def write_wav(path: Path, samples: Sequence[float]) -> None:
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", "not compressed"))
        words = (round(sample).to_bytes(2, "little", signed=True) for sample in samples)
        file.writeframes(b"".join(words))


def read_wav(path: Path) -> list[int]:
    """Samples of a file of 16 bits at 8 kHz, one channel; its header may be unfinished, or not there yet."""
    data = path.read_bytes()
    start = max(data.find(b"data", 0, WAV_HEADERS) + 8, WAV_HEADER)
    samples = array("h", data[start : start + (len(data) - start) // 2 * 2])
    if sys.byteorder == "big":
        samples.byteswap()
    return samples.tolist()


def amplitude(samples: Sequence[float], hertz: float) -> float:
    """How much of one frequency is in there (Goertzel's algorithm at any frequency), under a Hann window."""
    count = len(samples)
    turn = 2 * math.pi / count
    real = imaginary = weight = 0.0
    step = 2 * math.pi * hertz / RATE
    for index, sample in enumerate(samples):
        hann = 0.5 - 0.5 * math.cos(turn * index)
        weight += hann
        real += hann * sample * math.cos(step * index)
        imaginary += hann * sample * math.sin(step * index)
    return 2 * math.hypot(real, imaginary) / weight


def decibels(value: float, reference: float = AMPLITUDE) -> float:
    return 20 * math.log10(max(value, 1e-3) / reference)


def levels(samples: Sequence[float], hertz: float, own: float) -> tuple[float, float]:
    """Decibels of the tone that the other says, and of one's own."""
    return decibels(amplitude(samples, hertz)), decibels(amplitude(samples, own))


def is_heard(samples: Sequence[float], hertz: float, own: float) -> bool:
    """As loud as it was said, and no echo."""
    other, echo = levels(samples, hertz, own)
    return abs(other) <= LEVEL_WITHIN and echo <= ABSENT


def spell(samples: Sequence[float], hertz: float, seconds: float = 0.02) -> list[bool]:
    """For each stretch of that length: is it mostly this tone?"""
    width = round(seconds * RATE)
    stretches = (samples[at : at + width] for at in range(0, len(samples) - width + 1, width))
    return [is_tone(stretch, hertz) for stretch in stretches]


def is_tone(samples: Sequence[float], hertz: float) -> bool:
    power = sum(sample * sample for sample in samples) / len(samples)
    return power > 200.0**2 and amplitude(samples, hertz) ** 2 / 2 > 0.7 * power
