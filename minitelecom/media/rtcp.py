"""
RTCP packets as values: RFC 3550 section 6. Sender and receiver reports, CNAME and goodbye.

A compound datagram becomes a list of what we understand; the rest of it is passed over, and a broken one ends where
it breaks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from struct import Struct

from minitelecom.media.reception import ReportBlock

SENDER_REPORT, RECEIVER_REPORT, SOURCE_DESCRIPTION, GOODBYE = 200, 201, 202, 203
_CNAME = 1
_VERSION = 0x80
_HEADER = Struct("!BBHI")  # the first SSRC belongs to each kind we read
_SENDER = Struct("!QIII")
_BLOCK = Struct("!IIIIII")


@dataclass(frozen=True, slots=True)
class SenderReport:
    ssrc: int
    ntp: int
    timestamp: int
    packets: int
    octets: int
    blocks: tuple[ReportBlock, ...] = ()


@dataclass(frozen=True, slots=True)
class ReceiverReport:
    ssrc: int
    blocks: tuple[ReportBlock, ...] = ()


@dataclass(frozen=True, slots=True)
class Goodbye:
    ssrc: int


Part = SenderReport | ReceiverReport | Goodbye


def parse(data: bytes) -> list[Part]:
    """The understood parts of a compound datagram; empty if it is none."""
    parts: list[Part] = []
    while len(data) >= _HEADER.size:
        first, kind, length, ssrc = _HEADER.unpack_from(data)
        end = 4 + 4 * length
        if first & 0xC0 != _VERSION or not SENDER_REPORT <= kind <= 204 or not _HEADER.size <= end <= len(data):
            break
        part = _part(kind, first & 0x1F, ssrc, data[_HEADER.size : end])
        if part is not None:
            parts.append(part)
        data = data[end:]
    return parts


def _part(kind: int, count: int, ssrc: int, body: bytes) -> Part | None:
    if kind == SENDER_REPORT and len(body) >= _SENDER.size:
        ntp, timestamp, packets, octets = _SENDER.unpack_from(body)
        return SenderReport(ssrc, ntp, timestamp, packets, octets, _blocks(body[_SENDER.size :], count))
    if kind == RECEIVER_REPORT:
        return ReceiverReport(ssrc, _blocks(body, count))
    if kind == GOODBYE and count:
        return Goodbye(ssrc)
    return None


def _blocks(body: bytes, count: int) -> tuple[ReportBlock, ...]:
    fitting = min(count, len(body) // _BLOCK.size)
    return tuple(_block(*_BLOCK.unpack_from(body, number * _BLOCK.size)) for number in range(fitting))


def _block(ssrc: int, losses: int, highest: int, jitter: int, last: int, delay: int) -> ReportBlock:
    lost = losses & 0xFFFFFF
    signed = lost - 0x1000000 if lost & 0x800000 else lost  # duplicates can make it negative
    return ReportBlock(ssrc, losses >> 24, signed, highest, jitter, last, delay)


def report(part: SenderReport | ReceiverReport, cname: str) -> bytes:
    """A compound datagram: a report first, then who sends it (RFC 3550 section 6.1)."""
    blocks = b"".join(
        _BLOCK.pack(
            block.ssrc,
            block.fraction_lost << 24 | block.lost & 0xFFFFFF,
            block.highest_sequence,
            block.jitter,
            block.last_sender_report,
            block.delay,
        )
        for block in part.blocks
    )
    if isinstance(part, SenderReport):
        sender = _SENDER.pack(part.ntp, part.timestamp, part.packets & 0xFFFFFFFF, part.octets & 0xFFFFFFFF)
        first = _pack(SENDER_REPORT, len(part.blocks), part.ssrc, sender + blocks)
    else:
        first = _pack(RECEIVER_REPORT, len(part.blocks), part.ssrc, blocks)
    return first + _description(part.ssrc, cname)


def goodbye(ssrc: int, cname: str, blocks: Sequence[ReportBlock] = ()) -> bytes:
    """The last datagram of a stream."""
    return report(ReceiverReport(ssrc, tuple(blocks)), cname) + _pack(GOODBYE, 1, ssrc, b"")


def _description(ssrc: int, cname: str) -> bytes:
    name = cname.encode()
    item = bytes([_CNAME, len(name)]) + name
    return _pack(SOURCE_DESCRIPTION, 1, ssrc, item + bytes(4 - len(item) % 4))


def _pack(kind: int, count: int, ssrc: int, body: bytes) -> bytes:
    return _HEADER.pack(_VERSION | count, kind, (_HEADER.size + len(body)) // 4 - 1, ssrc) + body
