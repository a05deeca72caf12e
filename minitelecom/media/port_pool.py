"""
Pairs of open UDP sockets, RTP on an even port and RTCP on the next (RFC 3550 section 11).

A pair is opened when first wanted and stays open. After use it rests until nothing has come for a while, so that no late
packet of an old call is heard in a new one; but not for ever, or whoever keeps sending could use up every port. Ports are taken in random order, so that a stranger cannot guess them.

The last pairs are kept for calls for help, and these don't wait for a pair to have rested.
"""

from collections import deque
from random import Random

from twisted.internet.defer import Deferred
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IReactorTime

from minitelecom.media.door import NoPortsLeft
from minitelecom.media.latch import Address
from minitelecom.media.network import Hear, Network

QUARANTINE_SECONDS = 10.0
LONGEST_REST_SECONDS = 60.0
KEPT_FOR_HELP = 2  # pairs: a call has two; of a small range one in four at most
_MOST_TRIES = 64  # ports in a row held by other programs, before we say that none is left


class SocketPair:
    """The two sockets of one leg, for as long as the daemon runs."""

    __slots__ = ("_clock", "_rtcp", "_rtp", "busy_until", "given_back", "number", "rests_since", "send", "send_control")

    def __init__(self, number: int, clock: IReactorTime, network: Network) -> None:
        self.number = number
        self.given_back = 0.0
        self.rests_since = 0.0  # for the next look at it
        self.busy_until = 0.0  # when something was last heard while nobody used it
        self._clock = clock
        self._rtp = network.bind(number, self._late)
        try:
            self._rtcp = network.bind(number + 1, self._late)
        except CannotListenError:
            self._rtp.close()
            raise
        self.send = self._rtp.send
        self.send_control = self._rtcp.send

    def use(self, rtp: Hear, rtcp: Hear) -> None:
        self._rtp.hear, self._rtcp.hear = rtp, rtcp

    def rest(self) -> None:
        self.use(self._late, self._late)
        self.given_back = self.rests_since = self.busy_until = self._clock.seconds()

    def _late(self, datagram: bytes, source: Address) -> None:
        """Nobody listens; only the instant counts."""
        self.busy_until = self._clock.seconds()

    def close(self) -> list[Deferred[None]]:
        return [closing for socket in (self._rtp, self._rtcp) if (closing := socket.close()) is not None]


class PortPool:
    def __init__(self, clock: IReactorTime, network: Network, ports: range, random: Random) -> None:
        numbers = [number for number in ports if number % 2 == 0 and number + 1 in ports]
        random.shuffle(numbers)
        self._unopened = deque(numbers)
        self._resting: deque[SocketPair] = deque()
        self._kept = min(KEPT_FOR_HELP, len(numbers) // 4)
        self._clock = clock
        self._network = network

    def take(self, *, urgent: bool) -> SocketPair:
        """A pair that nobody else speaks to, or NoPortsLeft."""
        if not urgent and len(self._unopened) + len(self._resting) <= self._kept:
            raise NoPortsLeft
        try:
            return self._rested() or self._opened()
        except NoPortsLeft:
            if urgent and self._resting:
                return self._resting.popleft()
            raise

    def give_back(self, pair: SocketPair) -> None:
        pair.rest()
        self._resting.append(pair)

    def close(self) -> list[Deferred[None]]:
        """Close what is at rest."""
        closing = [stopping for pair in self._resting for stopping in pair.close()]
        self._resting.clear()
        return closing

    def _rested(self) -> SocketPair | None:
        """The pair at the head is the one given back first; who is still spoken to goes back to the end."""
        now = self._clock.seconds()
        quiet_since = now - QUARANTINE_SECONDS
        while self._resting and self._resting[0].rests_since <= quiet_since:
            pair = self._resting.popleft()
            if pair.busy_until <= quiet_since or pair.given_back <= now - LONGEST_REST_SECONDS:
                return pair
            pair.rests_since = pair.busy_until
            self._resting.append(pair)
        return None

    def _opened(self) -> SocketPair:
        for _ in range(min(len(self._unopened), _MOST_TRIES)):
            number = self._unopened.popleft()
            try:
                return SocketPair(number, self._clock, self._network)
            except CannotListenError:
                self._unopened.append(number)  # another program's, for now
        raise NoPortsLeft
