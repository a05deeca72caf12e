"""
From a number dialled to a call that may begin: its route, its price, its record and its reservation.

The order is the promise of the house: no price is a refusal before anything rings, and what is announced is reserved
before it is announced.  Every number dialled leaves a record, also one that leads nowhere.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from minitelecom.calls.attempt import Attempt
from minitelecom.calls.caller_id import towards_telephone, towards_trunk
from minitelecom.calls.credentials import NONE, Credentials
from minitelecom.calls.directory import Directory
from minitelecom.calls.ended import STATUSES
from minitelecom.calls.least_cost import LeftOut, Market, Way, choose
from minitelecom.calls.outgoing_leg import Target
from minitelecom.calls.records import CallRecord, Open
from minitelecom.calls.redirection import Course, stays_with_carrier
from minitelecom.calls.routing import (
    Destination,
    Dialogue,
    Internal,
    Outside,
    access,
    destination,
    number_for,
    routes,
)
from minitelecom.calls.switch import Switch
from minitelecom.calls.telephone import Telephone
from minitelecom.calls.told_keys import Keys
from minitelecom.calls.trunk_health import TrunkHealths
from minitelecom.calls.visitor import Payer, Visitor
from minitelecom.config import Config
from minitelecom.money import Money
from minitelecom.rating.cost import cost, maximum
from minitelecom.rating.rate import Rate
from minitelecom.sip.hop import Hop
from minitelecom.sip.registration import Binding, ringing
from minitelecom.sip.uri import Uri
from minitelecom.store.call_attempts import CarrierAttempt
from minitelecom.store.call_records import Beginning, Cause, Refused
from minitelecom.store.database import Database
from minitelecom.store.devices import Device
from minitelecom.store.trunks import Trunk

RING_IN_TURN_SECONDS = 20.0  # at one place, where there is another to ring after it

log = Logger()


@dataclass(slots=True)
class Prepared:
    """A call that may begin: its record is written, its money reserved."""

    record: CallRecord
    attempts: Sequence[Attempt]
    seconds: int
    destination: str


@dataclass(frozen=True, slots=True)
class NotDialled:
    """A number that is not dialled; the cause is the record's, and so is what the account was refused it for."""

    cause: Cause
    refusal: Refused | None = None
    later: bool = False
    """Whether a carrier would take it that has all the calls it takes now."""

    @property
    def status(self) -> int:
        """What a telephone is answered."""
        return 503 if self.later else STATUSES.get(self.cause, 503)


