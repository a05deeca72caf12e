"""
A leg that began with an INVITE to us: RFC 3261 13.3 and 15.1.2, as a machine.

Its states: *offered* (nothing final said yet), *accepting* (our 200 waits for the PRACK of what we have described
before), *answered* (our 200 waits for its ACK), *talking*, *leaving* (we want to
hang up but must not send BYE before the ACK, 15), *closed*.
"""

from typing import Protocol

from automat import TypeMachineBuilder

from minitelecom.calls.leg import ALLOW, SDP, End, Ending, Leg, LegUser, description_in
from minitelecom.calls.machine import CLOSED, built
from minitelecom.calls.switch import Switch
from minitelecom.calls.telephone import Telephone
from minitelecom.calls.told_keys import Keys, takes_info
from minitelecom.calls.visitor import Visitor
from minitelecom.sip import reliability
from minitelecom.sip.dialog import Dialog
from minitelecom.sip.message import Request, Response
from minitelecom.sip.offer_answer import Exchange, NotAcceptable
from minitelecom.sip.reliability import Provisionals
from minitelecom.sip.transaction_layer import ServerTransaction


class Inputs(Protocol):
    """What call control wants of the leg, and what the far end does."""

    def ring(self) -> None: ...
    def early(self) -> None: ...
    def answer(self) -> None: ...
    def answer_later(self) -> None: ...
    def pracked(self) -> None: ...
    def unacknowledged(self) -> None: ...
    def reject(self, response: Response) -> None: ...
    def hang_up(self) -> None: ...
    def cancelled(self) -> None: ...
    def bye(self) -> None: ...
    def acknowledged(self) -> None: ...
    def lost(self) -> None: ...


