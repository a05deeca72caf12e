"""
A session that changes while it lasts: by re-INVITE (RFC 3261 section 14) or UPDATE (RFC 3311), theirs or ours.

Two sides may want a change at the same moment.  Whoever hears of the other's while its own is under way refuses it with
491, and both try again after a time drawn by lot, the side that made the Call-ID later than the other (14.1).
"""

from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING

from twisted.logger import Logger

from minitelecom.calls.capabilities import ALLOW
from minitelecom.media.door import NoPortsLeft
from minitelecom.sip.client_user import Failure
from minitelecom.sip.hop import Hop
from minitelecom.sip.message import Request, Response
from minitelecom.sip.offer_answer import SDP, Exchange, Negotiation, NotAcceptable, description_in
from minitelecom.sip.timers import Timed
from minitelecom.sip.transaction_layer import ClientTransaction, ServerTransaction

if TYPE_CHECKING:
    from minitelecom.calls.leg import Leg

log = Logger()

Header = tuple[str, str]

MOST_ATTEMPTS = 8  # with the time between them some twenty seconds: who still has a change under way will not end it
MOST_WAITING = 4  # changes of ours on one leg; more want different things at once
ANSWER_SECONDS = 32.0  # for a final response to a re-INVITE: nobody is asked first, so nobody may take longer
LONGEST_RETRY_AFTER = 10  # seconds, as RFC 3311 5.2 has them drawn
OVER = (408, 481)  # 12.2.1.2: either ends the dialog


class Outcome(Enum):
    AGREED = "the session is as we asked"
    REFUSED = "the session is what it was"
    LOST = "the leg is over"


