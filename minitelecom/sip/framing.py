"""
Where a message begins and ends in a datagram (RFC 3261 sections 7.5, 18.3), and what is none at all.

A datagram carries one message. What follows its Content-Length is thrown away; a body up to SHORTFALL bytes shorter than
promised is taken as it came, for telephones that count a line end too many.
"""

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
