"""Bans as they are stored: each longer than the one before, seen by every process."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

from minitelecom.store import audit, bans
from minitelecom.store.synchronous import SynchronousDatabase, run
from tests.world.house import BEGINNING

HOST = "203.0.113.9"


def minutes(
    database: SynchronousDatabase, instant: datetime, name: str | None = None, *, proved: bool = True
) -> int | None:
    ban = run(bans.impose(database, HOST, name, "scanner", instant, proved=proved))
    if ban is None:
        return None
    assert ban.until is not None
    return round((ban.until - instant) / timedelta(minutes=1))


def test_each_ban_is_longer_than_the_one_before(database: SynchronousDatabase) -> None:
    instant, lengths = BEGINNING, []
    for _ in range(5):
        length = minutes(database, instant)
        assert length is not None
        lengths.append(length)
        instant += timedelta(minutes=length)
    assert lengths == [1, 10, 60, 1440, 1440]


def test_a_name_at_a_host_is_closed_for_ten_minutes_at_most(database: SynchronousDatabase) -> None:
    instant = BEGINNING
    assert [minutes(database, instant + timedelta(hours=hour), "101") for hour in range(4)] == [1, 10, 10, 10]


def test_a_ban_in_force_is_not_prolonged(database: SynchronousDatabase) -> None:
    """Two processes may find the same scanner."""
    assert minutes(database, BEGINNING) == 1
    assert minutes(database, BEGINNING + timedelta(seconds=59)) is None
    assert [ban.times for ban in run(bans.in_force(database, BEGINNING))] == [1]
    assert run(bans.in_force(database, BEGINNING + timedelta(minutes=1))) == []


def test_what_is_proved_counts_more_than_what_anybody_could_have_forged(database: SynchronousDatabase) -> None:
    assert minutes(database, BEGINNING, proved=False) == 1
    assert minutes(database, BEGINNING + timedelta(seconds=10), proved=False) is None
    assert minutes(database, BEGINNING + timedelta(seconds=20), proved=True) == 10
    assert minutes(database, BEGINNING + timedelta(seconds=30), proved=False) is None
    assert [(ban.proved, ban.times) for ban in run(bans.in_force(database, BEGINNING))] == [(True, 2)]
    run(bans.release(database, HOST, None, "ann", BEGINNING))
    minutes(database, BEGINNING, proved=False)
    run(bans.add(database, HOST, None, "ann", BEGINNING))
    assert minutes(database, BEGINNING + timedelta(days=1)) is None
    assert [(ban.proved, ban.reason) for ban in run(bans.in_force(database, BEGINNING))] == [(True, "operator")]


def test_a_week_later_nothing_is_remembered(database: SynchronousDatabase) -> None:
    minutes(database, BEGINNING)
    minutes(database, BEGINNING + timedelta(hours=1))
    assert minutes(database, BEGINNING + timedelta(days=8)) == 1


def test_what_an_operator_decides_holds(database: SynchronousDatabase) -> None:
    run(bans.add(database, HOST, None, "ann", BEGINNING))
    assert minutes(database, BEGINNING + timedelta(days=30)) is None
    assert [(ban.reason, ban.until) for ban in run(bans.in_force(database, BEGINNING))] == [("operator", None)]
    assert run(bans.release(database, HOST, None, "bob", BEGINNING)) == [(HOST, None)]
    assert run(bans.release(database, HOST, None, "bob", BEGINNING)) == []
    assert [(entry.who, entry.what) for entry in run(audit.entries(database, HOST))] == [
        ("bob", "ban released"),
        ("ann", "ban set"),
    ]


def test_eight_processes_find_one_scanner(database_url: str) -> None:
    """One of them bans it, once."""

    def find(_: int) -> bool:
        with SynchronousDatabase(database_url) as database:
            return run(bans.impose(database, HOST, None, "scanner", BEGINNING, proved=True)) is not None

    with ThreadPoolExecutor(8) as processes:
        assert sorted(processes.map(find, range(8))) == [False] * 7 + [True]
