"""
The private PostgreSQL: one cluster in the data folder, reached through a Unix socket and nothing else.

Every process that wants it calls `ensure()`, daemon and command alike: whoever comes first makes or starts the server,
the others join it. Each holds a shared flock on `postgresql.users` as long as it lives, so the kernel counts the users,
also those that die by kill -9; `release()` by the last one stops the server. All changes happen under an exclusive
flock on `postgresql.lock`. A server that outlived its daemon is adopted, and the dead daemon's backends are ended:
their locks and half-done transactions would otherwise stand in the way of the recovery. A server that died by
kill -9 is cleaned up after and started again. All of this blocks: call it before the reactor runs, or in a thread.
"""

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from urllib.parse import quote

import psycopg2
import psycopg2.errors
from twisted.logger import Logger

from minitelecom.store.cluster import PORT, ROLE, SETTINGS, Cluster
from minitelecom.store.postgres_programs import Programs
from minitelecom.store.postmaster import Mark, live_postmaster
from minitelecom.store.server_user import NoServer, ServerUser, server_user

DATABASE = "minitelecom"
LOCK_SECONDS = 180  # another process may be making the cluster on a slow disk
BACKEND_SECONDS = 10
PAUSE_SECONDS = 0.02

AS_SHIPPED: Mapping[str, str] = MappingProxyType({})

_log = Logger()


class PrivateServer:
    """
    The server of one data folder, shared by all processes that name this folder.

    `settings` are laid over cluster.SETTINGS (tests turn fsync off with it); `programs` stand in for those found on
    the machine; `socket_parents` are tried for the socket's folder before the usual ones.
    """

    def __init__(
        self,
        data: Path,
        *,
        settings: Mapping[str, str] = AS_SHIPPED,
        programs: Sequence[Programs] | None = None,
        socket_parents: Sequence[Path] = (),
    ) -> None:
        self._data = Path(os.path.realpath(data))
        self._path = Path(os.path.realpath(self._data / "postgresql"))
        self._settings = {**SETTINGS, **settings}
        self._programs = programs
        self._socket_parents = socket_parents
        self._hold: int | None = None

    def ensure(self) -> str:
        """Make, start or adopt the server as needed and return its URL. Repeating it is harmless and cheap."""
        cluster = self._cluster()
        with self._locked(cluster.user) as lock:
            hold = self._hold if self._hold is not None else self._open("postgresql.users", cluster.user)
            fcntl.flock(hold, fcntl.LOCK_SH)  # never waits: the exclusive form is only tried, under our lock
            try:
                url = _url(cluster.join() or cluster.start(lock))
                _make_database(url)
                _end_backends_of_the_dead(url)
            except BaseException:
                if self._hold is None:
                    os.close(hold)
                raise
            self._hold = hold
            return url

    def release(self) -> None:
        """Say that this process no longer uses the server; the last user stops it."""
        hold, self._hold = self._hold, None
        if hold is None:
            return
        cluster = self._cluster()
        with self._locked(cluster.user):
            try:
                fcntl.flock(hold, fcntl.LOCK_EX | fcntl.LOCK_NB)
                cluster.stop()
            except BlockingIOError:
                _log.debug("another process still uses PostgreSQL in {path}", path=self._path)
            finally:
                os.close(hold)

    @property
    def pid(self) -> int | None:
        """The postmaster's process while it lives. A few small reads: cheap enough to look every second."""
        postmaster = live_postmaster(self._path)
        return postmaster.pid if postmaster is not None else None

    def _cluster(self) -> Cluster:
        try:
            self._data.mkdir(mode=0o755, parents=True, exist_ok=True)
            user = server_user(self._data, self._path)
        except PermissionError as error:
            raise NoServer(f"the data folder {self._data} is out of our reach: {error.strerror}") from error
        user.must_reach(self._data, "choose another `data` folder, such as /var/lib/minitelecom")
        return Cluster(self._path, user, self._settings, self._programs, self._socket_parents)

    @contextlib.contextmanager
    def _locked(self, user: ServerUser) -> Iterator[int]:
        """Hold the one lock under which servers are made, started, adopted and stopped."""
        lock = self._open("postgresql.lock", user)
        deadline = time.monotonic() + LOCK_SECONDS
        try:
            while True:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > deadline:
                        raise NoServer(f"another process has held {self._data}/postgresql.lock too long") from None
                    time.sleep(PAUSE_SECONDS)
            yield lock
        finally:
            os.close(lock)

    def _open(self, name: str, user: ServerUser) -> int:
        """A lock file that root and the server's user can both open."""
        path = self._data / name
        try:
            file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        except PermissionError as error:
            raise NoServer(f"{path} is out of our reach: {error.strerror}") from error
        if os.fstat(file).st_uid != user.uid:
            os.fchown(file, user.uid, user.gid)
        return file


def _url(socket_folder: Path) -> str:
    """The address of our database; its connections bear our mark, so that others can see when we are dead."""
    host = quote(str(socket_folder), safe="")
    return f"postgresql://{ROLE}@/{DATABASE}?host={host}&port={PORT}&application_name={Mark.own()}"


def _make_database(url: str) -> None:
    """Create the database on a fresh cluster."""
    try:
        psycopg2.connect(url).close()
    except psycopg2.OperationalError as error:
        if f'"{DATABASE}" does not exist' not in str(error):
            raise
    else:
        return
    with contextlib.closing(psycopg2.connect(url, dbname="postgres")) as connection:
        connection.autocommit = True
        connection.cursor().execute(f"create database {DATABASE}")


def _end_backends_of_the_dead(url: str) -> None:
    """Terminate what processes killed with -9 left running in the server, and wait until it is gone."""
    with contextlib.closing(psycopg2.connect(url)) as connection:
        connection.autocommit = True
        cursor = connection.cursor()
        deadline = time.monotonic() + BACKEND_SECONDS
        while time.monotonic() < deadline:
            cursor.execute("select pid, application_name from pg_stat_activity where backend_type = 'client backend'")
            marks = [(pid, Mark.parse(name)) for pid, name in cursor.fetchall()]
            dead = [pid for pid, mark in marks if mark is not None and not mark.alive]
            if not dead:
                return
            _log.info("ending {count} backends of a dead process", count=len(dead))
            cursor.execute("select pg_terminate_backend(pid) from unnest(%s) as pid", [dead])
            time.sleep(PAUSE_SECONDS)