class SessionChange:
    """
    One change of ours, from the first attempt to its outcome (a ClientUser).

    ``offer`` writes the description when it is sent, which may be more than once; None, for UPDATE only: nothing about
    the sound changes.  ``done`` is told once, and given the response that decided, where there was one.
    """

    def __init__(
        self,
        method: str,
        offer: Callable[[Negotiation], bytes] | None,
        done: Callable[[Outcome, Response | None], None],
    ) -> None:
        assert method == "UPDATE" or offer is not None
        self.method = method
        self._offer = offer
        self._done = done
        self._leg: Leg
        self._transaction: ClientTransaction | None = None
        self._authorization: Header | None = None
        self._ack: Request | None = None
        self._attempts = 0
        self._timer: Timed | None = None
        self._over = False

    def begin(self, leg: "Leg") -> None:
        self._leg = leg
        self._attempt()

    def refuse(self) -> None:
        """It never begins."""
        self._done(Outcome.REFUSED, None)

    def abandon(self) -> None:
        """The leg is over; a re-INVITE on its way is not left to wait for ever."""
        if self._transaction is not None and self.method == "INVITE":
            self._transaction.cancel()
        self._over = True
        self._stop_timer()
        self._done(Outcome.LOST, None)

    def _attempt(self, _: None = None) -> None:
        self._timer = None
        self._attempts += 1
        if not self._is_our_turn():
            self._try_again(self._lot())
            return
        leg, dialog = self._leg, self._leg.dialog
        assert dialog is not None
        body = self._offer(leg.negotiation()) if self._offer is not None else b""
        headers = [("Contact", leg.contact()), ("Allow", ALLOW), *leg.supported(), *leg.session_timer.kept()]
        if self._authorization is not None:
            headers.append(self._authorization)
        request = dialog.request(self.method, headers, body, SDP if body else None)
        if self.method == "INVITE":
            self._timer = leg.switch.layer.timers.start(ANSWER_SECONDS, self._take_back)
        self._transaction = leg.switch.layer.request(request, leg.way(dialog), self)

    def _is_our_turn(self) -> bool:
        """14.1: no INVITE while another is in progress either way; RFC 3264 4: one offer at a time."""
        leg = self._leg
        if leg.dialog is None or leg.dialog.early:
            return False
        if self.method == "INVITE" and leg.acceptance is not None:
            return False
        return self._offer is None or leg.negotiation().exchange is Exchange.NONE

    def _lot(self) -> float:
        """14.1, in units of 10 ms."""
        low, high = (210, 400) if self._leg.owns_call_id else (0, 200)
        return self._leg.switch.random.randint(low, high) / 100

    def _try_again(self, seconds: float, response: Response | None = None) -> None:
        if self._attempts >= MOST_ATTEMPTS:
            self._finish(Outcome.REFUSED, response)
        else:
            self._timer = self._leg.switch.layer.timers.start(seconds, self._attempt)

    def _take_back(self, _: None) -> None:
        self._timer = None
        if self._transaction is not None:
            self._transaction.cancel()

    # What the transaction tells (ClientUser).

    def response_received(self, response: Response, source: Hop) -> None:
        if response.status < 200:
            return
        if response.status < 300 and self.method == "INVITE":
            self._acknowledge(response)
        if self._over or self._transaction is None:
            return
        self._transaction = None
        self._stop_timer()
        leg = self._leg
        if response.status < 300:
            self._agreed(response)
            return
        if self._offer is not None:
            leg.negotiation().conclude()
        if response.status == 491:
            self._try_again(self._lot(), response)
        elif response.status == 500 and (seconds := retry_after(response)) is not None:
            self._try_again(seconds, response)
        elif (response.status in (401, 407) and self._authorize(response)) or (
            response.status == 422 and leg.session_timer.learn(response)
        ):
            self._attempt()
        elif response.status in OVER:
            leg.lost()
        else:
            self._finish(Outcome.REFUSED, response)

    def request_failed(self, cause: Failure) -> None:
        self._transaction = None
        if not self._over:
            self._leg.lost()

    def _acknowledge(self, response: Response) -> None:
        """Each time the 2xx comes, and with the same bytes (13.2.2.4)."""
        dialog = self._leg.dialog
        assert dialog is not None
        if self._ack is None:
            self._ack = dialog.ack(response.cseq.number)
        self._leg.switch.layer.send_ack(self._ack, self._leg.way(dialog))

    def _agreed(self, response: Response) -> None:
        leg = self._leg
        assert leg.dialog is not None
        leg.dialog.update(response)
        leg.session_timer.settled(leg, response)
        if self._offer is not None:
            try:
                leg.connect_media(leg.negotiation().accept_answer(description_in(response)))
            except NotAcceptable as unusable:
                log.info("{call_id}: unusable answer: {why}", call_id=response.call_id, why=str(unusable))
                leg.negotiation().conclude()
                self._finish(Outcome.REFUSED, response)
                return
        self._finish(Outcome.AGREED, response)

    def _authorize(self, response: Response) -> bool:
        if self._authorization is not None:
            return False
        leg = self._leg
        assert leg.dialog is not None
        uri = str(leg.dialog.remote_target)
        self._authorization = leg.credentials.answer(response, self.method, uri, leg.switch.token())
        return self._authorization is not None

    def _stop_timer(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.stop()

    def _finish(self, outcome: Outcome, response: Response | None) -> None:
        self._over = True
        self._leg.changes.over(self._leg)
        self._done(outcome, response)


class SessionChanges:
    """The changes of ours on one leg: one at a time, in the order in which they were wanted."""

    __slots__ = ("_changes",)

    def __init__(self) -> None:
        self._changes: list[SessionChange] = []

    def want(self, leg: "Leg", change: SessionChange) -> None:
        """Begin it, or let it wait for those before it; refused at once where too many are wanted already."""
        if len(self._changes) >= MOST_WAITING:
            change.refuse()
            return
        self._changes.append(change)
        if len(self._changes) == 1:
            change.begin(leg)

    def over(self, leg: "Leg") -> None:
        """The first has its outcome."""
        del self._changes[:1]
        if self._changes:
            self._changes[0].begin(leg)

    def abandon(self) -> None:
        """The leg is over."""
        changes, self._changes = self._changes, []
        for change in changes:
            change.abandon()


def change_received(leg: "Leg", transaction: ServerTransaction, request: Request) -> None:
    """A re-INVITE or UPDATE of theirs: hold, resume, another codec or address, or only that they are still there."""
    try:
        refused = leg.session_timer.refusal(request) or _out_of_turn(leg, request)
        body = _answer(leg, request) if refused is None else b""
    except NotAcceptable as unusable:
        refused = request.response(488, headers=[("Warning", f'304 minitelecom "{unusable}"')])
    except NoPortsLeft:
        refused = request.response(503)
    if refused is not None:
        transaction.respond(refused)
        return
    assert leg.dialog is not None
    leg.dialog.update(request)
    if request.method == "INVITE":
        leg.send_success(transaction, body)
    else:
        transaction.respond(leg.success(request, body))


def _answer(leg: "Leg", request: Request) -> bytes:
    """The description that goes back; raises NotAcceptable or NoPortsLeft, and nothing has changed then."""
    offer = description_in(request)
    if offer:
        body, stream = leg.negotiation().answer(offer)
        leg.connect_media(stream)
        return body
    return leg.negotiation().offer() if request.method == "INVITE" else b""


def _out_of_turn(leg: "Leg", request: Request) -> Response | None:
    """RFC 3261 14.2, RFC 3311 5.2: one INVITE at a time, and one offer at a time."""
    assert leg.dialog is not None
    exchange = leg.negotiation().exchange
    if request.method == "INVITE":
        if leg.acceptance is not None or leg.dialog.early:
            return _later(leg, request, "The previous INVITE is under way")
        if exchange is Exchange.OURS:
            return request.response(491)
    elif description_in(request):
        if exchange is Exchange.OURS:
            return request.response(491)
        if exchange is Exchange.THEIRS:
            return _later(leg, request, "The previous offer is unanswered")
    return None


def _later(leg: "Leg", request: Request, reason: str) -> Response:
    seconds = str(leg.switch.random.randint(0, LONGEST_RETRY_AFTER))
    return request.response(500, reason, headers=[("Retry-After", seconds)])


def retry_after(response: Response) -> float | None:
    """The seconds of a Retry-After (20.33) that is worth waiting for."""
    value = (response.get("Retry-After") or "").partition(";")[0].partition("(")[0].strip()
    seconds = int(value) if value.isascii() and value.isdecimal() and len(value) < 4 else None
    return float(seconds) if seconds is not None and seconds <= LONGEST_RETRY_AFTER else None
