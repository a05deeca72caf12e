"""
The torture messages, and thousands of damaged ones, through a whole exchange: from strangers, from a carrier, from a
telephone that needs no password, and in the middle of calls.  Nothing may fail, nothing may be left over.
"""

import os
from pathlib import Path
from random import Random

import pytest

from minitelecom.sip.hop import Hop
from minitelecom.store.synchronous import SynchronousDatabase
from tests.calls.story import LONDON
from tests.torture.mutation import mutate
from tests.torture.test_rfc4475 import MANIFEST, Answered, Dropped, Outcome, Read, Refused
from tests.world.house import CARRIER, EXCHANGE, House
from tests.world.party import Behaviour
from tests.world.wire import Text, Wire

pytestmark = pytest.mark.torture

MUTATIONS = int(os.environ.get("MUTATIONS", "20000"))
BATCHES = 8  # each of its own seed
TORTURE = {path.stem: path.read_bytes() for path in sorted(Path(__file__).parent.glob("data*/*.dat"))}
PLACES = {"stranger": "203.0.113.66", "gateway": "10.0.0.50", "carrier": CARRIER}


class Peer(Wire):
    """Sends whatever it is given, and answers what it is asked, so that no BYE waits for it."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.on_text = self._answer

    def _answer(self, text: Text) -> None:
        if not text.is_response and text.method != "ACK":
            vias = "".join(f"Via: {via}\n" for via in text.all("via"))
            self.send(
                f"SIP/2.0 200 OK\n{vias}From: {text['from']}\nTo: {text['to']}\nCall-ID: {text['call-id']}\n"
                f"CSeq: {text['cseq']}\nContent-Length: 0\n\n"
            )


class Besieged:
    """A shop with a telephone, a gateway, a carrier, and peers at their addresses."""

    def __init__(self, database: SynchronousDatabase, seed: int = 1) -> None:
        self.house = house = House(database, seed=seed)
        self.telephone = house.telephone("101", "10.0.0.11", house.card("15.00"))
        house.gateway("gateway", PLACES["gateway"], house.card("15.00"))
        house.trunk("mirror", f"sip:{PLACES['gateway']}:5090", match="4930")
        house.open()
        house.carrier.usual = Behaviour(answer_after=0.3, talk_seconds=5)
        self.peers = {name: Peer(house.network, EXCHANGE, host, 5080) for name, host in PLACES.items()}

    def leave(self) -> None:
        """Eighty seconds: 32 for an ACK that never comes, 32 for the BYE that follows, and what lingers."""
        directory = self.house.exchange.directory
        directory.bindings.clear()
        self.house.pass_(80, step=0.5)
        layer = self.house.exchange.layer
        assert [*layer.clients.values(), *layer.servers.values()] == []
        assert self.house.leftovers() == {}
        assert self.house.exchange.layer.timers_alive == 0
        assert len(self.house.exchange.live) == 0
        assert self.house.faults() == []


@pytest.mark.parametrize("place", PLACES)
def test_each_torture_message_has_its_answer(database: SynchronousDatabase, place: str) -> None:
    """The answer that the RFC asks for, or silence; and no trace."""
    besieged = Besieged(database)
    peer = besieged.peers[place]
    for name, message in TORTURE.items():
        peer.heard.clear()
        peer.send(message)
        besieged.house.pass_(0.5)
        statuses = [text.status for text in peer.heard if text.status > 100]
        assert are_right(statuses, MANIFEST[name][1] if name in MANIFEST else None), (name, statuses)
        besieged.leave()


def are_right(statuses: list[int], expected: Outcome | None) -> bool:
    """What a well-formed request is answered depends on who asks."""
    if isinstance(expected, Read | Dropped):
        return statuses == []
    if isinstance(expected, Answered | Refused):
        return statuses in ([expected.status], [489])  # SUBSCRIBE is known here, its events are not
    return all(400 <= status < 700 or status == 200 for status in statuses)


def conversation(besieged: Besieged) -> list[bytes]:
    """What the exchange is sent in a day like any other: by telephones, gateways and carriers."""
    house, received = besieged.house, list[bytes]()
    heard = house.exchange.layer.datagram_received

    def listen(data: bytes, source: Hop) -> None:
        received.append(data)
        heard(data, source)

    house.network.attach(EXCHANGE.host, EXCHANGE.port, listen)
    besieged.telephone.register()
    house.pass_(1)
    for number in (LONDON, "100", "112", "gateway"):
        talk = besieged.telephone.call(number)
        house.pass_(3)
        if talk.talking:
            talk.press("12")
            talk.re_invite(besieged.telephone.description() + b"a=sendonly\r\n")
        house.pass_(1)
        talk.hang_up()
        house.pass_(1)
    delivered = house.carrier.call("35921234567")
    house.pass_(1)
    delivered.hang_up()
    given_up = besieged.telephone.call(LONDON)
    house.pass_(0.2)
    given_up.cancel()
    house.pass_(1)
    house.network.attach(EXCHANGE.host, EXCHANGE.port, heard)
    return received


@pytest.mark.parametrize("seed", range(BATCHES))
def test_damaged_messages_leave_no_trace(database: SynchronousDatabase, seed: int) -> None:
    """Each from one of the three places, at any moment."""
    random = Random(seed)
    besieged = Besieged(database, seed)
    corpus = [*TORTURE.values(), *conversation(besieged)]
    for number in range(MUTATIONS // 2 // BATCHES):
        peer = besieged.peers[random.choice(tuple(PLACES))]
        peer.send(mutate(random, random.choice(corpus), corpus))
        if number % 50 == 0:
            besieged.house.pass_(random.choice((0.1, 0.6, 5)), step=0.1)
        peer.heard.clear()
    besieged.leave()


def a_call(besieged: Besieged, random: Random) -> None:
    """Somebody calls somebody, presses keys, changes the session, and hangs up or gives up, at any moment."""
    house = besieged.house
    if random.random() < 0.2:
        besieged.telephone.register()
    caller = random.choice((besieged.telephone, house.carrier))
    talk = caller.call(random.choice((LONDON, "100", "112", "35921234567", "101")))
    for _ in range(3):
        house.pass_(random.uniform(0.1, 2), step=0.1)
        if random.random() < 0.5:
            talk.press("12*#")
        elif talk.talking:
            talk.re_invite(caller.description())
    house.pass_(random.uniform(0.1, 2), step=0.1)
    if talk.talking:
        talk.hang_up()
    else:
        talk.cancel()
    house.pass_(0.1)


@pytest.mark.parametrize("seed", range(BATCHES))
def test_calls_whose_messages_are_damaged_end(database: SynchronousDatabase, seed: int) -> None:
    """One datagram in five is damaged on its way to us, while telephones call and carriers answer."""
    random = Random(seed)
    besieged = Besieged(database, seed)
    house, layer = besieged.house, besieged.house.exchange.layer
    heard, corpus, damaged = layer.datagram_received, [*TORTURE.values()], 0

    def hear_badly(data: bytes, source: Hop) -> None:
        nonlocal damaged
        corpus.append(data)
        del corpus[:-200]
        if random.random() < 0.2:
            damaged += 1
            data = mutate(random, data, corpus)
        heard(data, source)

    house.network.attach(EXCHANGE.host, EXCHANGE.port, hear_badly)
    while damaged < MUTATIONS // 2 // BATCHES:
        a_call(besieged, random)
    house.network.attach(EXCHANGE.host, EXCHANGE.port, heard)
    for port in house.media.open_ports:  # whose BYE we could not read is missed by its silence
        port.mute()
    house.pass_(70, step=0.5)
    besieged.leave()
