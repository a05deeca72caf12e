"""
LISTEN on one channel, over a connection of its own, as long as the service runs.

PostgreSQL forgets a LISTEN with its connection and keeps no notice for whoever is away. So after every connecting,
the first too, `reread` is called: what the notices would have told is to be read from the tables.
"""

import contextlib
import json
from collections.abc import Callable
from typing import Any

import psycopg2
from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from minitelecom.store.database import DatabaseAway
from minitelecom.store.link import Link, Patience

STATEMENT_SECONDS = 10.0
HEALTH_SECONDS = 15.0

log = Logger()


class Listener(Service):
    """Calls `noticed` with each notice (a JSON object as dict), `reread` when notices may have been missed."""

    def __init__(
        self,
        reactor: Any,
        url: str,
        channel: str,
        noticed: Callable[[dict[str, Any]], None],
        reread: Callable[[], None],
    ) -> None:
        assert channel.isidentifier(), "a channel is part of an SQL statement"
        self._url = url
        self._reactor = reactor
        self._channel = channel
        self._noticed = noticed
        self._reread = reread
        self._patience = Patience(reactor)
        self._link: Link | None = None
        self._health = LoopingCall(self._check_health)
        self._health.clock = reactor

    def found_at(self, url: str) -> None:
        """The server has been started anew, perhaps elsewhere: connect at once."""
        self._url = url
        self._patience.lose()

    def startService(self) -> None:
        super().startService()  # type: ignore[no-untyped-call] # Twisted's
        self._connect()
        self._health.start(HEALTH_SECONDS, now=False)

    def stopService(self) -> None:
        super().stopService()  # type: ignore[no-untyped-call] # Twisted's
        self._health.stop()
        self._patience.end()
        if self._link is not None:
            self._link.close()

    def _connect(self) -> None:
        Deferred.fromCoroutine(self._listen()).addErrback(lambda failure: log.failure("not listening", failure=failure))

    async def _listen(self) -> None:
        """Connect, as often as it takes, and listen."""
        while self.running and self._link is None:
            try:
                await self._listen_once()
            except DatabaseAway as error:
                log.debug("no notices: {error}", error=str(error))
                await self._patience.pause()

    async def _listen_once(self) -> None:
        link = await Link.connect(
            self._reactor, self._url, self._lost, statement_seconds=STATEMENT_SECONDS, heard=self._heard
        )
        await link.run(f"listen {self._channel}")
        if not self.running:
            link.close()
            return
        self._link = link
        self._patience.reset()
        self._told(self._reread)

    def _lost(self, link: Link) -> None:
        if link is self._link:
            self._link = None
            if self.running:
                log.warn("the connection for notices is lost")
                self._connect()

    def _heard(self, payload: str) -> None:
        try:
            notice = json.loads(payload)
        except ValueError:
            notice = None
        if not isinstance(notice, dict):
            log.warn("a notice that is no JSON object: {payload}", payload=payload)
            return
        self._told(self._noticed, notice)

    def _told(self, listener: Callable[..., None], *notice: dict[str, Any]) -> None:
        """A fault of the listener's must not cost us the connection."""
        try:
            listener(*notice)
        except Exception:  # noqa: BLE001 - a door: what comes from another process
            log.failure("a notice was not understood")

    def _check_health(self) -> None:
        if self._link is not None:
            Deferred.fromCoroutine(self._check(self._link))

    async def _check(self, link: Link) -> None:
        with contextlib.suppress(DatabaseAway, psycopg2.Error):
            await link.run("select 1")
