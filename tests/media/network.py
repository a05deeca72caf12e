"""A world for media stories: a network, telephones that speak RTP on it, and users that write down what they hear.

Telephones and engine use only listenUDP, so the same stories run in memory under a fake clock and over sockets.
"""

from collections.abc import Callable, Iterator
from math import cos, log10, pi, sin
from random import Random

from twisted.internet.defer import Deferred
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IReactorUDP
from twisted.internet.protocol import DatagramProtocol
from twisted.internet.task import Clock, deferLater
from zope.interface import implementer

from minitelecom.media import g711, rtcp, rtp, telephone_event
from minitelecom.media.door import Remote
from minitelecom.media.keys import Way
from minitelecom.media.rtp import Packet

OURS = "127.0.0.1"
PORTS = range(20000, 20040)


class Written:
    """A MediaUser that writes down what it is told."""

    def __init__(self) -> None:
        self.keys = ""
        self.tells = False
        self.told = ""  # keys of the other leg that the far end was told of
        self.finished = 0
        self.silences: list[float] = []
        self.on_key: Callable[[str], None] = lambda key: None
        self.on_finish: Callable[[], None] = lambda: None

    def key_pressed(self, key: str) -> None:
        self.keys += key
        self.on_key(key)

    def tells_key(self, key: str, way: Way) -> bool:
        if self.tells:
            self.told += key
        return self.tells

    def play_finished(self) -> None:
        self.finished += 1
        self.on_finish()

    def media_silent(self, seconds: float) -> None:
        self.silences.append(seconds)


class MemorySocket:
    def __init__(self, network: "MemoryNetwork", address: tuple[str, int]) -> None:
        self.network, self.address = network, address

    def write(self, datagram: bytes, target: tuple[str, int]) -> None:
        self.network.carry(datagram, self.address, target)

    def stopListening(self) -> Deferred[None] | None:
        self.network.bound.pop(self.address, None)
        return None


@implementer(IReactorUDP)
class MemoryNetwork:
    """Delivers at once, unless it is told that a host cannot be reached."""

    def __init__(self) -> None:
        self.bound: dict[tuple[str, int], DatagramProtocol] = {}
        self.unreachable: set[str] = set()
        self.translated: dict[tuple[str, int], tuple[str, int]] = {}  # what a router makes of an inner address

    def listenUDP(self, port, protocol, interface="", maxPacketSize=8192):
        address = (interface, port)
        if address in self.bound:
            raise CannotListenError(interface, port, OSError("in use"))
        self.bound[address] = protocol
        socket = MemorySocket(self, address)
        protocol.makeConnection(socket)
        return socket

    def carry(self, datagram: bytes, source: tuple[str, int], target: tuple[str, int]) -> None:
        if target[0] in self.unreachable:
            raise OSError(113, "No route to host")
        source = self.translated.get(source, source)
        inner = next((inside for inside, outside in self.translated.items() if outside == target), target)
        protocol = self.bound.get(inner)
        if protocol is not None:
            protocol.datagramReceived(datagram, source)


