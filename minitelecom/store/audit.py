"""Who did what, kept for ever."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from minitelecom.store.database import Database


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that somebody did."""

    id: int
    happened: datetime
    who: str
    what: str
    subject: str
    before: Any
    after: Any


async def record(
    database: Database, who: str, what: str, subject: str, before: Any, after: Any, instant: datetime
) -> None:
    """Write down what somebody did; changes that the store makes write themselves down."""
    await database.query(
        "INSERT INTO audit (happened, who, what, subject, before, after) VALUES (%s, %s, %s, %s, %s, %s)",
        (instant, who, what, subject, _json(before), _json(after)),
    )


def _json(value: Any) -> str | None:
    return None if value is None else json.dumps(value)


async def entries(
    database: Database, subject: str | None = None, before: int | None = None, limit: int = 100
) -> list[Entry]:
    """What was done, newest first; the next page begins before the last one's id."""
    rows = await database.query(
        "SELECT id, happened, who, what, subject, before, after FROM audit WHERE (%s::text IS NULL OR subject = %s)"
        " AND (%s::bigint IS NULL OR id < %s) ORDER BY id DESC LIMIT %s",
        (subject, subject, before, before, limit),
    )
    return [Entry(*row) for row in rows]
