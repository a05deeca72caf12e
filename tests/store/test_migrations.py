"""The schema, step by step."""

import concurrent.futures
import dataclasses
from collections.abc import Iterator

import psycopg2
import pytest

from minitelecom.store.database import DatabaseAway
from minitelecom.store.migrations import Migration, SchemaDiffers, SchemaTooNew, migrate, migrations
from minitelecom.store.synchronous import SynchronousDatabase, run
from tests.conftest import administer, at

FIRST = Migration(1, "coins", "create table coin (id integer)")
SECOND = Migration(2, "worth", "alter table coin add worth integer; insert into coin values (1, 2)")


@pytest.fixture
def empty_url(server_url: str) -> Iterator[str]:
    administer(server_url, "create database empty")
    yield at(server_url, "empty")
    administer(server_url, "drop database empty with (force)")


def recorded(url: str) -> list[tuple[object, ...]]:
    with SynchronousDatabase(url) as database:
        return run(database.query("select number, name from schema_migrations order by number"))


def test_the_program_brings_its_schema(empty_url: str) -> None:
    assert migrate(empty_url) == migrations()
    assert migrate(empty_url) == []


def test_steps_are_applied_in_order_and_once(empty_url: str) -> None:
    assert migrate(empty_url, [FIRST]) == [FIRST]
    assert migrate(empty_url, [FIRST, SECOND]) == [SECOND]
    assert migrate(empty_url, [FIRST, SECOND]) == []
    assert recorded(empty_url) == [(1, "coins"), (2, "worth")]


def test_a_step_that_fails_leaves_nothing_of_itself(empty_url: str) -> None:
    broken = Migration(2, "broken", "alter table coin add worth integer; select 1/0")
    with pytest.raises(psycopg2.errors.DivisionByZero):
        migrate(empty_url, [FIRST, broken])
    assert recorded(empty_url) == [(1, "coins")]
    assert migrate(empty_url, [FIRST, SECOND]) == [SECOND]


def test_a_newer_schema_is_refused_with_a_sentence(empty_url: str) -> None:
    migrate(empty_url, [FIRST, SECOND])
    with pytest.raises(SchemaTooNew, match=r"has schema 2 \(worth\), this program knows 1: a newer MiniTelecom"):
        migrate(empty_url, [FIRST])


def test_a_schema_made_by_other_files_is_refused(empty_url: str) -> None:
    migrate(empty_url, [FIRST])
    with pytest.raises(SchemaDiffers, match=r"0001_coins\.sql"):
        migrate(empty_url, [dataclasses.replace(FIRST, sql="create table coin (id bigint)"), SECOND])


def test_those_who_start_together_take_turns(empty_url: str) -> None:
    slow = Migration(1, "slow", "create table coin (id integer); select pg_sleep(0.1)")
    with concurrent.futures.ThreadPoolExecutor() as threads:
        applied = threads.map(lambda _: migrate(empty_url, [slow, SECOND]), range(4))
    assert sorted(map(len, applied)) == [0, 0, 0, 2]


def test_without_a_server_the_database_is_away() -> None:
    with pytest.raises(DatabaseAway):
        migrate("postgresql:///minitelecom?host=/nonexistent")
