"""
What a telephone that transfers is told of how it goes: the subscription that each REFER makes (RFC 3515 section 2.4.4).

One NOTIFY at a time, since the older of two may come last; what has been overtaken meanwhile is left out.  The last one
ends the subscription.  RFC 4488 lets a telephone do without.
"""

from collections.abc import Callable

from minitelecom.calls.leg import Leg
from minitelecom.sip.client_user import Failure
from minitelecom.sip.event import REFER, Event, SubscriptionState
from minitelecom.sip.hop import Hop
from minitelecom.sip.message import Request, Response
from minitelecom.sip.refer import FRAGMENT, fragment
from minitelecom.sip.transaction_layer import ServerTransaction

TRYING = 100


class Referral:
    """
    A ClientUser.  ``tell`` it each status of the call that is referred to; the final one is the last.

    ``silent``: nobody wants to be told.  ``over`` fires once, when the telephone knows the outcome, or can't be told.
    """

    def __init__(self, leg: Leg, event: Event, lasts_seconds: float, *, silent: bool) -> None:
        self.leg = leg
        self.event = event
        self.over: Callable[[], None] = lambda: None
        self._until = leg.switch.clock.seconds() + lasts_seconds
        self._silent = silent
        self._told: int | None = None
        self._to_tell: int | None = None
        self._waiting = False  # for the answer to a NOTIFY
        self._final = False

    def tell(self, status: int) -> None:
        if self._final:
            return
        self._final = status >= 200
        self._to_tell = status
        if not self._waiting:
            self._next()

    def subscribed(self, transaction: ServerTransaction, request: Request) -> None:
        """It wants to be told for longer, or, with no seconds, no more (RFC 6665 4.1.2.2)."""
        seconds = 0 if request.expires == 0 else self._seconds_left
        headers = [("Expires", str(seconds)), ("Contact", self.leg.contact())]
        transaction.respond(request.response(200, headers=headers))
        if request.expires == 0:
            self._notify(self._told or TRYING, SubscriptionState("terminated", reason="timeout"))
            self._silent = True
        elif not self._waiting and self._told is not None:
            self._notify(self._told, SubscriptionState("active", seconds))

    @property
    def _seconds_left(self) -> int:
        return max(1, round(self._until - self.leg.switch.clock.seconds()))

    def _next(self) -> None:
        status, self._to_tell = self._to_tell, None
        if status is not None and not self._silent:
            ended = SubscriptionState("terminated", reason="noresource")
            self._notify(status, ended if status >= 200 else SubscriptionState("active", self._seconds_left))
        elif self._final:
            over, self.over = self.over, lambda: None
            over()

    def _notify(self, status: int, state: SubscriptionState) -> None:
        leg = self.leg
        assert leg.dialog is not None
        self._told, self._waiting = status, True
        headers = [("Contact", leg.contact()), ("Event", str(self.event)), ("Subscription-State", str(state))]
        notify = leg.dialog.request("NOTIFY", headers, fragment(status), FRAGMENT)
        leg.switch.layer.request(notify, leg.way(leg.dialog), self)

    # What becomes of a NOTIFY (ClientUser).

    def response_received(self, response: Response, source: Hop) -> None:
        if response.status >= 200:
            self._silent = self._silent or response.status >= 300  # it does not know of it, or not any more
            self._waiting = False
            self._next()

    def request_failed(self, cause: Failure) -> None:
        self._silent = True
        self._waiting = False
        self._next()


def event_of(sequence: int, *, first: bool) -> Event:
    """Which REFER of a dialog is meant: the first needs no number (RFC 3515 2.4.6)."""
    return Event(REFER, None if first else str(sequence))
