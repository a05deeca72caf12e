"""Trunks: the carriers that calls leave by and arrive from."""

import json
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, Literal, get_args

from minitelecom.store.database import Database, Row
from minitelecom.store.secrets import Secrets

Format = Literal["e164", "plus", "international", "national"]
"""How a number is written: 4930…, +4930…, 004930…; national: 0888… at home, 004930… abroad."""
FORMATS: tuple[Format, ...] = get_args(Format)
KeysBy = Literal["learned", "info", "tones"]
KEYS_BY: tuple[KeysBy, ...] = get_args(KeysBy)


@dataclass(frozen=True, slots=True)
class Trunk:
    """A carrier, the numbers that go by it, and how it wants them."""

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
    """So many signs are taken off the front of a number in its format,"""
    add: str = ""
    """and these put there instead."""
    priority: int = 0
    """The lowest is tried first."""
    enabled: bool = True
    """A disabled trunk is used for emergency calls only, and nobody is known by it."""
    proxy: str | None = None
    """sip:HOST[:PORT], by which everything goes first (RFC 3261 8.1.2)."""
    account_in_from: bool = False
    """From names our account there, not the caller."""
    called_format: Format = "e164"
    calling_format: Format = "e164"
    caller_id: str = "pass"
    """What the called party sees: "pass" the caller's number, "hide" it, or always this number."""
    asserts: bool = False
    """The caller's number is told in P-Asserted-Identity (RFC 3325)."""
    trusted: bool = False
    """Of our trust domain (RFC 3324): what it asserts is believed, and it is told who a hidden caller is."""
    diversion: bool = False
    """It is told who forwarded a call (Diversion, RFC 5806)."""
    redirects: bool = False
    """It may send a call on (3xx) to other numbers and other carriers, whatever they ask of us."""
    weight: int = 1
    """How often it is tried before others of the same priority that cost the same."""
    allow_loss: bool = False
    """It is tried also where it asks more than the customer pays."""
    capacity: int = 0
    """The calls it takes at one time, both ways; 0: any number."""
    codes: str = ""
    """What its refusals mean, where that differs: "404=next 5xx=busy"; next, stop or a cause."""
    progress_seconds: int = 0
    """How long it may neither ring nor answer before the next is tried; 0: until it rings out."""
    check_seconds: int = 0
    """Between two OPTIONS that ask whether it is there; 0: it is not asked."""
    keys: KeysBy = "learned"
    """How it is told keys: as it says itself, by INFO, or as tones."""


_COLUMNS = tuple(column.name for column in fields(Trunk))
_TRUNK = f"SELECT {', '.join(_COLUMNS)} FROM trunks"


def _trunk(row: Row, secrets: Secrets) -> Trunk:
    data: dict[str, Any] = dict(zip(_COLUMNS, row, strict=True))
    if data["password"] is not None:
        data["password"] = secrets.open(data["password"], _context(data["name"]))
    return Trunk(**data)


def _context(name: str) -> str:
    return f"trunk:{name}"


def described(trunk: Trunk) -> dict[str, Any]:
    """Everything about a trunk but its password, as JSON knows it."""
    return {name: getattr(trunk, name) for name in _COLUMNS if name != "password"}


async def add(database: Database, secrets: Secrets, trunk: Trunk, *, operator: str, instant: datetime) -> None:
    """Add a trunk, or give the one of this name other data."""
    sealed = None if trunk.password is None else secrets.seal(trunk.password, _context(trunk.name))
    data = described(trunk)
    values = {**data, "password": sealed}
    names, others = ", ".join(values), ", ".join(name for name in values if name != "name")
    await database.query(
        "WITH written AS (INSERT INTO audit (happened, who, what, subject, after)"
        " VALUES (%s, %s, 'trunk set', %s, %s))"
        f" INSERT INTO trunks ({names}) VALUES ({', '.join(['%s'] * len(values))}) ON CONFLICT (name) DO UPDATE SET"
        f" ({others}) = ROW ({', '.join(f'excluded.{name}' for name in others.split(', '))})",
        (instant, operator, trunk.name, json.dumps(data), *values.values()),
    )


async def all_trunks(database: Database, secrets: Secrets) -> list[Trunk]:
    """Every trunk, in the order they are tried."""
    return [_trunk(row, secrets) for row in await database.query(f"{_TRUNK} ORDER BY priority, name")]


async def find(database: Database, secrets: Secrets, name: str) -> Trunk | None:
    """The trunk of this name."""
    rows = await database.query(f"{_TRUNK} WHERE name = %s", (name,))
    return _trunk(rows[0], secrets) if rows else None


async def remove(database: Database, name: str, operator: str, instant: datetime) -> bool:
    """Remove a trunk; False where there is none."""
    rows = await database.query(
        "WITH gone AS (DELETE FROM trunks WHERE name = %s RETURNING name), written AS (INSERT INTO audit"
        " (happened, who, what, subject) SELECT %s, %s, 'trunk removed', name FROM gone) SELECT name FROM gone",
        (name, instant, operator),
    )
    return bool(rows)
