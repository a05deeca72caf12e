"""Which address of ours a far end must be told: our own on the local networks, the external one beyond a router."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from ipaddress import ip_address, ip_network

from minitelecom.sip.hop import Hop

LOOPBACK = ("127.0.0.0/8", "::1/128")

MOST_KNOWN = 10_000  # hosts of which we remember what was found out


class Addresses:
    """
    Answers for Via, Contact and SDP.

    ``route`` tells which of our interface addresses the system would send from to reach an address; its answers are
    kept, since a shop's network changes less often than its calls.
    """

    def __init__(self, external: str, local: Sequence[str], port: int, route: Callable[[str], str]) -> None:
        self._external = external
        self._local = [ip_network(network) for network in (*LOOPBACK, *local)]
        self._port = port
        self._route = lru_cache(MOST_KNOWN)(route)
        self.is_local = lru_cache(MOST_KNOWN)(self._is_local)
        """Whether an address lies in a network we speak to with our own address."""

    def _is_local(self, host: str) -> bool:
        return is_address(host) and any(ip_address(host) in network for network in self._local)

    def towards(self, hop: Hop) -> tuple[str, int]:
        """Our host and SIP port as that hop must see them."""
        return self.host_towards(hop.host), self._port

    def host_towards(self, host: str) -> str:
        if self._external and not self.is_local(host):
            return self._external
        return self._route(host)


@lru_cache(MOST_KNOWN)
def is_address(host: str) -> bool:
    """Whether a host is an address and not a name."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
