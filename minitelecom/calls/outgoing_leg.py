"""
A leg that began with an INVITE of ours: RFC 3261 13.2, 9.1 and 15, as a machine.

Its states: *idle*, *calling* (with or without early sound), *cancelling* (we gave up and wait for what the far end
says to that), *talking*, *closed*.  RFC 3261 sets no limit to ringing, so the leg keeps one of its own.  What is
sent until somebody answers, and sent again, is the affair of the INVITE itself: invitation.py.
"""

from collections.abc import Collection
from typing import Protocol

from automat import TypeMachineBuilder
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger

from minitelecom.calls.invitation import Invitation
from minitelecom.calls.leg import End, Ending, Leg, LegUser, description_in
from minitelecom.calls.machine import CLOSED, built
from minitelecom.calls.switch import Switch
from minitelecom.calls.target import Target
from minitelecom.calls.told_keys import takes_info
from minitelecom.sip import reliability
from minitelecom.sip.hop import Hop
from minitelecom.sip.message import Request, Response
from minitelecom.sip.offer_answer import Exchange, NotAcceptable
from minitelecom.sip.reason_header import told
from minitelecom.sip.redirection import contacts
from minitelecom.sip.transaction_layer import ServerTransaction
from minitelecom.sip.uri import Uri

__all__ = ["OutgoingLeg", "Target"]

log = Logger()

# After our CANCEL the far end has 64·T1 to end the INVITE (RFC 3261 9.1).
CANCEL_SECONDS = 32.0


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

    __slots__ = ("_base", "_described_by", "_invitation", "_machine", "patience", "target", "timer")

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
            keys=target.keys,
        )
        self.target = target
        self.contact_user = target.caller.user
        self.contact_scheme = Uri.parse(target.request_uri).scheme
        self.call_id = f"{switch.token()}@{switch.addresses.towards(target.hop)[0]}"
        self.timer: IDelayedCall | None = None
        self.patience: IDelayedCall | None = None  # until there is any progress
        self._described_by: str | None = ""  # the tag of the far end whose sound we know; none is empty
        self._base = self.negotiation()  # as the INVITE offers it
        self._machine: Inputs = _machine(self)
        self._invitation: Invitation | None = Invitation(self, target, self._base, self._machine)

    @property
    def invitation(self) -> Invitation:
        """Until somebody has answered, or the leg is closed: what still comes of it then is its own affair."""
        assert self._invitation is not None
        return self._invitation

    @property
    def far_tags(self) -> Collection[str | None]:
        """See Leg."""
        return self.invitation.early.tags if self.dialog is None or self.dialog.early else super().far_tags

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

    # The machine's means.

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
        if self._invitation is not None:
            self._invitation.stop_waiting()
        super().release()

    def close(self) -> None:
        """Give back what is still held, and let go of what holds the leg."""
        self._machine = CLOSED
        self.release()
        self.leave_invitation()

    def leave_invitation(self) -> None:
        invitation, self._invitation = self._invitation, None
        if invitation is not None:
            invitation.abandon()

    # The far ends that ring.

    def ring_heard(self, response: Response) -> bool:
        """See Invitation. From now on the far end may ask something within its early dialog."""
        self.switch.legs[self.key] = self
        return self.invitation.ring_heard(response)

    def request_received(self, transaction: ServerTransaction, request: Request, source: Hop) -> None:
        """See Leg. Before the answer it belongs to one of those that ring; BYE is not for them (RFC 3261 15)."""
        if self.dialog is None or self.dialog.early:
            early = self.invitation.early.of(request.from_.tag) if request.method != "BYE" else None
            if early is None:
                transaction.respond(request.response(481))
                return
            self.dialog, self._negotiation = early.dialog, early.negotiation
        super().request_received(transaction, request, source)

    def establish(self, response: Response) -> bool:
        """Make the dialog of a 2xx ours, acknowledge it and connect its sound; False where the sound is unusable."""
        early = self.invitation.early.known(response.to.tag)
        self.dialog = self.invitation.confirmed(response)
        self._negotiation = self._base if early is None else early.negotiation
        self.invitation.early.forget()
        self.switch.legs[self.key] = self
        self.invitation.acknowledge(self.dialog)
        self.far_allows = response.get("Allow") or ""
        self.takes_info = takes_info(response)
        self.session_timer.settled(self, response)
        return self.take_answer(response)

    def take_answer(self, response: Response) -> bool:
        """Whether there is sound now: described in this response, or in an earlier one of the same far end."""
        tag, answer = response.to.tag, description_in(response)
        final = response.status >= 200 or reliability.rseq(response) is not None
        early = self.invitation.early.known(tag)
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
    leg.invitation.send()


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
    is_heard = leg.establish(response)
    leg.leave_invitation()
    if is_heard:
        leg.user.leg_answered(leg)
        return
    machine.hang_up()
    leg.user.leg_ended(leg, Ending(End.REFUSED, 488))


