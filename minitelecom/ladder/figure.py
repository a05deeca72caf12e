"""
Messages as a figure: who takes part, from left to right, and an arrow for each message.

Those who called us stand on the left, we in the middle, those whom we called on the right, each in the order of its first
message. A message that went the same way before, to the byte, is a repetition.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from minitelecom.ladder.seen import Leg, Seen
from minitelecom.sip.hop import Hop

LONGEST_TITLE = 40
_STATUS = re.compile(rb"SIP/2\.0 ([1-6][0-9][0-9]) ?([^\r\n]*)", re.IGNORECASE)
_METHOD = re.compile(rb"([A-Za-z0-9.!%*_+`'~-]{1,32}) \S+ SIP/", re.IGNORECASE)
_SDP = re.compile(rb"\r?\n\r?\nv=0")
_DIRECTION = re.compile(rb"[\r\n]a=(sendonly|recvonly|inactive)\b")
_CSEQ = re.compile(rb"[\r\n]cseq[ \t]*:[ \t]*[0-9]+[ \t]+([A-Za-z]+)", re.IGNORECASE)


class Side(Enum):
    """Where a participant stands."""

    CALLER = "caller"
    US = "us"
    CALLED = "called"


class Kind(Enum):
    """What a message says, as far as a colour can tell."""

    REQUEST = "request"
    PROVISIONAL = "provisional"
    SUCCESS = "success"
    FAILURE = "failure"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Participant:
    """A vertical line."""

    side: Side
    name: str
    """A telephone or a trunk; "" where nobody said, and for us."""
    hop: Hop
    """Where it was first seen."""


@dataclass(frozen=True, slots=True)
class Arrow:
    """One message."""

    number: int
    """From 1."""
    seconds: float
    """Since the first one."""
    seen: Seen
    sender: int
    """Which participant, from the left."""
    receiver: int
    kind: Kind
    title: str
    """The method, or the status with its reason."""
    method: str
    """That of the request, also where this is an answer to it; "" where nobody can read it."""
    describes: bool
    """It carries a description of the session (SDP),"""
    direction: str
    """and in it a direction of the sound other than both: sendonly, recvonly, inactive (RFC 3264 5.1)."""
    repeated: bool


@dataclass(frozen=True, slots=True)
class Figure:
    """The whole ladder of one call."""

    participants: Sequence[Participant]
    arrows: Sequence[Arrow]


def figure(messages: Sequence[Seen]) -> Figure:
    """The figure of these messages, which are in the order of time."""
    first: dict[Leg, Seen] = {}
    for one in messages:
        first.setdefault(one.leg, one)
    callers = [leg for leg in first if leg.dialled is None]
    called = [leg for leg in first if leg.dialled is not None]
    us = len(callers)
    place = {leg: number for number, leg in enumerate(callers)}
    place |= {leg: us + 1 + number for number, leg in enumerate(called)}
    participants = [
        *(Participant(Side.CALLER, leg.name, first[leg].far) for leg in callers),
        *([Participant(Side.US, "", messages[0].own)] if messages else []),
        *(Participant(Side.CALLED, leg.name, first[leg].far) for leg in called),
    ]
    before: set[tuple[bool, Leg, bytes]] = set()
    arrows = []
    for number, one in enumerate(messages, 1):
        ends = (us, place[one.leg]) if one.sent else (place[one.leg], us)
        again = (one.sent, one.leg, one.data)
        seconds = (one.instant - messages[0].instant).total_seconds()
        arrows.append(_arrow(number, seconds, one, ends, repeated=again in before))
        before.add(again)
    return Figure(participants, arrows)


def _arrow(number: int, seconds: float, seen: Seen, ends: tuple[int, int], *, repeated: bool) -> Arrow:
    data = seen.data.lstrip(b"\r\n")
    status, request, cseq = _STATUS.match(data), _METHOD.match(data), _CSEQ.search(data)
    if status is not None:
        kind = _kind(int(status[1]))
        title = f"{status[1].decode()} {readable(status[2])}"
        method = cseq[1].decode().upper() if cseq else ""
    elif request is not None:
        kind = Kind.REQUEST
        title = method = request[1].decode()
    else:
        kind, title, method = Kind.UNREADABLE, readable(data.split(b"\n")[0]), ""
    title = " ".join(title.split()) or "?"
    title = title if len(title) <= LONGEST_TITLE else title[: LONGEST_TITLE - 1] + "…"
    described = _SDP.search(data)
    held = _DIRECTION.search(data, described.end()) if described else None
    direction = held[1].decode() if held else ""
    return Arrow(number, seconds, seen, *ends, kind, title, method, described is not None, direction, repeated)


def _kind(status: int) -> Kind:
    if status < 200:
        return Kind.PROVISIONAL
    return Kind.SUCCESS if status < 300 else Kind.FAILURE


def readable(data: bytes) -> str:
    """Bytes as a person may read them: what is no text, or would move the cursor, stands as its number."""
    text = data.decode("utf-8", "backslashreplace").replace("\r\n", "\n").rstrip("\r")
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() or letter in "\n\t" else f"\\x{ord(letter):02x}" for letter in text)
