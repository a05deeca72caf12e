"""A network in memory: datagrams carried by the clock, which may be lost, doubled or late."""

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from twisted.internet.task import Clock

from minitelecom.sip.hop import Hop


@dataclass
class Network:
    """Carries datagrams between hosts.  ``loss`` and ``duplication`` are probabilities, delays are seconds."""

    clock: Clock
    random: Random
    loss: float = 0.0
    duplication: float = 0.0
    shortest: float = 0.001
    longest: float = 0.001
    carried: list[bytes] = field(default_factory=list)
    _hosts: dict[tuple[str, int], Callable[[bytes, Hop], None]] = field(default_factory=dict)

    def attach(self, host: str, port: int, receive: Callable[[bytes, Hop], None]) -> Callable[[bytes, Hop], None]:
        """Give a host an address; returns how it sends."""
        self._hosts[host, port] = receive
        source = Hop("udp", host, port)
        return lambda data, hop: self._carry(data, source, hop)

    def detach(self, host: str, port: int) -> None:
        """The host is gone without a word."""
        self._hosts.pop((host, port), None)

    def _carry(self, data: bytes, source: Hop, hop: Hop) -> None:
        self.carried.append(data)
        for _ in range(2 if self.random.random() < self.duplication else 1):
            if self.random.random() >= self.loss:
                delay = self.random.uniform(self.shortest, self.longest)
                self.clock.callLater(delay, self._arrive, data, source, hop)

    def _arrive(self, data: bytes, source: Hop, hop: Hop) -> None:
        receive = self._hosts.get((hop.host, hop.port))
        if receive is not None:
            receive(data, source)
