"""
A leg that began with an INVITE of ours: RFC 3261 13.2, 9.1 and 15, as a machine.

Its states: *idle*, *calling* (with or without early sound), *cancelling* (we gave up and wait for what the far end
says to that), *talking*, *closed*.  RFC 3261 sets no limit to ringing, so the leg keeps one of its own.
"""

from typing import Protocol

from automat import TypeMachineBuilder
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger

from minitelecom.calls.early_dialogs import EarlyDialogs
from minitelecom.calls.errand import Errand
from minitelecom.calls.leg import ALLOW, SDP, End, Ending, Leg, LegUser, description_in
from minitelecom.calls.machine import built
from minitelecom.calls.switch import Switch
from minitelecom.calls.target import Target
from minitelecom.sip import reliability
from minitelecom.sip.client_user import Failure
from minitelecom.sip.dialog import Dialog
from minitelecom.sip.hop import Hop
from minitelecom.sip.message import Request, Response
from minitelecom.sip.offer_answer import Exchange, NotAcceptable
from minitelecom.sip.reason_header import told
from minitelecom.sip.redirection import contacts
from minitelecom.sip.transaction_layer import ClientTransaction, ServerTransaction
from minitelecom.sip.uri import Uri

__all__ = ["OutgoingLeg", "Target"]

log = Logger()

# After our CANCEL the far end has 64·T1 to end the INVITE (RFC 3261 9.1).
CANCEL_SECONDS = 32.0
MOST_INVITES = 6  # of one leg, each with what the last refusal has told
SILENT_SECONDS = 4.0
"""An INVITE has then been said four times over UDP: where there is another place to try, whoever has not even said 100 is out of order."""
MOST_FORKS = 20  # far ends of one INVITE that are answered when they answer; more are left to their own timers


class Inputs(Protocol):
    """What call control wants of the leg, and what the far end does."""

    def invite(self) -> None: ...
    def provisional(self, response: Response) -> None: ...
    def success(self, response: Response) -> None: ...
    def challenged(self, response: Response) -> None: ...
    def too_brief(self, response: Response) -> None: ...
    def refused(self, response: Response) -> None: ...
    def unreached(self) -> None: ...
    def failed(self) -> None: ...
    def rung_out(self) -> None: ...
    def waited(self) -> None: ...
    def hang_up(self) -> None: ...
    def bye(self) -> None: ...
    def acknowledged(self) -> None: ...
    def lost(self) -> None: ...


