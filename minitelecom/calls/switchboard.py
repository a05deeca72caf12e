"""
What the telephones of the shop want done with their talks: who may transfer what to whom, and the answers they get.

A telephone may, unless it is a cabin (one call at a time) or an administrator forbids it (store/devices.py:
may_transfer); a carrier never, nor whoever is called by the card dialogue, whose caller has an account of his own.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from minitelecom.calls import transfer
from minitelecom.calls.call import Call
from minitelecom.calls.dialling import Dialling, NotDialled, Prepared
from minitelecom.calls.directory import Directory
from minitelecom.calls.ended import Ended, status_of
from minitelecom.calls.incoming_leg import IncomingLeg
from minitelecom.calls.leg import Leg
from minitelecom.calls.live import LiveCall, LiveCalls
from minitelecom.calls.redirection import Forwarding, forwarded_by
from minitelecom.calls.referral import TRYING, Referral, event_of
from minitelecom.calls.routing import EmergencyNumber
from minitelecom.calls.running import RunningCalls
from minitelecom.calls.switch import DialogUsage, Switch
from minitelecom.calls.transfer import GIVEN_UP, Transfer
from minitelecom.calls.visitor import Visitor
from minitelecom.media.sound import Sound
from minitelecom.sip.checks import onward_hops
from minitelecom.sip.event import REFER, Event
from minitelecom.sip.grammar import BadSyntax, readable
from minitelecom.sip.message import Request
from minitelecom.sip.refer import ReferTo, wants_no_news
from minitelecom.sip.replaces import Replaces
from minitelecom.sip.transaction_layer import ServerTransaction
from minitelecom.store.database import DatabaseAway
from minitelecom.store.devices import Device

log = Logger()

NEWS_SECONDS = 60  # of a transfer are told beyond the longest ringing


@dataclass(frozen=True, slots=True)
class Replaced:
    """One of two who talk, or of those who ring, whose place somebody else takes."""

    talk: Call
    leg: Leg


class Switchboard:
    """Takes what is wanted, and runs the calls that come of it."""

    def __init__(
        self,
        switch: Switch,
        directory: Directory,
        dialling: Dialling,
        live: LiveCalls,
        running: RunningCalls,
        warning: Callable[[int], Sequence[Sound]],
    ) -> None:
        self._switch = switch
        self._directory = directory
        self._dialling = dialling
        self._live = live
        self._running = running
        self._warning = warning
        self._referrals: dict[Leg, Referral] = {}

    def __len__(self) -> int:
        """Transfers whose telephones are still told of them."""
        return len(self._referrals)

    # REFER.

    def referred(self, usage: DialogUsage, transaction: ServerTransaction, request: Request) -> None:
        """A REFER, or a SUBSCRIBE to the outcome of one, within a leg's dialog."""
        assert isinstance(usage, Leg)
        if request.method == "SUBSCRIBE":
            self._subscribed(usage, transaction, request)
        else:
            self._refer(usage, transaction, request)

    def _is_allowed(self, leg: Leg, talk: Call | None) -> bool:
        """Whether this telephone may hand on this talk."""
        if leg.telephone is None or talk is None or not talk.may_be_transferred or talk.other_end(leg) is None:
            return False
        device = self._directory.devices.get(leg.telephone.device.name)
        return device is not None and device.may_transfer

    def _refer(self, leg: Leg, transaction: ServerTransaction, request: Request) -> None:
        talk = self._running.talk_of(leg)
        hops = onward_hops(request)
        if not isinstance(leg.user, Transfer) and not self._is_allowed(leg, talk):
            transaction.respond(request.response(403))
            return
        try:
            [value] = request.get_all("Refer-To") or [""]
            target = ReferTo.parse(value)
        except ValueError as bad:  # BadSyntax is one; and so are two of them
            status = bad.status if isinstance(bad, BadSyntax) else 400
            transaction.respond(request.response(status, bad.reason if isinstance(bad, BadSyntax) else None))
            return
        if talk is None or isinstance(leg.user, Transfer) or leg in self._referrals:
            transaction.respond(request.response(491))
        elif hops is None:
            transaction.respond(request.response(483))
        else:
            self._accept(leg, talk, transaction, request, target, hops)

    def _accept(
        self, leg: Leg, talk: Call, transaction: ServerTransaction, request: Request, target: ReferTo, hops: int
    ) -> None:
        silent = wants_no_news(request)
        headers = [("Contact", leg.contact()), *([("Refer-Sub", "false")] if silent else [])]
        transaction.respond(request.response(202, headers=headers))
        leg.transfers += 1
        event = event_of(request.cseq.number, first=leg.transfers == 1)
        referral = Referral(leg, event, self._switch.limits.ringing_seconds + NEWS_SECONDS, silent=silent)
        self._referrals[leg] = referral
        referral.over = lambda: self._forget(leg)
        referral.tell(TRYING)
        if target.replaces is None:
            self._blind(leg, talk, referral, readable(target.dialled), hops)
        else:
            self._attended(leg, talk, referral, target.replaces)

    def _forget(self, leg: Leg) -> None:
        self._referrals.pop(leg, None)

    def _subscribed(self, leg: Leg, transaction: ServerTransaction, request: Request) -> None:
        referral = self._referrals.get(leg)
        try:
            event = Event.parse(request.get("Event") or "")
        except BadSyntax:
            event = Event("")
        if event.package != REFER:
            transaction.respond(request.response(489, headers=[("Allow-Events", REFER)]))
        elif referral is None or event.id not in (None, referral.event.id):
            transaction.respond(request.response(481))
        else:
            referral.subscribed(transaction, request)

    # Blind: a call of its own for the one who stays.

    def _blind(self, leg: Leg, talk: Call, referral: Referral, dialled: str, hops: int) -> None:
        staying = talk.other_end(leg)
        assert staying is not None
        assert leg.telephone is not None
        device = self._directory.devices[leg.telephone.device.name]
        visitor = visitor_for(talk, staying, device, hops)
        under_way = Transfer(talk, leg, staying, referral)
        Deferred.fromCoroutine(self._ring(under_way, visitor, dialled)).addErrback(self._failed, under_way)

    def _failed(self, failure: Failure, under_way: Transfer) -> None:
        """A fault of ours: the talk goes on as it was."""
        log.failure("a transfer failed", failure=failure)
        under_way.failed(500)

    async def _ring(self, under_way: Transfer, visitor: Visitor, dialled: str) -> None:
        """Whom he is referred to, and then whoever he is sent on to, at the cost of who sends him (calls/redirection.py)."""
        forwarding = Forwarding(dialled)
        outcome = await self._reach(under_way, visitor, self._prepare(visitor, dialled))
        while isinstance(outcome, Ended) and not outcome.answered and not under_way.decided:
            if outcome.forwarded is not None:
                forwarding.forwarded(outcome.forwarded)
            elsewhere = forwarding.next()
            if elsewhere is None:
                break
            sent = forwarded_by(visitor, elsewhere.forwarder)
            preparing = self._dialling.prepare(sent, sent.payer, elsewhere.dialled)
            further = await self._reach(under_way, sent, preparing)
            outcome = further if isinstance(further, Ended) else outcome
        under_way.failed(outcome if isinstance(outcome, int) else status_of(outcome))

    async def _reach(
        self, under_way: Transfer, visitor: Visitor, preparing: Awaitable[Prepared | NotDialled]
    ) -> Ended | int:
        """How a call for the one who stays ended; the status that says why there was none."""
        try:
            prepared = await preparing
        except DatabaseAway:
            return 503
        if isinstance(prepared, NotDialled):
            return prepared.status
        call = Call(self._switch, under_way.staying, prepared.record, prepared.attempts, self._warning)
        call.may_be_transferred = True
        if under_way.decided:  # whoever was to talk has hung up meanwhile
            call.finish(GIVEN_UP)
            return GIVEN_UP
        return await self._run(under_way, call, prepared, visitor)

    async def _prepare(self, visitor: Visitor, dialled: str) -> Prepared | NotDialled:
        match self._dialling.destination(dialled):
            case EmergencyNumber(number):
                return await self._dialling.emergency(visitor, number)
            case _:
                return await self._dialling.prepare(visitor, visitor.payer, dialled)

    async def _run(self, under_way: Transfer, call: Call, prepared: Prepared, visitor: Visitor) -> Ended:
        """While the new call lasts; it is shown by itself, beside what the telephone still pays for."""
        shown = self._switch.token()
        account = visitor.payer.number if visitor.payer else None
        self._live.enter(
            LiveCall(
                id=shown,
                session=visitor.session,
                account=account,
                device=visitor.device_name,
                calling_number=visitor.calling_number,
                called_number=call.record.beginning.called_number,
                destination=prepared.destination,
                step="calling",
                since=self._switch.now(),
            )
        )
        try:
            with self._running.run(shown, call, account, prepared):
                under_way.ring(call)
                call.start()
                return await call.done
        finally:
            self._live.leave(shown)

    # Attended: two talks become one.

    def _attended(self, leg: Leg, talk: Call, referral: Referral, replaces: Replaces) -> None:
        other = self._replaced(replaces)
        ringing = None if other is None else self._running.ringing(other)
        other_talk = ringing if ringing is not None or other is None else self._running.talk_of(other)
        if other is None or other_talk is None or other is leg or other_talk is talk:
            referral.tell(481)
        elif not other_talk.may_be_transferred or not same_telephone(leg, other):
            referral.tell(403)
        elif isinstance(other.user, Transfer):
            referral.tell(491)
        elif ringing is not None:
            transfer.pick_up(talk, leg, ringing)
            transfer.depart(leg, referral)
        elif replaces.early_only and other_talk.other_end(other) is not None:
            referral.tell(486)
        elif other_talk.other_end(other) is not None:
            transfer.join(talk, leg, other_talk, other)
            transfer.depart(leg, referral)
        else:
            self._semi_attended(leg, talk, referral, other, other_talk)

    def _semi_attended(self, leg: Leg, talk: Call, referral: Referral, other: Leg, ringing: Call) -> None:
        """The second call still rings: it goes on to ring for the one who stays."""
        staying = talk.other_end(leg)
        assert staying is not None
        under_way = Transfer(talk, leg, staying, referral)
        ringing.ring_for(staying)
        other.hang_up()
        under_way.ring(ringing)
        ringing.on_end = under_way.ended

    # Replaces: somebody else for one of the two.

    def replaced_by(self, request: Request, device: Device) -> Replaced | int:
        """Whose place an INVITE is to take (RFC 3891 3); the status to answer with where it may not."""
        try:
            [value] = request.get_all("Replaces")
            replaces = Replaces.parse(value)
        except ValueError:
            return 400
        leg = self._replaced(replaces)
        if leg is None:
            return 481
        ringing = self._running.ringing(leg)
        talk = ringing or self._running.talk_of(leg)
        if talk is None or (ringing is None and talk.other_end(leg) is None):
            return 481
        if not talk.may_be_transferred or not device.may_transfer or not same_payer(leg, device):
            return 403
        if (replaces.early_only and ringing is None) or self._has_no_line(device, leg):
            return 486
        return 491 if isinstance(leg.user, Transfer) else Replaced(talk, leg)

    def _replaced(self, replaces: Replaces) -> Leg | None:
        """The leg that Replaces means, as its far end knows it (RFC 3891 3)."""
        leg = self._switch.legs.get((replaces.call_id, replaces.to_tag))
        if not isinstance(leg, Leg) or not any(map(replaces.is_from, leg.far_tags)):
            return None
        return leg

    def _has_no_line(self, device: Device, leg: Leg) -> bool:
        """Whether a telephone has all the calls it may have; one of its own it may take over."""
        own = leg.telephone is not None and leg.telephone.device.name == device.name
        return not own and self._switch.engaged.is_full(device)


def same_telephone(one: Leg, other: Leg) -> bool:
    return (
        one.telephone is not None
        and other.telephone is not None
        and one.telephone.device.name == other.telephone.device.name
    )


def same_payer(leg: Leg, device: Device) -> bool:
    """Whether a telephone may take the place of another: it is the same, or one account pays for both."""
    if leg.telephone is None:
        return False
    other = leg.telephone.device
    return other.name == device.name or (device.account_id is not None and other.account_id == device.account_id)


def visitor_for(talk: Call, staying: Leg, device: Device, hops: int) -> Visitor:
    """The one who stays, as one who calls at the expense of this telephone; what is recorded belongs to the same visit."""
    beginning = talk.record.beginning
    if isinstance(staying, IncomingLeg) and staying.visitor is not None:
        caller = staying.visitor
        return Visitor(
            beginning.session, device, caller.trunk, caller.calling_number, hops, caller.private, caller.diversions
        )
    number = beginning.called_number if staying is talk.callee else beginning.calling_number
    return Visitor(beginning.session, device, None, number, hops)
