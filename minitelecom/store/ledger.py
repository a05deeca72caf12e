"""
The ledger: movements of money, reservations, and the proof that the books are right.

The rules themselves are in schema/0001_ledger.sql, where nothing that speaks SQL can pass them by. A positive amount is a
credit, a negative one a debit; what a customer has is the sum of his lines.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from minitelecom.money import Money
from minitelecom.store.database import Database, Row
from minitelecom.store.proof import LAWS, Fault, proof
from minitelecom.store.refusals import (
    AlreadyExpired,
    AlreadyReleased,
    AlreadySettled,
    BeyondReservation,
    InsufficientFunds,
    KeyUsedOtherwise,
    NoSuchAccount,
    NoSuchReservation,
    Refusal,
    WrongCurrency,
    refusals,
)

__all__ = [
    "LAWS",
    "AlreadyExpired",
    "AlreadyReleased",
    "AlreadySettled",
    "BeyondReservation",
    "Fault",
    "InsufficientFunds",
    "KeyUsedOtherwise",
    "Movement",
    "NoSuchAccount",
    "NoSuchReservation",
    "Refusal",
    "WrongCurrency",
    "account_of",
    "find",
    "history",
    "house_balance",
    "proof",
    "recharge",
    "release",
    "reserve",
    "settle",
]


@dataclass(frozen=True, slots=True)
class Movement:
    """One movement as a customer's account sees it."""

    id: int
    key: str
    kind: str
    """issue, recharge, call or correction."""
    account_id: int
    amount: Money
    """Negative: taken from the account."""
    balance_before: Money
    balance_after: Money
    happened: datetime
    operator: str | None
    repeated: bool = False
    """The key was used before; nothing was moved, this is the first answer."""


_MOVEMENT = (
    "SELECT m.id, m.key, m.kind, l.account_id, l.amount, l.balance_after, m.currency, m.happened, m.operator"
    " FROM movements m JOIN movement_lines l ON l.movement_id = m.id"
)


def _movement(row: Row, *, repeated: bool = False) -> Movement:
    identifier, key, kind, account_id, amount, after, currency, happened, operator = row
    before, moved, left = (Money(value, currency) for value in (after - amount, amount, after))
    return Movement(identifier, key, kind, account_id, moved, before, left, happened, operator, repeated)


async def recharge(
    database: Database, number_or_account: str | int, amount: Money, key: str, operator: str, instant: datetime
) -> Movement:
    """
    Add money to a card (its number) or an account (its id), and six months to an activated card's validity.

    `key` is the request's own: repeated, it changes nothing and the first movement is returned; with another account
    or amount it raises KeyUsedOtherwise. Raises NoSuchAccount, WrongCurrency.
    """
    account_id = await account_of(database, number_or_account)
    with refusals():
        rows = await database.query(
            "SELECT movement_id, repeated, balance, happened FROM recharge(%s, %s, %s, %s, %s, %s)",
            (account_id, amount.amount, amount.currency, key, operator, instant),
        )
    movement_id, repeated, balance, happened = rows[0]
    row = (movement_id, key, "recharge", account_id, amount.amount, balance, amount.currency, happened, operator)
    return _movement(row, repeated=repeated)


async def account_of(database: Database, number_or_account: str | int) -> int:
    """The account of a card's number; an id is its own answer. Raises NoSuchAccount."""
    if isinstance(number_or_account, int):
        return number_or_account
    rows = await database.query("SELECT account_id FROM cards WHERE number = %s", (number_or_account,))
    if not rows:
        raise NoSuchAccount(f"there is no card {number_or_account}")
    return int(rows[0][0])


async def find(database: Database, key: str, account_id: int) -> Movement | None:
    """The movement of this key, as this account sees it."""
    rows = await database.query(f"{_MOVEMENT} WHERE m.key = %s AND l.account_id = %s", (key, account_id))
    return _movement(rows[0]) if rows else None


async def history(database: Database, account_id: int, before: int | None = None, limit: int = 100) -> list[Movement]:
    """The movements of an account, newest first; the next page begins before the last one's id."""
    rows = await database.query(
        f"{_MOVEMENT} WHERE l.account_id = %s AND (%s::bigint IS NULL OR l.movement_id < %s)"
        " ORDER BY l.movement_id DESC LIMIT %s",
        (account_id, before, before, limit),
    )
    return [_movement(row) for row in rows]


async def house_balance(database: Database, name: str, currency: str) -> Money:
    """What a house account (cash, cards, revenue) sums to."""
    rows = await database.query(
        "SELECT coalesce(sum(l.amount), 0) FROM movement_lines l JOIN accounts a ON a.id = l.account_id"
        " WHERE a.kind = 'house' AND a.name = %s AND a.currency = %s",
        (name, currency),
    )
    return Money(Decimal(rows[0][0]), currency)


async def reserve(database: Database, account_id: int, amount: Money, instant: datetime) -> int:
    """Hold a part of what is available, for something other than a call. Raises InsufficientFunds."""
    with refusals():
        rows = await database.query("SELECT reserve(%s, 'other', %s, %s)", (account_id, amount.amount, instant))
    return int(rows[0][0])


async def settle(database: Database, reservation_id: int, amount: Money, key: str, instant: datetime) -> int:
    """
    Take the used part of a reservation to the revenue; the rest is available again. The movement's id.

    Repeated with the same key and amount it changes nothing. Raises BeyondReservation, AlreadySettled,
    AlreadyReleased, AlreadyExpired, KeyUsedOtherwise.
    """
    with refusals():
        rows = await database.query(
            "SELECT settle(%s, %s, %s, %s, NULL)", (reservation_id, amount.amount, key, instant)
        )
    return int(rows[0][0])


async def release(database: Database, reservation_id: int, instant: datetime) -> None:
    """Give a reservation back whole. Raises AlreadySettled, AlreadyReleased, AlreadyExpired."""
    with refusals():
        await database.query("SELECT release(%s, 'released', %s)", (reservation_id, instant))