@calling.upon(Inputs.challenged).loop()
def say_who_we_are(machine: Inputs, leg: OutgoingLeg, response: Response) -> None:
    if leg.invitation.authorize(response):
        leg.invitation.send()
    else:
        machine.refused(response)


@calling.upon(Inputs.too_brief).loop()
def ask_for_longer(machine: Inputs, leg: OutgoingLeg, response: Response) -> None:
    if leg.invitation.ask_for_longer(response):
        leg.invitation.send()
    else:
        machine.refused(response)


@calling.upon(Inputs.refused).to(closed)
def be_refused(machine: Inputs, leg: OutgoingLeg, response: Response) -> None:
    leg.far_reason = told(response)
    leg.close()
    elsewhere = contacts(response, secured=leg.contact_scheme == "sips")
    leg.user.leg_ended(leg, Ending(End.REFUSED, response.status, elsewhere))


@calling.upon(Inputs.unreached).loop()
def try_another_place(machine: Inputs, leg: OutgoingLeg) -> None:
    leg.invitation.go_further()


@calling.upon(Inputs.failed).to(closed)
def find_nobody(machine: Inputs, leg: OutgoingLeg) -> None:
    leg.close()
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
    leg.invitation.cancel(leg.reason)


@cancelling.upon(Inputs.success).to(closed)
def answered_meanwhile(machine: Inputs, leg: OutgoingLeg, response: Response) -> None:
    leg.invitation.end_other_fork(response)
    leg.close()


@cancelling.upon(Inputs.challenged).to(closed)
@cancelling.upon(Inputs.too_brief).to(closed)
@cancelling.upon(Inputs.refused).to(closed)
def cancelled(machine: Inputs, leg: OutgoingLeg, response: Response) -> None:
    leg.close()


@cancelling.upon(Inputs.unreached).to(closed)
@cancelling.upon(Inputs.failed).to(closed)
def forgotten(machine: Inputs, leg: OutgoingLeg) -> None:
    leg.close()


@talking.upon(Inputs.hang_up).to(closed)
def part(machine: Inputs, leg: OutgoingLeg) -> None:
    leg.send_bye()
    leg.close()


@talking.upon(Inputs.bye).to(closed)
def be_left(machine: Inputs, leg: OutgoingLeg) -> None:
    leg.close()
    leg.user.leg_ended(leg, Ending(End.BYE))


@talking.upon(Inputs.lost).to(closed)
def lose(machine: Inputs, leg: OutgoingLeg) -> None:
    leg.send_bye()
    leg.close()
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
    leg.close()


@idle.upon(Inputs.provisional).loop()
@cancelling.upon(Inputs.provisional).loop()
@talking.upon(Inputs.provisional).loop()
@closed.upon(Inputs.provisional).loop()
@idle.upon(Inputs.success).loop()
@talking.upon(Inputs.success).loop()
@closed.upon(Inputs.success).loop()
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
