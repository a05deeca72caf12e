"""
Where a message begins and ends, in a datagram and in a stream (RFC 3261 sections 7.5, 18.3), and what is none at all.

A datagram carries one message. What follows its Content-Length is thrown away; a body up to SHORTFALL bytes shorter than
promised is taken as it came, for telephones that count a line end too many. A stream has no such mercy.
"""

import re
from enum import Enum
from typing import NamedTuple

from minitelecom.sip.grammar import BadSyntax, uint32

LARGEST_MESSAGE = 65535
SHORTFALL = 2


def is_keepalive(data: bytes) -> bool:
    """What old telephones and routers send to keep a way open: nothing, one byte, NULs, line ends."""
    return len(data) <= 1 or (len(data) <= 16 and not data.strip(b"\r\n\0 "))


def split(data: bytes) -> tuple[str, bytes]:
    """The head, decoded, without the empty line behind it; and everything after that."""
    if len(data) > LARGEST_MESSAGE:
        raise BadSyntax("Message Too Large", 513)
    if data[:1] in {b"\r", b"\n"}:
        data = data.lstrip(b"\r\n")
    head, _, body = data.partition(b"\r\n\r\n")
    text = head.decode("utf-8", "surrogateescape")
    if text.count("\n") == text.count("\r\n") == text.count("\r"):
        return text.removesuffix("\r\n"), body
    return _split_loosely(data)


def _split_loosely(data: bytes) -> tuple[str, bytes]:
    """Lines that end in LF alone: against the grammar, and still seen. A CR alone would be a way to hide a header."""
    ends = [(data.find(end), len(end)) for end in (b"\n\n", b"\n\r\n")]
    place, length = min((end for end in ends if end[0] >= 0), default=(len(data), 0))
    text = data[:place].decode("utf-8", "surrogateescape").rstrip("\r").replace("\r\n", "\n").rstrip("\n")
    if "\r" in text:
        raise BadSyntax("Stray Carriage Return")
    return text.replace("\n", "\r\n"), data[place + length :]


def trim(body: bytes, content_length: str | None) -> bytes:
    """The body that Content-Length delimits; without one, all there is."""
    if content_length is None:
        return body
    length = uint32(content_length)
    if length is None:
        raise BadSyntax("Bad Content-Length")
    if length > len(body) + SHORTFALL:
        raise BadSyntax("Body Shorter Than Content-Length")
    return body[:length]


# --- streams ---------------------------------------------------------------------------------------------------------

LONGEST_HEAD = 32 * 1024

_HEAD_END = b"\r\n\r\n"
_CONTENT_LENGTH = re.compile(rb"\r\n(?:content-length|l)[ \t]*:([^\r]*(?:\r\n[ \t][^\r]*)*)", re.IGNORECASE)
_BEGINS_A_TOKEN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-.!%*_+`'~")


class Keepalive(Enum):
    """Line ends between messages (RFC 5626 section 4.4.1)."""

    PING = "CRLF CRLF"
    PONG = "CRLF"


class Broken(NamedTuple):
    """A stream in which nobody can say where the next message begins; `head` is what may tell whom to answer."""

    status: int
    reason: str
    head: bytes


Framed = bytes | Keepalive | Broken


class StreamFramer:
    """
    Cuts what one end of a connection sends into messages (RFC 3261 section 18.3): here Content-Length is a must, and is
    believed to the byte. What comes out depends on the bytes alone, not on how they were cut on their way.
    """

    __slots__ = ("_buffer", "_head", "_line_ends", "_pongs_due", "_whole", "broken")

    def __init__(self) -> None:
        self.broken = False
        """Nothing more comes out."""
        self._buffer = bytearray()
        self._head = 0  # so many bytes have been searched for the end of the head
        self._whole = 0  # so long the message will be, once its head is known
        self._line_ends = 0
        self._pongs_due = 0

    @property
    def within(self) -> bool:
        """Whether a message has begun that is not yet whole."""
        return bool(self._buffer)

    def expect_pong(self) -> None:
        """We have sent a ping: the next line end is its answer, and not half of a ping of theirs."""
        self._pongs_due = 1

    def feed(self, data: bytes) -> list[Framed]:
        """What is whole now."""
        found: list[Framed] = []
        if not self.broken:
            self._buffer += data
            while (one := self._next()) is not None:
                found.append(one)
                if isinstance(one, Broken):
                    self.broken = True
                    self._buffer.clear()
        return found

    def _next(self) -> Framed | None:
        buffer = self._buffer
        if not self._whole:
            between = self._between() or self._measure()
            if between is not None:
                return between
        if not self._whole or len(buffer) < self._whole:
            return None
        message = bytes(buffer[: self._whole])
        del buffer[: self._whole]
        self._head = self._whole = 0
        return message

    def _between(self) -> Keepalive | None:
        """Line ends before a message."""
        while self._buffer.startswith(b"\r\n"):
            del self._buffer[:2]
            if self._pongs_due:
                self._pongs_due = 0
                return Keepalive.PONG
            self._line_ends += 1
            if self._line_ends == 2:
                self._line_ends = 0
                return Keepalive.PING
        return None

    def _measure(self) -> Broken | None:
        """How long the message is, as soon as its head is there."""
        buffer = self._buffer
        if not buffer or buffer == b"\r":
            return None
        self._line_ends = 0
        if buffer[0] not in _BEGINS_A_TOKEN:
            return Broken(400, "Bad Start-Line", b"")
        end = buffer.find(_HEAD_END, max(0, self._head - 3), LONGEST_HEAD)
        if end < 0:
            self._head = len(buffer)
            if self._head < LONGEST_HEAD:
                return None
            return Broken(513, "Message Too Large", bytes(buffer[: max(0, buffer.rfind(b"\r\n", 0, LONGEST_HEAD))]))
        head = bytes(buffer[:end])
        lengths: list[bytes] = _CONTENT_LENGTH.findall(head)
        length = uint32(lengths[0].decode("latin-1").strip()) if len(lengths) == 1 else None
        if length is None:
            return Broken(400, "Bad Content-Length" if lengths else "Missing Content-Length", head)
        self._whole = end + len(_HEAD_END) + length
        return Broken(513, "Message Too Large", head) if self._whole > LARGEST_MESSAGE else None
