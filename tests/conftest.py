"""Fixtures for every test that wants a database: a private PostgreSQL of the test run, a fresh database a test.

`database_url`   a new database with the whole schema, gone after the test (about 30 ms in memory)
`database`       a SynchronousDatabase on it
`server_url`     the server's own address, with an empty database; made once a run
`data_folder`    an empty folder that the server's system user can reach (pytest's tmp_path is closed to it)
"""

import contextlib
import fcntl
import itertools
import os
import pwd
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg2
import pytest
from twisted.internet import reactor
from twisted.logger import LogEvent, globalLogPublisher

from minitelecom.store.migrations import migrate
from minitelecom.store.private_server import PrivateServer
from minitelecom.store.synchronous import SynchronousDatabase

HURRIED = {
    "fsync": "off",
    "full_page_writes": "off",
    "max_wal_size": "128MB",
    "min_wal_size": "32MB",
}
"""A power cut may cost a test run its data; kill -9 does not (synchronous_commit stays on for that)."""

TEMPLATE = "minitelecom_template"
_numbers = itertools.count(1)


MEMORY = Path("/dev/shm")
MEMORY_BYTES = 1 << 30
ABANDONED_SECONDS = 900


def roomy_folder() -> Path:
    """In memory, where there is enough: a database is copied there in 15 ms, on a disk in 300."""
    if MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > MEMORY_BYTES:
        return MEMORY
    return Path("/tmp")


@contextlib.contextmanager
def reachable_folder(prefix: str = "minitelecom-test-") -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=roomy_folder()))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def clear_abandoned_servers(prefix: str) -> None:
    """Stop and remove the servers of test runs that were killed."""
    for folder in roomy_folder().glob(f"{prefix}*"):
        with contextlib.suppress(OSError), (folder / "postgresql.users").open() as users:
            if (
                folder.owner() == pwd.getpwuid(os.geteuid()).pw_name
                and time.time() - folder.stat().st_mtime > ABANDONED_SECONDS
            ):
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                fcntl.flock(users, fcntl.LOCK_UN)
                server = PrivateServer(folder)
                server.ensure()
                server.release()
                shutil.rmtree(folder)


@pytest.fixture
def data_folder() -> Iterator[Path]:
    with reachable_folder() as folder:
        yield folder


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    clear_abandoned_servers("minitelecom-server-")
    with reachable_folder("minitelecom-server-") as folder:
        server = PrivateServer(folder, settings=HURRIED)
        url = server.ensure()
        try:
            # Without the mark of this process: a test's daemon connects as itself.
            yield url.partition("&application_name=")[0]
        finally:
            server.release()


def at(server_url: str, database: str) -> str:
    """The address of another database on the same server."""
    return urlunsplit(urlsplit(server_url)._replace(path=f"/{database}"))


def administer(server_url: str, statement: str) -> None:
    with contextlib.closing(psycopg2.connect(server_url)) as connection:
        connection.autocommit = True
        connection.cursor().execute(statement)


@pytest.fixture(scope="session")
def _template(server_url: str) -> str:
    administer(server_url, f"create database {TEMPLATE}")
    migrate(at(server_url, TEMPLATE))
    return TEMPLATE


@pytest.fixture
def database_url(server_url: str, _template: str) -> Iterator[str]:
    name = f"test_{os.getpid()}_{next(_numbers)}"
    administer(server_url, f"create database {name} template {_template} strategy file_copy")
    yield at(server_url, name)
    administer(server_url, f"drop database {name} with (force)")


@pytest.fixture
def database(database_url: str) -> Iterator[SynchronousDatabase]:
    with SynchronousDatabase(database_url) as opened:
        yield opened


@pytest.fixture
def logged_failures() -> Iterator[list[LogEvent]]:
    """What the test made the program log as a failure; a test that expects one looks at it and clears the list."""
    failures: list[LogEvent] = []

    def observe(event: LogEvent) -> None:
        failure = event.get("log_failure") or event.get("failure")  # the latter in Twisted's older way of logging
        if failure is not None:
            failures.append({**event, "log_failure": failure})

    globalLogPublisher.addObserver(observe)
    yield failures
    globalLogPublisher.removeObserver(observe)


@pytest.fixture(autouse=True)
def tidy(logged_failures: list[LogEvent]) -> Iterator[None]:
    """A test leaves no timer on the real reactor and no failure in the log, as trial would ask."""
    before = {id(call) for call in reactor.getDelayedCalls()}
    yield
    left = [call for call in reactor.getDelayedCalls() if id(call) not in before]
    for call in left:
        call.cancel()
    assert not left
    assert not [event["log_failure"].getTraceback() for event in logged_failures]