class OutgoingLeg(Leg):
    """The side we call.  Raises NoPortsLeft where there is no port for its sound."""

    owns_call_id = True

    def __init__(self, switch: Switch, target: Target, user: LegUser) -> None:
        super().__init__(
            switch,
            target.hop,
            user,
            trunk=target.trunk,
            credentials=target.credentials,
            urgent=target.urgent,
            telephone=target.telephone,
            proxied=bool(target.routes),
        )
        self.target = target
        self.contact_user = target.caller.user
        self.contact_scheme = Uri.parse(target.request_uri).scheme
        self.call_id = f"{switch.token()}@{switch.addresses.towards(target.hop)[0]}"
        self.transaction: ClientTransaction | None = None
        self.timer: IDelayedCall | None = None
        self.patience: IDelayedCall | None = None  # until there is any progress
        self.invite_sequence = 1
        self._further = list(target.further)
        self._silence: IDelayedCall | None = None
        self._offer = self.negotiation().offer()
        self._authorization: tuple[str, str] | None = None
        self._described_by: str | None = ""  # the tag of the far end whose sound we know; none is empty
        self._base = self.negotiation()  # as the INVITE offered it
        self._early = EarlyDialogs(self._base.copy)
        self._forks: dict[str | None, Dialog] = {}  # those that were ended at once, by their tag
        self._machine = _machine(self)

    def invite(self) -> None:
        self.switch.engaged.join(self)
        self._machine.invite()

    def hang_up(self) -> None:
        self._machine.hang_up()
        super().hang_up()

    def bye_received(self) -> None:
        self._machine.bye()

    def acknowledged(self) -> None:
        self._machine.acknowledged()

    def never_acknowledged(self) -> None:
        super().never_acknowledged()
        self._machine.lost()

    def lost(self) -> None:
        self._machine.lost()

    # What the INVITE's transaction tells (ClientUser).

    def response_received(self, response: Response, source: Hop) -> None:
        self._stop_waiting()
        if response.status < 200:
            self._machine.provisional(response)
        elif response.status < 300:
            self._machine.success(response)
        elif response.status in (401, 407):
            self._machine.challenged(response)
        elif response.status == 422:
            self._machine.too_brief(response)
        elif response.status == 503 and self._further:
            self._machine.unreached()
        else:
            self._machine.refused(response)

    def request_failed(self, cause: Failure) -> None:
        self._stop_waiting()
        if self._further:
            self._machine.unreached()
        else:
            self._machine.failed()

    # The machine's means.

    def send_invite(self) -> None:
        host, _ = self.switch.addresses.towards(self.hop)
        caller = self.target.caller
        headers = [
            *(("Route", route) for route in self.target.routes),
            ("From", f"{caller.from_(host)};tag={self.local_tag}"),
            ("To", f"<{self.target.request_uri}>"),
            ("Call-ID", self.call_id),
            ("CSeq", f"{self.invite_sequence} INVITE"),
            ("Contact", self.contact()),
            ("Max-Forwards", str(self.target.max_forwards)),
            ("Allow", ALLOW),
            *self._supported(),
            *self.session_timer.asked(),
            *caller.headers(host),
        ]
        if self._authorization is not None:
            headers.append(self._authorization)
        request = Request.create("INVITE", self.target.request_uri, headers, self._offer, SDP)
        self.transaction = self.switch.layer.request(request, self.hop, self)
        if self._further:
            self._silence = self.switch.clock.callLater(SILENT_SECONDS, self._no_answer_at_all)

    def go_further(self) -> None:
        """RFC 3263 4.3: the same INVITE, in a transaction of its own, to the next place of the same server."""
        self.hop = self._further.pop(0)
        self.send_invite()

    def _no_answer_at_all(self) -> None:
        """Whatever still comes of that INVITE is cancelled, or ended."""
        self._silence = None
        assert self.transaction is not None
        self.transaction.cancel()
        self.transaction.leave_to(_Abandoned(self))
        self._machine.unreached()

    def _stop_waiting(self) -> None:
        if self._silence is not None:
            self._silence.cancel()
            self._silence = None

    def _supported(self) -> list[tuple[str, str]]:
        """Reliable responses from carriers only: a telephone that has not said so itself may not know them."""
        options = [*((reliability.OPTION,) if self.trunk is not None else ()), *self.session_timer.options]
        return [("Supported", ", ".join(options))] if options else []

    def ask_for_longer(self, response: Response) -> bool:
        """After a 422: whether asking for a longer interval makes sense (RFC 4028 7.3)."""
        self.invite_sequence += 1
        return self.invite_sequence <= MOST_INVITES and self.session_timer.learn(response)

    def authorize(self, response: Response) -> bool:
        """Whether we have an answer to the challenge; one that comes again has been answered wrongly."""
        if self._authorization is not None:
            return False
        uri = self.target.request_uri
        self._authorization = self.credentials.answer(response, "INVITE", uri, self.switch.token())
        self.invite_sequence += 1
        return self._authorization is not None

    def stop_timers(self) -> None:
        timer, self.timer = self.timer, None
        if timer is not None and timer.active():
            timer.cancel()
        self.be_content()

    def be_content(self) -> None:
        """It rings, or is answered: no more need be heard of it for now."""
        patience, self.patience = self.patience, None
        if patience is not None and patience.active():
            patience.cancel()

    def release(self) -> None:
        self.stop_timers()
        self._stop_waiting()
        super().release()

    # The far ends that ring.

    def ring_heard(self, response: Response) -> bool:
        """Whether a provisional response says anything new; one that wants a PRACK gets it (RFC 3262 4)."""
        self.switch.legs[self.key] = self  # from now on it may ask within its early dialog
        tag = response.to.tag
        self._early.heard(self._sent_invite(), response)
        if reliability.rseq(response) is None:
            return True
        early = self._early.of(tag)
        rack = early.order.take(response) if early is not None else None
        if early is None or rack is None:
            return False
        Errand(self, early.dialog, "PRACK", (("RAck", str(rack)),))
        return True

    def request_received(self, transaction: ServerTransaction, request: Request, source: Hop) -> None:
        """See Leg. Before the answer it belongs to one of those that ring; BYE is not for them (RFC 3261 15)."""
        if self.dialog is None or self.dialog.early:
            early = self._early.of(request.from_.tag) if request.method != "BYE" else None
            if early is None:
                transaction.respond(request.response(481))
                return
            self.dialog, self._negotiation = early.dialog, early.negotiation
        super().request_received(transaction, request, source)

    def establish(self, response: Response) -> bool:
        """Make the dialog of a 2xx ours, acknowledge it and connect its sound; False where the sound is unusable."""
        early = self._early.known(response.to.tag)
        self.dialog = self._early.confirmed(self._sent_invite(), response)
        self._negotiation = self._base if early is None else early.negotiation
        self._early.forget()
        self.switch.legs[self.key] = self
        self.acknowledge(self.dialog)
        self.far_allows = response.get("Allow") or ""
        self.session_timer.settled(self, response)
        return self.take_answer(response)

    def take_answer(self, response: Response) -> bool:
        """Whether there is sound now: described in this response, or in an earlier one of the same far end."""
        tag, answer = response.to.tag, description_in(response)
        final = response.status >= 200 or reliability.rseq(response) is not None
        early = self._early.known(tag)
        negotiation = self._base if early is None else early.negotiation
        if negotiation.exchange is Exchange.NONE:
            answer = b""  # it has answered for sure, and what comes later counts no more (RFC 3261 13.2.1)
        if not answer and self._described_by == tag:
            if final:
                negotiation.conclude()
            return True
        try:
            stream = negotiation.accept_answer(answer, final=final) if answer else negotiation.answered()
            self._negotiation = negotiation
            self.connect_media(stream)
        except NotAcceptable as unusable:
            log.info("{call_id}: unusable answer: {why}", call_id=self.call_id, why=str(unusable))
            return False
        self._described_by = tag
        return True

    def acknowledge(self, dialog: Dialog) -> None:
        self.switch.layer.send_ack(dialog.ack(self.invite_sequence), self.way(dialog))

    def end_other_fork(self, response: Response) -> None:
        """A 2xx that we have no use for: acknowledge it each time, end it once (RFC 3261 13.2.2.4)."""
        tag = response.to.tag
        fork = self._forks.get(tag)
        if fork is not None:
            self.acknowledge(fork)
        elif len(self._forks) < MOST_FORKS:
            fork = self._forks[tag] = self._early.confirmed(self._sent_invite(), response)
            self.acknowledge(fork)
            self.send_bye(fork)

    def _sent_invite(self) -> Request:
        assert self.transaction is not None
        return self.transaction.request

    def is_ours(self, response: Response) -> bool:
        return self.dialog is not None and not self.dialog.early and response.to.tag == self.dialog.remote_tag


