"""
Offer and answer: RFC 3264, for one G.711 sound stream with telephone-event (RFC 4733).

What we write is what the oldest telephones understand: exactly one codec in an answer, explicit rtpmaps, ptime 20, the
payload type of telephone-event as it was offered. Streams we don't take are refused with port 0 and keep their place;
the order of the lines never changes while the session lasts (section 8). The version in o= rises with every changed body.
"""

from dataclasses import dataclass, replace
from enum import Enum
from typing import Literal

from minitelecom.sip.sdp import (
    MalformedDescription,
    Media,
    Origin,
    RtpMap,
    SessionDescription,
    is_audio,
    parse,
)

Direction = Literal["sendrecv", "sendonly", "recvonly", "inactive"]

Described = list[tuple[int, RtpMap | None]]

PTIME_MS = 20
TELEPHONE_EVENT = 101
"""The payload type we offer; nearly everybody does."""

# RFC 3264 section 6.1: what may answer what, when nothing hinders us.
MIRRORED: dict[Direction, Direction] = {
    "sendrecv": "sendrecv",
    "sendonly": "recvonly",
    "recvonly": "sendonly",
    "inactive": "inactive",
}
# RFC 2543's hold, an address of zeros: "don't send to me".
HELD: dict[Direction, Direction] = {
    "sendrecv": "sendonly",
    "sendonly": "sendonly",
    "recvonly": "inactive",
    "inactive": "inactive",
}
NOWHERE = {"0.0.0.0", "::"}  # noqa: S104


class Codec(Enum):
    """The two codecs by their static payload types (RFC 3551)."""

    PCMU = 0
    PCMA = 8


class NotAcceptable(Exception):
    """Nothing in this description fits: 488 Not Acceptable Here."""

    status = 488


@dataclass(frozen=True, slots=True)
class Stream:
    """The far end's sound stream, as its last description says. The first codec is the one in use."""

    host: str
    port: int
    codecs: tuple[Codec, ...]
    telephone_event: int | None
    direction: Direction
    ptime: int | None

    @property
    def may_be_sent_to(self) -> bool:
        return self.direction in {"sendrecv", "recvonly"}

    @property
    def sends(self) -> bool:
        return self.direction in {"sendrecv", "sendonly"}


def read(body: bytes) -> Stream:
    """The sound stream of a description. Raises NotAcceptable."""
    description = _parse(body)
    return _stream(description, description.media[_place(description)])


class Negotiation:
    """One session's offers and answers, from our side."""

    def __init__(self, host: str, port: int, session_id: int) -> None:
        self.remote: Stream | None = None
        self._host = host
        self._port = port
        self._origin = Origin("-", str(session_id), str(session_id), host)
        self._version = session_id
        self._last = ""
        # The lines of the session as both sides know them, ours at its place among refused ones.
        self._refused: list[Media] = []
        self._ours = 0
        self._offered: tuple[Codec, ...] = ()
        self._telephone_event = TELEPHONE_EVENT

    def offer(self, direction: Direction = "sendrecv", codecs: tuple[Codec, ...] = (Codec.PCMA, Codec.PCMU)) -> bytes:
        self._offered = codecs
        return self._write(codecs, self._telephone_event, direction, "0 0")

    def accept_answer(self, body: bytes) -> Stream:
        """The answer to our last offer. Raises NotAcceptable; the session then stays as it was."""
        stream = read(body)
        codecs = tuple(codec for codec in stream.codecs if codec in self._offered)
        if not codecs:
            raise NotAcceptable("the answer has none of the codecs we offered")
        self.remote = replace(stream, codecs=codecs)
        return self.remote

    def answer(self, offer: bytes) -> tuple[bytes, Stream]:
        """Our answer, and the far end's stream with the one codec chosen. Raises NotAcceptable; nothing has changed then."""
        description = _parse(offer)
        place = _place(description)
        stream = _stream(description, description.media[place])
        stream = replace(stream, codecs=(self._choose(stream.codecs),))
        self._refused = [media.refused() for media in description.media]
        self._ours = place
        self._telephone_event = stream.telephone_event or TELEPHONE_EVENT
        self.remote = stream
        body = self._write(stream.codecs, stream.telephone_event, MIRRORED[stream.direction], description.times)
        return body, stream

    def _choose(self, offered: tuple[Codec, ...]) -> Codec:
        """The codec in use if it is offered again, else what the far end likes best."""
        if self.remote is not None and self.remote.codecs[0] in offered:
            return self.remote.codecs[0]
        return offered[0]

    def _write(self, codecs: tuple[Codec, ...], telephone_event: int | None, direction: Direction, times: str) -> bytes:
        media = [*self._refused]
        media[self._ours : self._ours + 1] = [_audio(self._port, codecs, telephone_event, direction)]
        description = SessionDescription(self._origin, self._host, tuple(media), times)
        text = str(description)
        if self._last and text != self._last:
            self._version += 1
        self._last = text
        return description.with_version(self._version).encode()


def _parse(body: bytes) -> SessionDescription:
    try:
        return parse(body)
    except MalformedDescription as malformed:
        raise NotAcceptable(str(malformed)) from malformed


def _place(description: SessionDescription) -> int:
    """Which of the media is the sound stream we take."""
    for place, media in enumerate(description.media):
        if is_audio(media) and _codecs(media.described):
            return place
    raise NotAcceptable("no G.711 sound stream")


def _codecs(described: Described) -> tuple[Codec, ...]:
    """Static payload types speak for themselves; an rtpmap that says otherwise is believed."""
    found = []
    for payload_type, rtpmap in described:
        if payload_type in (0, 8):
            codec = Codec(payload_type)
            if (rtpmap is None or rtpmap.name == codec.name) and codec not in found:
                found.append(codec)
    return tuple(found)


def _stream(description: SessionDescription, media: Media) -> Stream:
    address = description.connection_of(media)
    if not address:
        raise NotAcceptable("no c= line")
    direction: Direction = description.direction_of(media)  # type: ignore[assignment]
    if address in NOWHERE:
        direction = HELD[direction]
    described = media.described
    ptime = media.attribute("ptime") or ""
    return Stream(
        host=address,
        port=media.port,
        codecs=_codecs(described),
        telephone_event=_telephone_event(described),
        direction=direction,
        ptime=int(ptime) if ptime.isascii() and ptime.isdecimal() and len(ptime) < 4 else None,
    )


def _telephone_event(described: Described) -> int | None:
    for payload_type, rtpmap in described:
        if rtpmap is not None and rtpmap.name == "TELEPHONE-EVENT" and rtpmap.clock_rate == 8000:
            return payload_type
    return None


def _audio(port: int, codecs: tuple[Codec, ...], telephone_event: int | None, direction: Direction) -> Media:
    formats = [str(codec.value) for codec in codecs]
    attributes: list[tuple[str, str | None]] = [("rtpmap", f"{codec.value} {codec.name}/8000") for codec in codecs]
    if telephone_event is not None:
        formats.append(str(telephone_event))
        attributes += [
            ("rtpmap", f"{telephone_event} telephone-event/8000"),
            ("fmtp", f"{telephone_event} 0-15"),
        ]
    attributes += [("ptime", str(PTIME_MS)), (direction, None)]
    return Media("audio", port, "RTP/AVP", tuple(formats), attributes=tuple(attributes))
