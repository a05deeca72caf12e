"""The Database on the reactor, against a real server whose connections die."""

import contextlib
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path

import psycopg2.errors
import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import CancelledError, Deferred, DeferredList, gatherResults
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread

from minitelecom.store.database import Cursor, DatabaseAway, FailureSwallowed, TooSlow
from minitelecom.store.pool import Pool
from minitelecom.store.private_server import PrivateServer
from minitelecom.store.synchronous import SynchronousDatabase, run
from tests.conftest import HURRIED

OTHERS = """
select pg_terminate_backend(pid, 1000) from pg_stat_activity
where pid <> pg_backend_pid() and datname = current_database()
"""

ASLEEP = "select count(*) from pg_stat_activity where wait_event = 'PgSleep' and datname = current_database()"
AT_THE_BARRIER = "select count(*) from pg_stat_activity where wait_event = 'advisory' and datname = current_database()"
BARRIER = "select pg_advisory_xact_lock(1)"
CONNECTIONS = "select count(*) from pg_stat_activity where datname = current_database()"


@pytest_twisted.async_yield_fixture
async def pool(database_url: str) -> AsyncIterator[Pool]:
    pool = Pool(reactor, database_url, size=2)
    pool.startService()
    await pool.query("create table coin (id integer primary key)")
    while await pool.query(CONNECTIONS) != [(2,)]:
        await deferLater(reactor, 0.01)
    yield pool
    await pool.stopService()


async def coins(pool: Pool) -> list[int]:
    return [number for (number,) in await pool.query("select id from coin order by id")]


async def until_available(pool: Pool) -> None:
    while not pool.available:
        await deferLater(reactor, 0.01)


async def until_asleep(url: str, connections: int) -> None:
    """Until the server has been asked to wait, by so many."""
    with SynchronousDatabase(url) as other:
        while run(other.query(ASLEEP)) != [(connections,)]:
            await deferLater(reactor, 0.01)


@contextlib.asynccontextmanager
async def barrier(url: str) -> AsyncIterator[Callable[[], Coroutine[object, object, None]]]:
    """Whoever asks BARRIER waits for the end of the block; what it gives waits for him to come."""
    with SynchronousDatabase(url) as other:
        run(other.query("select pg_advisory_lock(1)"))

        async def reached() -> None:
            while run(other.query(AT_THE_BARRIER)) != [(1,)]:
                await deferLater(reactor, 0.01)

        yield reached


async def insert(cursor: Cursor, *numbers: int) -> str:
    for number in numbers:
        await cursor.query("insert into coin values (%s)", [number])
    return "done"


@pytest_twisted.ensureDeferred
async def test_a_question_asked_at_once_waits_for_the_first_connection(database_url: str) -> None:
    pool = Pool(reactor, database_url)
    pool.startService()
    assert await pool.query("select %s + 1", [1]) == [(2,)]
    await pool.stopService()


@pytest_twisted.ensureDeferred
async def test_a_statement_without_rows_answers_none(pool: Pool) -> None:
    assert await pool.query("insert into coin values (1)") == []


@pytest_twisted.ensureDeferred
async def test_a_transaction_of_an_async_function_is_committed_with_what_it_did(pool: Pool, database_url: str) -> None:
    assert await pool.transaction(insert, 1, 2) == "done"
    with SynchronousDatabase(database_url) as other:
        assert run(other.query("select id from coin")) == [(1,), (2,)]


@pytest_twisted.ensureDeferred
async def test_a_transaction_that_fails_leaves_nothing(pool: Pool) -> None:
    with pytest.raises(psycopg2.errors.UniqueViolation):
        await pool.transaction(insert, 1, 1)
    assert await coins(pool) == []


@pytest_twisted.ensureDeferred
async def test_a_swallowed_failure_is_not_taken_for_a_commit(pool: Pool) -> None:
    async def careless(cursor: Cursor) -> None:
        await cursor.query("insert into coin values (1)")
        with pytest.raises(psycopg2.errors.UniqueViolation):
            await cursor.query("insert into coin values (1)")

    with pytest.raises(FailureSwallowed):
        await pool.transaction(careless)
    assert await coins(pool) == []


