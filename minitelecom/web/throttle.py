"""
Log-in attempts are slowed per address and per account.

Somebody who guesses from one address is stopped there after a few tries, without locking the operator out of her own
till; guesses at one name from many addresses are stopped by a wider limit. It lives in memory: a restart forgives.
"""

from collections import OrderedDict
from ipaddress import IPv6Address, ip_address

from twisted.internet.interfaces import IReactorTime

WINDOW_SECONDS = 900.0
TRIES_OF_ONE = 5  # at one name from one address
TRIES_FROM_ADDRESS = 20
TRIES_AT_ACCOUNT = 50
MOST_KEYS = 10_000

Key = tuple[str, str]

LOOPBACK = ("127.0.0.1", "::1", "::ffff:127.0.0.1")  # where a proxy on this machine brings everybody from


class Throttle:
    """Counts tries in a window that ends WINDOW_SECONDS after the last of them."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._tries: OrderedDict[Key, tuple[int, float]] = OrderedDict()

    def wait_seconds(self, address: str, account: str) -> int:
        """How long this one must wait before the next try; 0 means now."""
        waits = [self._wait(key, most) for key, most in self._limits(address, account)]
        return max(waits)

    def tried(self, address: str, account: str) -> None:
        """Counts a try before its password is looked at, so that a hundred at once are a hundred tries."""
        for key, _ in self._limits(address, account):
            self._tries[key] = (self._count(key) + 1, self._clock.seconds() + WINDOW_SECONDS)
            self._tries.move_to_end(key)
        while len(self._tries) > MOST_KEYS:
            self._tries.popitem(last=False)

    def succeeded(self, address: str, account: str) -> None:
        """Forgets the tries of this one at this name; of the wider limits it takes back only its own."""
        own, *wider = [key for key, _ in self._limits(address, account)]
        self._tries.pop(own, None)
        for key in wider:
            count, until = self._tries.get(key, (0, 0.0))
            self._tries[key] = (max(0, count - 1), until)

    def _limits(self, address: str, account: str) -> list[tuple[Key, int]]:
        network, name = network_of(address), account[:100].casefold()
        return [((network, name), TRIES_OF_ONE), ((network, ""), TRIES_FROM_ADDRESS), (("", name), TRIES_AT_ACCOUNT)]

    def _count(self, key: Key) -> int:
        count, until = self._tries.get(key, (0, 0.0))
        return count if until > self._clock.seconds() else 0

    def _wait(self, key: Key, most: int) -> int:
        if self._count(key) < most:
            return 0
        return int(self._tries[key][1] - self._clock.seconds()) + 1


def network_of(address: str) -> str:
    """Who shares one fate: an IPv4 address, or the /64 that one IPv6 customer has."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address[:64]
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return str(IPv6Address(int(parsed) >> 64 << 64))
    return str(parsed)
