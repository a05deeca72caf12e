"""
SIP over connections (RFC 3261 section 18, RFC 5626): TCP, and TLS over it. An edge: it has sockets and a clock.

A connection is known by the hop at its other end, whoever opened it. An answer leaves by the connection that the request
came on (18.2.2; where that is gone, see server_transaction), a request by the one to its hop; where there is none it is opened, and what is to be said waits until it
stands. Whoever waited for something on a connection that is lost, or never stood, is told so.

Strangers may open connections too, so each has a deadline: for its first message, for the rest of a message that has begun,
for the next one. Telephones and carriers that we know may be silent for longer.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from ipaddress import ip_address
from typing import Any, Protocol

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import (
    IAddress,
    IConnector,
    IConsumer,
    IDelayedCall,
    IHandshakeListener,
    IListeningPort,
    IPushProducer,
    IReactorTCP,
    IReactorTime,
    ITCPTransport,
)
from twisted.internet.protocol import ClientFactory, ServerFactory, connectionDone
from twisted.internet.protocol import Protocol as TwistedProtocol
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from minitelecom.sip.framing import Broken, Keepalive, StreamFramer
from minitelecom.sip.hop import Hop
from minitelecom.sip.sockets import listen_stream

log = Logger()

MOST_CONNECTIONS = 5000
MOST_OF_ONE_ADDRESS = 200  # a whole office behind one router; of IPv6, a network of 64 bits counts as one address
MOST_OPENED_BY_US = 2000
MOST_WAITING = 200  # messages, until a connection stands

CONNECT_SECONDS = 4.0  # time for three SYNs; the handshake of TLS may take as long again
FIRST_SECONDS = 10.0  # for the first message, with the handshake of TLS
MESSAGE_SECONDS = 10.0  # from the first byte of a message to its last
IDLE_SECONDS = 600.0  # without a message; then whoever is not needed any more goes
PING_SECONDS = 100.0  # on a connection that we opened (RFC 5626 4.4.1: between 95 and 120)
FULL_SECONDS = 10.0  # that a far end may take to read what we have written
FAREWELL_SECONDS = 2.0  # from our last word on a broken stream until it is cut
LOOK_SECONDS = 1.0

PING, PONG = b"\r\n\r\n", b"\r\n"


class Receiver(Protocol):
    """Who is told what comes."""

    def datagram_received(self, data: bytes, source: Hop) -> None:
        """A whole message."""

    def stream_broken(self, broken: Broken, source: Hop) -> None:
        """What comes from there cannot be cut into messages; the connection is closed after the answer."""

    def connection_lost(self, hop: Hop) -> None:
        """What was sent there and is not answered yet will not be."""


class Security(Protocol):
    """What TLS needs: makes a protocol factory one that speaks TLS."""

    def server(self, inner: ServerFactory) -> ServerFactory: ...

    def client(self, inner: ClientFactory, hop: Hop) -> ClientFactory: ...


class IConnection(ITCPTransport, IConsumer):
    """What Twisted's connections are."""


