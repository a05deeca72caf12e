"""
The composition root: every part of the daemon built from a Config, started in order and stopped in order.

Start: database, this process's row, recovery of the dead, what must be known at once, sockets, heartbeat, web, "ready".
Stop: no new calls, every running call ended and charged to this second, records written, sockets closed, "stopped".
"""

import os
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.interfaces import IListeningPort, IReactorTime
from twisted.internet.task import LoopingCall, deferLater
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger

from minitelecom.calls.exchange import READ_ANEW, Exchange, Surroundings
from minitelecom.calls.name_server import NameServers
from minitelecom.calls.voice import Voice
from minitelecom.config import Config, Sip
from minitelecom.entropy import Entropy
from minitelecom.ivr.catalogue import load as load_prompts
from minitelecom.media.engine import Engine
from minitelecom.sip.tls import Identity, Tls
from minitelecom.sip.transport import Transports
from minitelecom.store import notices, processes
from minitelecom.store.database import DatabaseAway
from minitelecom.store.listener import Listener
from minitelecom.store.pool import Pool
from minitelecom.store.private_server import PrivateServer
from minitelecom.store.secrets import Secrets
from minitelecom.web.site import make_site

log = Logger()

HEARTBEAT_SECONDS = 1.0
RECOVERY_BEATS = 10  # between looks for other processes that have died
DAY_CHECK_SECONDS = 30.0  # prices may begin or end at midnight
SWEEP_SECONDS = 60.0  # between two looks for messages of calls that were kept for long enough
RECORDS_SECONDS = 10.0  # for records still to be written when we stop
FAREWELL_SECONDS = 0.2  # for the answers to our BYEs
LOOK_SECONDS = 0.05
POOL_SIZE = 8
KEY_FILE = "secret.key"


def utc_now() -> datetime:
    """The present instant."""
    return datetime.now(UTC)


def route(host: str) -> str:
    """Our own address from which the system would send to a host; nothing is sent to find out."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((host, 9))
        except OSError:
            return "::1" if family is socket.AF_INET6 else "127.0.0.1"
        return str(probe.getsockname()[0])


def tell_systemd(state: str) -> None:
    """Tell the service manager how we are (sd_notify(3)); without one, or one that doesn't listen, nobody."""
    path = os.environ.get("NOTIFY_SOCKET")
    if path:
        address = "\0" + path[1:] if path.startswith("@") else path
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as manager, suppress(OSError):
            manager.sendto(state.encode(), address)


@dataclass(frozen=True, slots=True)
class Reached:
    """Where the database is, and the private server behind it where it is ours."""

    url: str
    server: PrivateServer | None


def _tls(clock: IReactorTime, sip: Sip) -> Tls:
    """Raises BadCertificate."""
    identity = None if sip.certificate is None or sip.key is None else Identity(sip.certificate, sip.key)
    return Tls(clock, identity, sip.authorities)


