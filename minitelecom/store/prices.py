"""Price lists. Each import is a new version, kept whole; the latest of a list holds."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter

from minitelecom.rating.rate import Rate
from minitelecom.store.database import Cursor, Database

ROWS_AT_ONCE = 10_000
COLUMNS = (
    "prefix",
    "destination",
    "currency",
    "sell",
    "initial",
    "increment",
    "connection_fee",
    "buy",
    "buy_currency",
    "valid_from",
)


@dataclass(frozen=True, slots=True)
class Version:
    """One import of a price list."""

    id: int
    price_list: str
    loaded: datetime
    operator: str


async def load(database: Database, price_list: str = "general") -> list[Rate]:
    """Every row of the list's latest version, by prefix; which of them hold today, PriceTable decides."""
    rows = await database.query(
        f"SELECT {', '.join(COLUMNS[:-1])}, %s, valid_from FROM prices"
        " WHERE version_id = (SELECT max(id) FROM price_versions WHERE price_list = %s) ORDER BY prefix, valid_from",
        (price_list, price_list),
    )
    return [Rate(*row) for row in rows]


async def replace(
    database: Database, rates: Iterable[Rate], price_list: str, operator: str, instant: datetime
) -> Version:
    """These rows and no others are the list from now on; all of them, or nothing changes."""
    return await database.transaction(_replace, list(rates), price_list, operator, instant)


async def _replace(cursor: Cursor, rates: Sequence[Rate], price_list: str, operator: str, instant: datetime) -> Version:
    rows = await cursor.query(
        "INSERT INTO price_versions (price_list, loaded, operator) VALUES (%s, %s, %s) RETURNING id",
        (price_list, instant, operator),
    )
    version_id = int(rows[0][0])
    for start in range(0, len(rates), ROWS_AT_ONCE):
        some = rates[start : start + ROWS_AT_ONCE]
        columns = [list(map(attrgetter(name), some)) for name in COLUMNS]
        await cursor.query(
            f"INSERT INTO prices (version_id, {', '.join(COLUMNS)}) SELECT %s, * FROM unnest(%s::text[], %s::text[],"
            " %s::text[], %s::numeric[], %s::int[], %s::int[], %s::numeric[], %s::numeric[], %s::text[], %s::date[])",
            (version_id, *columns),
        )
    await cursor.query(
        "INSERT INTO audit (happened, who, what, subject, after) VALUES (%s, %s, 'prices replaced', %s,"
        " jsonb_build_object('version', %s, 'rows', %s))",
        (instant, operator, price_list, version_id, len(rates)),
    )
    await cursor.query("SELECT notify_change(jsonb_build_object('prices', %s::text))", (price_list,))
    return Version(version_id, price_list, instant, operator)


async def versions(database: Database, price_list: str = "general", limit: int = 50) -> list[Version]:
    """The imports of a list, newest first."""
    rows = await database.query(
        "SELECT id, price_list, loaded, operator FROM price_versions WHERE price_list = %s ORDER BY id DESC LIMIT %s",
        (price_list, limit),
    )
    return [Version(*row) for row in rows]
