"""
The transport layer (RFC 3261 section 18): SIP over UDP, and all transports as one. An edge: it has sockets.

What comes in is handed on with the hop it came from; what that means is the transaction layer's. An answer leaves by the socket
that last heard from its hop, as a router or a firewall between us lets only that one through.
"""

from collections.abc import Callable, Mapping
from errno import EAGAIN, ENOBUFS

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.error import MessageLengthError
from twisted.internet.interfaces import IReactorTCP, IReactorTime, IReactorUDP, IUDPTransport
from twisted.internet.protocol import DatagramProtocol
from twisted.internet.udp import Port

from minitelecom.sip.framing import LARGEST_MESSAGE
from minitelecom.sip.hop import Hop, is_address
from minitelecom.sip.sockets import listen_datagram
from minitelecom.sip.streams import Receiver, Security, Streams

MOST_HOPS_REMEMBERED = 20_000

FULL = frozenset({EAGAIN, ENOBUFS})


class Reactor(IReactorUDP, IReactorTCP):
    """Both at once."""


class UdpTransport(DatagramProtocol):
    """One listening socket."""

    transport: IUDPTransport | None

    def __init__(self, received: Callable[[bytes, Hop], None]) -> None:
        self._received = received
        self._write: Callable[[bytes, tuple[str, int]], object] = _nowhere

    def startProtocol(self) -> None:
        """Twisted's port would look at the address each time, which costs as much as the rest of what it does."""
        assert self.transport is not None
        self._write = self.transport.socket.sendto if isinstance(self.transport, Port) else self.transport.write

    def stopProtocol(self) -> None:
        self._write = _nowhere

    def datagramReceived(self, datagram: bytes, addr: tuple[str, int]) -> None:
        self._received(datagram, Hop("udp", addr[0], addr[1]))

    def send(self, data: bytes, hop: Hop) -> None:
        """Raises OSError when the datagram can't leave."""
        if not is_address(hop.host):  # the system would ask a name server, and wait for it
            raise OSError(f"{hop.host} is not an address")
        try:
            self._write(data, (hop.host, hop.port))
        except (MessageLengthError, ValueError, OverflowError) as error:  # too long; not a port
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
        listening = listen_datagram(self._reactor, host, port, door, LARGEST_MESSAGE)
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


class Transports:
    """UDP and connections as one; `attach` before anything listens."""

    def __init__(self, reactor: Reactor, clock: IReactorTime, security: Mapping[str, Security] | None = None) -> None:
        self._udp = UdpTransports(reactor, self._received)
        self._streams = Streams(reactor, clock, security)
        self.connected = self._streams.connected

    @property
    def connections(self) -> int:
        return len(self._streams)

    def attach(self, receiver: Receiver, needed: Callable[[Hop], bool]) -> None:
        """Say who is told what comes, and which connections may stay although nothing comes by them."""
        self._receiver = self._streams.receiver = receiver
        self._streams.needed = needed

    def listen(self, transport: str, host: str, port: int) -> int:
        """Begin to listen; returns the port, which the system chose if it was 0. Raises CannotListenError."""
        return self._udp.listen(host, port) if transport == "udp" else self._streams.listen(transport, host, port)

    def send(self, data: bytes, hop: Hop) -> None:
        """Raises OSError where it is clear at once that it can't arrive."""
        if hop.transport == "udp":
            self._udp.send(data, hop)
        else:
            self._streams.send(data, hop)

    async def close(self) -> None:
        await self._udp.close()
        await self._streams.close()

    def _received(self, data: bytes, source: Hop) -> None:
        self._receiver.datagram_received(data, source)


def _nowhere(_data: bytes, _address: tuple[str, int]) -> None:
    raise OSError("not listening")