class Dialling:
    """Prepares calls."""

    def __init__(
        self,
        switch: Switch,
        database: Database,
        directory: Directory,
        healths: TrunkHealths,
        config: Config,
        process_id: int,
    ) -> None:
        self.open = Open(process_id)
        self._switch = switch
        self._database = database
        self._directory = directory
        self._healths = healths
        self._config = config

    def destination(self, dialled: str) -> Destination:
        return destination(dialled, self._directory.devices, self._config)

    async def prepare(self, visitor: Visitor, payer: Payer | None, dialled: str) -> Prepared | NotDialled:
        """
        Everything before the first INVITE, for a number of the public network or a telephone of the shop.

        Raises DatabaseAway; nothing is reserved then.
        """
        match self.destination(dialled):
            case Internal(device):
                return await self.ring(visitor, device, device)
            case Outside(number) if payer is not None:
                return await self._outside(visitor, payer, number)
            case Outside(number):
                return await self._refuse(visitor, None, number, "blocked")
            case _:
                return await self._refuse(visitor, payer, dialled, "no-route")

    def access(self, called: str) -> Dialogue | Internal | None:
        """What a number that a carrier delivers leads to."""
        return access(called, self._directory.numbers, self._config)

    def turned_away(self, visitor: Visitor, dialled: str, cause: Cause) -> None:
        """Somebody may not call now, or there; that he wanted to is written, and nobody waits for it."""
        meant = self.destination(dialled)
        number = meant.number if isinstance(meant, Outside) else dialled
        self._record(visitor, None, number, None, None, trunk=visitor.trunk, refusal=cause).begin_whenever()

    async def emergency(self, visitor: Visitor, number: str) -> Prepared:
        """An emergency call: free, and waiting for nothing, not even for the database."""
        ways = [(Way(trunk), number) for trunk in self._emergency_trunks()]
        attempts = await self._attempts(ways, visitor, urgent=True)
        record = self._record(visitor, None, number, "emergency", None)
        record.begin_whenever()
        return Prepared(record, attempts, self._longest, "emergency")

    async def ring(self, visitor: Visitor, name: str, called: str) -> Prepared | NotDialled:
        """
        A call to a telephone of the shop, by its name or by a number that leads to it; one that is nowhere registered does
        not answer.  Raises DatabaseAway: nobody pays for it, but nobody rings without a record either.
        """
        device = self._directory.devices.get(name)
        attempts = [] if device is None else await self._places(visitor, device)
        refusal: Cause | None = None if attempts else "no-answer"
        record = self._record(visitor, None, called, name, None, trunk=visitor.trunk, refusal=refusal)
        await record.begin()
        return Prepared(record, attempts, self._longest, name) if attempts else NotDialled("no-answer")

    async def _places(self, visitor: Visitor, device: Device) -> list[Attempt]:
        """Where a telephone rings, one place after another: where it has registered, else at the address it is known by."""
        contacts = self._directory.contacts(device.name, self._switch.now())
        groups = ringing(contacts, device.settings.ring)
        if groups:
            seconds = None if len(groups) == 1 else RING_IN_TURN_SECONDS
            return [
                Attempt([self._place(visitor, device, one, seconds) for one in group], goes_on=True) for group in groups
            ]
        known_at = None if device.address is None else Uri.parse(f"sip:{device.address}")
        hops = [] if known_at is None else await self._switch.hosts.locate(known_at)
        if not hops:
            return []
        uri = f"sip:{device.name}@{device.address}"
        profile = self._directory.profile(device.name, "")
        return [Attempt([self._target(visitor, uri, hops[0], Telephone(device, profile))])]

    def _place(self, visitor: Visitor, device: Device, binding: Binding, seconds: float | None) -> Target:
        profile = self._directory.profile(device.name, binding.user_agent)
        hop = self._switch.reach(binding, by_contact=profile.is_sent_to_contact)
        target = self._target(visitor, str(Uri.parse(binding.contact)), hop, Telephone(device, profile))
        return replace(target, routes=binding.path, ringing_seconds=seconds)

    def _target(self, visitor: Visitor, uri: str, hop: Hop, telephone: Telephone) -> Target:
        caller = towards_telephone(visitor.said)
        return Target(uri, hop, caller, max_forwards=visitor.max_forwards, telephone=telephone)

    async def _outside(self, visitor: Visitor, payer: Payer, number: str) -> Prepared | NotDialled:
        rate = self._directory.prices.find(number)
        if rate is None:
            return await self._refuse(visitor, payer, number, "no-price")
        choice = choose(number, rate, self._directory.trunks, self._market(), self._longest, self._switch.random)
        numbers = self._config.numbers
        ways = [(way, number_for(way.trunk, number, numbers)) for way in choice.ways]
        attempts = await self._attempts(ways, visitor)
        if not attempts:
            return await self._refuse(visitor, payer, number, "no-route", rate, choice.left_out)
        return await self._reserve(
            self._record(visitor, payer, number, rate.destination, rate, trunk=attempts[0].trunk), rate, attempts
        )

    async def _reserve(self, record: CallRecord, rate: Rate, attempts: Sequence[Attempt]) -> Prepared | NotDialled:
        begun = await record.begin()
        if begun.refusal is not None:
            return NotDialled("no-credit" if begun.refusal == "no-credit" else "blocked", begun.refusal)
        if rate.is_free:
            return Prepared(record, attempts, self._longest, rate.destination)
        seconds = maximum(rate, begun.reserved, self._longest)
        record.promised_seconds = seconds
        if seconds == 0:
            record.ended(self._switch.now(), 0, "no-credit", None, "switch")
            return NotDialled("no-credit")
        return Prepared(record, attempts, seconds, rate.destination)

    def _market(self) -> Market:
        directory = self._directory
        takes_more = self._switch.engaged.takes_more
        full = {trunk.name for trunk in directory.trunks if not takes_more(trunk.name, trunk.capacity)}
        return Market(directory.exchange, directory.buy_prices, full, self._healths.down)

    async def _refuse(
        self,
        visitor: Visitor,
        payer: Payer | None,
        number: str,
        cause: Cause,
        rate: Rate | None = None,
        left_out: Sequence[LeftOut] = (),
    ) -> NotDialled:
        """Refused, with the carriers that were not asked, and why."""
        record = self._record(
            visitor, payer, number, rate.destination if rate else None, None, refusal=cause, left_out=left_out
        )
        if left_out:
            reasons = ", ".join(f"{one.trunk} ({one.cause})" for one in left_out)
            log.warn("no way to {number}: {reasons}", number=number, reasons=reasons)
        await record.begin()
        return NotDialled(cause, later=any(one.cause == "full" for one in left_out))

    def _record(
        self,
        visitor: Visitor,
        payer: Payer | None,
        number: str,
        destination: str | None,
        rate: Rate | None,
        *,
        trunk: str | None = None,
        refusal: Cause | None = None,
        left_out: Sequence[LeftOut] = (),
    ) -> CallRecord:
        started = self._switch.now()
        ceiling, first, step = terms(rate, self._longest, self._config.currency)
        beginning = Beginning(
            process_id=self.open.process_id,
            session=visitor.session,
            started=started,
            account_id=payer.account_id if payer else None,
            device=visitor.device_name,
            calling_number=visitor.calling_number,
            called_number=number,
            destination=destination,
            trunk=trunk,
            rate=rate,
            ceiling=ceiling,
            first=first,
            step=step,
            refusal=refusal,
            attempts=[
                CarrierAttempt(one.trunk, None, started, one.buying, ended=started, cause=one.cause) for one in left_out
            ],
        )
        return CallRecord(self._database, self._switch.clock, beginning, self.open)

    @property
    def _longest(self) -> int:
        return self._config.calls.longest_seconds

    def _emergency_trunks(self) -> list[Trunk]:
        """The configured trunk first; then any, since a call for help is tried on every way there is."""
        preferred = self._config.emergency.trunk
        return sorted(
            self._directory.trunks,
            key=lambda trunk: (
                *(trunk.name != preferred, not trunk.enabled),
                *(trunk.name in self._healths.down, trunk.priority),
            ),
        )

    async def _attempts(
        self, ways: Iterable[tuple[Way, str]], visitor: Visitor, *, urgent: bool = False
    ) -> list[Attempt]:
        """The ways that can be gone, in their order; what must be asked for them is asked at once."""
        asking = [Deferred.fromCoroutine(self._attempt(way, number, visitor, urgent=urgent)) for way, number in ways]
        return [attempt for one in asking if (attempt := await one) is not None]

    async def _attempt(self, way: Way, number: str, visitor: Visitor, *, urgent: bool) -> Attempt | None:
        """A way by a trunk, or None where its host cannot be found."""
        trunk = way.trunk
        hops = await self._switch.hosts.locate(Uri.parse(trunk.proxy or trunk.uri))
        if not hops:
            return None
        carrier = Uri.parse(trunk.uri)
        target = Target(
            f"{carrier.scheme}:{number}@{carrier.hostport}",
            hops[0],
            towards_trunk(visitor.said, trunk, self._config.numbers, urgent=urgent),
            trunk.name,
            Credentials.of(trunk),
            visitor.max_forwards,
            urgent=urgent,
            routes=routes(trunk),
            further=alike(hops),
            keys=Keys(trunk.keys),
            progress_seconds=trunk.progress_seconds,
        )
        redirected = partial(self._redirected, trunk)
        if urgent:  # nothing that an administrator has set keeps a call for help from the next carrier
            return Attempt([target], trunk.name, number, way.buying, redirected, goes_on=True)
        return Attempt([target], trunk.name, number, way.buying, redirected, trunk.codes, trunk.capacity)

    async def _redirected(
        self, trunk: Trunk, target: Target, contacts: Sequence[Uri], course: Course
    ) -> Sequence[Target]:
        """Where a carrier may move the call that it was sent (3xx); elsewhere nobody hears what we are to it."""
        called, carrier = Uri.parse(target.request_uri), Uri.parse(trunk.uri)
        course.begin(target.request_uri)
        staying = {str(contact): stays_with_carrier(contact, called, carrier) for contact in contacts}
        ways = []
        for place in course.follow(
            target.request_uri, [place for place, stays in staying.items() if stays or trunk.redirects]
        ):
            hops = [target.hop, *target.further]
            if trunk.proxy is None:
                hops = await self._switch.hosts.locate(Uri.parse(place))
            if hops:
                credentials = target.credentials if staying[place] else NONE
                way = replace(target, request_uri=place, hop=hops[0], further=alike(hops), credentials=credentials)
                ways.append(way)
        return ways


def alike(hops: Sequence[Hop]) -> tuple[Hop, ...]:
    """Those after the first that see us under the same kind of address: what we say of our sound holds for them, too."""
    return tuple(hop for hop in hops[1:] if (":" in hop.host) == (":" in hops[0].host))


def terms(rate: Rate | None, longest: int, currency: str) -> tuple[Money, Decimal, Decimal]:
    """What a reservation may hold: at most the longest call; the first step and each further one (rating)."""
    if rate is None or rate.is_free:
        return Money.zero(currency), Decimal(0), Decimal(0)
    first = rate.connection_fee + rate.sell * rate.initial / 60
    return cost(rate, longest), first, rate.sell * rate.increment / 60
