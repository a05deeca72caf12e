"""
SIP over UDP (RFC 3261 section 18): datagrams in and out, on one listening address or several. An edge: it has sockets.

What comes in is handed on with the hop it came from; what that means is the transaction layer's. An answer leaves by the socket
that last heard from its hop, as a router or a firewall between us lets only that one through.
"""

import socket
from collections.abc import Callable
from errno import EAGAIN, ENOBUFS

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.error import MessageLengthError
from twisted.internet.interfaces import IReactorUDP, IUDPTransport
from twisted.internet.protocol import DatagramProtocol
from twisted.internet.udp import Port

from minitelecom.sip.framing import LARGEST_MESSAGE
from minitelecom.sip.hop import Hop

MOST_HOPS_REMEMBERED = 20_000

RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024
"""A tenth of a second in which the reactor does something else is a few hundred datagrams: the system keeps them."""

SO_RCVBUFFORCE = 33  # Linux; past the system's limit, for root
FULL = frozenset({EAGAIN, ENOBUFS})


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
        except OSError as error:
            if error.errno not in FULL:  # then it is as good as lost on the way, and will be sent again
                raise


class UdpTransports:
    """All listening sockets as one: what the transaction layer sends by."""

    def __init__(self, reactor: IReactorUDP, received: Callable[[bytes, Hop], None]) -> None:
        self._reactor = reactor
        self._received = received
        self._doors: list[tuple[str, UdpTransport]] = []
        self._heard: dict[Hop, UdpTransport] = {}

    def listen(self, host: str, port: int) -> int:
        """Begin to listen; returns the port, which the system chose if it was 0. Raises CannotListenError."""
        door = UdpTransport(lambda data, hop: self._receive(door, data, hop))
        listening = self._reactor.listenUDP(port, door, interface=host, maxPacketSize=LARGEST_MESSAGE)
        if isinstance(listening, Port):
            _widen(listening.socket)
        self._doors.append((host, door))
        address = listening.getHost()
        assert isinstance(address, IPv4Address | IPv6Address)
        return int(address.port)

    async def close(self) -> None:
        doors, self._doors = self._doors, []
        for _, door in doors:
            closed = None if door.transport is None else door.transport.stopListening()
            if closed is not None:
                await closed

    def send(self, data: bytes, hop: Hop) -> None:
        """Raises OSError when the datagram can't leave."""
        door = self._heard.get(hop) or self._of_family(hop)
        door.send(data, hop)

    def _receive(self, door: UdpTransport, data: bytes, hop: Hop) -> None:
        if len(self._doors) > 1 and self._heard.get(hop) is not door:
            self._heard.pop(hop, None)
            self._heard[hop] = door
            if len(self._heard) > MOST_HOPS_REMEMBERED:
                del self._heard[next(iter(self._heard))]
        self._received(data, hop)

    def _of_family(self, hop: Hop) -> UdpTransport:
        for host, door in self._doors:
            if (":" in host) == (":" in hop.host):
                return door
        raise OSError("no listening address of this family")


def _widen(opened: socket.socket) -> None:
    try:
        opened.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER_BYTES)
    except OSError:  # not root, or not Linux: as much as the system allows
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
