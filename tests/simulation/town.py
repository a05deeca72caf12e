"""The world of a simulation: one shop on a bad line, whose daemon may be killed and started again."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from math import inf
from random import Random

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from minitelecom.calls.exchange import Exchange, Surroundings
from minitelecom.config import Access, Calls, Config, Emergency
from minitelecom.media.sound import Sound
from minitelecom.money import Money
from minitelecom.rating.rate import Rate
from minitelecom.sip.hop import Hop
from minitelecom.store import accounts, ledger, prices, processes
from minitelecom.store.database import DatabaseAway
from minitelecom.store.synchronous import SynchronousDatabase, run
from tests.simulation.clock import LeapingClock, ProcessClock
from tests.simulation.database import DistantDatabase, Troubles
from tests.simulation.lines import Line, Subscriber
from tests.simulation.media import ToldMedia
from tests.simulation.wire import Wire
from tests.world.house import BEGINNING, CARRIER, EXCHANGE, HeldCard, House, voice
from tests.world.party import Party

PROCESS = "story"
HEARTBEAT_SECONDS = 10.0  # of a daemon's one second, to spare the database; at a death the last second is made up for
ACCESS = "35921234567"

# Prices with crooked figures, so that rounding has something to do; numbers of 77 are not sold.
PRICES = (
    Rate("44", "United Kingdom", "EUR", Decimal("0.0137"), 1, 1),
    Rate("49", "Germany", "EUR", Decimal("0.60"), 60, 60),
    Rate("33", "France", "EUR", Decimal("0.333333"), 7, 13, Decimal("0.021")),
    Rate("359", "Bulgaria", "EUR", Decimal("0.12"), 30, 6, Decimal("0.05")),
    Rate("882", "Satellites", "EUR", Decimal("9.999999"), 60, 1),
    Rate("800", "Freephone", "EUR", Decimal(0)),
)


@dataclass
class Burial:
    """A daemon that was taken for dead by others, while it could not reach the database; and when it learned of it."""

    since: float
    until: float = inf


@dataclass(frozen=True)
class Block:
    """An account that may not be used for a while."""

    instant: float
    account_id: int


@dataclass(frozen=True)
class Death:
    """A daemon that ended without a word, and its last proof of life."""

    instant: float
    heartbeat: datetime


class Town(House):
    """A House whose exchange stands in a process of its own."""

    clock_kind = LeapingClock
    network_kind = Wire
    clock: LeapingClock
    network: Wire

    def __init__(self, database: SynchronousDatabase, seed: int) -> None:
        self.failures: list[str] = []
        self.lines: list[Line] = []
        self.chance = Random(f"people {seed}")
        self.deaths: list[Death] = []
        self.paid: dict[int, Decimal] = {}
        self.burials: list[Burial] = []
        self.blocks: list[Block] = []
        self.outages: list[tuple[float, float]] = []
        self.handed_on: list[tuple[str, str]] = []
        """By which telephone talks were handed on, and to whom."""
        self.tried: Counter[str] = Counter()
        """What happened how often, for the figures."""
        weather = Random(f"weather {seed}")
        self.troubles = Troubles(
            longest_seconds=weather.choice([0.0, 0.005, 0.1, 1.5]), lost=weather.choice([0.0, 0.01, 0.05])
        )
        config = Config(
            access={ACCESS: Access(language="en")},
            emergency=Emergency(numbers=("112",), trunk="carrier"),
            calls=Calls(
                longest_minutes=weather.choice([12, 60]),
                ringing_seconds=60,
                silence_seconds=45,
                session_seconds=Random(f"sessions {seed}").choice([None, 90, 300, 1800]),
            ),
        )
        self.ports = weather.choice([4, 10_000, 10_000, 10_000])
        super().__init__(
            database,
            seed,
            config,
            loss=weather.choice([0.0, 0.02, 0.1, 0.2, 0.3]),
            duplication=weather.choice([0.0, 0.05, 0.2]),
            shortest=0.002,
            longest=weather.choice([0.005, 0.05, 0.3, 0.8]),
        )
        run(prices.replace(database, PRICES, "general", PROCESS, BEGINNING))
        manners = Random(f"carriers {seed}")
        self.trunk("carrier", f"sip:{CARRIER}", progress_seconds=manners.choice([0, 0, 8]))
        self.trunk(
            "second",
            "sip:10.0.0.98",
            match="33",
            priority=50,
            username="shop",
            password="of the carrier",
            capacity=manners.choice([0, 0, 1, 2]),
            codes=manners.choice(["", "404=next 5xx=stop", "486=next 4xx=rejected"]),
        )
        self.second = self.party("second", "10.0.0.98")
        self.told: ToldMedia
        self._names: dict[int, str] = {id(sound): wav_id for wav_id, sound in voice().named().items()}
        self._process: ProcessClock | None = None
        self._graves: list[object] = []
        self._notices_lost = False

    def party(self, name: str, host: str, port: int = 5060, password: str = "", *, transport: str = "udp") -> Party:
        kind = self.party_kind(name)
        party = kind(self.clock, self.random, self.network, EXCHANGE, name, host, port, password)
        party.town = self
        return party

    def random_tag(self) -> str:
        return f"{self.chance.getrandbits(64):x}"

    def party_kind(self, name: str) -> type[Subscriber]:
        return Subscriber

    def pass_(self, seconds: float, step: float = 0.0) -> None:
        self.clock.advance(seconds)

    # The daemon.

    @property
    def running(self) -> bool:
        return self._process is not None

    def open(self) -> "Town":
        """Start a daemon: its row, recovery of the dead, what must be known at once, the line."""
        self.process_id = run(processes.start(self.database, PROCESS, len(self._graves) + 1, self.now()))
        recovered = run(processes.recover(self.database, self.now()))
        self.network.note(f"a daemon starts and recovers {recovered} calls")
        process = self._process = ProcessClock(self.clock)
        database = DistantDatabase(self.database, self.clock, process, self.random, self.troubles)
        self.told = ToldMedia(process, self.random, self._name, 16384 + 4000 * len(self._graves), self.ports)
        around = Surroundings(
            clock=process,
            now=self.now,
            random=self.random,
            send=self.network.attach(EXCHANGE.host, EXCHANGE.port, self._received),
            connected=lambda hop: False,
            route=lambda host: EXCHANGE.host,
            resolve=self._resolve,
            media=self.told,
            database=database,
            secrets=self.secrets,
            voice=voice(),
        )
        self.exchange = Exchange(around, self.config, self.process_id)
        run(self.exchange.start())
        database.calm = False
        self._graves.append((self.exchange, self.told, database))
        self._beat(process, database)
        return self

    def _name(self, sound: Sound) -> str | None:
        return self._names.get(id(sound))

    def _received(self, data: bytes, source: Hop) -> None:
        if self._process is not None:
            super()._received(data, source)

    def _beat(self, process: ProcessClock, database: DistantDatabase) -> None:
        Deferred.fromCoroutine(self._prove_life(database)).addErrback(self._stumbled)
        process.callLater(HEARTBEAT_SECONDS, self._beat, process, database)

    async def _prove_life(self, database: DistantDatabase) -> None:
        """As the daemon does it."""
        exchange = self.exchange
        try:
            if await processes.beat(database, self.process_id, self.now(), {}):
                return
            self.network.note("the daemon learns that it was taken for dead")
            exchange.running.stop_all()
            self.process_id = await processes.start(database, PROCESS, len(self._graves), self.now())
            await processes.recover(database, self.now())
            exchange.dialling.open.process_id = self.process_id
            for burial in self.burials:
                burial.until = min(burial.until, self.clock.seconds())
        except DatabaseAway:
            pass  # the next beat tries again

    def _stumbled(self, failure: Failure) -> None:
        self.failures.append(str(failure))

    def bury(self) -> None:
        """Others still reach the database, and find that the last beat is long ago."""
        if self._process is None or not self.troubles.away:
            return
        last = run(processes.latest(self.database))
        assert last is not None
        closed = run(processes.recover(self.database, self.now()))
        if not run(processes.running(self.database, self.now())):
            self.network.note(f"the daemon is taken for dead, and {closed} calls are closed")
            self.burials.append(Burial((last.heartbeat - BEGINNING).total_seconds()))

    def kill(self) -> None:
        """As by kill -9.  The last beat was less than a second ago, unless the database was away."""
        if self._process is None:
            return
        self._process.alive = False
        self._process = None
        self.network.detach(EXCHANGE.host, EXCHANGE.port)
        self.network.note("the daemon is killed")
        if not self.troubles.away:
            beaten = self.now() - timedelta(seconds=self.random.random())
            run(processes.beat(self.database, self.process_id, beaten, {}))
        last = run(processes.latest(self.database))
        assert last is not None
        self.deaths.append(Death(self.clock.seconds(), last.heartbeat))
        self._everybody_hears_nothing()

    def stop(self) -> None:
        """As by SIGTERM: every call is ended and charged; the sockets close when the records are written."""
        if self._process is None:
            return
        self.network.note("the daemon is told to stop")
        self.exchange.stop()
        self._stopping(self._process, self.clock.seconds() + 10)

    def _stopping(self, process: ProcessClock, deadline: float) -> None:
        if self._process is not process:
            return  # killed meanwhile
        if self.exchange.open_records and self.clock.seconds() < deadline:
            self.clock.callLater(0.05, self._stopping, process, deadline)
            return
        self.clock.callLater(0.2, self._stopped, process)

    def _stopped(self, process: ProcessClock) -> None:
        if self._process is not process:
            return
        self.exchange.layer.close()
        if not self.troubles.away:
            run(processes.stop(self.database, self.process_id, self.now()))
        self.kill_quietly()

    def kill_quietly(self) -> None:
        assert self._process is not None
        self._process.alive = False
        self._process = None
        self.network.detach(EXCHANGE.host, EXCHANGE.port)
        self.network.note("the daemon has stopped")
        last = run(processes.latest(self.database))
        assert last is not None
        self.deaths.append(Death(self.clock.seconds(), last.heartbeat))
        self._everybody_hears_nothing()

    def _everybody_hears_nothing(self) -> None:
        """Sooner or later people put the receiver down."""
        for line in self.lines:
            if line.alive:
                line.ear.parted()
                self.clock.callLater(self.chance.uniform(2, 40), line.hang_up)

    # What other processes do to accounts.

    def card(self, euros: str = "15.00", activation: str = "now") -> HeldCard:
        card = super().card(euros, activation)
        self.paid[card.account_id] = Decimal(euros)
        return card

    def recharge(self, card: HeldCard, euros: str) -> None:
        if self.troubles.away:
            return
        self.network.note(f"card {card.number} is recharged with {euros}")
        amount = Money(Decimal(euros), "EUR")
        key = f"story:{self.random.getrandbits(64)}"
        for _ in range(self.chance.choice([1, 1, 2])):  # a double click
            run(ledger.recharge(self.database, card.account_id, amount, key, PROCESS, self.now()))
        self.paid[card.account_id] += Decimal(euros)
        self._notice(card.account_id)

    def set_status(self, card: HeldCard, status: accounts.NewStatus) -> None:
        if self.troubles.away:
            return
        self.network.note(f"card {card.number} becomes {status}")
        if status == "disabled":
            self.blocks.append(Block(self.clock.seconds(), card.account_id))
        run(accounts.set_status(self.database, card.account_id, status, PROCESS, self.now()))
        self._notice(card.account_id)

    def _notice(self, account_id: int) -> None:
        self.clock.callLater(self.chance.uniform(0, 0.5), self._noticed, account_id)

    def _noticed(self, account_id: int) -> None:
        if self.troubles.away:
            self._notices_lost = True
        elif self.running:
            self.exchange.running.account_changed(account_id)

    def database_goes(self, seconds: float) -> None:
        self.network.note(f"the database goes away for {seconds:.1f} s")
        self.troubles.away = True
        self.outages.append((self.clock.seconds(), self.clock.seconds() + seconds))
        self.clock.callLater(seconds, self.database_returns)
        if seconds > 12 and self.chance.random() < 0.5:
            self.clock.callLater(11.5, self.bury)

    def database_returns(self) -> None:
        if not self.troubles.away:
            return
        self.network.note("the database is back")
        self.troubles.away = False
        if self._notices_lost and self.running:
            self.exchange.running.all_accounts_changed()
        self._notices_lost = False

    def new_prices(self) -> None:
        """Another price list, in mid-call of some: theirs stay as they were."""
        if self.troubles.away:
            return
        self.network.note("new prices")
        factor = self.chance.choice([Decimal("0.5"), Decimal("1.1"), Decimal("2.37")])
        changed = [
            Rate(
                rate.prefix,
                rate.destination,
                rate.currency,
                (rate.sell * factor).quantize(Decimal("0.000001")),
                rate.initial,
                rate.increment,
                rate.connection_fee,
            )
            for rate in PRICES
        ]
        run(prices.replace(self.database, changed, "general", PROCESS, self.now()))
        if self.running:
            Deferred.fromCoroutine(self.exchange.read("prices")).addErrback(lambda failure: None)
