"""Where a message came from or goes next: one hop of RFC 3261 section 18, as a value."""

from functools import lru_cache
from ipaddress import ip_address
from typing import NamedTuple

DEFAULT_PORT = 5060  # RFC 3261 19.1.2
DEFAULT_TLS_PORT = 5061

MOST_REMEMBERED = 20_000
"""Hosts of which we remember whether they are addresses: each message asks."""


class Hop(NamedTuple):
    """One end of the wire as we see it: a transport ("udp", "tcp", "tls"), an address and a port."""

    transport: str
    host: str
    port: int
    domain: str = ""
    """Whose certificate it must show (RFC 5922), where the connection is ours to open."""
    theirs: bool = False
    """The far end of a connection that it opened: reached by that one only, since nobody listens on such a port."""

    @property
    def is_reliable(self) -> bool:
        return self.transport != "udp"

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.transport}:{host}:{self.port}"


@lru_cache(MOST_REMEMBERED)
def is_address(host: str) -> bool:
    """Whether a host is an address and not a name."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def default_port(transport: str) -> int:
    return DEFAULT_TLS_PORT if transport == "tls" else DEFAULT_PORT
