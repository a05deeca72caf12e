"""Connections: reused, opened, refused, cut in time, and never more of them than there may be."""

from random import Random

import pytest
from twisted.internet.protocol import ClientFactory, Protocol, ServerFactory
from twisted.internet.task import Clock

from minitelecom.sip.framing import Broken
from minitelecom.sip.hop import Hop
from minitelecom.sip.streams import (
    CONNECT_SECONDS,
    FAREWELL_SECONDS,
    FIRST_SECONDS,
    FULL_SECONDS,
    IDLE_SECONDS,
    LOOK_SECONDS,
    MESSAGE_SECONDS,
    MOST_OF_ONE_ADDRESS,
    MOST_WAITING,
    PING_SECONDS,
    Streams,
)
from tests.world.streams import End, StreamNetwork

OURS, THEIRS = "198.51.100.1", "192.0.2.7"
MESSAGE = b"OPTIONS sip:shop SIP/2.0\r\nContent-Length: 3\r\n\r\nabc"
TICK = 1 / 16


class Telephone(Protocol):
    """Says what the test tells it, and remembers what it hears."""

    def __init__(self) -> None:
        self.heard = b""
        self.gone = False

    def dataReceived(self, data: bytes) -> None:
        self.heard += data

    def connectionLost(self, reason=None) -> None:
        self.gone = True


class Opening(ClientFactory):
    noisy = False

    def __init__(self) -> None:
        self.telephone = Telephone()

    def buildProtocol(self, addr):
        return self.telephone

    def clientConnectionFailed(self, connector, reason) -> None:
        self.telephone.gone = True


class Listening(ServerFactory):
    noisy = False

    def buildProtocol(self, addr):
        return Telephone()


