"""Other processes for the tests of the private server: forked, as this user or a plain one, and killed with -9."""

import contextlib
import multiprocessing
import os
import pwd
import signal
import time
import traceback
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import psycopg2

from minitelecom.store.private_server import PrivateServer
from tests.conftest import HURRIED

PLAIN_USER = "nobody"
IDENTITIES = ["self", "plain user"] if os.geteuid() == 0 else ["self"]
ANSWER_SECONDS = 60
_fork = multiprocessing.get_context("fork")


def entry(identity: str) -> pwd.struct_passwd:
    return pwd.getpwnam(PLAIN_USER) if identity == "plain user" else pwd.getpwuid(os.geteuid())


class Child:
    """A function that runs in a process of its own and tells us things over a pipe."""

    def __init__(self, function: Callable[..., Any], *arguments: object, identity: str = "self") -> None:
        self._pipe, theirs = _fork.Pipe()
        self._process = _fork.Process(target=_run, args=(theirs, identity, function, arguments))
        self._process.start()
        theirs.close()

    def told(self) -> Any:
        """What it tells next, or returns; its exception is raised here."""
        assert self._pipe.poll(ANSWER_SECONDS), "the other process says nothing"
        said = self._pipe.recv()
        if isinstance(said, BaseException):
            raise said
        return said

    def kill(self) -> None:
        os.kill(self._process.pid or 0, signal.SIGKILL)
        self._process.join()
        self._pipe.close()

    def end(self) -> None:
        self._process.join(ANSWER_SECONDS)
        self._pipe.close()


def _run(pipe: Connection, identity: str, function: Callable[..., Any], arguments: tuple[object, ...]) -> None:
    who = entry(identity)
    os.environ.pop("XDG_RUNTIME_DIR", None)
    if who.pw_uid != os.geteuid():
        os.setgroups([])
        os.setgid(who.pw_gid)
        os.setuid(who.pw_uid)
    try:
        pipe.send(function(pipe, *arguments))
    except BaseException as error:  # noqa: BLE001 - whatever it is, the test shall see it
        traceback.print_exc()
        pipe.send(error)


def in_child(function: Callable[..., Any], *arguments: object, identity: str = "self") -> Any:
    """What the function returns, in a process of its own."""
    child = Child(function, *arguments, identity=identity)
    try:
        return child.told()
    finally:
        child.end()


@contextlib.contextmanager
def killed_at_the_end(child: Child) -> Iterator[Child]:
    try:
        yield child
    finally:
        with contextlib.suppress(OSError, ValueError):
            child.kill()


# What the processes do. Each takes its pipe first.


def daemon(pipe: Connection, data: Path) -> None:
    """Use the server with a transaction that holds a lock and a statement that takes long, until killed."""
    server = PrivateServer(data, settings=HURRIED)
    url = server.ensure()
    connection = psycopg2.connect(url)
    cursor = connection.cursor()
    cursor.execute("create table if not exists coin (id integer)")
    cursor.execute("insert into coin values (1)")
    connection.commit()
    cursor.execute("lock table coin")
    pipe.send(server.pid)
    cursor.execute("select pg_sleep(600)")


def command(pipe: Connection, data: Path) -> tuple[int | None, int]:
    """What a command of the shell does: use the server briefly. The postmaster it saw, and the coins."""
    server = PrivateServer(data, settings=HURRIED)
    url = server.ensure()
    with contextlib.closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute("create table if not exists coin (id integer)")
        cursor.execute("select count(*) from coin")
        coins = cursor.fetchone()[0]
        connection.commit()
    pid = server.pid
    server.release()
    return pid, coins


def watched_command(pipe: Connection, data: Path, manager: str) -> tuple[int | None, int]:
    """The same, started by a service manager that listens at this address (sd_notify(3))."""
    os.environ["NOTIFY_SOCKET"] = manager
    return command(pipe, data)


def user(pipe: Connection, data: Path) -> None:
    """Use the server until told to stop."""
    server = PrivateServer(data, settings=HURRIED)
    server.ensure()
    pipe.send(server.pid)
    pipe.recv()
    server.release()
    pipe.send(None)


def wait_for_death(pid: int) -> None:
    deadline = time.monotonic() + ANSWER_SECONDS
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.01)
    raise AssertionError(f"{pid} lives")
