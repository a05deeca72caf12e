"""Customers' accounts: what each has, and whether it may be used."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from minitelecom.money import Money
from minitelecom.store.database import Database
from minitelecom.store.refusals import refusals

Kind = Literal["card", "shop"]
Status = Literal["inactive", "enabled", "disabled", "expired", "closed"]
NewStatus = Literal["enabled", "disabled", "closed"]


@dataclass(frozen=True, slots=True)
class Account:
    """A customer's account. ``reserved`` is promised to calls in progress; the rest is available."""

    id: int
    kind: Kind
    number: str | None
    currency: str
    status: Status
    balance: Money
    reserved: Money
    valid_until: datetime | None

    @property
    def available(self) -> Money:
        return self.balance - self.reserved


async def create(database: Database, kind: Kind, currency: str, instant: datetime, *, zone: str) -> int:
    """An empty account, enabled; cards are made by `cards.add_group`."""
    rows = await database.query(
        "SELECT open_account(%s, %s, 'enabled', 'now', %s, %s)", (kind, currency, zone, instant)
    )
    return int(rows[0][0])


async def find(database: Database, account_id: int, instant: datetime) -> Account | None:
    """The account as it stands at this instant."""
    rows = await database.query(
        "SELECT a.id, a.kind, c.number, a.currency, standing(a.status, a.valid_until, %s), a.balance, a.reserved,"
        " a.valid_until FROM accounts a LEFT JOIN cards c ON c.account_id = a.id WHERE a.id = %s AND a.kind <> 'house'",
        (instant, account_id),
    )
    if not rows:
        return None
    identifier, kind, number, currency, status, balance, reserved, valid_until = rows[0]
    return Account(
        identifier, kind, number, currency, status, Money(balance, currency), Money(reserved, currency), valid_until
    )


async def may_call(database: Database, account_id: int, instant: datetime) -> bool:
    """Whether a call of this account may go on."""
    rows = await database.query(
        "SELECT standing(status, valid_until, %s) = 'enabled' FROM accounts WHERE id = %s", (instant, account_id)
    )
    return bool(rows and rows[0][0])


async def set_status(database: Database, account_id: int, status: NewStatus, operator: str, instant: datetime) -> None:
    """Enable (for the first time: activate), disable or close; a closed account stays closed. Raises NoSuchAccount."""
    with refusals():
        await database.query("SELECT set_account_status(%s, %s, %s, %s)", (account_id, status, operator, instant))
