"""What an incoming leg came for: the card dialogue, a call of its own, or help."""

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from typing import Any

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from minitelecom.calls import transfer
from minitelecom.calls.call import Call
from minitelecom.calls.caller import LegCaller
from minitelecom.calls.cards import LiveCards
from minitelecom.calls.dialling import Dialling, NotDialled, Prepared
from minitelecom.calls.ended import Ended, status_of
from minitelecom.calls.incoming_leg import IncomingLeg
from minitelecom.calls.leg import Ending, Leg
from minitelecom.calls.live import LiveCall, LiveCalls
from minitelecom.calls.loops import Deliveries
from minitelecom.calls.redirection import Forwarding, forwarded_by
from minitelecom.calls.routing import Dialogue, EmergencyNumber, Internal
from minitelecom.calls.running import RunningCalls
from minitelecom.calls.switch import Switch
from minitelecom.calls.visitor import Visitor
from minitelecom.calls.voice import Voice
from minitelecom.config import Config
from minitelecom.ivr.caller import HungUp
from minitelecom.ivr.card_dialogue import card_dialogue
from minitelecom.media.sound import Sound
from minitelecom.store.database import Database, DatabaseAway
from minitelecom.store.secrets import Secrets

log = Logger()


class Leaving:
    """Watches a leg until its visit has begun: somebody who leaves by then is not called for."""

    def __init__(self) -> None:
        self.gone = False

    def key_pressed(self, leg: Leg, key: str) -> None: ...
    def play_finished(self, leg: Leg) -> None: ...
    def media_silent(self, leg: Leg) -> None: ...
    def leg_progressed(self, leg: Leg, *, sound: bool) -> None: ...
    def leg_answered(self, leg: Leg) -> None: ...
    def hold_changed(self, leg: Leg) -> None: ...

    def leg_ended(self, leg: Leg, ending: Ending) -> None:
        self.gone = True


class Emergencies:
    """Knows the numbers of life (ivr.caller.Emergency)."""

    def __init__(self, numbers: Sequence[str]) -> None:
        self._numbers = frozenset(numbers)

    def is_emergency(self, dialled: str) -> bool:
        return dialled in self._numbers


