"""What was set while running, as opposed to the configuration file: one JSON value a key."""

import json
from typing import Any

from minitelecom.store.database import Database


async def get(database: Database, key: str) -> Any:
    """The value of a key; None where nothing was set."""
    rows = await database.query("SELECT value FROM settings WHERE key = %s", (key,))
    return rows[0][0] if rows else None


async def put(database: Database, key: str, value: Any) -> None:
    """Set a key; who did it is written down by the caller."""
    await database.query(
        "INSERT INTO settings (key, value) VALUES (%s, %s) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        (key, json.dumps(value)),
    )
