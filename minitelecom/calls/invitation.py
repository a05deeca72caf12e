"""
An INVITE of ours, as often as it is sent, and whoever responds to it (RFC 3261 13.2 and 9.1).

It is sent again with what a refusal has told: our credentials (22.2), a longer interval (RFC 4028 7.3); or to the next
place of the same server (RFC 3263 4.3).  It may be forked on its way: whoever rings is an early dialog, and whoever
answers when we have no use for it any more is acknowledged and ended.  What a response means to the leg is for the
leg's machine to say: it is told of each.
"""

from typing import Protocol

from twisted.internet.interfaces import IDelayedCall

from minitelecom.calls.early_dialogs import EarlyDialogs
from minitelecom.calls.errand import Errand
from minitelecom.calls.leg import ALLOW, SDP, Leg
from minitelecom.calls.target import Target
from minitelecom.sip import reliability
from minitelecom.sip.client_user import Failure
from minitelecom.sip.dialog import Dialog
from minitelecom.sip.hop import Hop
from minitelecom.sip.message import Request, Response
from minitelecom.sip.offer_answer import Negotiation
from minitelecom.sip.transaction_layer import ClientTransaction

MOST_INVITES = 6  # of one leg, each with what the last refusal has told
SILENT_SECONDS = 4.0
"""An INVITE has then been said four times over UDP: where there is another place to try, whoever has not even said 100 is out of order."""
MOST_FORKS = 20  # far ends of one INVITE that are answered when they answer; more are left to their own timers


class Outcome(Protocol):
    """What becomes of the INVITE, as the leg's machine is told it."""

    def provisional(self, response: Response) -> None: ...
    def success(self, response: Response) -> None: ...
    def challenged(self, response: Response) -> None: ...
    def too_brief(self, response: Response) -> None: ...
    def refused(self, response: Response) -> None: ...

    def unreached(self) -> None:
        """There is another place to try."""

    def failed(self) -> None:
        """There is none."""


