"""
Pairs of open UDP sockets, RTP on an even port and RTCP on the next (RFC 3550 section 11).

A pair is opened when first wanted and stays open. After use it rests until nothing has come for a while: no late
packet of an old call is heard in a new one. Ports are taken in random order, so that a stranger cannot guess them.
"""

from collections import deque
from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort, IReactorTime, IReactorUDP
from twisted.internet.protocol import DatagramProtocol

from minitelecom.media.door import NoPortsLeft
from minitelecom.media.latch import Address
from minitelecom.media.rtp import MOST_BYTES

if TYPE_CHECKING:
    from twisted.internet.interfaces import IUDPTransport

QUARANTINE_SECONDS = 10.0
_MOST_TRIES = 64  # ports in a row held by other programs, before we say that none is left

Hear = Callable[[bytes, Address], None]


class _Socket(DatagramProtocol):
    """One socket; whoever uses it sets `hear`."""

    noisy = False
    transport: "IUDPTransport"

    def __init__(self, hear: Hear) -> None:
        self.hear = hear

    def datagramReceived(self, datagram: bytes, addr: Address) -> None:
        self.hear(datagram, addr)


class SocketPair:
    """The two sockets of one leg, for as long as the daemon runs."""

    def __init__(self, number: int, clock: IReactorTime) -> None:
        self.number = number
        self.busy_until = 0.0  # when something was last heard while nobody used it
        self._clock = clock
        self._sockets = (_Socket(self._late), _Socket(self._late))
        self._listening: list[IListeningPort] = []

    def open(self, reactor: IReactorUDP, interface: str) -> None:
        for offset, socket in enumerate(self._sockets):
            self._listening.append(reactor.listenUDP(self.number + offset, socket, interface, MOST_BYTES + 1))

    def use(self, rtp: Hear, rtcp: Hear) -> None:
        self._sockets[0].hear, self._sockets[1].hear = rtp, rtcp

    def rest(self) -> None:
        self.use(self._late, self._late)
        self.busy_until = self._clock.seconds()

    def _late(self, datagram: bytes, source: Address) -> None:
        self.busy_until = self._clock.seconds()

    def send(self, datagram: bytes, target: Address) -> None:
        self._sockets[0].transport.write(datagram, target)

    def send_control(self, datagram: bytes, target: Address) -> None:
        self._sockets[1].transport.write(datagram, target)

    def close(self) -> list[Deferred[None]]:
        listening, self._listening = self._listening, []
        return [stopping for port in listening if (stopping := port.stopListening()) is not None]


class PortPool:
    def __init__(self, clock: IReactorTime, reactor: IReactorUDP, ports: range, interface: str, random: Random) -> None:
        numbers = [number for number in ports if number % 2 == 0 and number + 1 in ports]
        random.shuffle(numbers)
        self._unopened = deque(numbers)
        self._resting: deque[SocketPair] = deque()  # the longest rested first
        self._clock = clock
        self._reactor = reactor
        self._interface = interface

    def take(self) -> SocketPair:
        """A pair that nobody else speaks to, or NoPortsLeft."""
        return self._rested() or self._opened()

    def give_back(self, pair: SocketPair) -> None:
        pair.rest()
        self._resting.append(pair)

    def close(self) -> list[Deferred[None]]:
        """Close what is at rest."""
        closing = [stopping for pair in self._resting for stopping in pair.close()]
        self._resting.clear()
        return closing

    def _rested(self) -> SocketPair | None:
        quiet_since = self._clock.seconds() - QUARANTINE_SECONDS
        for _ in range(len(self._resting)):
            pair = self._resting.popleft()
            if pair.busy_until <= quiet_since:
                return pair
            self._resting.append(pair)
        return None

    def _opened(self) -> SocketPair:
        for _ in range(min(len(self._unopened), _MOST_TRIES)):
            pair = SocketPair(self._unopened.popleft(), self._clock)
            try:
                pair.open(self._reactor, self._interface)
            except CannotListenError:
                pair.close()
                self._unopened.append(pair.number)  # another program's, for now
                continue
            return pair
        raise NoPortsLeft


def closed(closing: list[Deferred[None]]) -> Deferred[None]:
    """Fires when all of them have."""
    return gatherResults(closing).addCallback(lambda _: None)
