"""The telephones of the shop: each signs in by password, or is known by where its requests come from."""

from dataclasses import dataclass, field
from datetime import datetime

from minitelecom.store.database import Database, Row
from minitelecom.store.secrets import Secrets

_DEVICE = (
    "SELECT d.name, d.account_id, c.number, d.address, d.password"
    " FROM devices d LEFT JOIN cards c ON c.account_id = d.account_id"
)


@dataclass(frozen=True, slots=True)
class Device:
    """A telephone. Exactly one of `address` (HOST or HOST:PORT) and `password` is given."""

    name: str
    """Its SIP user name."""
    account_id: int | None
    """What pays for its calls to the outside; None: it calls only inside and for help."""
    account_number: str | None
    """The number of that account's card."""
    address: str | None
    password: str | None = field(repr=False)


def _device(row: Row, secrets: Secrets) -> Device:
    name, account_id, number, address, sealed = row
    return Device(name, account_id, number, address, None if sealed is None else secrets.open(sealed, _context(name)))


def _context(name: str) -> str:
    return f"device:{name}"


async def add(
    database: Database,
    secrets: Secrets,
    name: str,
    *,
    account_id: int | None,
    address: str | None,
    password: str | None,
    operator: str,
    instant: datetime,
) -> None:
    """Add a telephone, or give the one of this name other data."""
    if (address is None) == (password is None):
        raise ValueError("a telephone has either a password or an address")
    sealed = None if password is None else secrets.seal(password, _context(name))
    await database.query(
        "WITH written AS (INSERT INTO audit (happened, who, what, subject) VALUES (%s, %s, 'device set', %s))"
        " INSERT INTO devices (name, account_id, address, password) VALUES (%s, %s, %s, %s)"
        " ON CONFLICT (name) DO UPDATE SET (account_id, address, password)"
        " = (excluded.account_id, excluded.address, excluded.password)",
        (instant, operator, name, name, account_id, address, sealed),
    )


async def find(database: Database, secrets: Secrets, name: str) -> Device | None:
    """The telephone of this name."""
    rows = await database.query(f"{_DEVICE} WHERE d.name = %s", (name,))
    return _device(rows[0], secrets) if rows else None


async def all_devices(database: Database, secrets: Secrets) -> list[Device]:
    """Every telephone, by name."""
    return [_device(row, secrets) for row in await database.query(f"{_DEVICE} ORDER BY d.name")]


async def remove(database: Database, name: str, operator: str, instant: datetime) -> bool:
    """Remove a telephone and its registrations; False where there is none."""
    rows = await database.query(
        "WITH gone AS (DELETE FROM devices WHERE name = %s RETURNING name), written AS (INSERT INTO audit"
        " (happened, who, what, subject) SELECT %s, %s, 'device removed', name FROM gone) SELECT name FROM gone",
        (name, instant, operator),
    )
    return bool(rows)
