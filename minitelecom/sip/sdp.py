"""
Session descriptions: RFC 4566 (SDP), as far as RFC 3264 and one sound stream need it.

    session = v= o= s= [i=] [u=] [e=] [p=] [c=] [b=] t= [r=] [z=] [k=] a=*   media*
    media   = m= [i=] [c=] [b=] [k=] a=*

Old telephones write lines in another order, leave some out and add a third field to every rtpmap (`PCMU/8000/3`), so the
reader takes any order within a section, ends lines at LF or CRLF, and needs no more than an m= line it understands.
"""

import functools
from dataclasses import dataclass, field

MOST_LINES = 500
MOST_MEDIA = 16
MOST_REMEMBERED = 256  # rtpmaps: the same few come with every call

Attribute = tuple[str, str | None]


class MalformedDescription(ValueError):
    """The body is no session description."""


@dataclass(frozen=True, slots=True)
class Origin:
    """o=: who made this description, and which version of it this is."""

    username: str
    session_id: str
    version: str
    address: str

    def next(self) -> "Origin":
        """Of the next version (RFC 3264 section 8)."""
        return Origin(self.username, self.session_id, str(int(self.version) + 1), self.address)

    def __str__(self) -> str:
        return f"{self.username} {self.session_id} {self.version} {network(self.address)}"


@dataclass(frozen=True, slots=True)
class RtpMap:
    """a=rtpmap: what a payload type means. Names compare in capitals; a channel field is not kept."""

    name: str
    clock_rate: int


@dataclass(frozen=True, slots=True)
class Media:
    """One m= line and what belongs to it."""

    kind: str
    port: int
    protocol: str
    formats: tuple[str, ...]
    connection: str | None = None
    attributes: tuple[Attribute, ...] = ()

    def attribute(self, name: str) -> str | None:
        """The value of the first attribute of that name."""
        return next((value for found, value in self.attributes if found == name), None)

    @property
    def rtpmaps(self) -> dict[int, RtpMap]:
        found: dict[int, RtpMap] = {}
        for name, value in self.attributes:
            if name == "rtpmap" and value is not None:
                number, rtpmap = _rtpmap(value)
                if number is not None:
                    found.setdefault(number, rtpmap)
        return found

    @property
    def payload_types(self) -> list[int]:
        return [number for number in map(_number, self.formats) if number is not None]

    @property
    def described(self) -> list[tuple[int, RtpMap | None]]:
        """The payload types in their order, each with its rtpmap where it has one."""
        rtpmaps = self.rtpmaps
        return [(number, rtpmaps.get(number)) for number in self.payload_types]

    def lines(self) -> list[str]:
        written = [f"m={self.kind} {self.port} {self.protocol} {' '.join(self.formats)}"]
        if self.connection is not None:
            written.append(f"c={network(self.connection)}")
        written += [f"a={name}" if value is None else f"a={name}:{value}" for name, value in self.attributes]
        return written

    def refused(self) -> "Media":
        """RFC 3264 section 6: the same line with port 0."""
        return Media(self.kind, 0, self.protocol, self.formats[:1] or ("0",))


@dataclass(frozen=True, slots=True)
class SessionDescription:
    origin: Origin
    connection: str | None = None
    media: tuple[Media, ...] = ()
    times: str = "0 0"
    name: str = "-"
    attributes: tuple[Attribute, ...] = ()

    @property
    def audio(self) -> Media | None:
        """The first sound stream that is in use: RTP that is not encrypted, and a port."""
        return next((media for media in self.media if is_audio(media)), None)

    def connection_of(self, media: Media) -> str | None:
        return self.connection if media.connection is None else media.connection

    def direction_of(self, media: Media) -> str:
        """Of the stream, else of the session, else sendrecv (RFC 3264 section 5.1)."""
        for name, _ in (*media.attributes, *self.attributes):
            if name in DIRECTIONS:
                return name
        return "sendrecv"

    def __str__(self) -> str:
        lines = ["v=0", f"o={self.origin}", f"s={self.name}"]
        if self.connection is not None:
            lines.append(f"c={network(self.connection)}")
        lines.append(f"t={self.times}")
        lines += [f"a={name}" if value is None else f"a={name}:{value}" for name, value in self.attributes]
        for media in self.media:
            lines += media.lines()
        return "\r\n".join(lines) + "\r\n"

    def encode(self) -> bytes:
        return str(self).encode("utf-8", "surrogateescape")