class Street:
    """Our connections, and whoever opens some to us."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.network = StreamNetwork(self.clock, Random(7), delay=0.0)
        self.heard: list[tuple[bytes, Hop]] = []
        self.broken: list[tuple[Broken, Hop]] = []
        self.lost: list[Hop] = []
        self.needed: set[Hop] = set()
        self.streams = Streams(self.network.host(OURS), self.clock)
        self.streams.receiver, self.streams.needed = self, self.needed.__contains__
        self.streams.listen("tcp", OURS, 5060)

    def datagram_received(self, data: bytes, source: Hop) -> None:
        self.heard.append((data, source))

    def stream_broken(self, broken: Broken, source: Hop) -> None:
        self.broken.append((broken, source))
        self.streams.send(b"SIP/2.0 400 Broken\r\n\r\n", source)

    def connection_lost(self, hop: Hop) -> None:
        self.lost.append(hop)

    def wait(self, seconds: float = TICK) -> None:
        for _ in range(round(seconds / TICK)):
            self.clock.advance(TICK)

    def telephones(self, *hosts: str) -> list[Telephone]:
        """Who open connections at once."""
        openings = [Opening() for _ in hosts]
        for host, opening in zip(hosts, openings, strict=True):
            self.network.host(host).connectTCP(OURS, 5060, opening)
        self.wait()
        return [opening.telephone for opening in openings]

    def telephone(self, host: str = THEIRS) -> Telephone:
        return self.telephones(host)[0]

    def say(self, telephone: Telephone, data: bytes) -> None:
        assert telephone.transport is not None
        telephone.transport.write(data)
        self.wait()

    def server(self, host: str = THEIRS, port: int = 5060) -> Streams:
        """Somebody who listens, with the same connections as ours."""
        there = Streams(self.network.host(host), self.clock)
        there.receiver, there.needed = self, lambda hop: True
        there.listen("tcp", host, port)
        return there

    @property
    def accepted(self) -> End:
        return self.network.opened[-1]


@pytest.fixture
def street():
    return Street()


def test_what_comes_is_whole_and_the_answer_leaves_by_the_same_connection(street):
    telephone = street.telephone()
    street.say(telephone, MESSAGE * 2 + MESSAGE[:20])
    assert [data for data, _ in street.heard] == [MESSAGE, MESSAGE]
    ((_, hop), _) = street.heard
    assert (hop.transport, hop.host, hop.theirs) == ("tcp", THEIRS, True)
    street.streams.send(b"answer", hop)
    street.wait()
    assert telephone.heard == b"answer"
    assert street.streams.connected(hop)


def test_a_ping_is_answered(street):
    telephone = street.telephone()
    street.say(telephone, MESSAGE + b"\r\n")
    assert telephone.heard == b""
    street.say(telephone, b"\r\n" + MESSAGE)
    assert telephone.heard == b"\r\n"
    assert len(street.heard) == 2


def test_a_connection_that_is_gone_cannot_be_opened_by_us(street):
    telephone = street.telephone()
    street.say(telephone, MESSAGE)
    ((_, hop),) = street.heard
    telephone.transport.loseConnection()
    street.wait()
    assert street.lost == [hop]
    with pytest.raises(OSError, match="gone"):
        street.streams.send(b"x", hop)
    assert len(street.streams) == 0


def test_one_is_opened_for_whoever_listens_and_used_again(street):
    there = street.server()
    hop = Hop("tcp", THEIRS, 5060)
    street.streams.send(MESSAGE, hop)
    street.streams.send(MESSAGE, hop)
    assert street.streams.connected(hop)
    street.wait()
    street.streams.send(MESSAGE, hop)
    street.wait()
    assert [data for data, _ in street.heard] == [MESSAGE] * 3
    assert len(street.network.opened) == 1
    there.send(b"OPTIONS sip:us SIP/2.0\r\nl: 0\r\n\r\n", street.heard[0][1])
    street.wait()
    assert street.heard[-1][1] == hop, "their requests come by it, too"


def test_a_refusal_is_told_and_the_next_attempt_begins_anew(street):
    hop = Hop("tcp", THEIRS, 5060)
    street.streams.send(MESSAGE, hop)
    street.wait()
    assert street.lost == [hop]
    street.server()
    street.streams.send(MESSAGE, hop)
    street.wait()
    assert [data for data, _ in street.heard] == [MESSAGE]


def test_who_does_not_answer_at_all_is_waited_for_a_little(street):
    street.network.silent.add(THEIRS)
    hop = Hop("tcp", THEIRS, 5060)
    for _ in range(MOST_WAITING):
        street.streams.send(MESSAGE, hop)
    with pytest.raises(OSError, match="waits"):
        street.streams.send(MESSAGE, hop)
    street.wait(CONNECT_SECONDS - 1)
    assert street.lost == []
    street.wait(1)
    assert street.lost == [hop]


@pytest.mark.parametrize("hop", [Hop("tcp", THEIRS, 0), Hop("tcp", THEIRS, 70000), Hop("tls", THEIRS, 5061)])
def test_where_nobody_can_go_is_said_at_once(street, hop):
    with pytest.raises(OSError):
        street.streams.send(MESSAGE, hop)
    assert len(street.streams) == 0


@pytest.mark.parametrize("said", [b"", MESSAGE[:10], b"\r\n\r\n"])
def test_half_open(street, said):
    """Who opens a connection says something soon; a line end is nothing."""
    telephone = street.telephone()
    if said:
        street.say(telephone, said)
    street.wait(FIRST_SECONDS - 2 * LOOK_SECONDS)
    assert not telephone.gone
    street.wait(4 * LOOK_SECONDS)
    assert telephone.gone
    assert len(street.streams) == 0


def test_a_byte_now_and_then_does_not_keep_a_message_going(street):
    telephone = street.telephone()
    street.say(telephone, MESSAGE)
    for byte in MESSAGE[:20]:
        street.say(telephone, bytes([byte]))
        street.wait(1 - TICK)
    assert telephone.gone
    assert street.clock.seconds() >= MESSAGE_SECONDS
    assert len(street.heard) == 1


def test_messages_without_a_pause_between_them_are_no_slow_message(street):
    telephone = street.telephone()
    street.say(telephone, MESSAGE[:9])
    for _ in range(int(2 * MESSAGE_SECONDS)):
        street.say(telephone, MESSAGE[9:] + MESSAGE[:9])
        street.wait(1 - TICK)
    assert not telephone.gone
    assert len(street.heard) == 2 * MESSAGE_SECONDS


def test_a_broken_stream_of_one_that_we_need_is_cut_all_the_same(street):
    street.network.host(THEIRS).listenTCP(5060, Listening())
    hop = Hop("tcp", THEIRS, 5060)
    street.needed.add(hop)
    street.streams.send(MESSAGE, hop)
    street.wait()
    street.accepted.answers_farewells = False
    street.accepted.write(b"nonsense\r\n\r\n")
    street.wait()
    assert street.lost == []
    street.wait(FAREWELL_SECONDS + 2 * LOOK_SECONDS)
    assert street.lost == [hop]


def test_the_idle_go_but_for_those_who_are_needed(street):
    idle, registered = street.telephone(), street.telephone()
    for telephone in (idle, registered):
        street.say(telephone, MESSAGE)
    street.needed.add(street.heard[1][1])
    street.wait(IDLE_SECONDS + 2 * LOOK_SECONDS)
    assert (idle.gone, registered.gone) == (True, False)
    street.needed.clear()
    street.wait(IDLE_SECONDS + 2 * LOOK_SECONDS)
    assert registered.gone


def test_ours_are_kept_open_by_pings_while_they_are_needed(street):
    street.server()
    hop = Hop("tcp", THEIRS, 5060)
    street.streams.send(MESSAGE, hop)
    street.needed.add(hop)
    street.wait(2 * IDLE_SECONDS)
    assert street.streams.connected(hop)
    assert street.clock.seconds() > PING_SECONDS
    street.needed.clear()
    street.wait(IDLE_SECONDS + 2 * LOOK_SECONDS)
    assert not street.streams.connected(hop)


def test_what_nobody_can_cut_is_answered_and_parted_from(street):
    telephone = street.telephone()
    street.say(telephone, b"OPTIONS sip:shop SIP/2.0\r\nFrom: a\r\n\r\n" + MESSAGE)
    street.wait()
    ((broken, hop),) = street.broken
    assert (broken.status, broken.reason) == (400, "Missing Content-Length")
    assert telephone.heard.startswith(b"SIP/2.0 400")
    assert telephone.gone
    assert (street.heard, street.lost) == ([], [hop])


def test_who_does_not_read_is_not_written_to_for_ever(street):
    telephone = street.telephone()
    street.say(telephone, MESSAGE)
    ((_, hop),) = street.heard
    telephone.transport.reads = False
    for _ in range(3):
        street.streams.send(b"x" * 40000, hop)
    street.wait()
    with pytest.raises(OSError, match="read"):
        street.streams.send(b"x", hop)
    telephone.transport.read_on()
    street.streams.send(b"x", hop)
    telephone.transport.reads = False
    street.streams.send(b"x" * 80000, hop)
    street.wait(FULL_SECONDS + 2 * LOOK_SECONDS)
    assert telephone.gone


def test_one_address_has_not_all_connections(street):
    telephones = street.telephones(*[THEIRS] * (MOST_OF_ONE_ADDRESS + 1))
    assert [telephone.gone for telephone in telephones] == [False] * MOST_OF_ONE_ADDRESS + [True]
    assert not street.telephone("192.0.2.8").gone
    telephones[0].transport.loseConnection()
    street.wait()
    assert not street.telephone().gone


def test_a_network_of_ipv6_counts_as_one_address(street):
    telephones = street.telephones(*(f"2001:db8::{number:x}" for number in range(MOST_OF_ONE_ADDRESS + 1)))
    assert telephones[-1].gone
    assert not street.telephone("2001:db8:0:1::1").gone


def test_closing_leaves_nothing(street):
    telephone = street.telephone()
    street.streams.send(MESSAGE, Hop("tcp", "192.0.2.99", 5060))
    closing = street.streams.close()
    with pytest.raises(StopIteration):
        closing.send(None)
    street.wait()
    assert telephone.gone
    assert (len(street.streams), street.network.listening) == (0, {})
    assert not street.clock.getDelayedCalls()
