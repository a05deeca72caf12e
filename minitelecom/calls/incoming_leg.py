"""
A leg that began with an INVITE to us: RFC 3261 13.3 and 15.1.2, as a machine.

Its states: *offered* (nothing final said yet), *answered* (our 200 waits for its ACK), *talking*, *leaving* (we want to
hang up but must not send BYE before the ACK, 15), *closed*.
"""

from typing import Protocol

from automat import TypeMachineBuilder

from minitelecom.calls.leg import ALLOW, SDP, End, Ending, Leg, LegUser, description_in
from minitelecom.calls.switch import Switch
from minitelecom.calls.telephone import Telephone
from minitelecom.calls.visitor import Visitor
from minitelecom.sip.dialog import Dialog
from minitelecom.sip.message import Response
from minitelecom.sip.offer_answer import NotAcceptable
from minitelecom.sip.transaction_layer import ServerTransaction


class Inputs(Protocol):
    """What call control wants of the leg, and what the far end does."""

    def ring(self) -> None: ...
    def early(self) -> None: ...
    def answer(self) -> None: ...
    def reject(self, response: Response) -> None: ...
    def hang_up(self) -> None: ...
    def cancelled(self) -> None: ...
    def bye(self) -> None: ...
    def acknowledged(self) -> None: ...
    def lost(self) -> None: ...


class IncomingLeg(Leg):
    """The caller's side.  Raises NotAcceptable or NoPortsLeft where its offer cannot be met; nothing is held then."""

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
    ) -> None:
        super().__init__(
            switch,
            transaction.source,
            user,
            trunk=trunk,
            urgent=urgent,
            telephone=telephone,
            proxied=len(transaction.request.vias) > 1,
        )
        self.transaction = transaction
        self.visitor: Visitor | None = None  # who is on it
        invite = transaction.request
        self.contact_user = invite.uri.user or self.contact_user
        self.far_allows = invite.get("Allow") or ""
        self.description = self._describe(description_in(invite))
        self.dialog = Dialog.as_uas(invite, self.local_tag)
        switch.legs[self.key] = self
        switch.engaged.join(self)
        self._machine = _machine(self)
        transaction.on_cancel = self._machine.cancelled

    @property
    def call_id(self) -> str:
        return self.transaction.request.call_id

    def ring(self) -> None:
        """Let the caller hear that it rings: by 180, or by our own tone where we have answered already."""
        self._machine.ring()

    def early(self) -> None:
        """Open the way for sound before the answer (183)."""
        self._machine.early()

    def answer(self) -> None:
        self._machine.answer()

    def reject(self, status: int, reason: str | None = None, headers: tuple[tuple[str, str], ...] = ()) -> None:
        invite = self.transaction.request
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
        headers = [("Contact", self.contact()), ("Allow", ALLOW)]
        kind = SDP if body else None
        self.transaction.respond(
            invite.response(status, to_tag=self.local_tag, headers=headers, body=body, content_type=kind)
        )

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


@offered.upon(Inputs.answer).to(answered)
def accept(machine: Inputs, leg: IncomingLeg) -> None:
    leg.send_success(leg.transaction, leg.description)


@offered.upon(Inputs.reject).to(closed)
def refuse(machine: Inputs, leg: IncomingLeg, response: Response) -> None:
    leg.transaction.respond(response)
    leg.release()


@offered.upon(Inputs.hang_up).to(closed)
def turn_away(machine: Inputs, leg: IncomingLeg) -> None:
    leg.transaction.respond(leg.transaction.request.response(480, to_tag=leg.local_tag))
    leg.release()


@offered.upon(Inputs.cancelled).to(closed)
@offered.upon(Inputs.bye).to(closed)
def give_up(machine: Inputs, leg: IncomingLeg) -> None:
    leg.transaction.respond(leg.transaction.request.response(487, to_tag=leg.local_tag))
    leg.release()
    leg.user.leg_ended(leg, Ending(End.CANCELLED, 487))


@answered.upon(Inputs.ring).loop()
@talking.upon(Inputs.ring).loop()
def ring_by_tone(machine: Inputs, leg: IncomingLeg) -> None:
    Leg.ring(leg)


@answered.upon(Inputs.acknowledged).to(talking)
def confirm(machine: Inputs, leg: IncomingLeg) -> None:
    pass


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
    offered: (Inputs.acknowledged, Inputs.lost),
    answered: (Inputs.early, Inputs.answer, Inputs.cancelled),
    talking: (Inputs.early, Inputs.answer, Inputs.cancelled, Inputs.acknowledged),
    leaving: (Inputs.ring, Inputs.early, Inputs.answer, Inputs.cancelled, Inputs.hang_up),
    closed: (
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


_machine = builder.build()
