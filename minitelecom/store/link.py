"""
One asynchronous connection to PostgreSQL over txpostgres, with its traps covered.

It is used by one asker at a time. Lost, it says so once, by itself and at once, also while nobody asks; every error
that means "gone" comes out as DatabaseAway. txpostgres would answer a broken idle connection with a traceback in the
log, takes a lock timeout for a dead connection and a statement timeout for a cancelled Deferred, commits nothing of an async function, and on cancelling raises into
the canceller: its detector, its interactions and its pool are therefore not used, its polling is.
"""

import os
import socket
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import psycopg2
import psycopg2.extensions
from psycopg2.extensions import POLL_OK, POLL_WRITE, TRANSACTION_STATUS_IDLE
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger
from twisted.python.failure import Failure
from txpostgres import txpostgres

from minitelecom.store.database import DatabaseAway, Row, TooSlow, session, translated

CONNECT_SECONDS = 10.0
GRACE_SECONDS = 5.0  # over the server's own limit: after it the server or the network is taken for dead
FIRST_DELAY_SECONDS = 0.1
LONGEST_DELAY_SECONDS = 2.0

log = Logger()


class Wire(txpostgres.Connection):  # type: ignore[misc] # txpostgres is untyped
    """
    txpostgres's connection, quiet about its end and direct with its notices.

    Its cursors would take turns with it at watching the socket, which costs more than the statement; here the connection
    watches all the time, and polls for the one statement that is under way.
    """

    broken: Callable[[], None]
    heard: Callable[[str], None] | None = None
    _file: int | None = None
    """What the reactor watches: a copy of our own, since psycopg2 closes the connection's file without a word."""
    _settled = False
    _pollingD: Deferred[Any] | None

    @property
    def closed(self) -> bool:
        """Each statement asks thrice; txpostgres would look it up at the connection by way of an error each time."""
        return bool(self._connection.closed)

    @property
    def idle(self) -> bool:
        """Whether no transaction is open."""
        return bool(self._connection.get_transaction_status() == TRANSACTION_STATUS_IDLE)

    def ask(self, sql: str, parameters: Sequence[object] | None) -> Deferred[Any]:
        """Send one statement; what fires is the psycopg2 cursor that has its result."""
        cursor = self._connection.cursor()
        cursor.execute(sql, parameters)
        return self.poll().addCallback(lambda _: cursor)  # type: ignore[no-any-return]

    def _handleCancellation(self, failure: Failure) -> Failure:
        """A statement that the server ended is not a cancelled waiter."""
        return failure

    def continuePolling(self, swallowErrors: bool = False) -> None:
        """Poll once. Whoever waits hears of it in the reactor's next turn, when nothing here is under way any more."""
        tell = self._step()
        if tell is not None:
            self.reactor.callLater(0, tell)

    def doRead(self) -> None:
        """Poll once. Whoever waits hears of it at once, as the last thing done here: he may ask again."""
        tell = None if self.closed else self._step()
        self.checkForNotifies()
        if self.closed:
            self.broken()
        if tell is not None:
            tell()

    def _step(self) -> Callable[[], None] | None:
        """
        Poll, and watch on; what tells the waiter, if his statement is over. An error that nobody waits for is not lost:
        the connection is closed then.
        """
        waiter, tell = self._pollingD, None
        state = None
        try:
            state = self._connection.poll()
        except psycopg2.Error:
            if waiter is not None:
                tell = partial(waiter.errback, Failure())  # type: ignore[no-untyped-call] # Twisted's
        if state == POLL_OK:
            self._settled = True
            if waiter is not None:
                tell = partial(waiter.callback, self)
        if tell is not None:
            self._pollingD = None
        self._watch()
        if state == POLL_WRITE:
            self.reactor.addWriter(self)
        return tell

    def _watch(self) -> None:
        """One that breaks while it is being made has no file, yet isn't called closed; and one that is may change it."""
        file = -1 if self.closed else self._connection.fileno()
        if file < 0 or not self._settled:
            self._unwatch()
        if file >= 0 and self._file is None:
            self._file = os.dup(file)
            self.reactor.addReader(self)

    def _unwatch(self) -> None:
        if self._file is not None:
            self.reactor.removeReader(self)
            self.reactor.removeWriter(self)
            os.close(self._file)
            self._file = None

    def fileno(self) -> int:
        return -1 if self._file is None else self._file

    def close(self) -> None:
        self._unwatch()
        super().close()

    def checkForNotifies(self) -> None:
        """Hand notices over in their order, now; theirs go through a global cooperator."""
        waiting = self._connection.notifies
        while waiting and self.heard is not None:
            self.heard(waiting.pop(0).payload)


