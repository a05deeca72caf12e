"""Datagrams in and out of real sockets on loopback, and of a wire that isn't there."""

from errno import EAGAIN, ENETUNREACH

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import Deferred

from minitelecom.sip.hop import Hop
from minitelecom.sip.transport import UdpTransport, UdpTransports


@pytest_twisted.ensureDeferred
async def test_what_one_sends_the_other_hears_and_answers_from_where_it_was_asked():
    heard: list[tuple[str, bytes, Hop]] = []
    waiting: list[Deferred[None]] = []

    def hear(name: str):
        def received(data: bytes, hop: Hop) -> None:
            heard.append((name, data, hop))
            waiting.pop().callback(None)

        return received

    async def send(transports: UdpTransports, data: bytes, hop: Hop) -> None:
        arrived: Deferred[None] = Deferred()
        waiting.append(arrived)
        transports.send(data, hop)
        await arrived

    here, there = UdpTransports(reactor, hear("here")), UdpTransports(reactor, hear("there"))
    try:
        port = here.listen("127.0.0.1", 0)
        first, second = there.listen("127.0.0.1", 0), there.listen("127.0.0.1", 0)
        await send(here, b"", Hop("udp", "127.0.0.1", second))
        await send(here, b"hello", Hop("udp", "127.0.0.1", second))
        await send(there, b"good day", Hop("udp", "127.0.0.1", port))
    finally:
        await here.close()
        await there.close()
    assert first != second
    assert heard == [
        ("there", b"", Hop("udp", "127.0.0.1", port)),
        ("there", b"hello", Hop("udp", "127.0.0.1", port)),
        ("here", b"good day", Hop("udp", "127.0.0.1", second)),
    ]


@pytest_twisted.ensureDeferred
async def test_what_can_not_leave_is_an_oserror():
    transports = UdpTransports(reactor, lambda data, hop: None)
    try:
        transports.listen("127.0.0.1", 0)
        for data, hop in [
            (b"x" * 70000, Hop("udp", "127.0.0.1", 5060)),
            (b"x", Hop("udp", "a.name", 5060)),
            (b"x", Hop("udp", "127.0.0.1", 70000)),
            (b"x", Hop("udp", "127.0.0.1", 0)),
            (b"x", Hop("udp", "::1", 5060)),
        ]:
            with pytest.raises(OSError):
                transports.send(data, hop)
    finally:
        await transports.close()


def test_a_socket_that_does_not_listen_sends_nothing():
    with pytest.raises(OSError, match="not listening"):
        UdpTransport(print).send(b"x", Hop("udp", "127.0.0.1", 5060))


class Jammed:
    """A socket whose buffer is full, or whose network is away."""

    def __init__(self, number: int) -> None:
        self.number = number

    def write(self, data: bytes, addr: tuple[str, int]) -> None:
        raise OSError(self.number, "jammed")


def test_a_full_buffer_is_a_datagram_lost_on_the_way_and_a_missing_network_an_error():
    full, away = UdpTransport(print), UdpTransport(print)
    full.makeConnection(Jammed(EAGAIN))
    away.makeConnection(Jammed(ENETUNREACH))
    full.send(b"x", Hop("udp", "127.0.0.1", 5060))
    with pytest.raises(OSError, match="jammed"):
        away.send(b"x", Hop("udp", "127.0.0.1", 5060))
