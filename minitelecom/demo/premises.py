"""The demo as one program: the daemon, and the carrier beside it with sockets of its own."""

from collections.abc import Sequence
from random import SystemRandom
from typing import Any

from minitelecom.demo.carrier import HOST, Carrier, Sentence
from minitelecom.lifetime import Running
from minitelecom.media.engine import Engine
from minitelecom.sip.hop import Hop
from minitelecom.sip.transport import UdpTransports

SOUND_PORTS = range(34000, 34400)


class LoopbackCarrier:
    """The test carrier on this machine; nobody else reaches it."""

    def __init__(self, reactor: Any, port: int, sentence: Sentence) -> None:
        random = SystemRandom()
        self._port = port
        self._transports = UdpTransports(reactor, self._received)
        self._media = Engine(reactor, reactor, SOUND_PORTS, HOST, random)
        self._carrier = Carrier(reactor, random, self._transports.send, self._media, sentence, port)

    async def start(self) -> None:
        """See Running. Raises CannotListenError."""
        self._transports.listen(HOST, self._port)

    async def stop(self) -> None:
        """See Running."""
        self._carrier.close()
        await self._transports.close()
        await self._media.close()

    def _received(self, data: bytes, source: Hop) -> None:
        self._carrier.layer.datagram_received(data, source)


class Premises:
    """Several programs that live together: started in order, stopped in the other."""

    def __init__(self, parts: Sequence[Running]) -> None:
        self._parts = parts
        self._begun: list[Running] = []

    async def start(self) -> None:
        """See Running."""
        for part in self._parts:
            self._begun.append(part)
            await part.start()

    async def stop(self) -> None:
        """See Running."""
        for part in reversed(self._begun):
            await part.stop()