@pytest_twisted.ensureDeferred
async def test_one_failed_question_does_not_spoil_the_next(pool: Pool) -> None:
    for _ in range(5):
        with pytest.raises(psycopg2.errors.DivisionByZero):
            await pool.query("select 1/0")
        with pytest.raises(psycopg2.errors.UniqueViolation):
            await pool.transaction(insert, 1, 1)
        with pytest.raises(TypeError):
            await pool.query("select %s", [1, 2])
        with pytest.raises(psycopg2.ProgrammingError, match="adapt"):
            await pool.query("select %s", [object()])
    assert await coins(pool) == []
    assert await pool.query(CONNECTIONS) == [(2,)]


@pytest_twisted.ensureDeferred
async def test_a_statement_that_takes_too_long_is_ended_and_its_connection_kept(database_url: str) -> None:
    pool = Pool(reactor, database_url, size=1, statement_seconds=1)
    pool.startService()
    before = await pool.query("select pg_backend_pid()")
    with pytest.raises(TooSlow):
        await pool.query("select pg_sleep(60)")
    assert await pool.query("select pg_backend_pid()") == before
    await pool.stopService()


@pytest_twisted.ensureDeferred
async def test_a_lock_timeout_is_not_taken_for_a_dead_connection(pool: Pool) -> None:
    async def wait_for_lock(cursor: Cursor) -> None:
        await cursor.query("set local lock_timeout = '20ms'")
        await cursor.query("lock table coin")

    async def hold_lock(cursor: Cursor) -> None:
        await cursor.query("lock table coin")
        with pytest.raises(psycopg2.errors.LockNotAvailable):
            await pool.transaction(wait_for_lock)
        await cursor.query("insert into coin values (1)")

    await pool.transaction(hold_lock)
    assert await coins(pool) == [1]


@pytest_twisted.ensureDeferred
async def test_more_questions_than_connections_take_turns(pool: Pool) -> None:
    answers = await gatherResults([Deferred.fromCoroutine(pool.query("select %s", [n])) for n in range(50)])
    assert answers == [[(n,)] for n in range(50)]


@pytest_twisted.ensureDeferred
async def test_cancelling_the_asker_does_not_stop_the_work(pool: Pool, database_url: str) -> None:
    async def slowly(cursor: Cursor) -> None:
        await insert(cursor, 1)
        await cursor.query(BARRIER)
        await insert(cursor, 2)

    async with barrier(database_url) as reached:
        asking = Deferred.fromCoroutine(pool.transaction(slowly))
        await reached()
        asking.cancel()
        with pytest.raises(CancelledError):
            await asking
    while not await coins(pool):
        await deferLater(reactor, 0.01)
    assert await coins(pool) == [1, 2]


@pytest_twisted.ensureDeferred
async def test_a_transaction_forgotten_open_is_not_lent_to_the_next(pool: Pool) -> None:
    await pool.query("begin")
    await pool.query("insert into coin values (1)")
    assert await pool.query("insert into coin values (2)") == []
    assert await coins(pool) == [1, 2]


@pytest_twisted.ensureDeferred
async def test_idle_connections_that_died_are_replaced_unasked(pool: Pool, database_url: str) -> None:
    with SynchronousDatabase(database_url) as other:
        run(other.query(OTHERS))
        while run(other.query(CONNECTIONS)) != [(1 + 2,)]:
            await deferLater(reactor, 0.01)
    assert await coins(pool) == []


@pytest_twisted.ensureDeferred
async def test_a_connection_lost_amid_a_question_is_away_and_the_next_is_answered(
    pool: Pool, database_url: str
) -> None:
    async def interrupted(cursor: Cursor) -> None:
        await insert(cursor, 1)
        with SynchronousDatabase(database_url) as other:
            run(other.query(OTHERS))
        await insert(cursor, 2)

    with pytest.raises(DatabaseAway):
        await pool.transaction(interrupted)
    await until_available(pool)
    assert await coins(pool) == []


