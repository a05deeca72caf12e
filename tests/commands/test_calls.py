"""`calls` and `status`: what the daemon has written down."""

import json
import os
import socket
import subprocess
import sys
from argparse import Namespace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from minitelecom.commands.calls import pages
from minitelecom.commands.shop import shop_of
from minitelecom.money import Money
from minitelecom.rating.rate import Rate
from minitelecom.store import call_records, cards, processes
from minitelecom.store.call_records import Beginning, Ending
from minitelecom.store.synchronous import run

BRITAIN = Rate("44", "United Kingdom", "EUR", Decimal("0.06"), 1, 1)
STARTED = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
NAME = f"{socket.gethostname()}:/somewhere"


@pytest.fixture
def process_id(database) -> int:
    return run(processes.start(database, NAME, os.getpid(), datetime.now(UTC)))


@pytest.fixture
def begin(database, process_id, card):
    """A call of the card begins; its record's id."""
    account_id = run(cards.find(database, card["number"], STARTED)).account_id

    def begin(started: datetime, called: str = "442079460123") -> int:
        beginning = Beginning(
            process_id, f"session-{called}", started, account_id, "101", "101", called, "United Kingdom", None, BRITAIN,
            Money(Decimal("0.06"), "EUR"), Decimal("0.001"), Decimal("0.001"),
        )  # fmt: skip
        return run(call_records.begin(database, beginning)).id

    return begin


def test_a_shell_of_any_encoding_can_read_what_is_shown(begin, config_file):
    """Strangers dial what they like, and JSON is JSON also where the shell does not speak UTF-8."""
    begin(STARTED, "\u260e1\u0416")
    program = Path(sys.executable).parent / "minitelecom"
    environment = {**os.environ, "PYTHONIOENCODING": "cp1251:strict"}
    for options in ([], ["--json"]):
        command = [program, "calls", "--config", config_file, *options]
        told = subprocess.run(command, env=environment, capture_output=True, timeout=60, check=True)
        shown = told.stdout.decode("cp1251")
    assert json.loads(shown)[0]["called_number"] == "\u260e1\u0416"


def test_a_call_is_shown_with_everything(minitelecom, database, begin, card):
    number = begin(STARTED)
    answered = STARTED + timedelta(seconds=2)
    run(call_records.answered(database, number, STARTED, answered, 60, "carrier"))
    ended = answered + timedelta(seconds=18)
    cost = Money(Decimal("0.018"), "EUR")
    run(call_records.ended(database, Ending(number, STARTED, ended, 18, cost, "normal", 200, "caller")))
    assert minitelecom("calls", "--json").data == [
        {
            "id": number,
            "session": "session-442079460123",
            "account": card["number"],
            "device": "101",
            "calling_number": "101",
            "called_number": "442079460123",
            "destination": "United Kingdom",
            "trunk": "carrier",
            "started": "2026-11-02T09:00:00Z",
            "answered": "2026-11-02T09:00:02Z",
            "ended": "2026-11-02T09:00:20Z",
            "billed_seconds": 18,
            "price": "0.06",
            "cost": "0.018",
            "currency": "EUR",
            "cause": "normal",
            "refusal": None,
            "sip_status": 200,
            "ended_by": "caller",
            "promised_seconds": 60,
            "buy_cost": None,
            "attempts": [],
        }
    ]
    assert minitelecom("calls", "--json", "--live").data == []
    assert "2026-11-02 11:00:00" in minitelecom("calls").out, "people read the shop's own clock"


def test_what_is_not_known_is_null(minitelecom, begin):
    begin(STARTED)
    (shown,) = minitelecom("calls", "--json", "--live").data
    absent = (
        "answered",
        "ended",
        "billed_seconds",
        "cost",
        "cause",
        "refusal",
        "sip_status",
        "ended_by",
        "promised_seconds",
        "trunk",
    )
    assert [shown[name] for name in absent] == [None] * len(absent)
    assert minitelecom("calls", "--live").out.splitlines()[1].endswith("dialling")


def test_calls_are_listed_oldest_first_however_many(begin, config_file):
    """Read in pages of two."""
    numbers = [begin(STARTED + timedelta(minutes=minutes), f"4420{minutes}") for minutes in (3, 1, 2, 0, 4)]
    with shop_of(Namespace(config=config_file)) as shop:
        shown = [record for page in pages(shop, at_once=2) for record in page]
    assert [one.called_number for one in shown] == ["44200", "44201", "44202", "44203", "44204"]
    assert {one.id for one in shown} == set(numbers)


def test_calls_are_shown_oldest_first(minitelecom, begin):
    for minutes in (1, 0):
        begin(STARTED + timedelta(minutes=minutes), f"4420{minutes}")
    assert [one["called_number"] for one in minitelecom("calls", "--json").data] == ["44200", "44201"]
    assert len(minitelecom("calls").out.splitlines()) == 3


def test_no_calls(minitelecom):
    assert minitelecom("calls", "--json").data == []
    assert minitelecom("calls").out == "no calls yet\n"
    assert minitelecom("calls", "--live").out == "nobody is calling\n"


COUNTERS = {
    "legs": 2, "dialogs": 2, "transactions": 1, "rtp_ports": 2, "reservations": 1, "timers": 3, "calls": 1,
    "registered": 5, "connections": 2, "uptime_seconds": 77,
}  # fmt: skip


def test_status_is_what_the_last_heartbeat_says(minitelecom, database, process_id):
    run(processes.beat(database, process_id, datetime.now(UTC), COUNTERS))
    assert minitelecom("status", "--json").data == COUNTERS
    shown = minitelecom("status").out
    assert f"process {os.getpid()} on {NAME}" in shown
    assert "registered      5\n" in shown


def test_status_of_a_daemon_that_is_just_starting(minitelecom, process_id):
    told = minitelecom("status", "--json")
    assert told.status == 1
    assert "is starting" in told.err


def test_status_without_a_daemon(minitelecom):
    told = minitelecom("status", "--json")
    assert (told.status, told.out) == (1, "")
    assert told.err == "minitelecom: no daemon has run here yet: start it with minitelecom run\n"


def test_status_after_the_daemon_stopped(minitelecom, database, process_id):
    run(processes.beat(database, process_id, datetime.now(UTC), COUNTERS))
    run(processes.stop(database, process_id, datetime.now(UTC)))
    told = minitelecom("status")
    assert told.status == 1
    assert told.err.startswith("minitelecom: no daemon runs: the last one stopped at ")


def test_status_after_the_daemon_died(minitelecom, database):
    died = datetime.now(UTC) - timedelta(seconds=30)
    process_id = run(processes.start(database, "elsewhere:/data", 1, died))
    run(processes.beat(database, process_id, died, COUNTERS))
    told = minitelecom("status")
    assert told.status == 1
    assert "no daemon runs: the last one (process 1) died after " in told.err


def test_a_daemon_killed_a_moment_ago_is_known_by_its_absence(minitelecom, database):
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)  # a zombie: ended, and still in the list of processes
    try:
        process_id = run(processes.start(database, NAME, child, datetime.now(UTC)))
        run(processes.beat(database, process_id, datetime.now(UTC), COUNTERS))
        assert f"(process {child}) died" in minitelecom("status").err
    finally:
        os.waitpid(child, 0)