class _Abandoned:
    """The user of an INVITE that has been sent elsewhere meanwhile."""

    def __init__(self, leg: OutgoingLeg) -> None:
        self._leg = leg

    def response_received(self, response: Response, source: Hop) -> None:
        if 200 <= response.status < 300:
            self._leg.end_other_fork(response)

    def request_failed(self, cause: Failure) -> None:
        """As was to be expected."""


builder = TypeMachineBuilder(Inputs, OutgoingLeg)
idle = builder.state("idle")
calling = builder.state("calling")
cancelling = builder.state("cancelling")
talking = builder.state("talking")
closed = builder.state("closed")


@idle.upon(Inputs.invite).to(calling)
def begin(machine: Inputs, leg: OutgoingLeg) -> None:
    seconds = leg.target.ringing_seconds or leg.switch.limits.ringing_seconds
    leg.timer = leg.switch.clock.callLater(seconds, machine.rung_out)
    if leg.target.progress_seconds:
        leg.patience = leg.switch.clock.callLater(leg.target.progress_seconds, machine.waited)
    leg.send_invite()


@calling.upon(Inputs.provisional).loop()
def progress(machine: Inputs, leg: OutgoingLeg, response: Response) -> None:
    if response.status == 100 or not leg.ring_heard(response):
        return
    leg.be_content()
    sound = bool(description_in(response)) and leg.take_answer(response)
    leg.user.leg_progressed(leg, sound=sound)


@calling.upon(Inputs.success).to(talking)
def talk(machine: Inputs, leg: OutgoingLeg, response: Response) -> None:
    leg.stop_timers()
    if leg.establish(response):
        leg.user.leg_answered(leg)
        return
    machine.hang_up()
    leg.user.leg_ended(leg, Ending(End.REFUSED, 488))


@calling.upon(Inputs.challenged).loop()
def say_who_we_are(machine: Inputs, leg: OutgoingLeg, response: Response) -> None:
    if leg.authorize(response):
        leg.send_invite()
    else:
        machine.refused(response)


@calling.upon(Inputs.too_brief).loop()
def ask_for_longer(machine: Inputs, leg: OutgoingLeg, response: Response) -> None:
    if leg.ask_for_longer(response):
        leg.send_invite()
    else:
        machine.refused(response)


@calling.upon(Inputs.refused).to(closed)
def be_refused(machine: Inputs, leg: OutgoingLeg, response: Response) -> None:
    leg.far_reason = told(response)
    leg.release()
    leg.user.leg_ended(leg, Ending(End.REFUSED, response.status, contacts(response)))


@calling.upon(Inputs.unreached).loop()
def try_another_place(machine: Inputs, leg: OutgoingLeg) -> None:
    leg.go_further()


@calling.upon(Inputs.failed).to(closed)
def find_nobody(machine: Inputs, leg: OutgoingLeg) -> None:
    leg.release()
    leg.user.leg_ended(leg, Ending(End.UNREACHABLE, 408))


