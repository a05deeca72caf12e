"""
The schema, step by step: schema/NNNN_name.sql in order, each in a transaction of its own, each once.

What was applied is recorded with a checksum in `schema_migrations`. An advisory lock makes processes that start at the
same moment take turns: the first migrates, the others find it done.
"""

import contextlib
import hashlib
import importlib.resources
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import psycopg2
from twisted.logger import Logger

from minitelecom.store.database import DatabaseAway, is_dead, session

if TYPE_CHECKING:
    from psycopg2.extensions import cursor as PsycopgCursor  # noqa: N812 - a class

ADVISORY_LOCK = 0x4D54_5343  # "MTSC", among the advisory locks of the database
LOCK_TIMEOUT = "120s"

CREATE_TABLE = """
create table if not exists schema_migrations (
    number integer primary key,
    name text not null,
    checksum text not null,
    applied timestamptz not null
)
"""

_log = Logger()


class SchemaTooNew(Exception):
    """The database was migrated by a newer program; this one does not know what stands in it."""


class SchemaDiffers(Exception):
    """The database was migrated by other files than those of this program."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file of schema/."""

    number: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()


def migrations() -> list[Migration]:
    """Those that came with the program, in order; numbered from 1 without a gap."""
    found = []
    for file in (importlib.resources.files("minitelecom.store") / "schema").iterdir():
        match = re.fullmatch(r"(\d{4})_(\w+)\.sql", file.name)
        if match is not None:
            found.append(Migration(int(match[1]), match[2], file.read_text(encoding="utf-8")))
    found.sort(key=lambda migration: migration.number)
    numbers = [migration.number for migration in found]
    assert numbers == list(range(1, len(found) + 1)), f"schema/ is numbered {numbers}"
    return found


def migrate(url: str, steps: Sequence[Migration] | None = None) -> list[Migration]:
    """Bring the database to this program's schema; those newly applied. Raises SchemaTooNew, SchemaDiffers."""
    steps = migrations() if steps is None else steps
    try:
        with contextlib.closing(psycopg2.connect(**session(url, 0))) as connection:
            connection.autocommit = True
            return _migrate(connection.cursor(), steps)
    except psycopg2.Error as error:
        if is_dead(error):
            raise DatabaseAway(str(error).strip()) from error
        raise


def _migrate(cursor: "PsycopgCursor", steps: Sequence[Migration]) -> list[Migration]:
    cursor.execute("select set_config('lock_timeout', %s, false)", [LOCK_TIMEOUT])
    cursor.execute("select pg_advisory_lock(%s)", [ADVISORY_LOCK])  # until the connection closes
    cursor.execute("select set_config('client_min_messages', 'warning', false)")
    cursor.execute(CREATE_TABLE)
    cursor.execute("select number, name, checksum from schema_migrations order by number")
    applied = {number: (name, checksum) for number, name, checksum in cursor.fetchall()}
    _must_fit(applied, steps)
    missing = [step for step in steps if step.number not in applied]
    for step in missing:
        _apply(cursor, step)
    return missing


def _must_fit(applied: dict[int, tuple[str, str]], steps: Sequence[Migration]) -> None:
    newest, known = max(applied, default=0), len(steps)
    if newest > known:
        raise SchemaTooNew(
            f"the database has schema {newest} ({applied[newest][0]}), this program knows {known}:"
            " a newer MiniTelecom has used it; start that one, or restore a backup made before the upgrade"
        )
    for step in steps:
        if step.number in applied and applied[step.number][1] != step.checksum:
            raise SchemaDiffers(
                f"schema {step.number} of the database ({applied[step.number][0]}) was made by another"
                f" {step.number:04}_{step.name}.sql than this program's: use the program that made it"
            )


def _apply(cursor: "PsycopgCursor", step: Migration) -> None:
    """One file and its record in one transaction."""
    cursor.execute("begin")
    try:
        cursor.execute(step.sql)
        cursor.execute(
            "insert into schema_migrations (number, name, checksum, applied) values (%s, %s, %s, %s)",
            [step.number, step.name, step.checksum, datetime.now(UTC)],
        )
        cursor.execute("commit")
    except psycopg2.Error:
        if not cursor.connection.closed:
            cursor.execute("rollback")
        raise
    _log.info("schema {number} ({name}) applied", number=step.number, name=step.name)