class Visits:
    """Runs one coroutine per incoming leg, and ends the leg when the coroutine is over."""

    def __init__(
        self,
        switch: Switch,
        database: Database,
        secrets: Secrets,
        dialling: Dialling,
        live: LiveCalls,
        running: RunningCalls,
        voice: Voice,
        config: Config,
    ) -> None:
        self._switch = switch
        self._database = database
        self._secrets = secrets
        self._dialling = dialling
        self._live = live
        self._running = running
        self._voice = voice
        self._config = config
        self._deliveries = Deliveries()
        self._emergencies = Emergencies(config.emergency.numbers)

    def from_trunk(self, leg: IncomingLeg, visitor: Visitor, called: Sequence[str]) -> None:
        """
        A call that a carrier delivers: to a dialogue, to a telephone of the shop, or to nobody.

        ``called`` is what the Request-URI and the To say: where we registered, the first is our own Contact.
        """
        for number in called:
            match self._dialling.access(number):
                case Dialogue() as dialogue:
                    self._begin(leg, visitor, number, self._card(leg, visitor, dialogue))
                    return
                case Internal(device) if self._deliveries.goes_round(visitor.calling_number, number):
                    log.warn("{number} is called in a circle by {trunk}", number=number, trunk=visitor.trunk)
                    leg.reject(482)
                    self._dialling.turned_away(visitor, number, "failed")
                    return
                case Internal(device):
                    self._begin(leg, visitor, number, self._delivered(leg, visitor, device, number))
                    return
        leg.reject(404)
        self._dialling.turned_away(visitor, called[0], "no-route")

    def from_telephone(self, leg: IncomingLeg, visitor: Visitor, dialled: str) -> None:
        """A call of one of the shop's telephones."""
        match self._dialling.destination(dialled):
            case Dialogue() as dialogue:
                self._begin(leg, visitor, dialled, self._card(leg, visitor, dialogue))
            case EmergencyNumber(number):
                self.emergency(leg, visitor, number)
            case _:
                self._begin(leg, visitor, dialled, self._direct(leg, visitor, dialled))

    def turned_away(self, visitor: Visitor, dialled: str) -> None:
        """A telephone that has as many calls as it may have wanted one more."""
        self._dialling.turned_away(visitor, dialled, "blocked")

    def emergency(self, leg: IncomingLeg, visitor: Visitor, number: str) -> None:
        self._begin(leg, visitor, number, self._help(leg, visitor, number))

    def _begin(self, leg: IncomingLeg, visitor: Visitor, called: str, visit: Coroutine[Any, Any, None]) -> None:
        session = visitor.session
        leg.visitor = visitor
        self._switch.ladders.begin(session, leg.call_id, visitor.device_name or visitor.trunk or "")
        self._live.enter(
            LiveCall(
                id=session,
                session=session,
                account=visitor.device.account_number if visitor.device else None,
                device=visitor.device_name,
                calling_number=visitor.calling_number,
                called_number=called,
                destination=None,
                step="arriving",
                since=self._switch.now(),
            )
        )
        Deferred.fromCoroutine(visit).addErrback(self._failed, session).addBoth(self._over, leg, session)

    def _failed(self, failure: Any, session: str) -> None:
        """One of the three doors where a fault of ours ends a call and nothing more."""
        if failure.check(HungUp) is None:
            log.failure("visit {session} failed", failure=failure, session=session)

    def _over(self, _: None, leg: IncomingLeg, session: str) -> None:
        self._live.leave(session)
        leg.hang_up()
        self._switch.ladders.end(session)

    async def _card(self, leg: IncomingLeg, visitor: Visitor, dialogue: Dialogue) -> None:
        languages = (dialogue.language,) if dialogue.language else self._config.ivr.languages
        caller = LegCaller(
            self._switch,
            leg,
            visitor,
            self._voice,
            self._dialling,
            self._live,
            self._running,
            languages[0],
            self._emergencies.is_emergency,
        )
        cards = LiveCards(
            self._database, self._secrets, self._dialling, self._live, self._switch.now, self._switch.clock, visitor
        )
        leg.answer()
        await card_dialogue(caller, cards, self._emergencies, languages)

    async def _direct(self, leg: IncomingLeg, visitor: Visitor, dialled: str) -> None:
        try:
            prepared = await self._dialling.prepare(visitor, visitor.payer, dialled)
        except DatabaseAway:
            leg.reject(503, headers=(("Retry-After", "10"),))
            return
        if isinstance(prepared, NotDialled):
            leg.reject(prepared.status)
            return
        await self._connect(leg, visitor, prepared)

    async def _delivered(self, leg: IncomingLeg, visitor: Visitor, device: str, number: str) -> None:
        with self._deliveries.one(visitor.calling_number, number, leg):
            try:
                prepared = await self._dialling.ring(visitor, device, number)
            except DatabaseAway:
                leg.reject(503, headers=(("Retry-After", "10"),))
                return
            if isinstance(prepared, NotDialled):
                leg.reject(prepared.status)
            else:
                await self._connect(leg, visitor, prepared)

    async def _help(self, leg: IncomingLeg, visitor: Visitor, number: str) -> None:
        await self._connect(leg, visitor, await self._dialling.emergency(visitor, number))

    async def _connect(self, leg: IncomingLeg, visitor: Visitor, prepared: Prepared) -> None:
        ended = await self._call(leg, visitor, prepared)
        forwarding = Forwarding(prepared.destination)
        while not ended.answered and ended.by not in ("caller", "operator"):
            if ended.forwarded is not None:
                forwarding.forwarded(ended.forwarded)
            elsewhere = forwarding.next()
            if elsewhere is None:
                break
            ended = await self._forward(leg, forwarded_by(visitor, elsewhere.forwarder), elsewhere.dialled) or ended
        if not ended.answered:
            leg.reject(status_of(ended))

    def in_place_of(self, leg: IncomingLeg, visitor: Visitor, talk: Call, leaving: Leg) -> None:
        """A telephone takes the place of one of two who talk."""
        self._begin(leg, visitor, talk.record.beginning.called_number, self._take_over(leg, visitor, talk, leaving))

    async def _take_over(self, leg: IncomingLeg, visitor: Visitor, talk: Call, leaving: Leg) -> None:
        self._live.change(visitor.session, step="talking")
        leg.answer()
        transfer.replace(talk, leaving, leg)
        await leg.released()

    async def _forward(self, leg: IncomingLeg, visitor: Visitor, dialled: str) -> Ended | None:
        """A call that a telephone of the shop sends on at its own expense; None where it leads nowhere."""
        try:
            prepared = await self._dialling.prepare(visitor, visitor.payer, dialled)
        except DatabaseAway:
            return None
        return None if isinstance(prepared, NotDialled) else await self._call(leg, visitor, prepared)

    async def _call(self, leg: IncomingLeg, visitor: Visitor, prepared: Prepared) -> Ended:
        call = Call(self._switch, leg, prepared.record, prepared.attempts, self._warning())
        if isinstance(leg.user, Leaving) and leg.user.gone:
            call.finish(Ended("cancelled", 487, "caller", answered=False))
            return await call.done
        leg.user = call
        call.may_be_transferred = True
        account = visitor.device.account_number if visitor.device else None
        with self._running.run(visitor.session, call, account, prepared):
            call.start()
            ended = await call.done
        if call.handed_on:  # he talks on with somebody else, in a call that is run by another
            await leg.released()
            return ended
        leg.user = Leaving()
        inside = any(target.telephone is not None for attempt in prepared.attempts for target in attempt.targets)
        return replace(ended, sip_status=480) if inside and _is_away(ended) else ended

    def _warning(self) -> Callable[[int], Sequence[Sound]]:
        return lambda seconds: self._voice.warning(self._config.language, seconds)


def _is_away(ended: Ended) -> bool:
    """A telephone of the shop is registered, and not there any more."""
    return not ended.answered and ended.sip_status == 408
