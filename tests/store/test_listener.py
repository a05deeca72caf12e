"""Notices reach us, also after the connection that brings them was lost."""

import contextlib
from collections.abc import AsyncIterator, Callable, Iterator

import pytest_twisted
from twisted.internet import reactor
from twisted.internet.task import deferLater
from twisted.logger import LogEvent, globalLogPublisher

from minitelecom.store.listener import Listener
from minitelecom.store.synchronous import SynchronousDatabase, run

OTHERS = """
select pg_terminate_backend(pid, 1000) from pg_stat_activity
where pid <> pg_backend_pid() and datname = current_database()
"""


class Heard:
    """What a listener told, and what it does when told."""

    def __init__(self) -> None:
        self.told: list[object] = []

    def noticed(self, notice: dict[str, object]) -> None:
        if "fault" in notice:
            raise ValueError("a fault of the one who listens")
        self.told.append(notice)

    def reread(self) -> None:
        self.told.append("reread")


@pytest_twisted.async_yield_fixture
async def heard(database_url: str) -> AsyncIterator[Heard]:
    heard = Heard()
    listener = Listener(reactor, database_url, "minitelecom", heard.noticed, heard.reread)
    listener.startService()
    await until(lambda: heard.told == ["reread"])
    yield heard
    listener.stopService()


@contextlib.contextmanager
def logged(said: str) -> Iterator[list[LogEvent]]:
    """What is written into the log in these words, meanwhile."""
    events: list[LogEvent] = []

    def observe(event: LogEvent) -> None:
        if event.get("log_format") == said:
            events.append(event)

    globalLogPublisher.addObserver(observe)
    try:
        yield events
    finally:
        globalLogPublisher.removeObserver(observe)


async def until(predicate: Callable[[], bool]) -> None:
    while not predicate():
        await deferLater(reactor, 0.005)


def notify(database: SynchronousDatabase, payload: str) -> None:
    run(database.query("select pg_notify('minitelecom', %s)", [payload]))


@pytest_twisted.ensureDeferred
async def test_notices_come_in_order(heard: Heard, database: SynchronousDatabase) -> None:
    for number in range(20):
        notify(database, f'{{"account": {number}}}')
    await until(lambda: len(heard.told) > 20)
    assert heard.told[1:] == [{"account": number} for number in range(20)]


@pytest_twisted.ensureDeferred
async def test_after_a_lost_connection_everything_is_read_anew_and_notices_come(
    heard: Heard, database: SynchronousDatabase
) -> None:
    run(database.query(OTHERS))
    await until(lambda: heard.told == ["reread", "reread"])
    notify(database, '{"prices": "general"}')
    await until(lambda: len(heard.told) > 2)
    assert heard.told[2:] == [{"prices": "general"}]


@pytest_twisted.ensureDeferred
async def test_strange_notices_and_faults_of_the_listener_cost_nothing(
    heard: Heard, database: SynchronousDatabase, logged_failures: list[LogEvent]
) -> None:
    for payload in ("not JSON", "[1]", '{"fault": 1}', '{"devices": 1}'):
        notify(database, payload)
    await until(lambda: len(heard.told) > 1)
    assert heard.told[1:] == [{"devices": 1}]
    assert [str(event["log_failure"].value) for event in logged_failures] == ["a fault of the one who listens"]
    logged_failures.clear()


@pytest_twisted.ensureDeferred
async def test_a_server_that_comes_late_is_found(database_url: str) -> None:
    heard = Heard()
    listener = Listener(reactor, "postgresql:///nowhere?host=/nonexistent", "minitelecom", heard.noticed, heard.reread)
    with logged("no notices: {error}") as attempts:
        listener.startService()
        await until(lambda: len(attempts) > 1)
    assert heard.told == []
    listener.found_at(database_url)
    await until(lambda: heard.told == ["reread"])
    listener.stopService()
