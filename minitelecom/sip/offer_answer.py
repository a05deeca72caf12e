"""
Offer and answer: RFC 3264, for one G.711 sound stream with telephone-event (RFC 4733).

What we write is what the oldest telephones understand: exactly one codec in an answer, explicit rtpmaps, ptime 20, the
payload type of telephone-event as it was offered. Streams we don't take are refused with port 0 and keep their place;
the order of the lines never changes while the session lasts (section 8). The version in o= rises with every changed body.
"""

from dataclasses import dataclass, replace
from enum import Enum
from typing import ClassVar, Literal

from minitelecom.sip.checks import SDP
from minitelecom.sip.message import Message
from minitelecom.sip.sdp import (
    PROFILES,
    MalformedDescription,
    Media,
    Origin,
    RtpMap,
    SessionDescription,
    is_audio,
    parse,
)

__all__ = ["CODECS", "SDP", "Codec", "Exchange", "Negotiation", "NotAcceptable", "Stream", "description_in", "read"]

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


CODECS = (Codec.PCMA, Codec.PCMU)
"""What we speak unless told otherwise, the one we like best first."""


class Exchange(Enum):
    """Whether an offer waits for its answer, as far as the other side can be sure of it (RFC 3264 section 4)."""

    NONE = "every offer has its answer"
    OURS = "our offer waits for their answer"
    THEIRS = "their offer waits for our answer"


class NotAcceptable(Exception):
    """Nothing in this description fits: 488 Not Acceptable Here."""

    status: ClassVar[int] = 488


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


def description_in(message: Message) -> bytes:
    """The session description that a message carries; empty where it has none, or a body of another kind."""
    return message.body if message.content_type in ("", SDP) else b""


def read(body: bytes) -> Stream:
    """The sound stream of a description. Raises NotAcceptable."""
    description = _parse(body)
    return _stream(description, description.media[_place(description, CODECS, 0, "")])