class IncomingLeg(Leg):
    """The caller's side.  Raises NotAcceptable or NoPortsLeft where its offer cannot be met; nothing is held then."""

    __slots__ = ("_machine", "_transaction", "description", "is_described", "provisionals", "visitor")

    owns_call_id = False

    def __init__(
        self,
        switch: Switch,
        transaction: ServerTransaction,
        user: LegUser,
        *,
        trunk: str | None = None,
        urgent: bool = False,
        telephone: Telephone | None = None,
        keys: Keys = Keys.LEARNED,
    ) -> None:
        super().__init__(
            switch,
            transaction.source,
            user,
            trunk=trunk,
            urgent=urgent,
            telephone=telephone,
            proxied=len(transaction.request.vias) > 1,
            keys=keys,
        )
        self._transaction: ServerTransaction | None = transaction
        self.visitor: Visitor | None = None  # who is on it
        invite = transaction.request
        self.call_id = invite.call_id
        self.contact_user = invite.uri.user or self.contact_user
        self.contact_scheme = invite.uri.scheme
        self.far_allows = invite.get("Allow") or ""
        self.takes_info = takes_info(invite)
        self.provisionals: Provisionals | None = None
        self.is_described = False  # our offer or answer has arrived for sure
        self.description = self._describe(description_in(invite))
        self.dialog = Dialog.as_uas(invite, self.local_tag)
        switch.legs[self.key] = self
        switch.engaged.join(self)
        self._machine: Inputs = _machine(self)
        transaction.on_cancel = self._machine.cancelled
        if self._wants_reliability(invite):
            self.provisionals = self._reliably()

    @property
    def transaction(self) -> ServerTransaction:
        """That of the INVITE, until it is answered and acknowledged."""
        assert self._transaction is not None
        return self._transaction

    def ring(self) -> None:
        """Let the caller hear that it rings: by 180, or by our own tone where we have answered already."""
        self._machine.ring()

    def early(self) -> None:
        """Open the way for sound before the answer (183)."""
        self._machine.early()

    def answer(self) -> None:
        if self.provisionals is not None and self.provisionals.unacknowledged_body:
            self._machine.answer_later()
        else:
            self._machine.answer()

    def reject(self, status: int, reason: str | None = None, headers: tuple[tuple[str, str], ...] = ()) -> None:
        if self._transaction is None:
            return  # too late
        invite = self.transaction.request
        if self.reason:
            headers = (*headers, ("Reason", self.reason))
        self._machine.reject(invite.response(status, reason, to_tag=self.local_tag, headers=headers))

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

    def provisional(self, status: int, body: bytes = b"") -> None:
        invite = self.transaction.request
        if self.provisionals is not None and not description_in(invite):
            body = self.description  # RFC 3261 13.2.1: the first reliable response has the offer
        body = b"" if self.is_described else body
        headers = [("Contact", self.contact()), ("Allow", ALLOW)]
        kind = SDP if body else None
        response = invite.response(status, to_tag=self.local_tag, headers=headers, body=body, content_type=kind)
        if self.provisionals is None:
            self.transaction.respond(response)
        else:
            self.provisionals.send(response)

    # Provisional responses that arrive for sure (RFC 3262).

    def _wants_reliability(self, invite: Request) -> bool:
        if reliability.names(invite, "Require"):
            return True
        return self.profile.reliable and reliability.names(invite, "Supported")

    def _reliably(self) -> Provisionals:
        first = self.switch.random.randint(1, reliability.LARGEST_FIRST_RSEQ)
        timers = self.switch.layer.timers
        return Provisionals(timers, first, self.transaction.respond, self._machine.unacknowledged)

    def pracked(self, transaction: ServerTransaction, request: Request) -> None:
        """See Leg. The PRACK brings the answer to our offer, or else may bring another offer (RFC 3262 5)."""
        if self.provisionals is None:
            super().pracked(transaction, request)
            return
        response = self.provisionals.acknowledged(request, self.transaction.request)
        if response is None:
            transaction.respond(request.response(200 if self.provisionals.knows(request) else 481))
            return
        try:
            body = self._take_description(request) if response.body else b""
        except NotAcceptable as unusable:
            transaction.respond(request.response(488, headers=[("Warning", f'304 minitelecom "{unusable}"')]))
        else:
            transaction.respond(request.response(200, body=body, content_type=SDP if body else None))
        self._machine.pracked()

    def _take_description(self, prack: Request) -> bytes:
        """What the 200 to the PRACK of our description carries; raises NotAcceptable."""
        self.is_described = True
        negotiation, theirs = self.negotiation(), description_in(prack)
        ours_was_the_offer = negotiation.exchange is Exchange.OURS
        negotiation.conclude()
        if not theirs:
            return b""
        if ours_was_the_offer:
            self.connect_media(negotiation.accept_answer(theirs))
            return b""
        body, stream = negotiation.answer(theirs)
        self.connect_media(stream)
        return body

    def forget_invite(self) -> None:
        """What the INVITE said, and we to it, is not kept for the length of a talk; but a PRACK may come once more."""
        if self.provisionals is None:
            self._transaction = None
            self.description = b""

    def release(self) -> None:
        """See Leg. All of its machine's ways to be closed lead here."""
        self._machine = CLOSED
        if self.provisionals is not None:
            self.provisionals.stop()
            self.provisionals = None
        super().release()

    def _describe(self, offer: bytes) -> bytes:
        """Our answer, or an offer of our own where the INVITE carried none (RFC 3261 13.3.1.4)."""
        if not offer:
            return self.negotiation().offer()
        try:
            answer, stream = self.negotiation().answer(offer, final=False)
        except NotAcceptable:
            self.release()
            raise
        self.connect_media(stream)
        return answer


builder = TypeMachineBuilder(Inputs, IncomingLeg)
offered = builder.state("offered")
accepting = builder.state("accepting")
answered = builder.state("answered")
talking = builder.state("talking")
leaving = builder.state("leaving")
closed = builder.state("closed")


@offered.upon(Inputs.ring).loop()
def alert(machine: Inputs, leg: IncomingLeg) -> None:
    leg.provisional(180)


@offered.upon(Inputs.early).loop()
def open_early_media(machine: Inputs, leg: IncomingLeg) -> None:
    if description_in(leg.transaction.request):
        leg.provisional(183, leg.description)
    else:  # no way for sound yet
        leg.provisional(180)


@offered.upon(Inputs.answer_later).to(accepting)
def wait_for_prack(machine: Inputs, leg: IncomingLeg) -> None:
    """RFC 3262 3: no 2xx before what was described has arrived."""


@offered.upon(Inputs.answer).to(answered)
@accepting.upon(Inputs.pracked).to(answered)
def accept(machine: Inputs, leg: IncomingLeg) -> None:
    if leg.provisionals is not None:
        leg.provisionals.stop()
    leg.send_success(leg.transaction, b"" if leg.is_described else leg.description)


@offered.upon(Inputs.unacknowledged).to(closed)
@accepting.upon(Inputs.unacknowledged).to(closed)
def hear_nothing(machine: Inputs, leg: IncomingLeg) -> None:
    leg.transaction.respond(leg.transaction.request.response(504, to_tag=leg.local_tag))
    leg.release()
    leg.user.leg_ended(leg, Ending(End.UNREACHABLE, 504))


