"""What other currencies are worth in the house's, each from an instant on."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from minitelecom.rating.exchange import Exchange
from minitelecom.store.database import Database


@dataclass(frozen=True, slots=True)
class ExchangeRate:
    """Units of the house's currency for one of another, from an instant until the next of that currency."""

    currency: str
    rate: Decimal
    valid_from: datetime
    operator: str


async def add(database: Database, house: str, currency: str, rate: Decimal, operator: str, instant: datetime) -> None:
    """From this instant on a currency is worth so much; calls that have begun keep the rate of their beginning."""
    await database.query(
        "WITH written AS (INSERT INTO audit (happened, who, what, subject, after)"
        " VALUES (%s, %s, 'exchange rate set', %s, jsonb_build_object('rate', %s::text)))"
        " INSERT INTO exchange_rates (house, currency, valid_from, rate, operator) VALUES (%s, %s, %s, %s, %s)",
        (instant, operator, currency, f"{rate:f}", house, currency, instant, rate, operator),
    )


async def at(database: Database, house: str, instant: datetime) -> list[ExchangeRate]:
    """The rates that hold at an instant, by currency."""
    rows = await database.query(
        "SELECT DISTINCT ON (currency) currency, rate, valid_from, operator FROM exchange_rates"
        " WHERE house = %s AND valid_from <= %s ORDER BY currency, valid_from DESC",
        (house, instant),
    )
    return [ExchangeRate(*row) for row in rows]


async def exchange(database: Database, house: str, instant: datetime) -> Exchange:
    """The same, to reckon with."""
    return Exchange(house, {one.currency: one.rate for one in await at(database, house, instant)})