class Link:
    """A connection that is open; `lost` is told once when it no longer is."""

    def __init__(self, reactor: Any, lost: Callable[["Link"], None], statement_seconds: float) -> None:
        self._reactor = reactor
        self._lost = lost
        self._limit = statement_seconds + GRACE_SECONDS
        self._wire = Wire(reactor=reactor)
        self._wire.broken = self.close
        self.open = True
        self.status = ""
        """What the server said that it did: "SELECT 1", "COMMIT", …"""
        self.used_seconds = 0.0
        """When the last statement ended, by the reactor's clock."""

    @classmethod
    async def connect(
        cls,
        reactor: Any,
        url: str,
        lost: Callable[["Link"], None],
        *,
        statement_seconds: float,
        heard: Callable[[str], None] | None = None,
    ) -> "Link":
        """Open a connection, or raise DatabaseAway."""
        link = cls(reactor, lost, statement_seconds)
        link._wire.heard = heard
        try:
            address = await _address(reactor, url)
            guard = reactor.callLater(CONNECT_SECONDS, link._wire.close)
            try:
                await link._wire.connect(**session(url, statement_seconds), **address)
            finally:
                if guard.active():
                    guard.cancel()
        except (psycopg2.Error, ConnectionDone, ConnectionLost, OSError) as error:
            link.open = False
            raise DatabaseAway(str(error).strip()) from error
        link.used_seconds = reactor.seconds()
        return link

    async def run(self, sql: str, parameters: Sequence[object] = ()) -> list[Row]:
        """Run one statement; its rows, or none. The limit here is for a server that doesn't keep its own."""
        if not self.open:
            raise DatabaseAway("the connection is lost")
        guard = self._reactor.callLater(self._limit, self.close)
        try:
            cursor = await self._wire.ask(sql, parameters or None)
            self.status = cursor.statusmessage
            return cursor.fetchall() if cursor.description else []
        except (ConnectionDone, ConnectionLost) as error:
            self.close()
            raise DatabaseAway("the connection was closed") from error
        except psycopg2.Error as error:
            raised = translated(error, self._wire.closed)
            if raised is error:
                raise
            if not isinstance(raised, TooSlow):
                self.close()
            raise raised from error
        finally:
            self.used_seconds = self._reactor.seconds()
            if guard.active():
                guard.cancel()

    @property
    def clean(self) -> bool:
        """Whether no transaction was left open."""
        return self.open and self._wire.idle

    def close(self) -> None:
        """Close it; whoever waits for a statement gets DatabaseAway."""
        if not self.open:
            return
        self.open = False
        self._wire.close()
        self._lost(self)


class Patience:
    """Pauses between attempts that grow: 0.1 s, 0.2 s … 2 s."""

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self._seconds = FIRST_DELAY_SECONDS
        self._alarm: IDelayedCall | None = None
        self._pause: Deferred[None] = Deferred()

    async def pause(self) -> None:
        self._pause = Deferred()
        self._alarm = self._reactor.callLater(self._seconds, self.end)
        self._seconds = min(self._seconds * 2, LONGEST_DELAY_SECONDS)
        await self._pause

    def end(self) -> None:
        """End the pause that is on, if one is."""
        alarm, self._alarm = self._alarm, None
        if alarm is not None:
            if alarm.active():
                alarm.cancel()
            self._pause.callback(None)

    def reset(self) -> None:
        self._seconds = FIRST_DELAY_SECONDS

    def lose(self) -> None:
        """Something has changed: try at once, and then in short pauses again."""
        self.reset()
        self.end()


async def _address(reactor: Any, url: str) -> dict[str, str]:
    """The host's address, looked up in a thread: libpq would look it up while the reactor stands still."""
    parts = psycopg2.extensions.parse_dsn(url)
    host = parts.get("host", "")
    if not host or host.startswith("/") or "," in host or "hostaddr" in parts:
        return {}
    found = await deferToThreadPool(reactor, reactor.getThreadPool(), socket.getaddrinfo, host, None)
    return {"hostaddr": str(found[0][4][0])}
