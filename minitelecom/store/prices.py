"""
Price lists, the shop's and its carriers'. Each import is a new version, kept whole; the latest of a list holds.

In a carrier's list `sell` is what it asks, and `currency` the carrier's.
"""

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
    "allow_loss",
)
_READ = "prefix, destination, currency, sell, initial, increment, connection_fee, buy, buy_currency"


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
        f"SELECT {_READ}, %s, valid_from, allow_loss FROM prices"
        " WHERE version_id = (SELECT max(id) FROM price_versions WHERE price_list = %s) ORDER BY prefix, valid_from",
        (price_list, price_list),
    )
    return [Rate(*row) for row in rows]


async def load_carriers(database: Database) -> dict[str, list[Rate]]:
    """The same of every trunk that has a list, by its name."""
    rows = await database.query(
        f"SELECT {_READ}, v.trunk, valid_from, allow_loss FROM prices p JOIN price_versions v ON v.id = p.version_id"
        " WHERE v.id IN (SELECT max(id) FROM price_versions WHERE trunk IS NOT NULL GROUP BY trunk)"
        " AND v.trunk IN (SELECT name FROM trunks) ORDER BY prefix, valid_from"
    )
    found: dict[str, list[Rate]] = {}
    for row in rows:
        rate = Rate(*row)
        found.setdefault(rate.price_list, []).append(rate)
    return found


async def replace_carrier(
    database: Database, rates: Iterable[Rate], trunk: str, operator: str, instant: datetime
) -> Version:
    """These rows and no others are what a carrier asks from now on."""
    return await database.transaction(_replace, list(rates), None, operator, instant, trunk)


async def replace(
    database: Database, rates: Iterable[Rate], price_list: str, operator: str, instant: datetime
) -> Version:
    """These rows and no others are the list from now on; all of them, or nothing changes."""
    return await database.transaction(_replace, list(rates), price_list, operator, instant)


async def _replace(
    cursor: Cursor,
    rates: Sequence[Rate],
    price_list: str | None,
    operator: str,
    instant: datetime,
    trunk: str | None = None,
) -> Version:
    name = price_list or trunk or ""
    rows = await cursor.query(
        "INSERT INTO price_versions (price_list, trunk, loaded, operator) VALUES (%s, %s, %s, %s) RETURNING id",
        (price_list, trunk, instant, operator),
    )
    version_id = int(rows[0][0])
    for start in range(0, len(rates), ROWS_AT_ONCE):
        some = rates[start : start + ROWS_AT_ONCE]
        columns = [list(map(attrgetter(name), some)) for name in COLUMNS]
        await cursor.query(
            f"INSERT INTO prices (version_id, {', '.join(COLUMNS)}) SELECT %s, * FROM unnest(%s::text[], %s::text[],"
            " %s::text[], %s::numeric[], %s::int[], %s::int[], %s::numeric[], %s::numeric[], %s::text[], %s::date[],"
            " %s::boolean[])",
            (version_id, *columns),
        )
    await cursor.query(
        "INSERT INTO audit (happened, who, what, subject, after) VALUES (%s, %s, %s, %s,"
        " jsonb_build_object('version', %s, 'rows', %s))",
        (
            instant,
            operator,
            "prices replaced" if trunk is None else "buy prices replaced",
            name,
            version_id,
            len(rates),
        ),
    )
    what = "prices" if trunk is None else "buy_prices"
    await cursor.query("SELECT notify_change(jsonb_build_object(%s, %s::text))", (what, name))
    return Version(version_id, name, instant, operator)


async def versions(database: Database, price_list: str = "general", limit: int = 50) -> list[Version]:
    """The imports of a list, newest first."""
    rows = await database.query(
        "SELECT id, price_list, loaded, operator FROM price_versions WHERE price_list = %s ORDER BY id DESC LIMIT %s",
        (price_list, limit),
    )
    return [Version(*row) for row in rows]
