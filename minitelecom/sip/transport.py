"""
SIP over UDP (RFC 3261 section 18): datagrams in and out, on one listening address or several. An edge: it has sockets.

What comes in is handed on with the hop it came from; what that means is the transaction layer's. An answer leaves by the socket
that last heard from its hop, as a router or a firewall between us lets only that one through.
"""

from collections.abc import Callable

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.error import MessageLengthError
from twisted.internet.interfaces import IReactorUDP, IUDPTransport
from twisted.internet.protocol import DatagramProtocol

from minitelecom.sip.framing import LARGEST_MESSAGE
from minitelecom.sip.hop import Hop

MOST_HOPS_REMEMBERED = 20_000


class UdpTransport(DatagramProtocol):
    """One listening socket."""

    transport: IUDPTransport | None

    def __init__(self, received: Callable[[bytes, Hop], None]) -> None:
        self._received = received

    def datagramReceived(self, datagram: bytes, addr: tuple[str, int]) -> None:
        self._received(datagram, Hop("udp", addr[0], addr[1]))

    def send(self, data: bytes, hop: Hop) -> None:
        """Raises OSError when the datagram can't leave."""
        if self.transport is None:
            raise OSError("not listening")
        try:
            self.transport.write(data, (hop.host, hop.port))
        except (MessageLengthError, ValueError, OverflowError) as error:  # too long; not an address; not a port
            raise OSError(str(error)) from error


class UdpTransports:
    """All listening sockets as one: what the transaction layer sends by."""

    def __init__(self, reactor: IReactorUDP, received: Callable[[bytes, Hop], None]) -> None:
        self._reactor = reactor
        self._received = received
        self._sockets: list[tuple[str, UdpTransport]] = []
        self._heard: dict[Hop, UdpTransport] = {}

    def listen(self, host: str, port: int) -> int:
        """Begin to listen; returns the port, which the system chose if it was 0. Raises CannotListenError."""
        socket = UdpTransport(lambda data, hop: self._receive(socket, data, hop))
        listening = self._reactor.listenUDP(port, socket, interface=host, maxPacketSize=LARGEST_MESSAGE)
        self._sockets.append((host, socket))
        address = listening.getHost()
        assert isinstance(address, IPv4Address | IPv6Address)
        return int(address.port)

    async def close(self) -> None:
        sockets, self._sockets = self._sockets, []
        for _, socket in sockets:
            closed = None if socket.transport is None else socket.transport.stopListening()
            if closed is not None:
                await closed

    def send(self, data: bytes, hop: Hop) -> None:
        """Raises OSError when the datagram can't leave."""
        socket = self._heard.get(hop) or self._of_family(hop)
        socket.send(data, hop)

    def _receive(self, socket: UdpTransport, data: bytes, hop: Hop) -> None:
        if len(self._sockets) > 1 and self._heard.get(hop) is not socket:
            self._heard.pop(hop, None)
            self._heard[hop] = socket
            if len(self._heard) > MOST_HOPS_REMEMBERED:
                del self._heard[next(iter(self._heard))]
        self._received(data, hop)

    def _of_family(self, hop: Hop) -> UdpTransport:
        for host, socket in self._sockets:
            if (":" in host) == (":" in hop.host):
                return socket
        raise OSError("no listening address of this family")
