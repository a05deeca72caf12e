"""
A ladder as a capture file (libpcap's classic format, link type RAW), for Wireshark, tshark or a carrier's support desk.

We keep messages, not packets: headers of IPv4 (RFC 791) or IPv6 (RFC 8200) and of UDP (RFC 768) or TCP (RFC 9293) are made
for them, with right checksums. A message that came by TLS is shown as if by TCP, in the clear. A connection of TCP has no
handshake here; its bytes follow one another from 1 on.
"""

import struct
from collections.abc import Iterator, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address

from minitelecom.ladder.seen import Seen
from minitelecom.sip.hop import Hop

MAGIC = 0xA1B2C3D4  # microseconds
LINKTYPE_RAW = 101  # a packet begins with its IP header
SNAPLEN = 262144
UDP, TCP = 17, 6
HOPS_LEFT = 64
LARGEST_PAYLOAD = 65_000  # IPv4 counts 65,535 bytes with its headers
SEGMENT = 1400
PUSH_ACK = 0x18
WINDOW = 65535
Address = IPv4Address | IPv6Address
NOWHERE: dict[int, Address] = {4: IPv4Address("0.0.0.0"), 6: IPv6Address("::")}  # noqa: S104 - for a host that is known by its name only


def capture(messages: Sequence[Seen]) -> bytes:
    """The file."""
    parts = [struct.pack("<IHHiIII", MAGIC, 2, 4, 0, 0, SNAPLEN, LINKTYPE_RAW)]
    sent: dict[tuple[Hop, Hop], int] = {}
    for one in messages:
        seconds, micros = int(one.instant.timestamp()), one.instant.microsecond
        for packet in _packets(one, sent):
            parts += (struct.pack("<IIII", seconds, micros, len(packet), len(packet)), packet)
    return b"".join(parts)


def _packets(one: Seen, sent: dict[tuple[Hop, Hop], int]) -> Iterator[bytes]:
    """The packets of a message; ``sent`` counts the bytes of each direction of each connection."""
    source, destination = one.source, one.destination
    ends = _addresses(source.host, destination.host)
    if source.transport == "udp":
        yield _ip(ends, UDP, _udp(ends, source.port, destination.port, one.data[:LARGEST_PAYLOAD]))
        return
    for begin in range(0, len(one.data), SEGMENT):
        segment = one.data[begin : begin + SEGMENT]
        numbers = sent.get((source, destination), 0) + 1, sent.get((destination, source), 0) + 1
        yield _ip(ends, TCP, _tcp(ends, source.port, destination.port, numbers, segment))
        sent[source, destination] = sent.get((source, destination), 0) + len(segment)


def _addresses(source: str, destination: str) -> tuple[Address, Address]:
    """Both of one family; a name, or an address of the other family, is nowhere."""
    found = [_address(host) for host in (source, destination)]
    family = next((address.version for address in found if address is not None), 4)
    one, other = [
        address if address is not None and address.version == family else NOWHERE[family] for address in found
    ]
    return one, other


def _address(host: str) -> Address | None:
    try:
        return ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        return None


def _ip(ends: tuple[Address, Address], protocol: int, payload: bytes) -> bytes:
    source, destination = (end.packed for end in ends)
    if ends[0].version == 6:
        return struct.pack("!IHBB", 6 << 28, len(payload), protocol, HOPS_LEFT) + source + destination + payload
    start = struct.pack("!BBHHHBB", 0x45, 0, 20 + len(payload), 0, 0x4000, HOPS_LEFT, protocol)
    return start + struct.pack("!H", checksum(start + source + destination)) + source + destination + payload


def _udp(ends: tuple[Address, Address], source: int, destination: int, data: bytes) -> bytes:
    length = 8 + len(data)
    start = struct.pack("!HHH", source, destination, length)
    total = checksum(_pseudo(ends, UDP, length) + start + b"\0\0" + data)
    return start + struct.pack("!H", total or 0xFFFF) + data  # 0 would say that there is none


def _tcp(ends: tuple[Address, Address], source: int, destination: int, numbers: tuple[int, int], data: bytes) -> bytes:
    mask = 0xFFFFFFFF
    start = struct.pack("!HHIIBBH", source, destination, numbers[0] & mask, numbers[1] & mask, 5 << 4, PUSH_ACK, WINDOW)
    total = checksum(_pseudo(ends, TCP, 20 + len(data)) + start + b"\0\0\0\0" + data)
    return start + struct.pack("!HH", total, 0) + data


def _pseudo(ends: tuple[Address, Address], protocol: int, length: int) -> bytes:
    """What the checksum of UDP and TCP covers besides (RFC 768, RFC 8200 8.1)."""
    form = "!BBH" if ends[0].version == 4 else "!IxxxB"
    tail = struct.pack(form, 0, protocol, length) if ends[0].version == 4 else struct.pack(form, length, protocol)
    return ends[0].packed + ends[1].packed + tail


def checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071)."""
    padded = data + b"\0" * (len(data) % 2)
    total = int(sum(struct.unpack(f"!{len(padded) // 2}H", padded)))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