@calling.upon(Inputs.rung_out).to(cancelling)
def stop_ringing(machine: Inputs, leg: OutgoingLeg) -> None:
    cancel(leg, machine)
    leg.user.leg_ended(leg, Ending(End.NO_ANSWER, 408))


@calling.upon(Inputs.waited).to(cancelling)
def lose_patience(machine: Inputs, leg: OutgoingLeg) -> None:
    cancel(leg, machine)
    leg.user.leg_ended(leg, Ending(End.SILENT, 408))


@calling.upon(Inputs.hang_up).to(cancelling)
def abandon(machine: Inputs, leg: OutgoingLeg) -> None:
    cancel(leg, machine)


def cancel(leg: OutgoingLeg, machine: Inputs) -> None:
    leg.release()
    leg.timer = leg.switch.clock.callLater(CANCEL_SECONDS, machine.failed)
    assert leg.transaction is not None
    leg.transaction.cancel(leg.reason)


@cancelling.upon(Inputs.success).to(closed)
def answered_meanwhile(machine: Inputs, leg: OutgoingLeg, response: Response) -> None:
    leg.end_other_fork(response)
    leg.release()


@cancelling.upon(Inputs.challenged).to(closed)
@cancelling.upon(Inputs.too_brief).to(closed)
@cancelling.upon(Inputs.refused).to(closed)
def cancelled(machine: Inputs, leg: OutgoingLeg, response: Response) -> None:
    leg.release()


@cancelling.upon(Inputs.unreached).to(closed)
@cancelling.upon(Inputs.failed).to(closed)
def forgotten(machine: Inputs, leg: OutgoingLeg) -> None:
    leg.release()


@talking.upon(Inputs.success).loop()
@closed.upon(Inputs.success).loop()
def success_again(machine: Inputs, leg: OutgoingLeg, response: Response) -> None:
    """A 2xx repeated wants its ACK again; one of another branch is ended."""
    if leg.is_ours(response):
        assert leg.dialog is not None
        leg.acknowledge(leg.dialog)
    else:
        leg.end_other_fork(response)


@talking.upon(Inputs.hang_up).to(closed)
def part(machine: Inputs, leg: OutgoingLeg) -> None:
    leg.send_bye()
    leg.release()


@talking.upon(Inputs.bye).to(closed)
def be_left(machine: Inputs, leg: OutgoingLeg) -> None:
    leg.release()
    leg.user.leg_ended(leg, Ending(End.BYE))


@talking.upon(Inputs.lost).to(closed)
def lose(machine: Inputs, leg: OutgoingLeg) -> None:
    leg.send_bye()
    leg.release()
    leg.user.leg_ended(leg, Ending(End.UNREACHABLE))


# What comes too late, or too early, and changes nothing.
for state, late in {
    idle: (
        Inputs.unreached,
        Inputs.failed,
        Inputs.rung_out,
        Inputs.waited,
        Inputs.bye,
        Inputs.acknowledged,
        Inputs.lost,
    ),
    calling: (Inputs.invite, Inputs.bye, Inputs.acknowledged, Inputs.lost),
    cancelling: (
        Inputs.invite,
        Inputs.rung_out,
        Inputs.waited,
        Inputs.hang_up,
        Inputs.bye,
        Inputs.acknowledged,
        Inputs.lost,
    ),
    talking: (Inputs.invite, Inputs.unreached, Inputs.failed, Inputs.rung_out, Inputs.waited, Inputs.acknowledged),
    closed: (
        Inputs.invite,
        Inputs.unreached,
        Inputs.failed,
        Inputs.rung_out,
        Inputs.waited,
        Inputs.hang_up,
        Inputs.bye,
        Inputs.acknowledged,
        Inputs.lost,
    ),
}.items():
    for input_ in late:
        state.upon(input_).loop().returns(None)


@idle.upon(Inputs.hang_up).to(closed)
def never_mind(machine: Inputs, leg: OutgoingLeg) -> None:
    leg.release()


@idle.upon(Inputs.provisional).loop()
@cancelling.upon(Inputs.provisional).loop()
@talking.upon(Inputs.provisional).loop()
@closed.upon(Inputs.provisional).loop()
@idle.upon(Inputs.success).loop()
@idle.upon(Inputs.challenged).loop()
@talking.upon(Inputs.challenged).loop()
@closed.upon(Inputs.challenged).loop()
@idle.upon(Inputs.too_brief).loop()
@talking.upon(Inputs.too_brief).loop()
@closed.upon(Inputs.too_brief).loop()
@idle.upon(Inputs.refused).loop()
@talking.upon(Inputs.refused).loop()
@closed.upon(Inputs.refused).loop()
def response_too_late(machine: Inputs, leg: OutgoingLeg, response: Response) -> None:
    pass


_machine = built(builder)
