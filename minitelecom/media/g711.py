"""
ITU-T G.711: A-law and µ-law, each one byte a sample, by computed tables.

The codes are named by their RTP payload types (RFC 3551 section 6): 0 is µ-law (PCMU), 8 is A-law (PCMA).
Between the two laws a payload is translated in one step; linear samples are 16-bit words.
"""

import sys
from array import array
from collections.abc import Sequence

PCMU = 0
PCMA = 8
SILENCE = {PCMU: 0xFF, PCMA: 0xD5}


def _alaw_code(sample: int) -> int:
    """Encode a 13-bit sample: sign, three bits of segment, four of step; even bits inverted."""
    magnitude, sign = (sample, 0xD5) if sample >= 0 else (-sample - 1, 0x55)
    segment = max(0, magnitude.bit_length() - 5)
    step = magnitude >> (max(1, segment)) & 0x0F
    return (segment << 4 | step) ^ sign


def _alaw_sample(code: int) -> int:
    code ^= 0x55
    segment = code >> 4 & 0x07
    magnitude = (code & 0x0F) << 4
    magnitude = magnitude + 8 if segment == 0 else (magnitude + 0x108) << (segment - 1)
    return magnitude if code & 0x80 else -magnitude


def _ulaw_code(sample: int) -> int:
    """Encode a 14-bit sample: 33 is added, so that each segment begins at a power of two; all bits inverted."""
    magnitude, sign = (sample, 0xFF) if sample >= 0 else (-sample, 0x7F)
    magnitude = min(magnitude, 8158) + 33
    segment = magnitude.bit_length() - 6
    return (segment << 4 | magnitude >> (segment + 1) & 0x0F) ^ sign


def _ulaw_sample(code: int) -> int:
    code ^= 0xFF
    magnitude = ((code & 0x0F) << 3) + 0x84 << (code >> 4 & 0x07)
    return 0x84 - magnitude if code & 0x80 else magnitude - 0x84


def _codes(bits: int, code: int) -> bytes:
    """For each 16-bit word (two's complement, unsigned index) its code, of which only the top `bits` count."""
    half, words = 1 << (bits - 1), 1 << (16 - bits)
    encode = _alaw_code if code == PCMA else _ulaw_code
    samples = [*range(half), *range(-half, 0)]
    return b"".join(bytes([encode(sample)]) * words for sample in samples)


_TO_LINEAR = {PCMU: [_ulaw_sample(code) for code in range(256)], PCMA: [_alaw_sample(code) for code in range(256)]}
_FROM_LINEAR = {PCMU: _codes(14, PCMU), PCMA: _codes(13, PCMA)}


def decode(payload_type: int, payload: bytes) -> list[int]:
    """Linear 16-bit samples of a payload."""
    return list(map(_TO_LINEAR[payload_type].__getitem__, payload))


def encode(payload_type: int, samples: bytes) -> bytes:
    """The payload for linear samples, given as 16-bit little-endian words."""
    words = array("H", samples)
    if sys.byteorder == "big":
        words.byteswap()
    return bytes(map(_FROM_LINEAR[payload_type].__getitem__, words))


def words(samples: Sequence[int]) -> bytes:
    """Samples as 16-bit little-endian words."""
    packed = array("h", samples)
    if sys.byteorder == "big":
        packed.byteswap()
    return packed.tobytes()


def _translation(source: int, target: int) -> bytes:
    return bytes(_FROM_LINEAR[target][sample & 0xFFFF] for sample in _TO_LINEAR[source])


A_TO_U = _translation(PCMA, PCMU)
U_TO_A = _translation(PCMU, PCMA)


def convert(payload: bytes, source: int, target: int) -> bytes:
    """A payload of one law in the other."""
    if source == target:
        return payload
    return payload.translate(A_TO_U if target == PCMU else U_TO_A)
