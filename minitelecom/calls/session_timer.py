"""
Keeps one leg's session alive, or ends it when the far end does not: RFC 4028 with a clock.

Who refreshes does so after half of the interval: by UPDATE where the far end takes it, otherwise by a re-INVITE that
states the session as it is.  A refresh that fails is tried again until it is too late.
"""

from typing import TYPE_CHECKING

from twisted.logger import Logger

from minitelecom.calls.session_change import Outcome, SessionChange
from minitelecom.sip.message import Request, Response
from minitelecom.sip.reason_header import NOT_REFRESHED
from minitelecom.sip.session_timer import (
    LEAST_SECONDS,
    OPTION,
    Interval,
    Refresher,
    SessionExpires,
    as_uac,
    as_uas,
    decide,
    headers_of_request,
    headers_of_success,
    min_se,
    refusal,
)
from minitelecom.sip.timers import Timed

if TYPE_CHECKING:
    from minitelecom.calls.leg import Leg

log = Logger()

AGAIN_SECONDS = 5.0  # after a refresh that was refused
LONGEST_SECONDS = 86_400  # whoever takes no interval below a day wants none
NO_SUCH_METHOD = (405, 501)

Header = tuple[str, str]


class SessionTimer:
    """
    One leg's timer.  ``wanted`` is the interval we ask for, in seconds; 0: we know of no timer.

    It is given its leg with every call instead of keeping it: a leg that has ended should go at once.
    """

    __slots__ = ("_again", "_end", "_interval", "_least", "_refresh", "_wanted", "_without_update")

    def __init__(self, wanted: int) -> None:
        self._wanted = wanted
        self._least = LEAST_SECONDS  # what the far end has said, or somebody on the way
        self._without_update = False  # it has refused one
        self._interval: Interval | None = None
        self._refresh: Timed | None = None
        self._again: Timed | None = None
        self._end: Timed | None = None

    @property
    def options(self) -> tuple[str, ...]:
        """What of it stands in Supported."""
        return (OPTION,) if self._wanted else ()

    # What our messages say.

    def asked(self) -> list[Header]:
        """The header lines of an INVITE that is to begin a session."""
        return headers_of_request(self._wanted, self._least) if self._wanted else []

    def kept(self) -> list[Header]:
        """Those of a re-INVITE or UPDATE of ours: what runs goes on, and the roles stay (7.4)."""
        if self._interval is None:
            return []
        refresher = Refresher.UAC if self._interval.we_refresh else Refresher.UAS
        return headers_of_request(self._interval.seconds, self._least, refresher)

    def learn(self, response: Response) -> bool:
        """A 422 says that the far end takes no shorter interval than this; whether asking again makes sense (7.3)."""
        least = min_se(response)
        if not self._least < least <= LONGEST_SECONDS:
            return False
        self._least = least
        return True

    def refusal(self, request: Request) -> Response | None:
        """The 422 to one of theirs that asks for too short an interval."""
        return refusal(request, self._wanted) if self._wanted else None

    def renew(self, leg: "Leg", request: Request) -> list[Header]:
        """Our 200 to an INVITE or UPDATE says how long the session lasts from now (9)."""
        if not self._wanted:
            return []
        decided = decide(request, self._wanted)
        if not isinstance(decided, SessionExpires):
            self.stop()
            return []
        self._begin(leg, as_uas(decided))
        return headers_of_success(decided, request)

    def settled(self, leg: "Leg", response: Response) -> None:
        """A 2xx to our INVITE or UPDATE has come; one that says nothing turns the timer off (7.2)."""
        interval = as_uac(response) if self._wanted else None
        if interval is None:
            self.stop()
        else:
            self._begin(leg, interval)

    # The time that passes.

    def stop(self) -> None:
        for timed in (self._refresh, self._again, self._end):
            if timed is not None:
                timed.stop()
        self._interval = self._refresh = self._again = self._end = None

    def _begin(self, leg: "Leg", interval: Interval) -> None:
        self.stop()
        self._interval = interval
        timers = leg.switch.layer.timers
        if interval.we_refresh:
            self._refresh = timers.start(interval.refresh_seconds, self._half, leg)
        else:
            self._end = timers.start(interval.patience_seconds, self._over, leg)

    def _half(self, leg: "Leg") -> None:
        assert self._interval is not None
        self._refresh = None
        left = self._interval.patience_seconds - self._interval.refresh_seconds
        self._end = leg.switch.layer.timers.start(left, self._over, leg)
        self._ask(leg)

    def _ask(self, leg: "Leg") -> None:
        self._again = None

        def done(outcome: Outcome, response: Response | None) -> None:
            if outcome is Outcome.REFUSED and self._end is not None:  # otherwise a refresh of theirs came meanwhile
                self._refused(leg, response)

        if leg.takes_update() and not self._without_update:
            leg.change_session(SessionChange("UPDATE", None, done))
        else:
            leg.change_session(SessionChange("INVITE", lambda negotiation: negotiation.restate(), done))

    def _refused(self, leg: "Leg", response: Response | None) -> None:
        if response is not None and response.status in NO_SUCH_METHOD and not self._without_update:
            self._without_update = True
            self._ask(leg)
        else:
            self._again = leg.switch.layer.timers.start(AGAIN_SECONDS, self._ask, leg)

    def _over(self, leg: "Leg") -> None:
        self.stop()
        log.info("{call_id}: the session was not refreshed", call_id=leg.key[0])
        leg.reason = NOT_REFRESHED
        leg.lost()