class Negotiation:
    """
    One session's offers and answers, from our side.  ``codecs`` are those we speak, the one we like best first; ``events``
    tells whether we speak telephone-event.

    ``exchange`` is kept for those who may not offer or answer out of turn (RFC 3261 14, RFC 3311 5.2). An answer that
    travels where it may be lost leaves it as it was: ``final`` is False then, and the leg says when it has arrived.
    """

    def __init__(
        self, host: str, port: int, session_id: int, codecs: tuple[Codec, ...] = CODECS, *, events: bool = True
    ) -> None:
        self.remote: Stream | None = None
        self.exchange = Exchange.NONE
        self._host = host
        self._port = port
        self._codecs = codecs
        self._origin = Origin("-", str(session_id), str(session_id), host)
        # The lines of the session as both sides know them, ours at its place among refused ones.
        self._refused: list[Media] = []
        self._ours = 0
        self._profile = PROFILES[0]
        self._offered: tuple[Codec, ...] = ()
        self._events = events
        self._telephone_event = TELEPHONE_EVENT if events else None
        self._written: SessionDescription | None = None
        self._agreed: SessionDescription | None = None  # how both sides know ours

    def copy(self) -> "Negotiation":
        """As it is now, for one of several far ends that a forked INVITE reached: each goes on by itself."""
        twin = Negotiation(self._host, self._port, 0, self._codecs, events=self._events)
        twin.remote, twin.exchange, twin._origin = self.remote, self.exchange, self._origin
        twin._refused, twin._ours, twin._profile = list(self._refused), self._ours, self._profile
        twin._offered, twin._telephone_event = self._offered, self._telephone_event
        twin._written, twin._agreed = self._written, self._agreed
        return twin

    def offer(self, direction: Direction = "sendrecv", codecs: tuple[Codec, ...] | None = None) -> bytes:
        self.exchange = Exchange.OURS
        self._offered = codecs or self._codecs
        return self._write(self._offered, self._telephone_event, direction, "0 0")

    def restate(self) -> bytes:
        """An offer that changes nothing (RFC 4028 7.4: with the same version): what was agreed last, once more."""
        if self._agreed is None:
            return self.offer()
        self.exchange = Exchange.OURS
        if not self._offered:  # so far we have answered
            self._offered = self.remote.codecs if self.remote is not None else self._codecs
        return self._encode(replace(self._agreed, origin=self._origin))

    def conclude(self) -> None:
        """No offer is open any more: its answer has surely arrived, or it was refused (RFC 3261 14.1: nothing has changed)."""
        self.exchange = Exchange.NONE

    def accept_answer(self, body: bytes, *, final: bool = True) -> Stream:
        """The answer to our last offer. Raises NotAcceptable; the session then stays as it was."""
        stream = read(body)
        codecs = tuple(codec for codec in stream.codecs if codec in self._offered)
        if not codecs:
            raise NotAcceptable("the answer has none of the codecs we offered")
        self.remote = replace(stream, codecs=codecs, telephone_event=self._event(stream))
        self._agreed = self._written
        if final:
            self.exchange = Exchange.NONE
        return self.remote

    def answered(self) -> Stream:
        """Their stream, if our offer has had its answer for sure. Raises NotAcceptable."""
        if self.remote is None or self.exchange is not Exchange.NONE:
            raise NotAcceptable("no description")
        return self.remote

    def answer(self, offer: bytes, *, final: bool = True) -> tuple[bytes, Stream]:
        """Our answer, and the far end's stream with the one codec chosen. Raises NotAcceptable; nothing has changed then."""
        description = _parse(offer)
        place = _place(description, self._codecs, self._ours if self.remote is not None else None, self._host)
        stream = _stream(description, description.media[place])
        stream = replace(stream, codecs=(self._choose(stream.codecs),), telephone_event=self._event(stream))
        self._refused = [media.refused() for media in description.media]
        self._ours = place
        self._profile = description.media[place].protocol
        self._telephone_event = stream.telephone_event or self._telephone_event
        self._offered = ()
        self.remote = stream
        self.exchange = Exchange.NONE if final else Exchange.THEIRS
        body = self._write(stream.codecs, stream.telephone_event, MIRRORED[stream.direction], description.times)
        self._agreed = self._written
        return body, stream

    def _event(self, stream: Stream) -> int | None:
        return stream.telephone_event if self._events else None

    def _choose(self, offered: tuple[Codec, ...]) -> Codec:
        """The codec in use if it is offered again, else what we like best."""
        if self.remote is not None and self.remote.codecs[0] in offered:
            return self.remote.codecs[0]
        return next(codec for codec in self._codecs if codec in offered)

    def _write(self, codecs: tuple[Codec, ...], telephone_event: int | None, direction: Direction, times: str) -> bytes:
        media = [*self._refused]
        media[self._ours : self._ours + 1] = [_audio(self._port, self._profile, codecs, telephone_event, direction)]
        return self._encode(SessionDescription(self._origin, self._host, tuple(media), times))

    def _encode(self, description: SessionDescription) -> bytes:
        if self._written is not None and description != self._written:
            self._origin = self._origin.next()
            description = replace(description, origin=self._origin)
        self._written = description
        return description.encode()


def _parse(body: bytes) -> SessionDescription:
    try:
        return parse(body)
    except MalformedDescription as malformed:
        raise NotAcceptable(str(malformed)) from malformed


def _place(description: SessionDescription, wanted: tuple[Codec, ...], in_use: int | None, host: str) -> int:
    """
    Which of the media is the sound stream we take: the one in use, else the first that fits; but rather one of the same
    family of addresses as our own host.
    """
    streams = {place: media for place, media in enumerate(description.media) if is_audio(media)}
    addresses = {place: description.connection_of(media) for place, media in streams.items()}
    fitting = [
        place
        for place, media in streams.items()
        if addresses[place] and any(codec in wanted for codec in _codecs(media.described))
    ]
    if not fitting:
        raise NotAcceptable("no c= line" if streams and not any(addresses.values()) else "no G.711 sound stream")
    if in_use is not None and in_use in fitting:
        return in_use
    return next((place for place in fitting if (":" in str(addresses[place])) == (":" in host)), fitting[0])


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
    assert address
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


def _audio(
    port: int, profile: str, codecs: tuple[Codec, ...], telephone_event: int | None, direction: Direction
) -> Media:
    formats = [str(codec.value) for codec in codecs]
    attributes: list[tuple[str, str | None]] = [("rtpmap", f"{codec.value} {codec.name}/8000") for codec in codecs]
    if telephone_event is not None:
        formats.append(str(telephone_event))
        attributes += [
            ("rtpmap", f"{telephone_event} telephone-event/8000"),
            ("fmtp", f"{telephone_event} 0-15"),
        ]
    attributes += [("ptime", str(PTIME_MS)), (direction, None)]
    return Media("audio", port, profile, tuple(formats), attributes=tuple(attributes))
