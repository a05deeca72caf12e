"""A shop for the tests of the store: cards, a price, calls, and a clock that the story moves on."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random

from minitelecom.money import Money
from minitelecom.rating.cost import billed_seconds, cost, maximum
from minitelecom.rating.rate import Rate
from minitelecom.store import call_records, cards, ledger, processes
from minitelecom.store.call_records import Beginning, Begun, CallRecord, Ended, Ending
from minitelecom.store.cards import Activation, NewCard
from minitelecom.store.secrets import Secrets
from minitelecom.store.synchronous import SynchronousDatabase, run

SECRETS = Secrets(bytes(range(32)))
MORNING = datetime(2026, 8, 31, 8, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
A_CENT_A_SECOND = Rate("359", "Bulgaria", "EUR", Decimal("0.60"))
FREE = Rate("800", "Freephone", "EUR", Decimal(0))
LONGEST = 7200


def euro(amount: str | Decimal) -> Money:
    return Money(Decimal(amount), "EUR")


@dataclass
class Shop:
    """One connection to the database and what the story has made so far."""

    database: SynchronousDatabase
    random: Random = field(default_factory=lambda: Random(7))
    now: datetime = MORNING
    process: int = 0
    dialled: int = 0

    def __post_init__(self) -> None:
        self.process = self.process or run(processes.start(self.database, "shop", 1, self.now))

    def later(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def cards_of(self, amount: str, count: int, activation: Activation = "now") -> list[NewCard]:
        adding = cards.add_group(
            self.database,
            count,
            euro(amount),
            activation,
            "eva",
            self.now,
            SECRETS,
            self.random,
            zone="Europe/Sofia",
        )
        return run(adding)[1]

    def card(self, amount: str = "1.00", activation: Activation = "now") -> NewCard:
        return self.cards_of(amount, 1, activation)[0]

    def account(self, card: NewCard) -> int:
        return run(ledger.account_of(self.database, card.number))

    def look(self, card: NewCard) -> cards.Card:
        found = run(cards.find(self.database, card.number, self.now))
        assert found is not None
        return found

    def money(self, card: NewCard) -> tuple[str, str]:
        """What is left and what is reserved."""
        seen = self.look(card)
        return seen.balance.major(), seen.reserved.major()

    def recharge(self, card: NewCard, amount: str, key: str) -> ledger.Movement:
        return run(ledger.recharge(self.database, card.number, euro(amount), key, "eva", self.now))

    def beginning(self, card: NewCard | None, rate: Rate | None = A_CENT_A_SECOND, session: str = "") -> Beginning:
        self.dialled += 1
        first = step = Decimal(0)
        ceiling = euro("0")
        if rate is not None:
            first = rate.connection_fee + rate.sell * rate.initial / 60
            step = rate.sell * rate.increment / 60
            ceiling = cost(rate, LONGEST)
        return Beginning(
            process_id=self.process,
            session=session or f"session-{self.dialled}",
            started=self.now,
            account_id=None if card is None else self.account(card),
            device="cabin1",
            calling_number="101",
            called_number="359888123456",
            destination="Bulgaria",
            trunk=None,
            rate=rate,
            ceiling=ceiling,
            first=first,
            step=step,
        )

    def dial(self, card: NewCard | None, rate: Rate | None = A_CENT_A_SECOND) -> "Call":
        beginning = self.beginning(card, rate)
        return Call(self, beginning, run(call_records.begin(self.database, beginning)))

    def faults(self) -> list[ledger.Fault]:
        return run(ledger.proof(self.database))


@dataclass
class Call:
    """One number dialled."""

    shop: Shop
    beginning: Beginning
    begun: Begun

    @property
    def promised(self) -> int:
        assert self.beginning.rate is not None
        return maximum(self.beginning.rate, self.begun.reserved, LONGEST)

    @property
    def record(self) -> CallRecord:
        found = run(call_records.find(self.shop.database, self.begun.id, self.beginning.started))
        assert found is not None
        return found

    def answer(self) -> bool:
        promised = None if self.beginning.rate is None else self.promised
        return run(
            call_records.answered(
                self.shop.database, self.begun.id, self.beginning.started, self.shop.now, promised, "carrier"
            )
        )

    def enlarge(self) -> Money | None:
        beginning = self.beginning
        return run(
            call_records.enlarge(
                self.shop.database,
                self.begun.id,
                beginning.started,
                beginning.first,
                beginning.step,
                beginning.ceiling,
                beginning.started,
            )
        )

    def ending(self, seconds: int, cause: str = "normal") -> Ending:
        rate = self.beginning.rate
        return Ending(
            id=self.begun.id,
            started=self.beginning.started,
            ended=self.shop.now,
            billed_seconds=seconds if rate is None else billed_seconds(rate, seconds),
            cost=euro("0") if rate is None else cost(rate, seconds),
            cause=cause,
            sip_status=None,
            ended_by="caller",
        )

    def end(self, seconds: int, cause: str = "normal") -> Ended:
        return run(call_records.ended(self.shop.database, self.ending(seconds, cause)))
