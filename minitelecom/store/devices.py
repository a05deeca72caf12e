"""The telephones of the shop: each signs in by password, or is known by where its requests come from."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Literal, get_args

from minitelecom.store.database import Database, Row
from minitelecom.store.secrets import Secrets

Ring = Literal["preferred", "together", "latest"]
"""Which of its contacts ring: the preferred first (q, RFC 3261 16.6), all at once, or the latest registered alone."""
RINGS: tuple[Ring, ...] = get_args(Ring)

_DEVICE = (
    "SELECT d.name, d.account_id, c.number, d.address, d.password, d.profile, d.properties, d.most_calls, d.transfer,"
    " d.most_contacts, d.ring FROM devices d LEFT JOIN cards c ON c.account_id = d.account_id"
)


@dataclass(frozen=True, slots=True)
class Settings:
    """What an administrator may say of a telephone besides who it is; None: as the house would have it."""

    profile: str | None = None
    """How it is spoken to (calls.profiles); None: learned from its User-Agent."""
    properties: Mapping[str, str] = field(default_factory=dict, hash=False)
    """Single properties in which it differs from its profile."""
    most_calls: int | None = None
    """At one time, made or taken; a cabin has 1."""
    transfer: bool | None = None
    most_contacts: int | None = None
    ring: Ring = "preferred"


DEFAULTS = Settings()


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
    settings: Settings = DEFAULTS

    @property
    def may_transfer(self) -> bool:
        """Whoever pays for calls may hand them on; but a cabin, which has one call at a time, may not."""
        told = self.settings.transfer
        return self.settings.most_calls != 1 if told is None else told


def _device(row: Row, secrets: Secrets) -> Device:
    name, account_id, number, address, sealed, *told = row
    password = None if sealed is None else secrets.open(sealed, _context(name))
    return Device(name, account_id, number, address, password, Settings(*told))


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


async def configure(database: Database, device: Device, settings: Settings, operator: str, instant: datetime) -> bool:
    """Settle how a telephone is treated; False where it has gone."""
    told = asdict(settings)
    rows = await database.query(
        "WITH changed AS (UPDATE devices SET (profile, properties, most_calls, transfer, most_contacts, ring)"
        " = (%s, %s, %s, %s, %s, %s) WHERE name = %s RETURNING name), written AS (INSERT INTO audit (happened, who, what,"
        " subject, before, after) SELECT %s, %s, 'device configured', name, %s, %s FROM changed) SELECT name FROM changed",
        (
            *(json.dumps(value) if name == "properties" else value for name, value in told.items()),
            device.name,
            instant,
            operator,
            json.dumps(asdict(device.settings)),
            json.dumps(told),
        ),
    )
    return bool(rows)


async def restart(database: Database, name: str, mac: str | None, operator: str, instant: datetime) -> None:
    """Have the running daemon tell a telephone to fetch its configuration anew."""
    await database.query(
        "WITH written AS (INSERT INTO audit (happened, who, what, subject) VALUES (%s, %s, 'device restarted', %s))"
        " SELECT notify_change(%s)",
        (instant, operator, name, json.dumps({"restart": {"device": name, "mac": mac}})),
    )


async def remove(database: Database, name: str, operator: str, instant: datetime) -> bool:
    """Remove a telephone and its registrations; False where there is none."""
    rows = await database.query(
        "WITH gone AS (DELETE FROM devices WHERE name = %s RETURNING name), written AS (INSERT INTO audit"
        " (happened, who, what, subject) SELECT %s, %s, 'device removed', name FROM gone) SELECT name FROM gone",
        (name, instant, operator),
    )
    return bool(rows)
