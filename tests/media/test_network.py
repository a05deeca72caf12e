"""Sockets read through one epoll."""

import pytest
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.error import CannotListenError

from minitelecom.media.network import EpollNetwork, ReactorNetwork, network
from minitelecom.media.rtp import MOST_BYTES
from tests.media.conformance import story
from tests.media.network import MemoryNetwork

HOST = "127.0.0.1"
NUMBERS = (22000, 22002)


@pytest.fixture
def sockets():
    own = EpollNetwork(reactor, HOST)
    yield own, [own.bind(number, lambda datagram, source: None) for number in NUMBERS]
    own.close()


def arrival(bound):
    """Fires with the next datagram and its source."""
    came = Deferred()
    bound.hear = lambda datagram, source: came.callback((datagram, source))
    return came


@story
async def test_what_is_sent_arrives_and_says_from_where(sockets):
    _, (one, other) = sockets
    came = arrival(other)
    one.send(b"hello", (HOST, NUMBERS[1]))
    assert await came == (b"hello", (HOST, NUMBERS[0]))


@story
async def test_our_own_mistake_ends_with_its_datagram(sockets, logged_failures):
    _, (one, other) = sockets
    other.hear = lambda datagram, source: 1 // 0
    one.send(b"first", (HOST, NUMBERS[1]))
    came = arrival(one)
    one.send(b"second", (HOST, NUMBERS[0]))
    await came
    came = arrival(other)
    one.send(b"third", (HOST, NUMBERS[1]))
    assert (await came)[0] == b"third"
    assert [type(event["log_failure"].value) for event in logged_failures] == [ZeroDivisionError]
    logged_failures.clear()


@story
async def test_a_longer_datagram_than_any_packet_shows_by_its_length(sockets):
    _, (one, other) = sockets
    came = arrival(other)
    one.send(bytes(9000), (HOST, NUMBERS[1]))
    assert len((await came)[0]) == MOST_BYTES + 1


def test_a_port_in_use_is_refused_and_free_after_closing(sockets):
    own, (one, _) = sockets
    with pytest.raises(CannotListenError):
        own.bind(NUMBERS[0], lambda datagram, source: None)
    one.close()
    own.bind(NUMBERS[0], lambda datagram, source: None)


def test_a_reactor_that_watches_no_descriptors_is_asked_for_its_own_ports():
    assert isinstance(network(MemoryNetwork(), HOST), ReactorNetwork)
    watching = network(reactor, HOST)
    assert isinstance(watching, EpollNetwork)
    watching.close()
