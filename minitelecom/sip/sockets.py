"""
Listening sockets of both families beside one another. An edge.

Left to itself an IPv6 socket on [::] also takes the IPv4 port of the same number, and shows IPv4 hosts under strange names. A
reactor that takes no sockets of ours (a simulated one) is asked for its own.
"""

import socket

from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort, IReactorSocket, IReactorTCP, IReactorUDP
from twisted.internet.protocol import DatagramProtocol, ServerFactory
from twisted.internet.udp import Port

BACKLOG = 500  # connections that nobody has taken yet

RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024
"""A tenth of a second in which the reactor does something else is a few hundred datagrams: the system keeps them."""

SO_RCVBUFFORCE = 33  # Linux; past the system's limit, for root


def listen_stream(reactor: IReactorTCP, host: str, port: int, factory: ServerFactory) -> IListeningPort:
    """Raises CannotListenError."""
    taking = IReactorSocket(reactor, None)
    if taking is None or ":" not in host:
        return reactor.listenTCP(port, factory, backlog=BACKLOG, interface=host)
    with _bound(host, port, socket.SOCK_STREAM) as opened:
        opened.listen(BACKLOG)
        return taking.adoptStreamPort(opened.fileno(), socket.AF_INET6, factory)


def listen_datagram(
    reactor: IReactorUDP, host: str, port: int, protocol: DatagramProtocol, largest: int
) -> IListeningPort:
    """Raises CannotListenError."""
    taking = IReactorSocket(reactor, None)
    if taking is None or ":" not in host:
        listening = reactor.listenUDP(port, protocol, interface=host, maxPacketSize=largest)
    else:
        with _bound(host, port, socket.SOCK_DGRAM) as opened:
            listening = taking.adoptDatagramPort(opened.fileno(), socket.AF_INET6, protocol, largest)
    if isinstance(listening, Port):
        _widen(listening.socket)
    return listening


def _bound(host: str, port: int, kind: socket.SocketKind) -> socket.socket:
    """An IPv6 socket that is nothing else."""
    opened = socket.socket(socket.AF_INET6, kind)
    try:
        opened.setblocking(False)
        opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if kind is socket.SOCK_STREAM:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind((host, port))
    except OSError as error:
        opened.close()
        raise CannotListenError(host, port, error) from None  # type: ignore[no-untyped-call]
    return opened


def _widen(opened: socket.socket) -> None:
    try:
        opened.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER_BYTES)
    except OSError:  # not root, or not Linux: as much as the system allows
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
