"""Trunks: the carriers that calls leave by and arrive from."""

from dataclasses import dataclass, field
from datetime import datetime

from minitelecom.store.database import Database, Row
from minitelecom.store.secrets import Secrets

_TRUNK = "SELECT name, uri, username, password, register, match, strip, add, priority FROM trunks"


@dataclass(frozen=True, slots=True)
class Trunk:
    """A carrier, and the numbers that go by it."""

    name: str
    uri: str
    """sip:HOST[:PORT]"""
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    register: bool = False
    """We register there, so that calls can arrive."""
    match: str = ""
    """Numbers with this prefix go by it; empty: all."""
    strip: int = 0
    """So many digits are taken off a number's front,"""
    add: str = ""
    """and these put there instead."""
    priority: int = 0
    """The lowest is tried first."""


def _trunk(row: Row, secrets: Secrets) -> Trunk:
    name, uri, username, sealed, *rest = row
    return Trunk(name, uri, username, None if sealed is None else secrets.open(sealed, _context(name)), *rest)


def _context(name: str) -> str:
    return f"trunk:{name}"


async def add(database: Database, secrets: Secrets, trunk: Trunk, *, operator: str, instant: datetime) -> None:
    """Add a trunk, or give the one of this name other data."""
    sealed = None if trunk.password is None else secrets.seal(trunk.password, _context(trunk.name))
    await database.query(
        "WITH written AS (INSERT INTO audit (happened, who, what, subject) VALUES (%s, %s, 'trunk set', %s))"
        " INSERT INTO trunks (name, uri, username, password, register, match, strip, add, priority)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT (name) DO UPDATE SET"
        " (uri, username, password, register, match, strip, add, priority) = (excluded.uri, excluded.username,"
        " excluded.password, excluded.register, excluded.match, excluded.strip, excluded.add, excluded.priority)",
        (
            instant,
            operator,
            trunk.name,
            trunk.name,
            trunk.uri,
            trunk.username,
            sealed,
            trunk.register,
            trunk.match,
            trunk.strip,
            trunk.add,
            trunk.priority,
        ),
    )


async def all_trunks(database: Database, secrets: Secrets) -> list[Trunk]:
    """Every trunk, in the order they are tried."""
    return [_trunk(row, secrets) for row in await database.query(f"{_TRUNK} ORDER BY priority, name")]


async def remove(database: Database, name: str, operator: str, instant: datetime) -> bool:
    """Remove a trunk; False where there is none."""
    rows = await database.query(
        "WITH gone AS (DELETE FROM trunks WHERE name = %s RETURNING name), written AS (INSERT INTO audit"
        " (happened, who, what, subject) SELECT %s, %s, 'trunk removed', name FROM gone) SELECT name FROM gone",
        (name, instant, operator),
    )
    return bool(rows)
