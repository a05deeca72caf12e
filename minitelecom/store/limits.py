"""
What an account may do at once, in a minute and in an hour, and which numbers are held until somebody releases them.

`call_records.begin` looks at all of it, under the lock of the account.
"""

from dataclasses import dataclass
from datetime import datetime

from minitelecom.money import Money
from minitelecom.store.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """In all of these None is what everybody has, and 0 is no limit."""

    calls_at_once: int | None = None
    calls_a_minute: int | None = None
    price_a_minute: Money | None = None
    money_an_hour: Money | None = None
    """What the calls begun within an hour may cost."""
    first_calls_held: bool | None = None
    """The first call of a month to a destination waits until somebody releases it."""


@dataclass(frozen=True, slots=True)
class Hold:
    """Numbers that are not to be called. Exactly one of `prefix` and `destination` is given."""

    id: int
    account: str | None
    """The number of the card that may not; None: nobody may."""
    prefix: str | None
    destination: str | None
    """What a first call of the month would have gone to."""
    since: datetime


async def put(database: Database, account_id: int | None, limits: Limits, operator: str, instant: datetime) -> None:
    """These are the limits of an account from now on; with None those of every account that has none of its own."""
    price, money = limits.price_a_minute, limits.money_an_hour
    await database.query(
        "WITH written AS (INSERT INTO audit (happened, who, what, subject) VALUES (%s, %s, 'limits set', %s))"
        " INSERT INTO limits (account_id, calls_at_once, calls_a_minute, price_a_minute, money_an_hour, first_calls_held)"
        " VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (account_id) DO UPDATE SET (calls_at_once, calls_a_minute,"
        " price_a_minute, money_an_hour, first_calls_held) = (excluded.calls_at_once, excluded.calls_a_minute,"
        " excluded.price_a_minute, excluded.money_an_hour, excluded.first_calls_held)",
        (
            instant,
            operator,
            "everybody" if account_id is None else f"account {account_id}",
            account_id,
            limits.calls_at_once,
            limits.calls_a_minute,
            None if price is None else price.amount,
            None if money is None else money.amount,
            limits.first_calls_held,
        ),
    )


async def all_limits(database: Database, currency: str) -> list[tuple[str | None, int | None, Limits]]:
    """Every account with limits of its own by card number and id, those of everybody (None) first."""
    rows = await database.query(
        "SELECT c.number, l.account_id, coalesce(a.currency, %s), l.calls_at_once, l.calls_a_minute, l.price_a_minute,"
        " l.money_an_hour, l.first_calls_held FROM limits l LEFT JOIN accounts a ON a.id = l.account_id"
        " LEFT JOIN cards c ON c.account_id = l.account_id ORDER BY l.account_id NULLS FIRST",
        (currency,),
    )
    return [
        (
            number,
            account_id,
            Limits(
                calls_at_once=at_once,
                calls_a_minute=a_minute,
                price_a_minute=None if price is None else Money(price, kept_in),
                money_an_hour=None if money is None else Money(money, kept_in),
                first_calls_held=held,
            ),
        )
        for number, account_id, kept_in, at_once, a_minute, price, money, held in rows
    ]


async def hold(database: Database, account_id: int | None, prefix: str, operator: str, instant: datetime) -> bool:
    """Hold the numbers with a prefix, for one account or for all; False where they are held already."""
    rows = await database.query(
        "WITH held AS (INSERT INTO holds (account_id, prefix, since) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING"
        " RETURNING id), written AS (INSERT INTO audit (happened, who, what, subject)"
        " SELECT %s, %s, 'hold set', %s FROM held) SELECT id FROM held",
        (account_id, prefix, instant, instant, operator, prefix),
    )
    return bool(rows)


async def release(database: Database, identifier: int, operator: str, instant: datetime) -> bool:
    """End a hold; False where there is none of this id. A first call that was released may be made until the month ends."""
    rows = await database.query(
        "WITH gone AS (UPDATE holds SET released = %s WHERE id = %s AND released IS NULL RETURNING id, prefix, destination),"
        " written AS (INSERT INTO audit (happened, who, what, subject)"
        " SELECT %s, %s, 'hold released', coalesce(prefix, destination) FROM gone) SELECT id FROM gone",
        (instant, identifier, instant, operator),
    )
    return bool(rows)


async def holds(database: Database) -> list[Hold]:
    """Every hold in force, the latest first."""
    rows = await database.query(
        "SELECT h.id, c.number, h.prefix, h.destination, h.since FROM holds h"
        " LEFT JOIN cards c ON c.account_id = h.account_id WHERE h.released IS NULL ORDER BY h.id DESC"
    )
    return [Hold(*row) for row in rows]
