"""The parts of call control put together, over whatever clock, network, media and database they are given."""

import secrets as system_secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from random import Random

from twisted.internet.defer import DeferredLock
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

from minitelecom.calls.addresses import Addresses
from minitelecom.calls.authentication import Authentication
from minitelecom.calls.defence import Defence
from minitelecom.calls.dialling import Dialling
from minitelecom.calls.directory import Directory
from minitelecom.calls.hosts import Hosts, Resolver
from minitelecom.calls.ladders import Ladders
from minitelecom.calls.live import LiveCalls
from minitelecom.calls.registrar import KeepAlive, Registrar
from minitelecom.calls.restarting import Restarting
from minitelecom.calls.running import RunningCalls
from minitelecom.calls.subscription import NoMailboxes, Subscriptions
from minitelecom.calls.switch import Switch
from minitelecom.calls.switchboard import Switchboard
from minitelecom.calls.trunk_health import TrunkHealths
from minitelecom.calls.trunk_registration import TrunkRegistrations
from minitelecom.calls.user_agent import UserAgent
from minitelecom.calls.visits import Visits
from minitelecom.calls.voice import Voice
from minitelecom.config import Config
from minitelecom.media.door import Media
from minitelecom.sip.hop import Hop
from minitelecom.sip.locating import Kind
from minitelecom.sip.nonces import FORGED, Nonces
from minitelecom.sip.offer_answer import Codec
from minitelecom.sip.transaction_layer import TransactionLayer
from minitelecom.store import processes
from minitelecom.store.database import Database, DatabaseAway
from minitelecom.store.secrets import Secrets

