"""
Addresses of host names (RFC 1035), remembered: no call waits for a name server that is away, and who calls from an address
is known by the name we know the carrier by.
"""

from collections.abc import Iterable
from typing import Protocol

from twisted.internet.defer import Deferred, DeferredLock
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from minitelecom.calls.addresses import is_address

log = Logger()

FRESH_SECONDS = 60.0  # so long an answer is good enough without asking again
AGAIN_SECONDS = 10.0  # so long a name that nobody could tell is not asked for again
LONGEST_SECONDS = 2.0  # that anybody waits for a name server


class Resolver(Protocol):
    """Finds the address of a host name; fails with an OSError or a DNS failure."""

    def __call__(self, name: str) -> Deferred[str]: ...


class Hosts:
    """What we know of host names.  The few that there are come from trunks and devices, so none is ever forgotten."""

    def __init__(self, clock: IReactorTime, resolve: Resolver) -> None:
        self._clock = clock
        self._resolve = resolve
        self._addresses: dict[str, str] = {}
        self._asked: dict[str, float] = {}
        self._locks: dict[str, DeferredLock] = {}

    async def find(self, host: str) -> str | None:
        """Where a host is; where nobody can say so now, where it was; None where nobody ever could."""
        if is_address(host):
            return host
        if not self._is_fresh(host):
            lock = self._locks.setdefault(host, DeferredLock())
            await lock.acquire()
            try:
                if not self._is_fresh(host):  # whoever was before us may have asked
                    await self._ask(host)
            finally:
                lock.release()
        return self._addresses.get(host)

    def _is_fresh(self, host: str) -> bool:
        asked = self._asked.get(host)
        enough = FRESH_SECONDS if host in self._addresses else AGAIN_SECONDS
        return asked is not None and self._clock.seconds() - asked < enough

    async def _ask(self, host: str) -> None:
        try:
            self._addresses[host] = await self._resolve(host).addTimeout(LONGEST_SECONDS, self._clock)
        except Exception as failure:  # noqa: BLE001 - resolvers fail in many ways, and each means: not now
            log.warn("{host} cannot be found: {why}", host=host, why=str(failure))
        self._asked[host] = self._clock.seconds()

    def look_up(self, hosts: Iterable[str]) -> None:
        """Find them, without anybody waiting."""
        for host in hosts:
            Deferred.fromCoroutine(self.find(host))

    def names_of(self, address: str) -> list[str]:
        """The names that lead to an address, as far as we have asked."""
        return [name for name, found in self._addresses.items() if found == address]
