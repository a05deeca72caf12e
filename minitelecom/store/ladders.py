"""The messages of visits, as pages of some seconds each: written many at a time, read by visit, removed when old."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple, Self

import psycopg2

from minitelecom.store.database import Database

REMOVED_AT_ONCE = 500


class Page(NamedTuple):
    """Some seconds of a visit; what its bytes mean is the business of the room ladder."""

    session: str
    begun: datetime
    messages: bytes


class _Ascii:
    """
    Bytes as psycopg2 is to quote them. Its own way writes every byte as two, and a ladder is half of what a busy switch
    tells its database; what is plain ASCII may stand as it is (bytea's format "escape", without a backslash to escape).
    """

    def __init__(self, data: bytes) -> None:
        self._data = data

    def __conform__(self, protocol: object) -> Self:
        return self

    def getquoted(self) -> bytes:
        data = self._data
        if data.isascii() and b"\\" not in data and b"\0" not in data:
            return b"'" + data.replace(b"'", b"''") + b"'::bytea"
        quoted: bytes = psycopg2.Binary(data).getquoted()
        return quoted


async def keep(database: Database, pages: Sequence[Page]) -> None:
    """Write them; a page that is there already stays as it is."""
    values = ", ".join(["(%s, %s, %s)"] * len(pages))
    parameters = [value for page in pages for value in (page.session, page.begun, _Ascii(page.messages))]
    await database.query(
        f"INSERT INTO ladder_pages (session, begun, messages) VALUES {values} ON CONFLICT DO NOTHING", parameters
    )


async def of_session(database: Database, session: str, limit: int) -> list[Page]:
    """The pages of a visit, oldest first."""
    rows = await database.query(
        "SELECT session, begun, messages FROM ladder_pages WHERE session = %s ORDER BY begun LIMIT %s",
        (session, limit),
    )
    return [Page(*row) for row in rows]


async def remove(database: Database, before: datetime, limit: int = REMOVED_AT_ONCE) -> int:
    """Remove pages that began before then, the oldest first and not too many at once; how many there were."""
    rows = await database.query(
        "WITH old AS (SELECT session, begun FROM ladder_pages WHERE begun < %s ORDER BY begun LIMIT %s),"
        " gone AS (DELETE FROM ladder_pages p USING old WHERE p.session = old.session AND p.begun = old.begun RETURNING 1)"
        " SELECT count(*) FROM gone",
        (before, limit),
    )
    return int(rows[0][0])
