"""
Call records: one for each number dialled, written from its first moment on.

An answered call makes three statements: `begin` (record and reservation), `answered`, `ended` (record, money, the rest of
the reservation). Each may be repeated when its answer was lost: a repetition changes nothing and answers as the first did.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

import psycopg2.errors

from minitelecom.money import Money
from minitelecom.rating.rate import Rate
from minitelecom.store import call_attempts
from minitelecom.store.call_attempts import CarrierAttempt
from minitelecom.store.database import Cursor, Database, Row
from minitelecom.store.refusals import refusals

Cause = Literal[
    "normal",
    "busy",
    "no-answer",
    "rejected",
    "cancelled",
    "no-route",
    "no-price",
    "no-credit",
    "credit-exhausted",
    "blocked",
    "interrupted",
    "failed",
]


Refused = Literal[
    "no-credit",
    "blocked",
    "expired",
    "calls-at-once",
    "calls-a-minute",
    "price-a-minute",
    "money-an-hour",
    "held",
    "first-call",
]
"""What a call was refused for; for all but the first its cause is "blocked"."""


@dataclass(frozen=True, slots=True)
class Beginning:
    """What is known of a call at its first moment. (started, session, called_number) is what it is known by."""

    process_id: int
    session: str
    """The visit in which the number was dialled; several numbers may be."""
    started: datetime
    account_id: int | None
    """Who pays; None: nobody, nothing is reserved (emergency, from telephone to telephone)."""
    device: str | None
    calling_number: str | None
    called_number: str
    destination: str | None
    trunk: str | None
    rate: Rate | None
    """Kept in the record, so that ending or recovering the call needs no price list."""
    ceiling: Money
    """The most that may be reserved: the cost of the longest call."""
    first: Decimal
    """What the first step costs, connection fee included, not rounded."""
    step: Decimal
    """What each further step costs, not rounded. Both zero: the call is free."""
    refusal: Cause | None = None
    """The call is refused already: the record is closed at once with this cause, and nothing is reserved."""
    attempts: Sequence[CarrierAttempt] = ()
    """Of a refused call: the carriers that were not asked, and why."""

    @property
    def currency(self) -> str:
        return self.ceiling.currency


@dataclass(frozen=True, slots=True)
class Begun:
    """The record is written. ``refusal``: nothing was reserved and the record is closed already."""

    id: int
    reserved: Money
    """Zero where nothing is paid."""
    refusal: Refused | None


@dataclass(frozen=True, slots=True)
class Ending:
    """How a call ended."""

    id: int
    started: datetime
    ended: datetime
    billed_seconds: int
    cost: Money
    cause: str
    """One of Cause."""
    sip_status: int | None
    ended_by: str
    answered: datetime | None = None
    """Only where `answered` could not be written before."""
    promised_seconds: int | None = None
    """Only where it changed since `answered`, or where the call was never answered."""
    attempts: Sequence[CarrierAttempt] = ()
    """Every carrier tried, all closed now."""


@dataclass(frozen=True, slots=True)
class Ended:
    """What the record says now; `repeated` where it was closed before, perhaps by a recovery."""

    cost: Money
    cause: Cause
    ended: datetime
    repeated: bool


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One number dialled."""

    id: int
    session: str
    account: str | None
    """The number of the card that pays."""
    account_id: int | None
    device: str | None
    calling_number: str | None
    called_number: str
    destination: str | None
    trunk: str | None
    started: datetime
    answered: datetime | None
    ended: datetime | None
    billed_seconds: int | None
    price: Money | None
    """A minute."""
    cost: Money | None
    currency: str
    cause: Cause | None
    sip_status: int | None
    ended_by: str | None
    promised_seconds: int | None
    process_id: int
    rate: Rate | None
    reserved: Money | None
    """What is held for it now."""
    refusal: Refused | None = None
    """Which limit of its account it would have exceeded, or what else of the account stood against it."""


async def begin(database: Database, beginning: Beginning) -> Begun:
    """
    Write the record, always, and reserve the largest first + n·step that is available, within the ceiling.

    Raises ProcessIsDead, WrongCurrency.
    """
    try:
        return await _begin(database, beginning)
    except psycopg2.errors.UniqueViolation:
        return await _begin(
            database, beginning
        )  # the same beginning, sent before, was still under way: now it is there


async def _begin(database: Database, beginning: Beginning) -> Begun:
    tried = call_attempts.to_json(beginning.attempts)
    with refusals():
        rows = await database.query(
            f"SELECT id, reserved, refusal{', write_attempts(%s, id, %s)::text' if tried else ''}"
            " FROM begin_call(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            (
                *((beginning.started, tried) if tried else ()),
                beginning.process_id,
                beginning.session,
                beginning.started,
                beginning.account_id,
                beginning.device,
                beginning.calling_number,
                beginning.called_number,
                beginning.destination,
                beginning.trunk,
                None if beginning.rate is None else json.dumps(beginning.rate.to_data()),
                beginning.currency,
                beginning.ceiling.amount,
                beginning.first,
                beginning.step,
                beginning.refusal,
            ),
        )
    identifier, reserved, refusal = rows[0][:3]
    return Begun(identifier, Money(reserved or Decimal(0), beginning.currency), refusal)


