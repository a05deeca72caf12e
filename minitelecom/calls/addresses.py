"""Which address of ours a far end must be told: our own on the local networks, the external one beyond a router."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from ipaddress import ip_address, ip_network

from minitelecom.sip.hop import Hop, default_port, is_address
from minitelecom.sip.locating import TRANSPORTS, transport_of
from minitelecom.sip.uri import Uri

LOOPBACK = ("127.0.0.0/8", "::1/128")

MOST_KNOWN = 10_000  # hosts of which we remember what was found out


class Addresses:
    """
    Answers for Via, Contact and SDP.

    ``ports`` are those we listen on, by transport.  ``route`` tells which of our interface addresses the system would send
    from to reach an address; its answers are kept, since a shop's network changes less often than its calls.
    """

    def __init__(
        self, external: str, local: Sequence[str], ports: Mapping[str, int], route: Callable[[str], str]
    ) -> None:
        self._external = external
        self._local = [ip_network(network) for network in (*LOOPBACK, *local)]
        self._ports = ports
        self._route = lru_cache(MOST_KNOWN)(route)
        self.is_local = lru_cache(MOST_KNOWN)(self._is_local)
        """Whether an address lies in a network we speak to with our own address."""

    def _is_local(self, host: str) -> bool:
        return is_address(host) and any(ip_address(host) in network for network in self._local)

    def towards(self, hop: Hop) -> tuple[str, int]:
        """Our host and SIP port as that hop must see them; the usual port where we only speak its transport."""
        port = self._ports.get(hop.transport)
        return self.host_towards(hop.host), default_port(hop.transport) if port is None else port

    def next_hop(self, uri: Uri, heard: Hop, *, connected: bool = True) -> Hop:
        """
        Where a URI of a far end leads: to where it was heard, too, if the URI names no address, or one that is true only
        behind its own router, or the far end of a connection that is open; ``connected`` tells whether the one is by which
        it was heard.
        """
        host = uri.host.strip("[]")
        if not is_address(host) or (self.is_local(host) and not self.is_local(heard.host)):
            return heard
        named = transport_of(uri)
        transport = named if named in TRANSPORTS else heard.transport
        if heard.theirs and connected and (transport, host) == (heard.transport, heard.host):
            return heard
        return Hop(transport, host, uri.port or default_port(transport), heard.domain if transport == "tls" else "")

    def host_towards(self, host: str) -> str:
        if self._external and (":" in self._external) == (":" in host) and not self.is_local(host):
            return self._external
        return self._route(host)
