"""
The Database on the reactor: a few connections that are lent to one asker at a time and replaced when they die.

While no connection is open and none can be made, every question is answered DatabaseAway at once, so that a call can
say so to its caller instead of keeping him waiting. Cancelling an asker's Deferred takes the asker away, never the work:
a statement that the server has begun is let end, and its transaction with it.
"""

import contextlib
import math
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, Concatenate, ParamSpec, TypeVar

import psycopg2
from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from minitelecom.store.database import Cursor, DatabaseAway, FailureSwallowed, Row
from minitelecom.store.link import Link, Patience

STATEMENT_SECONDS = 10.0
WAIT_SECONDS = 5.0  # for a free connection
WAITING_LIMIT = 2000
HEALTH_SECONDS = 15.0
DRAIN_SECONDS = 5.0

P = ParamSpec("P")
T = TypeVar("T")

log = Logger()


class Pool(Service):
    """Implements `database.Database`."""

    def __init__(self, reactor: Any, url: str, *, size: int = 8, statement_seconds: float = STATEMENT_SECONDS) -> None:
        self._url = url
        self._reactor = reactor
        self._size = size
        self._statement_seconds = statement_seconds
        self._links: set[Link] = set()
        self._idle: list[Link] = []
        self._waiting: deque[Deferred[Link]] = deque()
        self._away: DatabaseAway | None = DatabaseAway("the pool is not started")
        self._patience = Patience(reactor)
        self._connecting = False
        self._health = LoopingCall(self._check_health)
        self._health.clock = reactor
        self._drained: Deferred[None] | None = None

    @property
    def available(self) -> bool:
        """Whether a question asked now would be taken."""
        return self._away is None

    def found_at(self, url: str) -> None:
        """The server has been started anew, perhaps elsewhere: connect at once."""
        self._url = url
        self._patience.lose()

    def startService(self) -> None:
        """Begin to connect; a question asked meanwhile waits for the outcome of the first attempt."""
        super().startService()  # type: ignore[no-untyped-call] # Twisted's
        self._away = None
        self._fill()
        self._health.start(HEALTH_SECONDS, now=False)

    def stopService(self) -> Deferred[None]:
        """Take no more questions, let those under way end (not for ever), close."""
        super().stopService()  # type: ignore[no-untyped-call] # Twisted's
        self._away = DatabaseAway("we are stopping")
        self._health.stop()
        self._patience.end()
        self._fail_waiting(self._away)
        for link in self._idle[:]:
            link.close()
        drained: Deferred[None] = Deferred()
        self._drained = drained
        limit = self._reactor.callLater(DRAIN_SECONDS, self._close_all)
        drained.addCallback(lambda _: limit.cancel() if limit.active() else None)
        self._settle()
        return drained

    async def query(self, sql: str, parameters: Sequence[object] = ()) -> list[Row]:
        """One statement, its own transaction. In `sql` with parameters a percent sign is written twice."""
        return await _shielded(self._query(sql, parameters))

    async def transaction(
        self, function: Callable[Concatenate[Cursor, P], Awaitable[T]], /, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Several statements, all or none; never tried again by itself."""
        return await _shielded(self._transaction(lambda cursor: function(cursor, *args, **kwargs)))

    async def _query(self, sql: str, parameters: Sequence[object]) -> list[Row]:
        link = await self._borrow()
        try:
            return await link.run(sql, parameters)
        finally:
            self._give_back(link)

    async def _transaction(self, function: Callable[[Cursor], Awaitable[T]]) -> T:
        link = await self._borrow()
        cursor = _Cursor(link)
        try:
            await link.run("begin")
            result = await function(cursor)
            cursor.over = True
            await link.run("commit")
            if link.status != "COMMIT":
                raise FailureSwallowed
        except Exception:
            cursor.over = True
            with contextlib.suppress(DatabaseAway, psycopg2.Error):
                await link.run("rollback")
            raise
        else:
            return result
        finally:
            self._give_back(link)

    # Lending.

    async def _borrow(self) -> Link:
        if self._idle:
            return self._idle.pop()
        if self._away is not None:
            raise DatabaseAway(str(self._away))
        if len(self._waiting) >= WAITING_LIMIT:
            raise DatabaseAway(f"{WAITING_LIMIT} questions wait for a connection already")
        turn: Deferred[Link] = Deferred()
        self._waiting.append(turn)
        limit = self._reactor.callLater(WAIT_SECONDS, self._wait_no_longer, turn)
        try:
            return await turn
        finally:
            if limit.active():
                limit.cancel()

    def _wait_no_longer(self, turn: Deferred[Link]) -> None:
        self._waiting.remove(turn)
        turn.errback(DatabaseAway(f"no connection became free in {WAIT_SECONDS:.0f} s"))

    def _give_back(self, link: Link) -> None:
        if link.open and not link.clean:
            log.warn("a transaction was left open: closing its connection")
            link.close()
        if not link.open:
            return
        if self._waiting:
            self._waiting.popleft().callback(link)
        elif self.running:
            self._idle.append(link)
        else:
            link.close()

    def _fail_waiting(self, error: DatabaseAway) -> None:
        waiting, self._waiting = self._waiting, deque()
        for turn in waiting:
            turn.errback(DatabaseAway(str(error)))

    # Connecting.

    def _fill(self) -> None:
        """See to it that someone is connecting; one at a time, so that a server that comes up is not stormed."""
        if not self._connecting and self.running:
            self._connecting = True
            connecting = Deferred.fromCoroutine(self._connect_all())
            connecting.addErrback(lambda failure: log.failure("connecting ended", failure=failure))

    async def _connect_all(self) -> None:
        try:
            while self.running and len(self._links) < self._size:
                await self._connect_one()
        finally:
            self._connecting = False
            self._settle()

    async def _connect_one(self) -> None:
        seconds = self._statement_seconds
        try:
            link = await Link.connect(self._reactor, self._url, self._link_lost, statement_seconds=seconds)
        except DatabaseAway as error:
            if not self._links and self.running:
                if self._away is None:
                    log.warn("the database is away: {error}", error=str(error))
                self._away = error
                self._fail_waiting(error)
            if self.running:
                await self._patience.pause()
            return
        if self._away is not None and self.running:
            log.info("the database is back")
            self._away = None
        self._patience.reset()
        self._links.add(link)
        self._give_back(link)

    def _link_lost(self, link: Link) -> None:
        self._links.discard(link)
        with contextlib.suppress(ValueError):
            self._idle.remove(link)
        self._fill()
        self._settle()
        if self.running:
            self._check_idle(math.inf)  # connections seldom die alone; whoever asks next shall not find out

    def _settle(self) -> None:
        """When stopping: tell that nothing is left."""
        if self._drained is not None and not self._links and not self._connecting:
            drained, self._drained = self._drained, None
            drained.callback(None)

    def _close_all(self) -> None:
        for link in list(self._links):
            link.close()

    # Health.

    def _check_health(self) -> None:
        """Ask each connection that nobody has used for a while: behind a router one may be dead without a sign."""
        self._check_idle(self._reactor.seconds() - HEALTH_SECONDS)

    def _check_idle(self, last_seconds: float) -> None:
        for link in [link for link in self._idle if link.used_seconds <= last_seconds]:
            self._idle.remove(link)
            Deferred.fromCoroutine(self._check(link))

    async def _check(self, link: Link) -> None:
        with contextlib.suppress(DatabaseAway, psycopg2.Error):
            await link.run("select 1")
        self._give_back(link)


class _Cursor:
    """The statements of one transaction; of no use after it."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self.over = False

    async def query(self, sql: str, parameters: Sequence[object] = ()) -> list[Row]:
        assert not self.over, "this transaction is over"
        return await self._link.run(sql, parameters)


def _shielded(work: Coroutine[Deferred[Any], Any, T]) -> Deferred[T]:
    """
    The result of work that goes on when the waiter is cancelled.

    A Deferred without a canceller fails its waiter by itself and swallows the later result.
    """
    waiter: Deferred[T] = Deferred()
    Deferred.fromCoroutine(work).addCallbacks(waiter.callback, waiter.errback)
    return waiter