DIRECTIONS = ("sendrecv", "sendonly", "recvonly", "inactive")


PROFILES = ("RTP/AVP", "RTP/AVPF")
"""
Of RTP (RFC 3551, RFC 4585). AVPF asks for nothing of whoever sends no feedback, and none is agreed on without a=rtcp-fb in the
answer; what is encrypted we don't read.
"""


def is_audio(media: Media) -> bool:
    return media.kind == "audio" and media.protocol in PROFILES and media.port > 0


def network(address: str) -> str:
    return f"IN {'IP6' if ':' in address else 'IP4'} {address}"


@dataclass(slots=True)
class _Section:
    """The lines of the session or of one medium, as they are collected."""

    media: str | None = None
    connection: str | None = None
    attributes: list[Attribute] = field(default_factory=list)


def parse(body: bytes) -> SessionDescription:
    """Raises MalformedDescription."""
    lines = body.decode("utf-8", "surrogateescape").replace("\r", "\n").split("\n")
    if len(lines) > MOST_LINES:
        raise MalformedDescription("too many lines")
    origin, times, name = Origin("-", "0", "0", "0.0.0.0"), "0 0", "-"  # noqa: S104
    sections = [_Section()]
    for line in lines:
        kind, value = line[:2].lower(), line[2:].strip()
        if kind == "m=":
            sections.append(_Section(media=value))
        elif kind == "c=":
            sections[-1].connection = _address(value) or None
        elif kind == "a=":
            attribute, colon, content = value.partition(":")
            sections[-1].attributes.append((attribute.strip().lower(), content.strip() if colon else None))
        elif kind == "o=":
            origin = _origin(value)
        elif kind == "t=":
            times = value or times
        elif kind == "s=":
            name = value or name
        elif line.strip() and kind[1:] != "=":
            raise MalformedDescription(f"no SDP line: {line[:40]!r}")
    if not 1 < len(sections) <= MOST_MEDIA + 1:
        raise MalformedDescription("no media, or too many")
    media = tuple(_media(section) for section in sections[1:])
    return SessionDescription(origin, sections[0].connection, media, times, name, tuple(sections[0].attributes))


def _media(section: _Section) -> Media:
    kind, port, protocol, *formats = [*(section.media or "").split(), "", "", ""][:64]
    number = _number(port.partition("/")[0])  # m=audio 49170/2: several ports; the first is ours
    if number is None or number > 65535:
        raise MalformedDescription(f"bad m= line: {(section.media or '')[:40]!r}")
    return Media(
        kind.lower(),
        number,
        protocol.upper(),
        tuple(word for word in formats if word),
        section.connection,
        tuple(section.attributes),
    )


@functools.lru_cache(MOST_REMEMBERED)
def _rtpmap(value: str) -> tuple[int | None, RtpMap]:
    payload_type, _, encoding = value.strip().partition(" ")
    codec, _, rate = encoding.strip().partition("/")
    return _number(payload_type), RtpMap(codec.strip().upper(), _number(rate.partition("/")[0]) or 8000)


def _origin(value: str) -> Origin:
    words = value.split()
    if len(words) < 6:
        return Origin(words[0] if words else "-", "0", "0", "0.0.0.0")  # noqa: S104
    return Origin(words[0], words[1], words[2], words[5])


def _address(value: str) -> str:
    """c=IN IP4 224.2.1.1/127: the address without TTL and count."""
    return value.rpartition(" ")[2].partition("/")[0]


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 6 else None
