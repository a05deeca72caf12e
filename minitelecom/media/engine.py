"""
The media engine on the reactor: opens ports, beats time for them, forgets them.

One beat of 20 ms moves all that play, one of a second does what is slow; neither runs while no port needs it.
"""

from random import Random

from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.interfaces import IReactorTime, IReactorUDP

from minitelecom.media.door import MediaUser
from minitelecom.media.network import network
from minitelecom.media.port_pool import PortPool, SocketPair
from minitelecom.media.rtp import FRAME_SECONDS
from minitelecom.media.rtp_port import ReactorRtpPort
from minitelecom.media.ticker import Ticker


class Engine:
    """Implements Media."""

    def __init__(
        self,
        clock: IReactorTime,
        reactor: IReactorUDP,
        ports: range,
        interface: str,
        random: Random,
        interface_ipv6: str | None = None,
    ) -> None:
        self.clock = clock
        self.random = random
        self.frames = Ticker(clock, FRAME_SECONDS)
        self._seconds = Ticker(clock, 1.0)
        self._networks = [network(reactor, one) for one in (interface, interface_ipv6) if one is not None]
        self._pools = [PortPool(clock, one, ports, random) for one in self._networks]
        self._open: dict[ReactorRtpPort, PortPool] = {}

    @property
    def ports_in_use(self) -> int:
        return len(self._open)

    def open(
        self, user: MediaUser, silence_seconds: float, *, urgent: bool = False, ipv6: bool = False
    ) -> ReactorRtpPort:
        pool = self._pools[-1] if ipv6 else self._pools[0]
        port = ReactorRtpPort(self, pool.take(urgent=urgent), user, silence_seconds)
        if not self._open:
            self._seconds.add(self)
        self._open[port] = pool
        return port

    def released(self, port: ReactorRtpPort, pair: SocketPair) -> None:
        """A port was closed; its sockets rest."""
        self._open.pop(port).give_back(pair)
        if not self._open:
            self._seconds.discard(self)

    def tick(self, now: float) -> None:
        for port in list(self._open):
            port.each_second(now)

    def close(self) -> Deferred[None]:
        """Close every port and socket, at the end of the daemon."""
        for port in list(self._open):
            port.close()
        closing = [stopping for pool in self._pools for stopping in pool.close()]
        for one in self._networks:
            one.close()
        return gatherResults(closing).addCallback(lambda _: None)
