"""
How long a session lasts unless it is refreshed, and who refreshes it: RFC 4028, as functions of what was said.

Without it nobody would notice that the far end of a call has lost its power. Every INVITE and UPDATE, and the 2xx to it,
settles the interval anew; a 2xx that says nothing of it turns the timer off (section 7.2).
"""

import re
from enum import Enum
from typing import NamedTuple

from minitelecom.sip.grammar import uint32
from minitelecom.sip.message import Message, Request, Response

LEAST_SECONDS = 90  # section 4: no interval may be shorter, whoever asks for it
OPTION = "timer"
LATEST_MARGIN_SECONDS = 32  # section 10: who was not refreshed hangs up that long, or a third, before the end

Header = tuple[str, str]

# Session-Expires = delta-seconds *( SEMI se-params ) ;  se-params = refresher-param / generic-param
_SESSION_EXPIRES = re.compile(r"([0-9]+)(?:[ \t]*;.*)?")
_REFRESHER = re.compile(r";[ \t]*refresher[ \t]*=[ \t]*(uac|uas)[ \t]*(?:;|$)", re.IGNORECASE)


class Refresher(Enum):
    """Who refreshes, by its role in the transaction that says so."""

    UAC = "uac"
    UAS = "uas"


class SessionExpires(NamedTuple):
    seconds: int
    refresher: Refresher | None = None

    def __str__(self) -> str:
        return str(self.seconds) if self.refresher is None else f"{self.seconds};refresher={self.refresher.value}"


class Interval(NamedTuple):
    """What both sides have agreed on."""

    seconds: int
    we_refresh: bool

    @property
    def refresh_seconds(self) -> float:
        """When who refreshes does so (section 7.4): after the half."""
        return self.seconds / 2

    @property
    def patience_seconds(self) -> float:
        """When who was not refreshed, or could not refresh, says BYE (section 10)."""
        return self.seconds - min(LATEST_MARGIN_SECONDS, self.seconds / 3)


class TooSmall(NamedTuple):
    """The interval asked for is shorter than we take: 422, with this Min-SE (section 9)."""

    least_seconds: int


def session_expires(message: Message) -> SessionExpires | None:
    """None where there is none, or none that can be read."""
    value = message.get("Session-Expires") or ""
    match = _SESSION_EXPIRES.fullmatch(value)
    seconds = uint32(match[1]) if match is not None else None
    if seconds is None:
        return None
    refresher = _REFRESHER.search(value)
    return SessionExpires(seconds, None if refresher is None else Refresher(refresher[1].lower()))


def min_se(message: Message) -> int:
    """The shortest interval that those on the way have said they take (section 5)."""
    seconds = uint32((message.get("Min-SE") or "").partition(";")[0].strip())
    return max(LEAST_SECONDS, seconds or 0)


def supports(message: Message) -> bool:
    return any(tag.lower() == OPTION for name in ("Supported", "Require") for tag in message.tokens(name))


def decide(request: Request, wanted: int, least: int = LEAST_SECONDS) -> SessionExpires | TooSmall | None:
    """
    What a UAS puts into its 2xx to an INVITE or UPDATE (section 9, table 2); None: nothing, and there is no timer.

        the UAC supports it   refresher it asks for   refresher in the 2xx
        no                    none                    uas
        no                    uac                     not allowed: as none
        no                    uas                     uas
        yes                   none                    uas (or uac; we would rather know at once)
        yes                   uac                     uac
        yes                   uas                     uas

    A UAC without support that asks for nothing gets no timer; nor can one without support be told 422. The interval
    may be lowered, but not below what anybody on the way takes, and never raised.
    """
    asked, supported = session_expires(request), supports(request)
    if asked is None:
        return SessionExpires(max(wanted, min_se(request)), Refresher.UAS) if supported else None
    if asked.seconds < least and supported:
        return TooSmall(least)
    seconds = max(min(asked.seconds, wanted), min_se(request), least) if asked.seconds >= least else least
    theirs = asked.refresher is Refresher.UAC and supported
    return SessionExpires(seconds, Refresher.UAC if theirs else Refresher.UAS)


def headers_of_success(decided: SessionExpires, request: Request) -> list[Header]:
    """The header lines of the 2xx; Require tells a UAC that supports it that it has a part in this (section 9)."""
    require = [("Require", OPTION)] if supports(request) else []
    return [("Session-Expires", str(decided)), *require]


def as_uas(decided: SessionExpires) -> Interval:
    return Interval(decided.seconds, decided.refresher is Refresher.UAS)


def as_uac(response: Response) -> Interval | None:
    """What a 2xx to our INVITE or UPDATE has settled (section 7.2). Where it names nobody, we do it: that is safe."""
    decided = session_expires(response)
    if decided is None:
        return None
    return Interval(max(decided.seconds, LEAST_SECONDS), decided.refresher is not Refresher.UAS)


def headers_of_request(seconds: int, least: int, refresher: Refresher | None = None) -> list[Header]:
    """
    The header lines of an INVITE or UPDATE of ours. Within a session the refresher is named, so that the roles stay
    (section 7.4); Min-SE is said once it is more than everybody's own (section 7.1).
    """
    seconds = max(seconds, least)
    found = [("Session-Expires", str(SessionExpires(seconds, refresher)))]
    return [*found, ("Min-SE", str(least))] if least > LEAST_SECONDS else found


def refusal(request: Request, wanted: int) -> Response | None:
    """The 422 to an INVITE or UPDATE that asks for too short an interval (section 9)."""
    decided = decide(request, wanted)
    if not isinstance(decided, TooSmall):
        return None
    return request.response(422, headers=[("Min-SE", str(decided.least_seconds))])
