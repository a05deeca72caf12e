"""The books of a live shop, and the laws that they keep whatever has died."""

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg2

from minitelecom.commands.calls import EVER
from minitelecom.store import call_records, ledger, processes
from minitelecom.store.call_records import CallRecord
from minitelecom.store.database import DatabaseAway
from minitelecom.store.private_server import PrivateServer
from minitelecom.store.processes import Process
from minitelecom.store.synchronous import SynchronousDatabase, run


class Books:
    """The private database in a folder, read directly: what a test asks often, and what no command tells."""

    def __init__(self, data: Path) -> None:
        server = PrivateServer(data)
        self.url = server.ensure()
        server.release()

    def query(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        with SynchronousDatabase(self.url) as database:
            return run(database.query(sql, parameters))

    @property
    def reachable(self) -> bool:
        try:
            SynchronousDatabase(self.url).close()
        except DatabaseAway:
            return False
        return True

    def records(self, **wanted: object) -> list[CallRecord]:
        """Oldest first, those whose fields have these values."""
        with SynchronousDatabase(self.url) as database:
            found = run(call_records.search(database, *EVER, limit=100_000, oldest_first=True))
        return [record for record in found if all(getattr(record, name) == value for name, value in wanted.items())]

    def open(self, device: str) -> list[CallRecord]:
        return [record for record in self.records(device=device) if record.ended is None]

    def process(self) -> Process:
        """The latest."""
        with SynchronousDatabase(self.url) as database:
            found = run(processes.latest(database))
        assert found is not None
        return found

    def heartbeat(self, process_id: int) -> datetime:
        ((heartbeat,),) = self.query("SELECT heartbeat FROM processes WHERE id = %s", process_id)
        assert isinstance(heartbeat, datetime)
        return heartbeat

    @contextlib.contextmanager
    def nobody_writes(self, table: str) -> Iterator[None]:
        """Whoever is about to write into this table is kept waiting, in the middle of what he does."""
        with contextlib.closing(psycopg2.connect(self.url)) as connection:
            connection.cursor().execute(f"LOCK TABLE {table} IN SHARE MODE")
            yield

    @property
    def somebody_waits(self) -> bool:
        return bool(self.query("SELECT count(*) FROM pg_locks WHERE NOT granted")[0][0])

    def check(self) -> None:
        """
        Every law is kept, every record of a dead process is closed, nothing is held for one, and each record that costs
        something is charged by one movement of its own.
        """
        alive = self.process().id
        with SynchronousDatabase(self.url) as database:
            assert not run(ledger.proof(database, datetime.now(UTC)))
        records = self.records()
        assert not [record for record in records if record.ended is None and record.process_id != alive]
        charged = {f"call:{record.id}": record.cost.amount for record in records if record.cost and record.cost.amount}
        moved = dict(
            self.query(
                "SELECT m.key, -l.amount FROM movements m JOIN movement_lines l ON l.movement_id = m.id"
                " WHERE m.kind = 'call' AND l.sequence IS NOT NULL"
            )
        )
        assert moved == charged

    def nothing_is_held(self) -> None:
        held = self.query("SELECT id, account_id, amount FROM reservations WHERE state = 'held'")
        assert not held
        assert not self.query("SELECT id, reserved FROM accounts WHERE reserved <> 0")
        assert not [record for record in self.records() if record.ended is None]

    def costs(self, account: str) -> Decimal:
        """What the records of a card come to."""
        found = [record.cost.amount for record in self.records(account=account) if record.cost is not None]
        return sum(found, Decimal(0))
