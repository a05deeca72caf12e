"""
A program that runs until it is told to end: started, made ready, stopped in order by SIGTERM or SIGINT.

The first signal asks it to end what it does in good order; another one, a moment later, ends it at once.
"""

import fcntl
import gc
import os
import resource
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from twisted.internet.defer import Deferred
from twisted.logger import Logger

log = Logger()

LOCK = "daemon.lock"
FAILED = 1
COLLECTIONS = (20_000, 5, 5)
"""
When the garbage collector looks: a call is some two hundred objects that live for the call and 32 s longer. Python's own
numbers, meant for programs that forget at once, would have it look at all of them every other second, for as long as the
calls take themselves.
"""
ECHO_SECONDS = 0.5
"""One Ctrl-C may arrive twice, from the terminal and from `make` or a supervisor that passes it on."""


class Running(Protocol):
    """What has a life to spend."""

    async def start(self) -> None:
        """Everything up to ready; raises what hinders it."""

    async def stop(self) -> None:
        """End in order; also after a start that failed half-way."""


def open_many_files() -> None:
    """Each leg has two sockets: take as many open files as we may have, not the few that a shell begins with."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


class RunsAlready(Exception):
    """Another process runs on the same data."""


class Lifetime:
    """One run of one program on one reactor."""

    def __init__(self, reactor: Any, running: Running, ready: Callable[[], None]) -> None:
        self._reactor = reactor
        self._running = running
        self._ready = ready
        self._asked: Deferred[None] = Deferred()
        self._asked_at: float | None = None
        self._failure: Exception | None = None

    def spend(self) -> int:
        """Run until a signal; the exit status. Raises what the start raises."""
        open_many_files()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._signalled)
        self._reactor.callWhenRunning(lambda: Deferred.fromCoroutine(self._live()))
        self._reactor.run(installSignalHandlers=False)
        if self._failure is not None:
            raise self._failure
        return 0

    def _signalled(self, number: int, frame: object) -> None:
        now = self._reactor.seconds()
        if self._asked_at is None:
            self._asked_at = now
            self._reactor.callFromThread(self._asked.callback, None)
        elif now - self._asked_at > ECHO_SECONDS:
            os._exit(FAILED)

    async def _live(self) -> None:
        try:
            await self._running.start()
            gc.collect()
            gc.freeze()  # what was loaded stays: a later collection, which calls would hear, need not look at it
            gc.set_threshold(*COLLECTIONS)
            self._ready()
            await self._asked
        except Exception as error:  # noqa: BLE001 - raised again by spend(), when everything is put away
            self._failure = error
        try:
            await self._running.stop()
        except Exception as error:  # noqa: BLE001 - the same
            log.failure("not everything could be stopped")
            self._failure = self._failure or error
        self._reactor.stop()


def only_one(data: Path) -> int:
    """
    Make sure that no other daemon runs on this data; the lock lasts as long as the process and what is returned.

    A second one would take the calls of the first for those of a dead process.
    """
    data.mkdir(mode=0o755, parents=True, exist_ok=True)
    lock = os.open(data / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        pid = os.read(lock, 20).decode(errors="replace").strip() or "?"
        os.close(lock)
        raise RunsAlready(f"a daemon runs on {data} already (process {pid})") from None
    os.ftruncate(lock, 0)
    os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
    return lock