@offered.upon(Inputs.reject).to(closed)
@accepting.upon(Inputs.reject).to(closed)
def refuse(machine: Inputs, leg: IncomingLeg, response: Response) -> None:
    leg.transaction.respond(response)
    leg.release()


@offered.upon(Inputs.hang_up).to(closed)
@accepting.upon(Inputs.hang_up).to(closed)
def turn_away(machine: Inputs, leg: IncomingLeg) -> None:
    leg.transaction.respond(leg.transaction.request.response(480, to_tag=leg.local_tag))
    leg.release()


@offered.upon(Inputs.cancelled).to(closed)
@offered.upon(Inputs.bye).to(closed)
@accepting.upon(Inputs.cancelled).to(closed)
@accepting.upon(Inputs.bye).to(closed)
def give_up(machine: Inputs, leg: IncomingLeg) -> None:
    leg.far_reason = leg.far_reason or leg.transaction.reason
    leg.transaction.respond(leg.transaction.request.response(487, to_tag=leg.local_tag))
    leg.release()
    leg.user.leg_ended(leg, Ending(End.CANCELLED, 487))


@answered.upon(Inputs.ring).loop()
@talking.upon(Inputs.ring).loop()
def ring_by_tone(machine: Inputs, leg: IncomingLeg) -> None:
    Leg.ring(leg)


@answered.upon(Inputs.acknowledged).to(talking)
def confirm(machine: Inputs, leg: IncomingLeg) -> None:
    leg.forget_invite()


@answered.upon(Inputs.lost).to(closed)
@talking.upon(Inputs.lost).to(closed)
def lose(machine: Inputs, leg: IncomingLeg) -> None:
    leg.send_bye()
    leg.release()
    leg.user.leg_ended(leg, Ending(End.UNREACHABLE))


@answered.upon(Inputs.hang_up).to(leaving)
def hang_up_after_acknowledgement(machine: Inputs, leg: IncomingLeg) -> None:
    if leg.port is not None:
        leg.port.relay(None)
        leg.port.stop()


@talking.upon(Inputs.hang_up).to(closed)
@leaving.upon(Inputs.acknowledged).to(closed)
@leaving.upon(Inputs.lost).to(closed)
def part(machine: Inputs, leg: IncomingLeg) -> None:
    leg.send_bye()
    leg.release()


@answered.upon(Inputs.bye).to(closed)
@talking.upon(Inputs.bye).to(closed)
def be_left(machine: Inputs, leg: IncomingLeg) -> None:
    leg.release()
    leg.user.leg_ended(leg, Ending(End.BYE))


@leaving.upon(Inputs.bye).to(closed)
def both_leave(machine: Inputs, leg: IncomingLeg) -> None:
    leg.release()


# What changes nothing: a CANCEL that comes too late (RFC 3261 9.2), wishes of call control that come too late, and
# whatever reaches a closed leg.
for state, late in {
    offered: (Inputs.acknowledged, Inputs.lost, Inputs.pracked),
    accepting: (
        Inputs.ring,
        Inputs.early,
        Inputs.answer,
        Inputs.answer_later,
        Inputs.acknowledged,
        Inputs.lost,
    ),
    answered: (
        Inputs.early,
        Inputs.answer,
        Inputs.answer_later,
        Inputs.cancelled,
        Inputs.pracked,
        Inputs.unacknowledged,
    ),
    talking: (
        Inputs.early,
        Inputs.answer,
        Inputs.answer_later,
        Inputs.cancelled,
        Inputs.acknowledged,
        Inputs.pracked,
        Inputs.unacknowledged,
    ),
    leaving: (
        Inputs.ring,
        Inputs.early,
        Inputs.answer,
        Inputs.answer_later,
        Inputs.cancelled,
        Inputs.hang_up,
        Inputs.pracked,
        Inputs.unacknowledged,
    ),
    closed: (
        Inputs.pracked,
        Inputs.unacknowledged,
        Inputs.answer_later,
        Inputs.ring,
        Inputs.early,
        Inputs.answer,
        Inputs.hang_up,
        Inputs.cancelled,
        Inputs.bye,
        Inputs.acknowledged,
        Inputs.lost,
    ),
}.items():
    for input_ in late:
        state.upon(input_).loop().returns(None)


@answered.upon(Inputs.reject).loop()
@talking.upon(Inputs.reject).loop()
@leaving.upon(Inputs.reject).loop()
@closed.upon(Inputs.reject).loop()
def reject_too_late(machine: Inputs, leg: IncomingLeg, response: Response) -> None:
    pass


_machine = built(builder)
