"""The Database without a reactor: autocommit, transactions, and a whole simulation rolled back."""

from collections.abc import Iterator

import psycopg2.errors
import pytest
from twisted.internet.defer import Deferred

from minitelecom.store.database import Cursor, DatabaseAway
from minitelecom.store.synchronous import SynchronousDatabase, run


@pytest.fixture
def database(database_url: str) -> Iterator[SynchronousDatabase]:
    with SynchronousDatabase(database_url) as opened:
        run(opened.query("create table coin (id integer primary key, worth integer not null)"))
        yield opened


def coins(database: SynchronousDatabase) -> list[int]:
    return [number for (number,) in run(database.query("select id from coin order by id"))]


def insert(database: SynchronousDatabase, number: int) -> None:
    run(database.query("insert into coin values (%s, 1)", [number]))


async def two_coins(cursor: Cursor, first: int, second: int) -> str:
    await cursor.query("insert into coin values (%s, 1)", [first])
    await cursor.query("insert into coin values (%s, 1)", [second])
    return "done"


def test_a_statement_is_committed_at_once(database: SynchronousDatabase, database_url: str) -> None:
    insert(database, 1)
    with SynchronousDatabase(database_url) as other:
        assert coins(other) == [1]


def test_a_statement_without_rows_answers_none(database: SynchronousDatabase) -> None:
    assert run(database.query("insert into coin values (1, 1)")) == []


def test_a_transaction_is_committed_whole(database: SynchronousDatabase, database_url: str) -> None:
    assert run(database.transaction(two_coins, 1, second=2)) == "done"
    with SynchronousDatabase(database_url) as other:
        assert coins(other) == [1, 2]


def test_a_failed_transaction_leaves_nothing_and_the_next_works(database: SynchronousDatabase) -> None:
    with pytest.raises(psycopg2.errors.UniqueViolation):
        run(database.transaction(two_coins, 1, 1))
    run(database.transaction(two_coins, 1, 2))
    assert coins(database) == [1, 2]


def test_a_cursor_is_of_no_use_after_its_transaction(database: SynchronousDatabase) -> None:
    kept: list[Cursor] = []

    async def keep(cursor: Cursor) -> None:
        kept.append(cursor)

    run(database.transaction(keep))
    with pytest.raises(AssertionError, match="over"):
        run(kept[0].query("select 1"))


def test_everything_rolled_back(database: SynchronousDatabase) -> None:
    insert(database, 1)
    with database.rolled_back():
        insert(database, 2)
        run(database.transaction(two_coins, 3, 4))
        assert coins(database) == [1, 2, 3, 4]
    assert coins(database) == [1]


@pytest.mark.parametrize("wrong", ["insert into coin values (2, 1)", "selec", "select 1/0"])
def test_inside_a_failed_statement_undoes_only_itself(database: SynchronousDatabase, wrong: str) -> None:
    with database.rolled_back():
        insert(database, 2)
        with pytest.raises(psycopg2.Error):
            run(database.query(wrong))
        with pytest.raises(psycopg2.errors.UniqueViolation):
            run(database.transaction(two_coins, 3, 2))
        insert(database, 4)
        assert coins(database) == [2, 4]


def test_inside_a_deferred_constraint_is_checked_as_at_a_commit(database: SynchronousDatabase) -> None:
    run(database.query("alter table coin add unique (worth) deferrable initially deferred"))

    async def swap(cursor: Cursor) -> None:
        await cursor.query("update coin set worth = 2 where id = 1")
        await cursor.query("update coin set worth = 1 where id = 2")

    with database.rolled_back():
        insert(database, 1)
        run(database.query("insert into coin values (2, 2)"))
        run(database.transaction(swap))
        with pytest.raises(psycopg2.errors.UniqueViolation):
            insert(database, 3)
        assert run(database.query("select id, worth from coin order by id")) == [(1, 2), (2, 1)]


def test_values_come_as_python_likes_them(database: SynchronousDatabase) -> None:
    row = run(database.query(r"select '\x0001'::bytea, %s::jsonb, timestamptz '2026-01-01 02:00+02'", [{"a": 1}]))[0]
    assert row[:2] == (b"\0\1", {"a": 1})
    assert row[2].isoformat() == "2026-01-01T00:00:00+00:00"


def test_a_server_that_is_not_there_is_away() -> None:
    with pytest.raises(DatabaseAway):
        SynchronousDatabase("postgresql:///minitelecom?host=/nonexistent")


def test_a_lost_connection_is_away(database: SynchronousDatabase, database_url: str) -> None:
    with SynchronousDatabase(database_url) as other:
        run(other.query("select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid()"))
    with pytest.raises(DatabaseAway):
        coins(database)


def test_run_refuses_what_waits() -> None:
    async def waits() -> None:
        await Deferred[None]()

    with pytest.raises(RuntimeError, match="waited"):
        run(waits())