async def answered(
    database: Database,
    identifier: int,
    started: datetime,
    instant: datetime,
    promised_seconds: int | None,
    trunk: str | None,
    attempts: Sequence[CarrierAttempt] = (),
) -> bool:
    """
    The far end answered, by way of this trunk, the last of those tried.

    False: the record is closed already, our process was taken for dead.
    """
    rows = await database.query(
        "SELECT is_open, CASE WHEN is_open THEN write_attempts(%s, %s, %s)::text END"
        " FROM answer_call(%s, %s, %s, %s, %s) AS is_open",
        (
            *(started, identifier, call_attempts.to_json(attempts)),
            *(identifier, started, instant, promised_seconds, trunk),
        ),
    )
    return bool(rows[0][0])


async def ended(database: Database | Cursor, ending: Ending) -> Ended:
    """
    Close the record, charge its cost within its reservation, release the rest: all of it or nothing.

    A record closed before stays as it is. Raises BeyondReservation, NoSuchCall.
    """
    with refusals():
        rows = await database.query(
            "SELECT repeated, cost, cause, ended, CASE WHEN NOT repeated THEN write_attempts(%s, %s, %s)::text END"
            " FROM end_call(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            (
                *(ending.started, ending.id, call_attempts.to_json(ending.attempts)),
                ending.id,
                ending.started,
                ending.ended,
                ending.billed_seconds,
                ending.cost.amount,
                ending.cause,
                ending.sip_status,
                ending.ended_by,
                ending.answered,
                ending.promised_seconds,
            ),
        )
    repeated, cost, cause, instant, _ = rows[0]
    return Ended(Money(cost, ending.cost.currency), cause, instant, repeated)


async def enlarge(
    database: Database,
    identifier: int,
    started: datetime,
    first: Decimal,
    step: Decimal,
    ceiling: Money,
    instant: datetime,
) -> Money | None:
    """After a recharge: let the reservation grow as far as it may. What is reserved now; None: the call has none."""
    rows = await database.query(
        "SELECT enlarge_call(%s, %s, %s, %s, %s, %s)", (identifier, started, first, step, ceiling.amount, instant)
    )
    return Money(rows[0][0], ceiling.currency) if rows[0][0] else None


_RECORD = (
    "SELECT r.id, r.session, c.number, r.account_id, r.device, r.calling_number, r.called_number, r.destination, r.trunk,"
    " r.started, r.answered, r.ended, r.billed_seconds, r.cost, r.currency, r.cause, r.sip_status, r.ended_by,"
    " r.promised_seconds, r.process_id, r.rate, v.amount, r.refusal FROM call_records r"
    " LEFT JOIN cards c ON c.account_id = r.account_id"
    " LEFT JOIN reservations v ON v.id = r.reservation_id AND v.state = 'held'"
)


def _record(row: Row) -> CallRecord:
    (
        identifier,
        session,
        account,
        account_id,
        device,
        calling_number,
        called_number,
        destination,
        trunk,
        started,
        answered,
        ended_at,
        billed_seconds,
        *rest,
    ) = row
    cost, currency, cause, sip_status, ended_by, promised_seconds, process_id, data, reserved, refusal = rest
    rate = None if data is None else Rate.from_data(data)
    return CallRecord(
        identifier,
        session,
        account,
        account_id,
        device,
        calling_number,
        called_number,
        destination,
        trunk,
        started,
        answered,
        ended_at,
        billed_seconds,
        None if rate is None else Money(rate.sell, rate.currency),
        None if cost is None else Money(cost, currency),
        currency,
        cause,
        sip_status,
        ended_by,
        promised_seconds,
        process_id,
        rate,
        None if reserved is None else Money(reserved, currency),
        refusal,
    )


async def search(
    database: Database,
    since: datetime,
    until: datetime,
    account: str | None = None,
    number: str | None = None,
    after: tuple[datetime, int] | None = None,
    limit: int = 100,
    *,
    oldest_first: bool = False,
) -> list[CallRecord]:
    """
    Records begun in [since, until), newest first unless asked otherwise.

    `account` is a card's number, `number` the beginning of a called or calling number, `after` the (started, id) of the
    last record of the page before.
    """
    conditions, parameters = ["r.started >= %s AND r.started < %s"], [since, until]
    values: list[object] = [*parameters]
    if account is not None:
        conditions.append("r.account_id = (SELECT account_id FROM cards WHERE number = %s)")
        values.append(account)
    if number is not None:
        conditions.append("(r.called_number LIKE %s OR r.calling_number LIKE %s)")
        values += [_prefix_pattern(number)] * 2
    if after is not None:
        conditions.append(f"(r.started, r.id) {'>' if oldest_first else '<'} (%s, %s)")
        values += after
    order = "r.started, r.id" if oldest_first else "r.started DESC, r.id DESC"
    rows = await database.query(
        f"{_RECORD} WHERE {' AND '.join(conditions)} ORDER BY {order} LIMIT %s", (*values, limit)
    )
    return [_record(row) for row in rows]


def _prefix_pattern(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"


async def live(database: Database) -> list[CallRecord]:
    """The calls that are not ended, oldest first."""
    return [_record(row) for row in await database.query(f"{_RECORD} WHERE r.ended IS NULL ORDER BY r.started, r.id")]


async def numbered(database: Database, identifier: int) -> CallRecord | None:
    """One record by its number alone."""
    rows = await database.query(f"{_RECORD} WHERE r.id = %s", (identifier,))
    return _record(rows[0]) if rows else None


async def find(database: Database, identifier: int, started: datetime) -> CallRecord | None:
    """One record."""
    rows = await database.query(f"{_RECORD} WHERE r.started = %s AND r.id = %s", (started, identifier))
    return _record(rows[0]) if rows else None
