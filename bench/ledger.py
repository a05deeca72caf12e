"""
The three statements of an answered call: `python bench/ledger.py [calls]`.

Begun, answered and ended, on a PostgreSQL of its own with the settings of a shop's, by one connection that does nothing
else; the time of one call, and the CPU of both sides.
"""

import os
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random

from figures import Figure, show
from processes import cpu_seconds, family_cpu_seconds
from yardstick import Yardstick

from minitelecom.money import Money
from minitelecom.rating.cost import cost
from minitelecom.rating.rate import Rate
from minitelecom.store import call_records, cards, ledger, processes
from minitelecom.store.call_records import Beginning, Ending
from minitelecom.store.migrations import migrate
from minitelecom.store.private_server import PrivateServer
from minitelecom.store.secrets import Secrets
from minitelecom.store.synchronous import SynchronousDatabase, run

BEGINNING = datetime(2026, 8, 31, 8, 0, tzinfo=UTC)
RATE = Rate("44", "United Kingdom", "EUR", Decimal("0.06"))
CEILING = cost(RATE, 7_200)
TALK_SECONDS = 61
ACCOUNTS = 50


def main(calls: int = 1_000) -> int:
    """Measure and print; the exit status tells whether the books are right."""
    with tempfile.TemporaryDirectory(prefix="minitelecom-bench-", dir="/var/tmp") as folder:
        Path(folder).chmod(0o755)  # the database runs as another user
        server = PrivateServer(Path(folder))
        url = server.ensure()
        try:
            migrate(url)
            with SynchronousDatabase(url) as database, Yardstick() as yardstick:
                figures = measured(database, server.pid or 0, calls)
                faults = len(run(ledger.proof(database, BEGINNING + timedelta(days=1))))
        finally:
            server.release()
    figures += [
        Figure("faults in the books", faults, "", 0),
        Figure("yardstick (see bench/yardstick.py)", yardstick.milliseconds, "ms"),
    ]
    show(f"Ledger: {calls:,} calls of three statements each, one after the other", figures)
    return 0 if not faults else 1


def measured(database: SynchronousDatabase, server: int, calls: int) -> list[Figure]:
    process = run(processes.start(database, "bench", os.getpid(), BEGINNING))
    accounts = accounts_with_money(database)
    one_call(database, process, accounts[0], 0)  # plans are made once a connection
    postgres, ours, began = family_cpu_seconds(server), cpu_seconds(os.getpid()), time.monotonic()
    for number in range(1, calls + 1):
        one_call(database, process, accounts[number % ACCOUNTS], number)
    lasted = time.monotonic() - began
    return [
        Figure("a call", 1000 * lasted / calls, "ms"),
        Figure("PostgreSQL: CPU a call", 1000 * (family_cpu_seconds(server) - postgres) / calls, "ms"),
        Figure("psycopg2 and we: CPU a call", 1000 * (cpu_seconds(os.getpid()) - ours) / calls, "ms"),
    ]


def accounts_with_money(database: SynchronousDatabase) -> list[int]:
    secrets, amount = Secrets(bytes(32)), Money(Decimal(1_000_000), "EUR")
    adding = cards.add_group(
        database, ACCOUNTS, amount, "now", "bench", BEGINNING, secrets, Random(1), zone="Europe/Sofia"
    )
    return [run(ledger.account_of(database, card.number)) for card in run(adding)[1]]


def one_call(database: SynchronousDatabase, process: int, account: int, number: int) -> None:
    started = BEGINNING + timedelta(seconds=number)
    answered, ended = started + timedelta(seconds=5), started + timedelta(seconds=5 + TALK_SECONDS)
    beginning = Beginning(
        process_id=process,
        session=f"session-{number}",
        started=started,
        account_id=account,
        device="cabin1",
        calling_number="cabin1",
        called_number="442071234567",
        destination=RATE.destination,
        trunk=None,
        rate=RATE,
        ceiling=CEILING,
        first=RATE.sell / 60,
        step=RATE.sell / 60,
    )
    begun = run(call_records.begin(database, beginning))
    run(call_records.answered(database, begun.id, started, answered, 7_200, "carrier"))
    ending = Ending(
        begun.id, started, ended, TALK_SECONDS, cost(RATE, TALK_SECONDS), "normal", None, "caller", answered, 7_200
    )
    run(call_records.ended(database, ending))


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
