"""Those who work with the web pages, and their sessions there."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from minitelecom.store.database import Database

Role = Literal["administrator", "operator"]


@dataclass(frozen=True, slots=True)
class Operator:
    """Somebody who may log in."""

    name: str
    role: Role
    password_hash: str = field(repr=False)
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class Session:
    """A browser that is logged in."""

    operator: str
    role: Role
    csrf: str = field(repr=False)
    created: datetime
    expires: datetime


async def add(
    database: Database, name: str, role: Role, password_hash: str, instant: datetime, *, by: str = "command line"
) -> None:
    """Add an operator, or give the one of this name another role and password; his sessions end then."""
    await database.query(
        "WITH ended AS (DELETE FROM web_sessions WHERE operator = %s), written AS (INSERT INTO audit"
        " (happened, who, what, subject, after) VALUES (%s, %s, 'operator set', %s, jsonb_build_object('role', %s::text)))"
        " INSERT INTO operators (name, role, password_hash, enabled, created) VALUES (%s, %s, %s, true, %s)"
        " ON CONFLICT (name) DO UPDATE SET (role, password_hash, enabled) = (excluded.role, excluded.password_hash, true)",
        (name, instant, by, name, role, name, role, password_hash, instant),
    )


async def find(database: Database, name: str) -> Operator | None:
    """The operator of this name."""
    rows = await database.query("SELECT name, role, password_hash, enabled FROM operators WHERE name = %s", (name,))
    return Operator(*rows[0]) if rows else None


async def all_operators(database: Database) -> list[Operator]:
    """Every operator, by name."""
    rows = await database.query("SELECT name, role, password_hash, enabled FROM operators ORDER BY name")
    return [Operator(*row) for row in rows]


async def set_enabled(database: Database, name: str, *, enabled: bool, by: str, instant: datetime) -> bool:
    """Let in or shut out; False where there is no such operator. Sessions of one shut out are found no more."""
    rows = await database.query(
        "WITH changed AS (UPDATE operators SET enabled = %s WHERE name = %s RETURNING name), written AS (INSERT INTO audit"
        " (happened, who, what, subject, after) SELECT %s, %s, 'operator set', name,"
        " jsonb_build_object('enabled', %s::boolean) FROM changed) SELECT name FROM changed",
        (enabled, name, instant, by, enabled),
    )
    return bool(rows)


async def create_session(
    database: Database, operator: str, token_hash: bytes, csrf: str, instant: datetime, expires: datetime
) -> None:
    """A browser logged in; sessions that have ended are swept out on the way."""
    await database.query(
        "WITH swept AS (DELETE FROM web_sessions WHERE expires <= %s)"
        " INSERT INTO web_sessions (token_hash, operator, csrf, created, expires) VALUES (%s, %s, %s, %s, %s)",
        (instant, token_hash, operator, csrf, instant, expires),
    )


async def find_session(database: Database, token_hash: bytes, instant: datetime) -> Session | None:
    """Whose session this is; None when there is none, it has ended, or its operator is shut out."""
    rows = await database.query(
        "SELECT s.operator, o.role, s.csrf, s.created, s.expires FROM web_sessions s JOIN operators o ON o.name = s.operator"
        " WHERE s.token_hash = %s AND s.expires > %s AND o.enabled",
        (token_hash, instant),
    )
    return Session(*rows[0]) if rows else None


async def drop_session(database: Database, token_hash: bytes) -> None:
    """The browser logs out."""
    await database.query("DELETE FROM web_sessions WHERE token_hash = %s", (token_hash,))