@pytest_twisted.ensureDeferred
async def test_without_a_server_questions_fail_at_once_and_it_is_found_again(database_url: str) -> None:
    pool = Pool(reactor, "postgresql:///minitelecom?host=/nonexistent")
    pool.startService()
    for _ in range(3):
        with pytest.raises(DatabaseAway, match="nonexistent"):
            await pool.query("select 1")
    pool.found_at(database_url)
    await until_available(pool)
    assert await pool.query("select 1") == [(1,)]
    await pool.stopService()
    with pytest.raises(DatabaseAway, match="stopping"):
        await pool.query("select 1")


@pytest_twisted.ensureDeferred
async def test_a_server_that_dies_while_we_connect_is_away_and_nothing_more(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / ".s.PGSQL.5432"))
        server.listen()
        server.setblocking(False)
        pool = Pool(reactor, f"postgresql:///minitelecom?host={tmp_path}")
        pool.startService()
        asked = Deferred.fromCoroutine(pool.query("select 1"))
        while not asked.called:
            await deferLater(reactor, 0.01)
            with contextlib.suppress(BlockingIOError), server.accept()[0] as backend:
                await deferLater(reactor, 0.02)
                backend.recv(1000)
        with pytest.raises(DatabaseAway, match="closed the connection unexpectedly"):
            await asked
        await pool.stopService()


@pytest_twisted.ensureDeferred
async def test_what_is_under_way_at_the_stop_comes_to_its_end(database_url: str) -> None:
    pool = Pool(reactor, database_url, size=1)
    pool.startService()
    async with barrier(database_url) as reached:
        asked = Deferred.fromCoroutine(pool.query(f"{BARRIER}, 7"))
        waiting = Deferred.fromCoroutine(pool.query("select 8"))
        await reached()
        stopping = pool.stopService()
    await stopping
    assert (await asked)[0][1] == 7
    with pytest.raises(DatabaseAway):
        await waiting


@pytest_twisted.ensureDeferred
async def test_a_host_is_looked_up_off_the_reactor() -> None:
    pool = Pool(reactor, "postgresql://nobody@name.invalid/minitelecom")
    pool.startService()
    with pytest.raises(DatabaseAway, match=r"\[Errno -\d\]"):
        await pool.query("select 1")
    await pool.stopService()


@pytest.mark.parametrize("with_children", [False, True])
@pytest_twisted.ensureDeferred
async def test_a_server_killed_and_started_again_is_found_with_everything_committed(
    data_folder: Path, *, with_children: bool
) -> None:
    """Each who asks meanwhile, or waits for an answer, is told that it is away, and the log has nothing to tell."""
    server = PrivateServer(data_folder, settings=HURRIED)
    url = server.ensure()
    pool = Pool(reactor, url)
    pool.startService()
    await pool.query("create table coin (id integer primary key)")
    await pool.transaction(insert, 1, 2)
    children = [pid for (pid,) in await pool.query("select pid from pg_stat_activity")] if with_children else []
    asked = [Deferred.fromCoroutine(pool.query("select pg_sleep(10)")) for _ in range(4)]
    await until_asleep(url, 4)
    for pid in (server.pid or 0, *children):
        os.kill(pid, signal.SIGKILL)
    asked += [Deferred.fromCoroutine(pool.query("select 1")) for _ in range(4)]
    while pool.available:
        await deferLater(reactor, 0.01)
    outcomes = await DeferredList(asked, consumeErrors=True)
    assert all(answered or outcome.type is DatabaseAway for answered, outcome in outcomes)
    assert not any(answered for answered, _ in outcomes[:4])
    with pytest.raises(DatabaseAway):
        await coins(pool)
    pool.found_at(await deferToThread(server.ensure))
    await until_available(pool)
    assert await coins(pool) == [1, 2]
    assert await gatherResults([Deferred.fromCoroutine(coins(pool)) for _ in range(8)]) == [[1, 2]] * 8
    await pool.stopService()
    await deferToThread(server.release)
