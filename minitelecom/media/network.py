"""
UDP sockets for RTP, read through one epoll of their own.

A reactor's own UDP port spends more time on a datagram than relaying it takes: a logging context for each, a second
read that finds nothing, a check of the address before each write. Here the reactor watches a single descriptor, the
epoll, and one turn reads whatever came on any socket. A reactor that cannot watch descriptors (a simulated one) is
asked for ordinary UDP ports.
"""

import socket
from collections.abc import Callable
from select import EPOLLIN, epoll
from typing import Protocol

from twisted.internet.defer import Deferred
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort, IReactorFDSet, IReactorUDP, IReadDescriptor, IUDPTransport
from twisted.internet.protocol import DatagramProtocol
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from minitelecom.media.latch import Address
from minitelecom.media.rtp import MOST_BYTES

Hear = Callable[[bytes, Address], None]

_MOST_DATAGRAMS = 128  # in one turn: some two milliseconds
_READ_BYTES = MOST_BYTES + 1  # a longer datagram shows by its length
_EXPEDITED = 0xB8  # DSCP EF (RFC 3246): sound goes before the downloads on the shop's line

_log = Logger()


class Socket(Protocol):
    hear: Hear
    """Who is given what arrives; may be changed at any time."""

    def send(self, datagram: bytes, target: Address) -> None:
        """OSError when the network does not take it."""

    def close(self) -> Deferred[None] | None: ...


class Network(Protocol):
    def bind(self, number: int, hear: Hear) -> Socket:
        """A socket on that port, or CannotListenError."""

    def close(self) -> None: ...


@implementer(IReadDescriptor)
class EpollNetwork:
    """The one reader of many sockets."""

    def __init__(self, reactor: IReactorFDSet, interface: str) -> None:
        self._reactor = reactor
        self._interface = interface
        self._family = socket.AF_INET6 if ":" in interface else socket.AF_INET
        self._epoll = epoll()
        self._sockets: dict[int, EpollSocket] = {}
        reactor.addReader(self)

    def fileno(self) -> int:
        return self._epoll.fileno()

    def logPrefix(self) -> str:
        return "RTP"

    def connectionLost(self, reason: Failure) -> None:
        """The reactor lets go of us; our sockets are closed by close()."""

    def bind(self, number: int, hear: Hear) -> "EpollSocket":
        opened = socket.socket(self._family, socket.SOCK_DGRAM)
        try:
            opened.setblocking(False)
            if self._family == socket.AF_INET:
                opened.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, _EXPEDITED)
            else:
                opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)  # IPv4's port of this number is another's
                opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, _EXPEDITED)
            opened.bind((self._interface, number))
        except OSError as error:
            opened.close()
            raise CannotListenError(self._interface, number, error) from None  # type: ignore[no-untyped-call]
        bound = EpollSocket(self, opened, hear)
        self._sockets[opened.fileno()] = bound
        self._epoll.register(opened.fileno(), EPOLLIN)
        return bound

    def doRead(self) -> None:
        """One datagram from each socket that has any; epoll names it again if there are more."""
        sockets = self._sockets
        for number, _ in self._epoll.poll(0, _MOST_DATAGRAMS):
            readable = sockets.get(number)
            if readable is not None:
                readable.read()

    def forget(self, opened: socket.socket) -> None:
        self._epoll.unregister(opened.fileno())
        del self._sockets[opened.fileno()]

    def close(self) -> None:
        for bound in list(self._sockets.values()):
            bound.close()
        self._reactor.removeReader(self)
        self._epoll.close()


class EpollSocket:
    __slots__ = ("_network", "_receive", "_socket", "hear")

    def __init__(self, network: EpollNetwork, opened: socket.socket, hear: Hear) -> None:
        self.hear = hear
        self._receive = opened.recvfrom
        self._socket = opened
        self._network = network

    def read(self) -> None:
        try:
            datagram, source = self._receive(_READ_BYTES)
        except OSError:
            return  # nothing after all, or a report of something sent earlier
        try:
            self.hear(datagram, source[:2])
        except Exception:  # noqa: BLE001 - the door where a datagram enters: our mistake ends here, not the call
            _log.failure("A datagram from {source}:", source=source)

    def send(self, datagram: bytes, target: Address) -> None:
        self._socket.sendto(datagram, target)

    def close(self) -> None:
        self._network.forget(self._socket)
        self._socket.close()


class ReactorNetwork:
    """The same over a reactor's UDP ports."""

    def __init__(self, reactor: IReactorUDP, interface: str) -> None:
        self._reactor = reactor
        self._interface = interface

    def bind(self, number: int, hear: Hear) -> "ReactorSocket":
        bound = ReactorSocket(hear)
        bound.listening = self._reactor.listenUDP(number, bound, self._interface, _READ_BYTES)
        return bound

    def close(self) -> None:
        """Its sockets are closed one by one."""


class ReactorSocket(DatagramProtocol):
    noisy = False
    transport: IUDPTransport
    listening: IListeningPort

    def __init__(self, hear: Hear) -> None:
        self.hear = hear

    def datagramReceived(self, datagram: bytes, addr: Address) -> None:
        self.hear(datagram, addr)

    def send(self, datagram: bytes, target: Address) -> None:
        self.transport.write(datagram, target)

    def close(self) -> Deferred[None] | None:
        return self.listening.stopListening()


def network(reactor: IReactorUDP, interface: str) -> Network:
    """The best that this reactor allows."""
    watching = IReactorFDSet(reactor, None)
    return ReactorNetwork(reactor, interface) if watching is None else EpollNetwork(watching, interface)
