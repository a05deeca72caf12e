"""Numbers that carriers deliver to us: each leads to a telephone of the shop or to a dialogue."""

from dataclasses import dataclass
from datetime import datetime

from minitelecom.store.database import Database


@dataclass(frozen=True, slots=True)
class Number:
    """One of them, in digits. Exactly one of `device` and `dialogue` is given."""

    number: str
    device: str | None = None
    """The telephone that rings."""
    dialogue: str | None = None
    language: str | None = None
    """Of the dialogue; None: the caller chooses."""


async def add(database: Database, number: Number, operator: str, instant: datetime) -> bool:
    """Add a number, or lead one elsewhere; whether it is a new one."""
    rows = await database.query(
        "WITH written AS (INSERT INTO audit (happened, who, what, subject) VALUES (%s, %s, 'number set', %s)),"
        " before AS (SELECT FROM numbers WHERE number = %s)"
        " INSERT INTO numbers (number, device, dialogue, language) VALUES (%s, %s, %s, %s)"
        " ON CONFLICT (number) DO UPDATE SET (device, dialogue, language)"
        " = (excluded.device, excluded.dialogue, excluded.language) RETURNING NOT EXISTS (SELECT FROM before)",
        (
            instant,
            operator,
            number.number,
            number.number,
            number.number,
            number.device,
            number.dialogue,
            number.language,
        ),
    )
    return bool(rows[0][0])


async def all_numbers(database: Database) -> list[Number]:
    """Every number, in order."""
    rows = await database.query("SELECT number, device, dialogue, language FROM numbers ORDER BY number")
    return [Number(*row) for row in rows]


async def remove(database: Database, number: str, operator: str, instant: datetime) -> bool:
    """Remove a number; False where there is none."""
    rows = await database.query(
        "WITH gone AS (DELETE FROM numbers WHERE number = %s RETURNING number), written AS (INSERT INTO audit"
        " (happened, who, what, subject) SELECT %s, %s, 'number removed', number FROM gone) SELECT number FROM gone",
        (number, instant, operator),
    )
    return bool(rows)
