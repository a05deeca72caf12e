"""
The house against whoever does not belong to it: what the walls (sip.admission) and the memory of attempts (calls.suspects)
find is banned here, in the database, so that every process knows and a restart forgets nothing.

An address of a carrier or of a telephone that is registered is never banned: there, only a name is closed to whoever
guesses at its password, so that two telephones behind one router do not lock each other out. Nor is any other address for
what somebody else could have sent in its name: that needs a connection, or credentials with a nonce that was given to it.
Without such a proof it is doubted, and still heard of as much as somebody innocent needs to show who he is.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from minitelecom.calls.suspects import Suspects
from minitelecom.sip.admission import Admission, Bucket, Doubt, network_of
from minitelecom.sip.hop import Hop
from minitelecom.store import bans
from minitelecom.store.bans import Ban, Reason
from minitelecom.store.database import Database, DatabaseAway

log = Logger()

LOOK_SECONDS = 10.0  # between looks at which hosts are ours
BURST, PER_SECOND = 50.0, 0.5  # of bans: a flood of forged addresses is dropped, not written down
AWAY_SECONDS = 60.0  # that a ban lasts in memory before, or without, the database's word
FOR_EVER = float("inf")


class Defence:
    """Bans, and who is banned.  ``hosts`` tells the hosts that are ours at an instant; ``vouched``: see Admission."""

    def __init__(
        self,
        clock: IReactorTime,
        now: Callable[[], datetime],
        database: Database,
        hosts: Callable[[datetime], set[str]],
        vouched: Callable[[str, str], bool],
    ) -> None:
        self.admission = Admission(vouched, self._found_scanner)
        self._clock = clock
        self._now = now
        self._database = database
        self._hosts = hosts
        self._suspects = Suspects()
        # Apart, so that a flood of forgeries keeps no ban from whoever has earned it.
        self._paces = {proved: Bucket(BURST, PER_SECOND, clock.seconds()) for proved in (False, True)}
        self._closed: dict[tuple[str, str], float] = {}
        self._loop = LoopingCall(self.look)
        self._loop.clock = clock

    async def start(self) -> None:
        await self.read()
        self._loop.start(LOOK_SECONDS).addErrback(lambda failure: log.failure("defence is blind", failure=failure))

    def stop(self) -> None:
        if self._loop.running:
            self._loop.stop()

    def look(self) -> None:
        """Which hosts are ours may have changed."""
        self.admission.ours = self._hosts(self._now())

    def admits(self, data: bytes, source: Hop) -> bool:
        """See TransactionLayer."""
        return self.admission.admits(data, source.host, self._clock.seconds(), proved=source.is_reliable)

    async def read(self) -> None:
        """The bans that are in force, as whichever process imposed or released them has it."""
        found = await bans.in_force(self._database, self._now())
        hosts = [ban for ban in found if ban.name is None]
        self.admission.banned = {ban.address: self._until(ban) for ban in hosts if ban.proved}
        self.admission.doubted = {ban.address: Doubt(self._until(ban)) for ban in hosts if not ban.proved}
        self._closed = {(ban.address, ban.name): self._until(ban) for ban in found if ban.name is not None}

    def _until(self, ban: Ban) -> float:
        if ban.until is None:
            return FOR_EVER
        return self._clock.seconds() + (ban.until - self._now()).total_seconds()

    # What is tried.

    def is_closed(self, host: str, name: str) -> bool:
        """Whether nobody there is believed to be of this name."""
        until = self._closed.get((network_of(host), name)) if self._closed else None
        return until is not None and self._clock.seconds() < until

    def asked(self, source: Hop, name: str) -> None:
        """A stranger asks for something, by this name, and knows no password."""
        if source.host in self.admission.ours:
            return
        offence = self._suspects.asked(network_of(source.host), name, self._clock.seconds())
        if offence is not None:
            self._ban(source.host, offence.value, proved=source.is_reliable)

    def failed(self, host: str, name: str) -> None:
        """Somebody there has a nonce of ours, and does not know the password, or is not believed to."""
        network, now = network_of(host), self._clock.seconds()
        if self.is_closed(host, name):
            offence = self._suspects.knocked(network, now)
        else:
            of_the_name, offence = self._suspects.failed(network, name, now)
            if of_the_name and name and self._paces[True].take(now):
                self._impose(network, name, "wrong-passwords", proved=True)
        if offence is not None:
            self._ban(host, offence.value, proved=True)

    def proved(self, host: str, name: str) -> None:
        """Whoever is there has shown the right password."""
        network = network_of(host)
        self._suspects.proved(network, name)
        self.admission.doubted.pop(network, None)

    def _found_scanner(self, host: str, proved: bool) -> None:
        self._ban(host, "scanner", proved=proved)

    # What follows.

    def _ban(self, host: str, reason: Reason, *, proved: bool) -> None:
        network = network_of(host)
        if host in self.admission.ours or network in self.admission.banned:
            return
        if network in self.admission.doubted and not proved:
            return
        if not self._paces[proved].take(self._clock.seconds()):
            return
        self.look()  # last, as it is work: it may have registered a moment ago
        if not any(network_of(one) == network for one in self.admission.ours):
            self._impose(network, None, reason, proved=proved)

    def _impose(self, network: str, name: str | None, reason: Reason, *, proved: bool) -> None:
        """At once for a while, and for as long as the database says as soon as it does."""
        self._put_out(network, name, self._clock.seconds() + AWAY_SECONDS, proved=proved)
        Deferred.fromCoroutine(self._write(network, name, reason, proved=proved)).addErrback(
            lambda failure: log.failure("a ban was not written", failure=failure)
        )

    def _put_out(self, network: str, name: str | None, until: float, *, proved: bool) -> None:
        if name is not None:
            self._closed[network, name] = until
        elif proved:
            self.admission.banned[network] = until
            self.admission.doubted.pop(network, None)
        else:
            self.admission.doubted[network] = Doubt(until)

    async def _write(self, network: str, name: str | None, reason: Reason, *, proved: bool) -> None:
        who = network if name is None else f"{name!r} at {network}"
        what = "banned" if proved else "doubted"
        try:
            ban = await bans.impose(self._database, network, name, reason, self._now(), proved=proved)
        except DatabaseAway:
            log.warn("{who} is {what} for a minute ({reason}); the database is away", who=who, what=what, reason=reason)
            return
        if ban is None or ban.until is None:
            return
        until = self._until(ban)
        self._put_out(network, name, until, proved=proved)
        length = timedelta(seconds=round(until - self._clock.seconds()))
        log.warn("{who} is {what} for {length}: {reason}", who=who, what=what, length=length, reason=reason)
