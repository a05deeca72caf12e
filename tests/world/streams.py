"""A network of connections in memory: bytes carried by the clock in their order, cut at random on the way."""

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from twisted.internet import error
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import IAddress, IConsumer, IProtocol, IPushProducer, IReactorTCP, ITCPTransport
from twisted.internet.protocol import ClientFactory, ServerFactory
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from zope.interface import implementer

BUFFER_BYTES = 65536
FIRST_EPHEMERAL = 40000


def address(host: str, port: int) -> IAddress:
    return (IPv6Address if ":" in host else IPv4Address)("TCP", host, port)


@implementer(ITCPTransport, IConsumer)
class End:
    """One end of a connection."""

    disconnecting = False

    def __init__(self, network: "StreamNetwork", host: str, port: int) -> None:
        self.host, self.port = host, port
        self.protocol: IProtocol
        self.other: End
        self.reads = True  # else what is written to it stays in the writer's buffer
        self.answers_farewells = True  # else whoever wants to part waits for ever
        self.closed = False
        self._network = network
        self._unread = b""
        self._producer: IPushProducer | None = None
        self._paused = False

    # What protocols want.

    def write(self, data: bytes) -> None:
        if not self.closed and not self.disconnecting:
            self._network.carried.append(data)
            self._network.carry(lambda: self.other.arrive(data))

    def writeSequence(self, iovec: list[bytes]) -> None:
        self.write(b"".join(iovec))

    def loseConnection(self) -> None:
        if not self.disconnecting:
            self.disconnecting = True
            if self.other.answers_farewells:
                self._network.carry(lambda: self._end(error.ConnectionDone(), error.ConnectionDone()))

    def abortConnection(self) -> None:
        self.disconnecting = True
        self._network.carry(lambda: self._end(error.ConnectionLost(), error.ConnectionLost()))

    def registerProducer(self, producer: IPushProducer, streaming: bool) -> None:
        self._producer = producer

    def unregisterProducer(self) -> None:
        self._producer = None

    def getPeer(self) -> IAddress:
        return address(self.other.host, self.other.port)

    def getHost(self) -> IAddress:
        return address(self.host, self.port)

    def setTcpNoDelay(self, enabled: bool) -> None: ...
    def setTcpKeepAlive(self, enabled: bool) -> None: ...

    # What the network does.

    def arrive(self, data: bytes) -> None:
        self._unread += data
        if not self.reads:
            self.other.is_full(len(self._unread) > BUFFER_BYTES)
            return
        unread, self._unread = self._unread, b""
        for piece in self._network.cut(unread):
            if not self.closed:
                self.protocol.dataReceived(piece)

    def read_on(self) -> None:
        self.reads = True
        self.other.is_full(False)
        self.arrive(b"")

    def is_full(self, full: bool) -> None:
        if full is self._paused or self._producer is None:
            return
        self._paused = full
        if full:
            self._producer.pauseProducing()
        else:
            self._producer.resumeProducing()

    def _end(self, reason: Exception, reason_there: Exception) -> None:
        for end, why in ((self, reason), (self.other, reason_there)):
            if not end.closed:
                end.closed = True
                end.protocol.connectionLost(Failure(why))


@dataclass
class Port:
    """A listening port."""

    network: "StreamNetwork"
    host: str
    port: int
    factory: ServerFactory

    def getHost(self) -> IAddress:
        return address(self.host, self.port)

    def stopListening(self) -> None:
        self.network.listening.pop((self.host, self.port), None)


@dataclass
class Connector:
    """A connection that is wanted."""

    host: "Host"
    target: tuple[str, int]
    factory: ClientFactory
    state: str = "connecting"

    def stopConnecting(self) -> None:
        self.fail(error.UserError())

    def fail(self, reason: Exception) -> None:
        if self.state == "connecting":
            self.state = "disconnected"
            self.factory.clientConnectionFailed(self, Failure(reason))


@implementer(IReactorTCP)
class Host:
    """What a reactor is to the programs of one host."""

    def __init__(self, network: "StreamNetwork", name: str) -> None:
        self.network, self.name = network, name

    def listenTCP(self, port: int, factory: ServerFactory, backlog: int = 50, interface: str = "") -> Port:
        opened = Port(self.network, self.name, port, factory)
        self.network.listening[self.name, port] = opened
        return opened

    def connectTCP(
        self, host: str, port: int, factory: ClientFactory, timeout: float = 30, bindAddress: object = None
    ) -> Connector:
        connector = Connector(self, (host, port), factory)
        if host in self.network.silent:
            self.network.clock.callLater(timeout, connector.fail, error.TimeoutError())
        else:
            self.network.carry(lambda: self.network.join(connector))
        return connector


@dataclass
class StreamNetwork:
    """Connections between hosts.  Where nobody listens they are refused; a silent host does not even refuse."""

    clock: Clock
    random: Random
    delay: float = 0.001
    silent: set[str] = field(default_factory=set)
    listening: dict[tuple[str, int], Port] = field(default_factory=dict)
    opened: list[End] = field(default_factory=list)
    """The accepting end of every connection there ever was."""
    carried: list[bytes] = field(default_factory=list)
    _ephemeral: int = FIRST_EPHEMERAL

    def host(self, name: str) -> Host:
        return Host(self, name)

    def carry(self, what: Callable[[], None]) -> None:
        self.clock.callLater(self.delay, what)

    def cut(self, data: bytes) -> list[bytes]:
        """As segments arrive: anywhere."""
        places = sorted(self.random.randrange(len(data)) for _ in range(self.random.randrange(3))) if data else []
        return [data[begin:end] for begin, end in zip([0, *places], [*places, len(data)], strict=True) if begin < end]

    def join(self, connector: Connector) -> None:
        if connector.state != "connecting":
            return
        host, port = connector.target
        there = self.listening.get((host, port))
        self._ephemeral += 1
        accepted = there and there.factory.buildProtocol(address(connector.host.name, self._ephemeral))
        if there is None or accepted is None:
            connector.fail(error.ConnectionRefusedError())
            return
        connector.state = "connected"
        near, far = End(self, connector.host.name, self._ephemeral), End(self, host, port)
        near.other, far.other = far, near
        near.protocol, far.protocol = connector.factory.buildProtocol(address(host, port)), accepted
        self.opened.append(far)
        far.protocol.makeConnection(far)
        near.protocol.makeConnection(near)