@implementer(IPushProducer, IHandshakeListener)
class Connection(TwistedProtocol):
    """One connection; before it stands, the wish for one."""

    transport: IConnection | None

    def __init__(self, streams: "Streams", hop: Hop, now: float) -> None:
        self.hop = hop
        self.connector: IConnector | None = None  # of one that we open
        self._streams = streams
        self._framer = StreamFramer()
        self._waiting: list[bytes] | None = []  # until it stands
        self._heard = False
        self._deadline = now + (FIRST_SECONDS if hop.theirs else 2 * CONNECT_SECONDS)
        self._is_late = False  # a message has begun: more bytes of it do not move the deadline
        self._full_until: float | None = None
        self._ping_at = now + PING_SECONDS
        self._ends = False

    # What the transport tells.

    def connectionMade(self) -> None:
        assert self.transport is not None
        self.transport.setTcpNoDelay(True)
        self.transport.setTcpKeepAlive(True)
        self.transport.registerProducer(self, streaming=True)
        if not self._streams.is_secured(self.hop):
            self.handshakeCompleted()

    def handshakeCompleted(self) -> None:
        waiting, self._waiting = self._waiting or [], None
        if not self.hop.theirs:
            self._wait(IDLE_SECONDS)
        if waiting:
            self._write(b"".join(waiting))

    def dataReceived(self, data: bytes) -> None:
        for one in self._framer.feed(data):
            if self._ends:
                return
            if isinstance(one, bytes):
                self._heard = True
                self._is_late = False
                self._streams.receiver.datagram_received(one, self.hop)
            elif one is Keepalive.PING and self._full_until is None:
                self._write(PONG)
            elif isinstance(one, Broken):
                self._streams.receiver.stream_broken(one, self.hop)
                self._part()
                return
        if self._framer.within:
            if not self._is_late:
                self._is_late = True
                self._wait(MESSAGE_SECONDS if self._heard else FIRST_SECONDS)
        elif self._heard:
            self._wait(IDLE_SECONDS)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._ends = True
        self.connector = None  # which knows us
        self._streams.lost(self, reason)

    def pauseProducing(self) -> None:
        self._full_until = self._streams.now() + FULL_SECONDS

    def resumeProducing(self) -> None:
        self._full_until = None

    def stopProducing(self) -> None:
        """The connection is about to be lost."""

    # What others want.

    def send(self, data: bytes) -> None:
        """Raises OSError where it cannot be taken."""
        if self._ends or self._full_until is not None:
            raise OSError("the far end does not read")
        if self._waiting is None:
            self._write(data)
        elif len(self._waiting) < MOST_WAITING:
            self._waiting.append(data)
        else:
            raise OSError("too much waits for a connection")

    def look(self, now: float) -> None:
        """Once in a while: is anything overdue?"""
        if self._full_until is not None and now >= self._full_until:
            self.cut("does not read what we write")
        elif now >= self._deadline:
            idle = self._heard and not self._framer.within
            stays = (idle or not self.hop.theirs) and self._waiting is None and not self._ends
            if stays and self._streams.needed(self.hop):
                self._wait(IDLE_SECONDS)
            else:
                self.cut("is silent" if idle else "takes too long")
        elif now >= self._ping_at and not self.hop.theirs and self._waiting is None:
            self._ping_at = now + PING_SECONDS
            self._framer.expect_pong()
            self._write(PING)

    def cut(self, why: str) -> None:
        """End it now."""
        log.debug("the connection to {hop} is cut: it {why}", hop=self.hop, why=why)
        self._ends = True
        if self.transport is not None:
            self.transport.abortConnection()
        elif self.connector is not None:
            self.connector.stopConnecting()

    def _wait(self, seconds: float) -> None:
        self._deadline = self._streams.now() + seconds

    def _write(self, data: bytes) -> None:
        assert self.transport is not None
        self._ping_at = self._streams.now() + PING_SECONDS
        self.transport.write(data)

    def _part(self) -> None:
        """End it as soon as what was written has left."""
        assert self.transport is not None
        self._ends = True
        self._wait(FAREWELL_SECONDS)
        self.transport.loseConnection()


class _Door(ServerFactory):
    """Where strangers knock."""

    noisy = False

    def __init__(self, streams: "Streams", transport: str) -> None:
        self._streams = streams
        self._transport = transport

    def buildProtocol(self, addr: IAddress | None) -> Connection | None:
        assert isinstance(addr, IPv4Address | IPv6Address)
        return self._streams.accept(Hop(self._transport, addr.host, addr.port, theirs=True))


class _Opening(ClientFactory):
    """One connection that we open."""

    noisy = False

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def buildProtocol(self, addr: IAddress | None) -> Connection | None:
        return self._connection

    def clientConnectionFailed(self, connector: IConnector, reason: Failure) -> None:
        self._connection.connectionLost(reason)


