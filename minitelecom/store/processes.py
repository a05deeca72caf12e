"""
Processes, their proof of life, and the recovery of what a dead one left open.

Each process writes a heartbeat every second. The calls of a process that died are closed by whoever notices first, and are
charged up to that last heartbeat, never further: nobody can prove that they went on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from minitelecom.money import Money
from minitelecom.rating.cost import billed_seconds, cost, maximum
from minitelecom.rating.rate import Rate
from minitelecom.store import call_attempts, call_records
from minitelecom.store.call_attempts import CarrierAttempt
from minitelecom.store.call_records import Ending
from minitelecom.store.database import Cursor, Database

DEAD_AFTER = timedelta(seconds=10)
ADVISORY_LOCK = 0x4D54_5243  # "MTRC", among the advisory locks of the database
AT_ONCE = 500  # calls closed in one transaction


@dataclass(frozen=True, slots=True)
class Process:
    """One run of the daemon."""

    id: int
    name: str
    pid: int
    started: datetime
    heartbeat: datetime
    stopped: datetime | None
    counters: dict[str, Any]


async def start(database: Database, name: str, pid: int, instant: datetime) -> int:
    """A process begins. Earlier ones of its name are dead: two of one name don't run. Call `recover` next."""
    rows = await database.query(
        "WITH dead AS (UPDATE processes SET stopped = heartbeat WHERE name = %s AND stopped IS NULL)"
        " INSERT INTO processes (name, pid, started, heartbeat, counters) VALUES (%s, %s, %s, %s, '{}') RETURNING id",
        (name, name, pid, instant, instant),
    )
    return int(rows[0][0])


async def beat(database: Database, process_id: int, instant: datetime, counters: dict[str, Any]) -> bool:
    """The proof of life. False: this process was taken for dead, its calls are closed; it must stop."""
    rows = await database.query(
        "UPDATE processes SET heartbeat = %s, counters = %s WHERE id = %s AND stopped IS NULL RETURNING id",
        (instant, counters, process_id),
    )
    return bool(rows)


async def calls_of_others(database: Database, process_id: int, instant: datetime) -> dict[str, int]:
    """The calls that each trunk has by the other processes that are alive, as their last heartbeats said."""
    rows = await database.query(
        "SELECT t.key, sum((t.value ->> 'calls')::int)::int FROM processes p, jsonb_each(p.counters -> 'trunks') AS t"
        " WHERE p.stopped IS NULL AND p.id <> %s AND p.heartbeat >= %s GROUP BY t.key",
        (process_id, instant - DEAD_AFTER),
    )
    return {name: calls for name, calls in rows if calls}


async def stop(database: Database, process_id: int, instant: datetime) -> None:
    """The process ends in good order; what it left open all the same, the next recovery closes."""
    await database.query(
        "UPDATE processes SET heartbeat = %s, stopped = %s WHERE id = %s AND stopped IS NULL",
        (instant, instant, process_id),
    )


async def latest(database: Database) -> Process | None:
    """The process that began last."""
    rows = await database.query(
        "SELECT id, name, pid, started, heartbeat, stopped, counters FROM processes ORDER BY id DESC LIMIT 1"
    )
    return Process(*rows[0]) if rows else None


async def running(database: Database, instant: datetime, dead_after: timedelta = DEAD_AFTER) -> list[Process]:
    """The processes that are alive."""
    rows = await database.query(
        "SELECT id, name, pid, started, heartbeat, stopped, counters FROM processes"
        " WHERE stopped IS NULL AND heartbeat >= %s ORDER BY id",
        (instant - dead_after,),
    )
    return [Process(*row) for row in rows]


async def recover(database: Database, instant: datetime, dead_after: timedelta = DEAD_AFTER) -> int:
    """Close the calls of dead processes; how many. One process does it at a time, others wait and find it done."""
    closed = 0
    while True:
        found, closed_now = await database.transaction(_recover, instant - dead_after)
        closed += closed_now
        if found < AT_ONCE:
            return closed


async def _recover(cursor: Cursor, silent_since: datetime) -> tuple[int, int]:
    await cursor.query("SELECT pg_advisory_xact_lock(%s)", (ADVISORY_LOCK,))
    await cursor.query(
        "UPDATE processes SET stopped = heartbeat WHERE stopped IS NULL AND heartbeat < %s", (silent_since,)
    )
    rows = await cursor.query(
        "SELECT r.id, r.started, r.answered, r.rate, r.currency, v.amount, p.heartbeat, r.trunk"
        " FROM call_records r JOIN processes p ON p.id = r.process_id"
        " LEFT JOIN reservations v ON v.id = r.reservation_id"
        " WHERE r.ended IS NULL AND p.stopped IS NOT NULL ORDER BY r.started, r.id LIMIT %s",
        (AT_ONCE,),
    )
    tried = await call_attempts.of_calls(cursor, [(row[1], row[0]) for row in rows])
    return len(rows), sum([await _close(cursor, tried.get((row[1], row[0]), ()), *row) for row in rows])


async def _close(
    cursor: Cursor,
    tried: Sequence[CarrierAttempt],
    identifier: int,
    started: datetime,
    answered: datetime | None,
    data: dict[str, str | int | None] | None,
    currency: str,
    reserved: Any,
    heartbeat: datetime,
    trunk: str | None,
) -> bool:
    """
    Charge what is proven to have been talked, within the reservation (which a recharge may have enlarged).

    False: it was closed meanwhile, by a process that is not dead after all.
    """
    seconds = 0 if answered is None else max(0, (heartbeat - answered) // timedelta(seconds=1))
    billed, charged = seconds, Money.zero(currency)
    if data is not None and reserved is not None:
        rate = Rate.from_data(data)
        seconds = maximum(rate, Money(reserved, currency), seconds)
        billed, charged = billed_seconds(rate, seconds), cost(rate, seconds)
    ended = max(heartbeat, started)
    if not tried and trunk is not None and data is not None:  # unanswered: who was to be asked first is known
        tried = [CarrierAttempt(trunk, None, started)]
    attempts = [one if one.ended else one.closed(ended, "interrupted", None, seconds) for one in tried]
    ending = Ending(identifier, started, ended, billed, charged, "interrupted", None, "switch", attempts=attempts)
    return not (await call_records.ended(cursor, ending)).repeated