class Invitation:
    """``negotiation`` is the leg's side of offer and answer, which makes the offer here."""

    def __init__(self, leg: Leg, target: Target, negotiation: Negotiation, outcome: Outcome) -> None:
        self.early = EarlyDialogs(negotiation.copy)
        self._leg = leg
        self._target = target
        self._outcome = outcome
        self._offer = negotiation.offer()
        self._transaction: ClientTransaction | None = None
        self._sequence = 1
        self._authorization: tuple[str, str] | None = None
        self._further = list(target.further)
        self._silence: IDelayedCall | None = None
        self._forks: dict[str | None, Dialog] = {}  # those that were ended at once, by their tag

    # What goes out.

    def send(self) -> None:
        """Reliable responses are wanted from carriers only: a telephone that has not said so itself may not know them."""
        leg, target = self._leg, self._target
        host, _ = leg.switch.addresses.towards(leg.hop)
        headers = [
            *(("Route", route) for route in target.routes),
            ("From", f"{target.caller.from_(host)};tag={leg.local_tag}"),
            ("To", f"<{target.request_uri}>"),
            ("Call-ID", leg.call_id),
            ("CSeq", f"{self._sequence} INVITE"),
            ("Contact", leg.contact()),
            ("Max-Forwards", str(target.max_forwards)),
            ("Allow", ALLOW),
            *leg.supported(*((reliability.OPTION,) if leg.trunk is not None else ())),
            *leg.session_timer.asked(),
            *target.caller.headers(host),
        ]
        if self._authorization is not None:
            headers.append(self._authorization)
        request = Request.create("INVITE", target.request_uri, headers, self._offer, SDP)
        self._transaction = leg.switch.layer.request(request, leg.hop, self)
        if self._further:
            self._silence = leg.switch.clock.callLater(SILENT_SECONDS, self._no_answer_at_all)

    def ask_for_longer(self, response: Response) -> bool:
        """After a 422: whether asking for a longer interval makes sense (RFC 4028 7.3)."""
        self._sequence += 1
        return self._sequence <= MOST_INVITES and self._leg.session_timer.learn(response)

    def authorize(self, response: Response) -> bool:
        """Whether we have an answer to the challenge; one that comes again has been answered wrongly."""
        if self._authorization is not None:
            return False
        leg, uri = self._leg, self._target.request_uri
        self._authorization = leg.credentials.answer(response, "INVITE", uri, leg.switch.token())
        self._sequence += 1
        return self._authorization is not None

    def go_further(self) -> None:
        """RFC 3263 4.3: the same INVITE, in a transaction of its own, to the next place of the same server."""
        self._leg.hop = self._further.pop(0)
        self.send()

    def cancel(self, reason: str) -> None:
        """The leg hears the final response all the same (RFC 3261 9.1)."""
        assert self._transaction is not None
        self._transaction.cancel(reason)

    def acknowledge(self, dialog: Dialog) -> None:
        self._leg.switch.layer.send_ack(dialog.ack(self._sequence), self._leg.way(dialog))

    # What comes back (ClientUser).

    def response_received(self, response: Response, source: Hop) -> None:
        self.stop_waiting()
        if response.status < 200:
            self._outcome.provisional(response)
        elif response.status < 300:
            self._outcome.success(response)
        elif response.status in (401, 407):
            self._outcome.challenged(response)
        elif response.status == 422:
            self._outcome.too_brief(response)
        elif response.status == 503 and self._further:
            self._outcome.unreached()
        else:
            self._outcome.refused(response)

    def request_failed(self, cause: Failure) -> None:
        self.stop_waiting()
        if self._further:
            self._outcome.unreached()
        else:
            self._outcome.failed()

    def _no_answer_at_all(self) -> None:
        """Whatever still comes of that INVITE is cancelled, or ended."""
        self._silence = None
        assert self._transaction is not None
        self._transaction.cancel()
        self.abandon()
        self._outcome.unreached()

    def abandon(self) -> None:
        """Nobody wants to know what becomes of what was sent."""
        if self._transaction is not None:
            self._transaction.leave_to(_Abandoned(self))

    def stop_waiting(self) -> None:
        if self._silence is not None:
            self._silence.cancel()
            self._silence = None

    # The far ends that ring, and those that answer.

    def ring_heard(self, response: Response) -> bool:
        """Whether a provisional response says anything new; one that wants a PRACK gets it (RFC 3262 4)."""
        self.early.heard(self._sent(), response)
        if reliability.rseq(response) is None:
            return True
        early = self.early.of(response.to.tag)
        rack = early.order.take(response) if early is not None else None
        if early is None or rack is None:
            return False
        Errand(self._leg, early.dialog, "PRACK", (("RAck", str(rack)),))
        return True

    def confirmed(self, response: Response) -> Dialog:
        """The dialog of a 2xx."""
        return self.early.confirmed(self._sent(), response)

    def success_again(self, response: Response) -> None:
        """A 2xx that comes when there was one: repeated it wants its ACK again, of another branch it is ended."""
        dialog = self._leg.dialog
        if dialog is not None and not dialog.early and response.to.tag == dialog.remote_tag:
            self.acknowledge(dialog)
        else:
            self.end_other_fork(response)

    def end_other_fork(self, response: Response) -> None:
        """A 2xx that we have no use for: acknowledge it each time, end it once (RFC 3261 13.2.2.4)."""
        tag = response.to.tag
        fork = self._forks.get(tag)
        if fork is not None:
            self.acknowledge(fork)
        elif len(self._forks) < MOST_FORKS:
            fork = self._forks[tag] = self.confirmed(response)
            self.acknowledge(fork)
            self._leg.send_bye(fork)

    def _sent(self) -> Request:
        assert self._transaction is not None
        return self._transaction.request


class _Abandoned:
    """The user of an INVITE that has been sent elsewhere meanwhile, or whose leg talks already, or is closed."""

    def __init__(self, invitation: Invitation) -> None:
        self._invitation = invitation

    def response_received(self, response: Response, source: Hop) -> None:
        if 200 <= response.status < 300:
            self._invitation.success_again(response)

    def request_failed(self, cause: Failure) -> None:
        """As was to be expected."""