class Streams:
    """All connections as one: what the transaction layer sends by."""

    def __init__(
        self,
        reactor: IReactorTCP,
        clock: IReactorTime,
        security: Mapping[str, Security] | None = None,
    ) -> None:
        self.receiver: Receiver
        self.needed: Callable[[Hop], bool]
        """Whether a connection may stay although nothing comes by it: a telephone registered by it, a call is under way."""
        self.now = clock.seconds
        self._clock = clock
        self._reactor = reactor
        self._security = security or {}
        self._connections: dict[Hop, Connection] = {}
        self._addresses: Counter[str] = Counter()
        self._opened_by_us = 0
        self._ports: list[IListeningPort] = []
        self._look: IDelayedCall | None = None

    def __len__(self) -> int:
        return len(self._connections)

    def listen(self, transport: str, host: str, port: int) -> int:
        """Begin to listen; returns the port, which the system chose if it was 0. Raises CannotListenError."""
        door: ServerFactory = _Door(self, transport)
        security = self._security.get(transport)
        if security is not None:
            door = security.server(door)
        listening = listen_stream(self._reactor, host, port, door)
        self._ports.append(listening)
        address: Any = listening.getHost()
        return int(address.port)

    async def close(self) -> None:
        ports, self._ports = self._ports, []
        for port in ports:
            closed = port.stopListening()
            if closed is not None:
                await closed
        for connection in list(self._connections.values()):
            connection.cut("belongs to the past")
        if self._look is not None:
            self._look.cancel()
            self._look = None

    def is_secured(self, hop: Hop) -> bool:
        return hop.transport in self._security

    def connected(self, hop: Hop) -> bool:
        """Whether there is a connection, or one is being opened."""
        return hop in self._connections

    def send(self, data: bytes, hop: Hop) -> None:
        """Raises OSError where it is clear at once that it can't arrive; `connection_lost` tells it later."""
        connection = self._connections.get(hop)
        if connection is None:
            connection = self._open(hop)
        connection.send(data)

    def accept(self, hop: Hop) -> Connection | None:
        """A stranger's connection; None where there are too many."""
        if len(self._connections) >= MOST_CONNECTIONS or self._addresses[_house(hop.host)] >= MOST_OF_ONE_ADDRESS:
            log.debug("no more connections from {hop}", hop=hop)
            return None
        self._addresses[_house(hop.host)] += 1
        return self._begin(hop)

    def lost(self, connection: Connection, reason: Failure) -> None:
        """A connection is no more, or did not come about."""
        hop = connection.hop
        if self._connections.get(hop) is not connection:
            return
        del self._connections[hop]
        if hop.theirs:
            self._addresses[_house(hop.host)] -= 1
            if not self._addresses[_house(hop.host)]:
                del self._addresses[_house(hop.host)]
        else:
            self._opened_by_us -= 1
            log.debug("no connection to {hop}: {why}", hop=hop, why=reason.getErrorMessage())
        self.receiver.connection_lost(hop)

    def _open(self, hop: Hop) -> Connection:
        if hop.theirs:
            raise OSError("the connection is gone, and only the far end can open another")
        if self._opened_by_us >= MOST_OPENED_BY_US:
            raise OSError("too many connections")
        if not 0 < hop.port <= 65535:
            raise OSError("no such port")
        security = self._security.get(hop.transport)
        if security is None and hop.transport != "tcp":
            raise OSError(f"{hop.transport} is not spoken here")
        connection = self._begin(hop)
        self._opened_by_us += 1
        opening: ClientFactory = _Opening(connection)
        if security is not None:
            opening = security.client(opening, hop)
        connection.connector = self._reactor.connectTCP(hop.host, hop.port, opening, timeout=CONNECT_SECONDS)
        return connection

    def _begin(self, hop: Hop) -> Connection:
        connection = self._connections[hop] = Connection(self, hop, self.now())
        if self._look is None:
            self._look = self._clock.callLater(LOOK_SECONDS, self._look_after)
        return connection

    def _look_after(self) -> None:
        self._look = None
        now = self.now()
        for connection in list(self._connections.values()):
            connection.look(now)
        if self._connections:
            self._look = self._clock.callLater(LOOK_SECONDS, self._look_after)


def _house(host: str) -> str:
    """What counts as one address: of IPv6 the network, since whoever has one address there has them all."""
    return f"{int(ip_address(host.partition('%')[0])) >> 64:x}::" if ":" in host else host