class Daemon:
    """The running switch.  Raises BadCertificate."""

    def __init__(self, reactor: Any, config: Config, reached: Reached) -> None:
        self.exchange: Exchange | None = None
        self._reactor = reactor
        self._clock: IReactorTime = reactor
        self._config = config
        self._server = reached.server
        self._secrets = Secrets.from_file(config.data / KEY_FILE)
        self._pool = Pool(reactor, reached.url, size=POOL_SIZE)
        self._listener = Listener(reactor, reached.url, notices.CHANNEL, self._noticed, self._lost_notices)
        self._transports = Transports(reactor, self._clock, {"tls": _tls(self._clock, config.sip)})
        self._process_id = 0
        self._day = utc_now().astimezone(config.zone).date()
        self._reviving = False
        self._beats = 0
        self._media: Engine | None = None
        self._web: IListeningPort | None = None
        self._loops: list[LoopingCall] = []

    async def start(self) -> None:
        """Everything up to "ready"; whatever goes wrong is raised, and nothing is half started."""
        self._pool.startService()
        self._listener.startService()
        config = self._config
        await self._begin_process()
        prompts = load_prompts()
        voice = Voice(prompts, prompts.music(config.calls.music))
        ipv6 = "::" if config.sip.speaks_ipv6 else None
        self._media = Engine(self._clock, self._reactor, config.rtp.ports, "", Entropy(), ipv6)
        around = Surroundings(
            clock=self._clock,
            now=utc_now,
            random=Entropy(),
            send=self._transports.send,
            connected=self._transports.connected,
            route=route,
            resolve=NameServers(self._reactor),
            media=self._media,
            database=self._pool,
            secrets=self._secrets,
            voice=voice,
        )
        self.exchange = Exchange(around, config, self._process_id)
        self._transports.attach(self.exchange.layer, self.exchange.needs)
        await self.exchange.start()
        self._listen()
        self._loop(self._beat, HEARTBEAT_SECONDS)
        self._loop(self._check_day, DAY_CHECK_SECONDS)
        self._loop(self._sweep, SWEEP_SECONDS)
        tell_systemd("READY=1")

    async def stop(self) -> None:
        """End everything in order."""
        tell_systemd("STOPPING=1")
        exchange = self.exchange
        if exchange is not None:
            exchange.drain()
            await self._wait_while(lambda: len(exchange.running) > 0, self._config.calls.drain_seconds)
            exchange.stop()
            await self._wait_while(lambda: exchange.open_records > 0, RECORDS_SECONDS)
            await deferLater(self._clock, FAREWELL_SECONDS)
            exchange.ladders.stop()
            await exchange.ladders.write()
            await self._close_sockets(exchange)
        for loop in self._loops:
            if loop.running:
                loop.stop()
        if self._process_id:
            await self._say_goodbye()
        await self._stop_services()

    async def _wait_while(self, busy: Callable[[], bool], most_seconds: float) -> None:
        until = self._clock.seconds() + most_seconds
        while busy() and self._clock.seconds() < until:
            await deferLater(self._clock, LOOK_SECONDS)

    async def _close_sockets(self, exchange: Exchange) -> None:
        exchange.layer.close()
        await self._transports.close()
        if self._web is not None:
            await maybeDeferred(self._web.stopListening)
        if self._media is not None:
            await self._media.close()

    async def _begin_process(self) -> None:
        """A row for this process; whatever an earlier one of this name left open is closed first."""
        name = f"{socket.gethostname()}:{self._config.data}"
        self._process_id = await processes.start(self._pool, name, os.getpid(), utc_now())
        recovered = await processes.recover(self._pool, utc_now())
        if recovered:
            log.warn("{count} calls of a dead process were closed, charged to its last sign of life", count=recovered)

    async def _say_goodbye(self) -> None:
        try:
            await processes.stop(self._pool, self._process_id, utc_now())
        except DatabaseAway:
            log.warn("the database is away; the next start will close this process's row")

    async def _stop_services(self) -> None:
        self._listener.stopService()
        await self._pool.stopService()
        if self._server is not None:
            await self._in_thread(self._server.release)

    # Sockets.

    def _listen(self) -> None:
        for endpoint in self._config.sip.listen:
            self._transports.listen(*endpoint)
        assert self.exchange is not None
        site = make_site(
            self._pool,
            self._config,
            self.exchange.live,
            utc_now,
            self._secrets,
            self._clock,
            write_ladder=self.exchange.ladders.write,
        )
        web = self._config.web.listen
        self._web = self._reactor.listenTCP(web.port, site, interface=web.host)

    # What is done again and again.

    def _loop(self, function: Callable[[], Any], seconds: float) -> None:
        loop = LoopingCall(function)
        loop.clock = self._clock
        self._loops.append(loop)
        loop.start(seconds, now=True).addErrback(lambda failure: log.failure("a loop of ours ended", failure=failure))

    def _beat(self) -> Deferred[None]:
        return Deferred.fromCoroutine(self._prove_life())

    async def _prove_life(self) -> None:
        """One row a second says that this process lives, and what it counts."""
        assert self.exchange is not None
        tell_systemd("WATCHDOG=1")
        try:
            alive = await processes.beat(
                self._pool,
                self._process_id,
                utc_now(),
                {
                    **self.exchange.counters(),
                    "connections": self._transports.connections,
                    "trunks": self.exchange.trunk_states(),
                },
            )
            if not alive:
                await self._begin_again()
            await self.exchange.look_elsewhere()
            self._beats += 1
            if self._beats % RECOVERY_BEATS == 0:
                await processes.recover(self._pool, utc_now())
        except DatabaseAway:
            self._revive()
        except Exception:  # noqa: BLE001 - the next second tries again
            log.failure("no heartbeat")

    async def _begin_again(self) -> None:
        """
        We were taken for dead (the machine slept, or the database was out of reach while others lived): our calls are
        closed and charged already, so they end here too.
        """
        assert self.exchange is not None
        log.warn("this process was taken for dead; its calls end, and it begins again")
        self.exchange.running.stop_all()
        await self._begin_process()
        self.exchange.dialling.open.process_id = self._process_id

    def _revive(self) -> None:
        """Start the private server again if it has died; an external one is others' care."""
        if self._server is None or self._reviving or self._server.pid is not None:
            return
        self._reviving = True
        log.warn("PostgreSQL is gone; starting it again")

        revived: Deferred[Any] = self._in_thread(self._server.ensure)
        revived.addCallbacks(self._revived, lambda failure: log.failure("PostgreSQL does not start", failure=failure))
        revived.addBoth(self._no_longer_reviving)

    def _revived(self, url: str) -> None:
        self._pool.found_at(url)
        self._listener.found_at(url)

    def _no_longer_reviving(self, _: object) -> None:
        self._reviving = False

    def _check_day(self) -> None:
        """At midnight, in the shop's zone, other prices may hold."""
        day = utc_now().astimezone(self._config.zone).date()
        if day == self._day or self.exchange is None:
            return
        self._day = day
        for what in ("prices", "buy_prices"):
            Deferred.fromCoroutine(self.exchange.read(what)).addErrback(self._unread)

    def _sweep(self) -> Deferred[None]:
        assert self.exchange is not None
        return Deferred.fromCoroutine(self.exchange.ladders.remove_old()).addErrback(self._unswept)

    def _unswept(self, failure: Any) -> None:
        if failure.check(DatabaseAway) is None:
            log.failure("old messages of calls were not removed", failure=failure)

    def _in_thread(self, function: Callable[[], Any]) -> Deferred[Any]:
        return deferToThreadPool(self._reactor, self._reactor.getThreadPool(), function)

    # What other processes changed.

    def _noticed(self, payload: dict[str, Any]) -> None:
        """A notice of the database: what changed, by its first key."""
        if self.exchange is None:
            return
        if "account" in payload:
            self.exchange.running.account_changed(int(payload["account"]))
            return
        if "restart" in payload:
            self.exchange.restarting.restart(payload["restart"]["device"], payload["restart"]["mac"])
            return
        for what in payload:
            Deferred.fromCoroutine(self.exchange.read(what)).addErrback(self._unread)

    def _lost_notices(self) -> None:
        """The connection that brings notices was away: read everything anew."""
        if self.exchange is None:
            return
        self.exchange.running.all_accounts_changed()
        for what in READ_ANEW:
            Deferred.fromCoroutine(self.exchange.read(what)).addErrback(self._unread)

    def _unread(self, failure: Any) -> None:
        log.failure("a change in the database was not read", failure=failure)
