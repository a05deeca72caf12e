"""The house of a story: a real exchange over a real database, with the clock, network and media of the world."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from random import Random

from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock

from minitelecom.calls.exchange import Exchange, Surroundings
from minitelecom.calls.hosts import Found
from minitelecom.calls.voice import Voice
from minitelecom.config import Access, Calls, Config, Emergency
from minitelecom.ivr.catalogue import load as load_prompts
from minitelecom.money import Money
from minitelecom.rating.rate import Rate
from minitelecom.sip.hop import Hop
from minitelecom.sip.locating import Kind, Question, Record
from minitelecom.sip.streams import Streams
from minitelecom.store import accounts, call_records, cards, devices, ledger, prices, processes, proof, trunks
from minitelecom.store.call_records import CallRecord
from minitelecom.store.database import Database
from minitelecom.store.secrets import Secrets
from minitelecom.store.synchronous import run
from minitelecom.store.trunks import Trunk
from tests.world.media import QuietMedia
from tests.world.network import Network
from tests.world.party import Party
from tests.world.streams import StreamNetwork

EXCHANGE = Hop("udp", "10.0.0.1", 5060)
EXCHANGE_IPV6 = Hop("udp", "2001:db8::1", 5060)
CARRIER = "10.0.0.99"
BEGINNING = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)

GERMANY = Rate("49", "Germany", "EUR", Decimal("0.60"), 60, 60)
BRITAIN = Rate("44", "United Kingdom", "EUR", Decimal("0.06"), 1, 1)
BULGARIA = Rate("359", "Bulgaria", "EUR", Decimal("0.12"), 30, 6, Decimal("0.05"))
FREE = Rate("800", "Freephone", "EUR", Decimal(0))


@cache
def voice() -> Voice:
    """The recordings, read once for all stories."""
    prompts = load_prompts()
    return Voice(prompts, prompts.music("house"))


@dataclass(frozen=True)
class HeldCard:
    number: str
    password: str
    account_id: int


class House:
    """Builds and runs the exchange; the carrier stands outside with an address of its own."""

    clock_kind: type[Clock] = Clock
    network_kind: type[Network] = Network

    def __init__(self, database: Database, seed: int = 1, config: Config | None = None, **network: float) -> None:
        self.database = database
        self.random = Random(seed)
        self.clock = self.clock_kind()
        self.network = self.network_kind(self.clock, self.random, **network)
        self.streams = StreamNetwork(self.clock, self.random)
        self.media = QuietMedia(self.clock)
        self.secrets = Secrets(bytes(32))
        self.names: dict[str, str] = {}
        self.zone: dict[Question, list[Record]] = {}
        self.name_server = True
        self.asked_names: list[str] = []
        self.config = config or Config(
            access={"35921234567": Access(language="en")},
            emergency=Emergency(numbers=("112",), trunk="carrier"),
            calls=Calls(longest_minutes=60, ringing_seconds=90, silence_seconds=60),
        )
        self.carrier = self.party("carrier", CARRIER)
        run(prices.replace(database, [GERMANY, BRITAIN, BULGARIA, FREE], "general", "story", BEGINNING))
        self.trunk("carrier", f"sip:{CARRIER}")
        self.process_id = run(processes.start(database, "story", 1, BEGINNING))
        self.exchange: Exchange

    def open(self) -> "House":
        """Put the exchange together and let it read what it must know."""
        self.build()
        run(self.exchange.start())
        return self

    def build(self) -> None:
        """Put the exchange together; it knows nothing yet."""
        self.connections = Streams(self.streams.host(EXCHANGE.host), self.clock)
        around = Surroundings(
            clock=self.clock,
            now=self.now,
            random=self.random,
            send=self._sender(),
            connected=self.connections.connected,
            route=lambda host: (EXCHANGE_IPV6 if ":" in host else EXCHANGE).host,
            resolve=self._resolve,
            media=self.media,
            database=self.database,
            secrets=self.secrets,
            voice=voice(),
        )
        self.exchange = Exchange(around, self.config, self.process_id)
        self.connections.receiver, self.connections.needed = self.exchange.layer, self.exchange.needs
        self.connections.listen("tcp", EXCHANGE.host, EXCHANGE.port)
        if self.config.sip.external:  # a router before us passes on what is sent to it
            self.network.attach(self.config.sip.external, EXCHANGE.port, self._received)

    def _sender(self) -> Callable[[bytes, Hop], None]:
        """Datagrams and connections as one."""
        ipv4, ipv6 = (self.network.attach(ours.host, ours.port, self._received) for ours in (EXCHANGE, EXCHANGE_IPV6))

        def send(data: bytes, hop: Hop) -> None:
            if hop.is_reliable:
                self.connections.send(data, hop)
            else:
                (ipv6 if ":" in hop.host else ipv4)(data, hop)

        return send

    def _received(self, data: bytes, source: Hop) -> None:
        self.exchange.layer.datagram_received(data, source)

    def _resolve(self, question: Question) -> Deferred[Found]:
        """The name server: what it knows, or while it is away nothing at all."""
        if question.kind is Kind.A:
            self.asked_names.append(question.name)
        if not self.name_server:
            return Deferred()
        known = [self.names[question.name]] if question.kind is Kind.A and question.name in self.names else []
        return succeed(Found(self.zone.get(question, known), 60))

    def now(self) -> datetime:
        return BEGINNING + timedelta(seconds=self.clock.seconds())

    def pass_(self, seconds: float, step: float = 0.05) -> None:
        """Let time pass in small steps."""
        end = self.clock.seconds() + seconds
        while self.clock.seconds() < end - 1e-9:
            self.clock.advance(min(step, end - self.clock.seconds()))

    # Who and what there is.

    def card(self, euros: str = "15.00", activation: str = "now") -> HeldCard:
        amount = Money(Decimal(euros), "EUR")
        _, made = run(
            cards.add_group(
                self.database,
                1,
                amount,
                activation,
                "story",
                self.now(),
                self.secrets,
                self.random,
                zone="Europe/Sofia",
            )
        )
        card = run(cards.find(self.database, made[0].number, self.now()))
        assert card is not None
        return HeldCard(made[0].number, made[0].password, card.account_id)

    def telephone(self, name: str, host: str, account: HeldCard | None = None, *, transport: str = "udp") -> Party:
        """A telephone of the shop, with a password; it has not registered yet."""
        run(
            devices.add(
                self.database,
                self.secrets,
                name,
                account_id=account.account_id if account else None,
                address=None,
                password=f"secret-{name}",
                operator="story",
                instant=self.now(),
            )
        )
        return self.party(name, host, password=f"secret-{name}", transport=transport)

    def gateway(self, name: str, host: str, account: HeldCard | None = None) -> None:
        """A telephone or gateway that is known by its address."""
        run(
            devices.add(
                self.database,
                self.secrets,
                name,
                account_id=account.account_id if account else None,
                address=host,
                password=None,
                operator="story",
                instant=self.now(),
            )
        )

    def party(self, name: str, host: str, port: int = 5060, password: str = "", *, transport: str = "udp") -> Party:
        streams = Streams(self.streams.host(host), self.clock) if transport == "tcp" else None
        ours = EXCHANGE_IPV6 if ":" in host else EXCHANGE
        return Party(self.clock, self.random, self.network, ours, name, host, port, password, streams)

    def trunk(self, name: str, uri: str, **data: object) -> None:
        trunk = Trunk(name, uri, **data)  # type: ignore[arg-type]
        run(trunks.add(self.database, self.secrets, trunk, operator="story", instant=BEGINNING))

    def recharge(self, card: HeldCard, euros: str) -> None:
        """As another process does it: movement, then notice."""
        amount = Money(Decimal(euros), "EUR")
        key = f"story:{self.random.getrandbits(64)}"
        run(ledger.recharge(self.database, card.account_id, amount, key, "story", self.now()))
        self.exchange.running.account_changed(card.account_id)

    def block(self, card: HeldCard) -> None:
        run(accounts.set_status(self.database, card.account_id, "disabled", "story", self.now()))
        self.exchange.running.account_changed(card.account_id)

    # What came of it.

    def heard(self) -> list[str]:
        """The prompts played so far, on whatever leg, by wav id."""
        names = {id(sound): wav_id for wav_id, sound in voice().named().items()}
        return [names[id(sound)] for port in self.media.every_port for sound in port.played if id(sound) in names]

    def balance(self, card: HeldCard) -> Decimal:
        found = run(cards.find(self.database, card.number, self.now()))
        assert found is not None
        return found.balance.amount

    def reserved(self, card: HeldCard) -> Decimal:
        found = run(cards.find(self.database, card.number, self.now()))
        assert found is not None
        return found.reserved.amount

    def records(self) -> list[CallRecord]:
        """Every number dialled, oldest first."""
        until = self.now() + timedelta(seconds=1)
        return run(call_records.search(self.database, BEGINNING, until, limit=10_000, oldest_first=True))

    def faults(self) -> list[object]:
        return list(run(proof.proof(self.database, self.now())))

    def leftovers(self) -> dict[str, int]:
        """Counters that must be zero when everything is over."""
        counters = self.exchange.counters() | {"visits": len(self.exchange.switch.ladders)}
        wanted = ("legs", "dialogs", "transactions", "rtp_ports", "reservations", "calls", "visits")
        return {name: counters[name] for name in wanted if counters[name]}