class MemoryWorld:
    """Everything at once and as often as wanted: a fake clock."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.clock.advance(1_000_000.0)
        self.network = self.reactor = MemoryNetwork()
        self.random = Random(1)

    async def passes(self, seconds: float) -> None:
        for _ in range(round(seconds * 100)):
            self.clock.advance(0.01)

    def seconds(self) -> float:
        return self.clock.seconds()


class SocketWorld:
    """Loopback sockets and real time."""

    def __init__(self, reactor) -> None:
        self.clock = self.reactor = reactor
        self.random = Random(1)

    async def passes(self, seconds: float) -> None:
        await deferLater(self.reactor, seconds)

    async def until(self, reached: Callable[[], bool]) -> None:
        while not reached():
            await deferLater(self.reactor, 0.005)


class Ear(DatagramProtocol):
    noisy = False

    def __init__(self, heard: Callable[[bytes, tuple[str, int]], None]) -> None:
        self.datagramReceived = heard


class Telephone:
    """The far end of a leg: RTP on one port, RTCP on the next."""

    def __init__(self, world, port: int, host: str = "127.0.0.1", payload_type: int = g711.PCMA, ssrc: int = 7) -> None:
        self.world, self.host, self.port, self.payload_type = world, host, port, payload_type
        self.sequence, self.timestamp, self.ssrc = 65500, 4_294_960_000, ssrc  # both soon wrap
        self.heard: list[Packet] = []
        self.instants: list[float] = []
        self.control: list[rtcp.Part] = []
        self.ports = [
            world.reactor.listenUDP(port, Ear(self._hear), interface=host),
            world.reactor.listenUDP(port + 1, Ear(self._hear_control), interface=host),
        ]
        self.peer = (OURS, 0)

    def remote(self, *, telephone_event: int | None = 101, send: bool = True, receive: bool = True) -> Remote:
        return Remote(self.host, self.port, self.payload_type, telephone_event, send, receive)

    def faces(self, port) -> "Telephone":
        self.peer = (OURS, port.number)
        return self

    def _hear(self, datagram: bytes, source: tuple[str, int]) -> None:
        packet = rtp.parse(datagram)
        assert packet is not None
        self.heard.append(packet)
        self.instants.append(self.world.clock.seconds())

    def _hear_control(self, datagram: bytes, source: tuple[str, int]) -> None:
        self.control += rtcp.parse(datagram)

    @property
    def sound(self) -> list[int]:
        """All that was heard, as samples."""
        return [
            sample
            for packet in self.heard
            if packet.payload_type in (0, 8)
            for sample in g711.decode(packet.payload_type, packet.payload)
        ]

    def sends(self, payload: bytes, payload_type: int, *, marker: bool = False, timestamp: int | None = None) -> None:
        stamp = self.timestamp if timestamp is None else timestamp
        packet = Packet(payload_type, marker, self.sequence, stamp & 0xFFFFFFFF, self.ssrc, payload)
        self.sends_raw(rtp.serialise(packet))
        self.sequence = (self.sequence + 1) & 0xFFFF

    def sends_raw(self, datagram: bytes) -> None:
        self.ports[0].write(datagram, self.peer)

    def sends_control(self, datagram: bytes) -> None:
        self.ports[1].write(datagram, (self.peer[0], self.peer[1] + 1))

    def says(self, samples: list[int]) -> None:
        """One frame."""
        self.sends(g711.encode(self.payload_type, g711.words(samples)), self.payload_type)
        self.timestamp += len(samples)

    async def talks(self, seconds: float, hertz: float = 700.0) -> None:
        for frame in frames(sine(hertz, seconds)):
            self.says(frame)
            await self.world.passes(0.02)

    async def presses(self, key: str, payload_type: int = 101, *, seconds: float = 0.1) -> None:
        """A key as RFC 4733 wants it: a packet each 20 ms, the last three times."""
        code = telephone_event.KEYS.index(key)
        steps = round(seconds / 0.02)
        for step in range(1, steps + 1):
            event = telephone_event.Event(code, step == steps, 10, 160 * step)
            for _ in range(3 if step == steps else 1):
                self.sends(telephone_event.serialise(event), payload_type, marker=step == 1)
            await self.world.passes(0.02)
        self.timestamp += 160 * steps
        await self.world.passes(0.06)
        self.timestamp += 480

    async def closes(self) -> None:
        for port in self.ports:
            await (port.stopListening() or _done())


async def _done() -> None:
    return None


def sine(hertz: float, seconds: float, amplitude: float = 8000.0) -> list[int]:
    return [round(amplitude * sin(2 * pi * hertz * n / 8000)) for n in range(round(seconds * 8000))]


def mixed(*parts: list[int]) -> list[int]:
    return [max(-32768, min(32767, sum(samples))) for samples in zip(*parts, strict=True)]


KEY_TONES = {
    key: (row, column)
    for row, keys in zip((697, 770, 852, 941), ("123A", "456B", "789C", "*0#D"), strict=True)
    for column, key in zip((1209, 1336, 1477, 1633), keys, strict=True)
}


def key_tones(key: str, seconds: float, row: float = 6000.0, column: float = 6000.0, off: float = 1.0) -> list[int]:
    low, high = KEY_TONES[key]
    return mixed(sine(low * off, seconds, row), sine(high * off, seconds, column))


def frames(samples: list[int]) -> Iterator[list[int]]:
    for start in range(0, len(samples) - 159, 160):
        yield samples[start : start + 160]


def level(samples: list[int], hertz: float) -> float:
    """The level of one frequency in dB relative to an amplitude of 1."""
    real = sum(sample * cos(2 * pi * hertz * n / 8000) for n, sample in enumerate(samples))
    imaginary = sum(sample * sin(2 * pi * hertz * n / 8000) for n, sample in enumerate(samples))
    return 20 * log10(max(1e-9, 2 * (real**2 + imaginary**2) ** 0.5 / max(1, len(samples))))
