"""What a call must have cost, reckoned apart from the product: by the price list of the live shop and a watch."""

from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from tests.live.programs import STALL_SECONDS
from tests.live.shop import Card, RunningShop


@dataclass(frozen=True)
class Price:
    """One row of shop.PRICES."""

    sell: Decimal
    initial: int
    increment: int
    fee: Decimal

    def billed(self, seconds: int) -> int:
        steps = -(-max(seconds - self.initial, 0) // self.increment)
        return self.initial + steps * self.increment

    def cost(self, seconds: int) -> Decimal:
        exact = self.fee + self.sell * self.billed(seconds) / 60
        return exact.quantize(Decimal("0.000001"), ROUND_HALF_UP)


BY_THE_SECOND = Price(Decimal("0.2"), 1, 1, Decimal(0))
BY_THE_MINUTE = Price(Decimal("0.12"), 60, 60, Decimal("0.05"))
ODD_STEPS = Price(Decimal("0.0777"), 7, 11, Decimal("0.011"))
EIGHTH_A_SECOND = Price(Decimal("7.5"), 1, 1, Decimal(0))

CLOCKS_AGREE = 0.3  # seconds between what a peer logs and what the record says


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def check_bill(record: dict[str, Any], price: Price, answered: datetime, ended: datetime) -> Decimal:
    """The record of an answered call against the price and a peer's watch, to the last digit; what it cost."""
    was_answered, was_ended = instant(record["answered"]), instant(record["ended"])
    assert -CLOCKS_AGREE < (was_answered - answered).total_seconds() < STALL_SECONDS, record  # not before the answer
    assert abs((was_ended - ended).total_seconds()) < STALL_SECONDS, record
    seconds = max(1, int((was_ended - was_answered).total_seconds() + 0.5))
    if record["promised_seconds"] is not None:
        seconds = min(seconds, record["promised_seconds"])
    assert record["billed_seconds"] == price.billed(seconds), record
    assert Decimal(record["cost"]) == price.cost(seconds), record
    assert Decimal(record["price"]) == price.sell, record
    assert record["currency"] == "EUR"
    return price.cost(seconds)


def check_not_charged(record: dict[str, Any], cause: str, status: int | None) -> None:
    assert record["answered"] is None, record
    assert record["cause"] == cause, record
    assert record["sip_status"] == status, record
    assert record["billed_seconds"] == 0, record
    assert Decimal(record["cost"]) == 0, record


def check_books(shop: RunningShop, card: Card, balance: Decimal) -> None:
    """The card holds exactly this, nothing is reserved any more, and every law of the ledger is kept."""
    shown = shop.shown(card)
    assert Decimal(shown["balance"]) == balance, shown
    assert Decimal(shown["reserved"]) == 0, shown
    assert not shop.faults()
