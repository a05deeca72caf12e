"""Bans: hosts that are not listened to, and names at a host that are not believed."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from minitelecom.store.database import Database

Reason = Literal["scanner", "many-names", "wrong-passwords", "operator"]

MOST_IN_FORCE = 20_000  # that a process keeps in memory: the latest


@dataclass(frozen=True, slots=True)
class Ban:
    """One of them."""

    address: str
    """An IPv4 address, or the first 64 bits of an IPv6 one ("2001:db8::/64")."""
    name: str | None
    """A SIP user there; None: whoever is there."""
    reason: Reason
    since: datetime
    until: datetime | None
    """None: until it is released."""
    times: int
    """How often so far."""
    proved: bool
    """Whether whoever it is has shown that he is there; else it is one by halves (see sip.admission.Doubt)."""


async def impose(
    database: Database, address: str, name: str | None, reason: Reason, instant: datetime, *, proved: bool
) -> Ban | None:
    """Ban for a time that grows with each ban; None where one is in force already that says as much."""
    rows = await database.query(
        "SELECT address, name, reason, since, until, times, proved FROM ban(%s, %s, %s, %s, %s)",
        (address, name, reason, proved, instant),
    )
    return Ban(*rows[0]) if rows else None


async def add(database: Database, address: str, until: datetime | None, operator: str, instant: datetime) -> None:
    """What somebody decides lasts as long as he says, whatever there was before."""
    await database.query(
        "WITH written AS (INSERT INTO audit (happened, who, what, subject) VALUES (%s, %s, 'ban set', %s))"
        " INSERT INTO bans (address, reason, since, until, times) VALUES (%s, 'operator', %s, %s, 1)"
        " ON CONFLICT (address, name) DO UPDATE"
        " SET (reason, since, until, proved) = ('operator', excluded.since, excluded.until, true)",
        (instant, operator, address, address, instant, until),
    )


async def release(
    database: Database, address: str, name: str | None, operator: str, instant: datetime
) -> list[tuple[str, str | None]]:
    """
    End the ban of a name at an address; without a name all there are at this address.  What was released; how often it
    was banned before is forgotten with it.
    """
    rows = await database.query(
        "WITH gone AS (DELETE FROM bans WHERE address = %s AND (%s::text IS NULL OR name = %s) RETURNING *),"
        " written AS (INSERT INTO audit (happened, who, what, subject) SELECT %s, %s, 'ban released', address FROM gone)"
        " SELECT address, name FROM gone WHERE until IS NULL OR until > %s ORDER BY name NULLS FIRST",
        (address, name, name, instant, operator, instant),
    )
    return [(found, at) for found, at in rows]


async def in_force(database: Database, instant: datetime, limit: int = MOST_IN_FORCE) -> list[Ban]:
    """The bans that hold now, the latest first."""
    rows = await database.query(
        "SELECT address, name, reason, since, until, times, proved FROM bans WHERE until IS NULL OR until > %s"
        " ORDER BY since DESC, address, name NULLS FIRST LIMIT %s",
        (instant, limit),
    )
    return [Ban(*row) for row in rows]
