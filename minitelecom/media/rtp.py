"""
RTP packets as values: RFC 3550 section 5.1, with the arithmetic of its wrapping numbers.

Whatever arrives is either a packet or None; nothing here raises for a peer's fault.
"""

from struct import Struct
from typing import NamedTuple

CLOCK_RATE = 8000
FRAME_SECONDS = 0.02
FRAME_SAMPLES = 160
COMFORT_NOISE = 13
HEADER_BYTES = 12
MOST_BYTES = 2048
"""No G.711 packet of a telephone comes near this; longer datagrams are not sound."""

_HEADER = Struct("!BBHII")
_VERSION = 0x80
_VERSION_BITS = 0xC0
_PADDING = 0x20
_EXTENSION = 0x10
_SOURCES = 0x0F


class Packet(NamedTuple):
    payload_type: int
    marker: bool
    sequence_number: int
    timestamp: int
    ssrc: int
    payload: bytes


def parse(data: bytes) -> Packet | None:
    """The packet of one datagram, or None if it is not RTP."""
    if not 12 <= len(data) <= MOST_BYTES:
        return None
    first, second, sequence_number, timestamp, ssrc = _HEADER.unpack_from(data)
    if first == _VERSION:
        return Packet(second & 0x7F, second > 0x7F, sequence_number, timestamp, ssrc, data[12:])
    payload = _payload(first, data) if first & _VERSION_BITS == _VERSION else None
    if payload is None:
        return None
    return Packet(second & 0x7F, second > 0x7F, sequence_number, timestamp, ssrc, payload)


def _payload(first: int, data: bytes) -> bytes | None:
    """What is left between contributing sources, header extension and padding; None if they don't fit."""
    start, end = 12 + 4 * (first & _SOURCES), len(data)
    if first & _EXTENSION:
        if start + 4 > end:
            return None
        start += 4 + 4 * int.from_bytes(data[start + 2 : start + 4])
    if first & _PADDING:
        padding = data[-1]
        if not padding:
            return None
        end -= padding
    return data[start:end] if start <= end else None


def serialise(packet: Packet) -> bytes:
    payload_type, marker, sequence_number, timestamp, ssrc, payload = packet
    return header(payload_type | (0x80 if marker else 0), sequence_number, timestamp, ssrc) + payload


def header(marked_type: int, sequence_number: int, timestamp: int, ssrc: int) -> bytes:
    """The twelve bytes before a payload; `marked_type` is the payload type with the marker as its top bit."""
    return _HEADER.pack(_VERSION, marked_type, sequence_number, timestamp, ssrc)


def sequence_ahead(later: int, earlier: int) -> int:
    """How far one sequence number is ahead of another, negative when behind (RFC 1982)."""
    return ((later - earlier + 0x8000) & 0xFFFF) - 0x8000


def timestamp_ahead(later: int, earlier: int) -> int:
    return ((later - earlier + 0x80000000) & 0xFFFFFFFF) - 0x80000000