NONCE_KEY_BYTES = 32
RETRY_SECONDS = 1.0  # of a database that is away
READ_ANEW = ("prices", "buy_prices", "exchange_rates", "devices", "trunks", "numbers", "bans")
"""What another process may change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """
    What the exchange stands in.  ``route`` tells our own address towards another; ``send`` raises OSError; ``connected``
    tells whether there is a connection to a hop.
    """

    clock: IReactorTime
    now: Callable[[], datetime]
    random: Random
    send: Callable[[bytes, Hop], None]
    connected: Callable[[Hop], bool]
    route: Callable[[str], str]
    resolve: Resolver
    media: Media
    database: Database
    secrets: Secrets
    voice: Voice


class Exchange:
    """Give it the datagrams that arrive and the notices of the database; look at ``live`` and ``counters``."""

    def __init__(self, around: Surroundings, config: Config, process_id: int) -> None:
        self._around = around
        self._started = around.clock.seconds()
        addresses = Addresses(config.sip.external, config.sip.local, config.sip.ports, around.route)
        self.layer = TransactionLayer(around.clock, around.random, around.send, addresses.towards)
        self.ladders = Ladders(around.clock, around.now, around.database, addresses.towards, config.sip.ladder_hours)
        if self.ladders.on:
            self.layer.saw = self.ladders.saw
        families = (Kind.A, Kind.AAAA) if config.sip.speaks_ipv6 else (Kind.A,)
        self.switch = Switch(
            clock=around.clock,
            now=around.now,
            random=around.random,
            layer=self.layer,
            media=around.media,
            addresses=addresses,
            limits=config.calls,
            hosts=Hosts(around.clock, around.random, around.resolve, families),
            codecs=tuple(Codec[name] for name in config.rtp.codecs),
            music=around.voice.music,
            connected=around.connected,
            ladders=self.ladders,
        )
        self.directory = Directory(around.database, around.secrets, self.switch.hosts, config.zone, config.currency)
        self.live = LiveCalls()
        self.running = RunningCalls(self.switch, around.database, self.live)
        self._trunk_healths = TrunkHealths(self.switch)
        self.dialling = Dialling(self.switch, around.database, self.directory, self._trunk_healths, config, process_id)
        visits = Visits(
            self.switch,
            around.database,
            around.secrets,
            self.dialling,
            self.live,
            self.running,
            around.voice,
            config,
        )
        self.defence, authentication = self._defended()
        self.subscriptions = Subscriptions(self.switch, self.directory, NoMailboxes())
        self.switchboard = Switchboard(
            self.switch,
            self.directory,
            self.dialling,
            self.live,
            self.running,
            partial(around.voice.warning, config.language),
        )
        self.switch.referred = self.switchboard.referred
        self._user_agent = UserAgent(
            self.switch,
            self.directory,
            authentication,
            Registrar(self.switch, self.directory),
            visits,
            self.subscriptions,
            self.switchboard,
            config,
        )
        self.layer.user = self._user_agent
        self.layer.datagrams_only = lambda hop: self.directory.is_registered_by(hop, self._around.now())
        self.layer.manner_of = lambda request: self.directory.profile_of_sender(request).manner
        self.layer.stateless = self._user_agent.answer_stranger
        self.layer.admits = self.defence.admits
        self.switch.hosts.moved = self.defence.look
        self._keep_alive = KeepAlive(self.switch, self.directory)
        self._trunk_registrations = TrunkRegistrations(self.switch)
        self.restarting = Restarting(self.switch, self.directory)
        self._readings = {what: DeferredLock() for what in READ_ANEW}

    def _defended(self) -> tuple[Defence, Authentication]:
        """What stands between us and strangers."""
        nonces = Nonces(system_secrets.token_bytes(NONCE_KEY_BYTES))
        defence = Defence(
            self._around.clock,
            self._around.now,
            self._around.database,
            self._hosts,
            lambda nonce, host: nonces.check(nonce, int(self._around.now().timestamp()), host) is not FORGED,
        )
        return defence, Authentication(self.directory, nonces, self._around.now, defence)

    async def start(self) -> None:
        """Read what must be known at once, and after it what is told to be new meanwhile; then requests may come."""
        for lock in self._readings.values():
            await lock.acquire()
        try:
            await self.directory.read(self._around.now())
            await self.defence.start()
        finally:
            for lock in self._readings.values():
                lock.release()
        self._keep_alive.start()
        self._follow_trunks()

    async def read(self, what: str) -> None:
        """
        Read one of READ_ANEW anew, as another process has changed it; what else a notice names is not ours.

        However long the database is away: the connection for notices may be back before the others are.  One after
        another, so that a slow answer does not put back what has changed since.
        """
        lock = self._readings.get(what)
        if lock is None:
            return
        async with lock:
            while True:
                try:
                    await self._read(what)
                except DatabaseAway:
                    await deferLater(self._around.clock, RETRY_SECONDS)
                else:
                    return

    async def _read(self, what: str) -> None:
        match what:
            case "prices":
                await self.directory.read_prices(self._around.now())
            case "buy_prices":
                await self.directory.read_buy_prices(self._around.now())
            case "exchange_rates":
                await self.directory.read_exchange_rates(self._around.now())
            case "bans":
                await self.defence.read()
            case "devices":
                await self.directory.read_devices()
                self.defence.look()
            case "trunks":
                await self.directory.read_trunks()
                self._follow_trunks()
                self.defence.look()
            case "numbers":
                await self.directory.read_numbers()

    def _follow_trunks(self) -> None:
        self._trunk_registrations.follow(self.directory.trunks)
        self._trunk_healths.follow(self.directory.trunks)

    def _hosts(self, instant: datetime) -> set[str]:
        """Who is never taken for a stranger: whom we know, and who is in a call."""
        return self.directory.hosts(instant) | {leg.hop.host for leg in self.switch.legs.values()}

    def drain(self) -> None:
        """Take no new calls; those that run go on."""
        self._user_agent.draining = True

    def stop(self) -> None:
        """End what runs.  Records are still being written when this returns: see ``open_records``."""
        self.drain()
        self._keep_alive.stop()
        self.defence.stop()
        self._trunk_registrations.stop()
        self._trunk_healths.stop()
        self.subscriptions.stop()
        self.running.stop_all()
        for leg in list(self.switch.legs.values()):
            leg.dismiss()

    def needs(self, hop: Hop) -> bool:
        """Whether somebody is reached by that connection: a telephone registered by it, or a party of a call."""
        return any(leg.hop == hop for leg in self.switch.legs.values()) or self.directory.is_registered_by(
            hop, self._around.now()
        )

    @property
    def open_records(self) -> int:
        """Calls begun in the database whose end is not written yet."""
        return self.dialling.open.records

    async def look_elsewhere(self) -> None:
        """What other processes on this database do with carriers that take so many calls and no more."""
        if any(trunk.capacity for trunk in self.directory.trunks):
            self.switch.engaged.elsewhere = await processes.calls_of_others(
                self._around.database, self.dialling.open.process_id, self._around.now()
            )

    def trunk_states(self) -> dict[str, dict[str, str | int | bool | None]]:
        """How each trunk is doing, as JSON knows it."""
        return {trunk.name: self._trunk_state(trunk.name) for trunk in self.directory.trunks}

    def _trunk_state(self, name: str) -> dict[str, str | int | bool | None]:
        health, registration = self._trunk_healths.of(name), self._trunk_registrations.of(name)
        until = registration.until if registration is not None else None
        return {
            "calls": self.switch.engaged.lines(name),
            "up": health.up if health is not None else None,
            "up_since": health.since.isoformat() if health is not None and health.since is not None else None,
            "health_failure": health.failure if health is not None else None,
            "registered_until": until.isoformat() if until is not None else None,
            "registration_failure": registration.failure if registration is not None else None,
        }

    def counters(self) -> dict[str, int]:
        """What is alive; all but the registrations and the uptime return to zero after the last call."""
        return {
            "legs": len(self.switch.legs),
            "dialogs": sum(leg.dialog is not None for leg in self.switch.legs.values()),
            "transactions": len(self.layer),
            "rtp_ports": self._around.media.ports_in_use,
            "reservations": self.open_records,
            "timers": self.layer.timers_alive,
            "calls": len(self.running),
            "registered": self.directory.registered(self._around.now()),
            "uptime_seconds": int(self._around.clock.seconds() - self._started),
        }
