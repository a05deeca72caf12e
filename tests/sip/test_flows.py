"""The basic call flows of RFC 3665, between two telephones on a quiet network."""

from datetime import UTC, datetime
from random import Random

import pytest

from minitelecom.sip.message import Request
from minitelecom.sip.registration import Limits, register
from tests.sip.telephones import Network, Telephone
from tests.sip.wire import Recorder


class Pair:
    def __init__(self) -> None:
        self.network = Network(Random(1))
        self.alice = Telephone(self.network, "alice", "192.0.2.1")
        self.bob = Telephone(self.network, "bob", "192.0.2.2")

    def said(self) -> list[str]:
        found, self.network.ladder = self.network.ladder, []
        return found


@pytest.fixture
def pair():
    pair = Pair()
    yield pair
    pair.network.run()
    for telephone in (pair.alice, pair.bob):
        assert (len(telephone.layer), telephone.layer.timers_alive) == (0, 0)
        assert telephone.layer.counts.retransmitted == 0


def test_3_1_a_call_is_answered_and_the_called_side_hangs_up(pair):
    pair.alice.call(pair.bob)
    pair.network.run(2)
    assert pair.said() == ["alice: INVITE", "bob: 180 INVITE", "bob: 200 INVITE", "alice: ACK"]
    pair.bob.hang_up()
    pair.network.run(1)
    assert pair.said() == ["bob: BYE", "alice: 200 BYE"]
    assert (pair.alice.outcomes, pair.bob.outcomes) == (["answered"], ["hung up 200"])


def test_the_calling_side_hangs_up(pair):
    pair.alice.call(pair.bob)
    pair.network.run(2)
    pair.said()
    pair.alice.hang_up()
    pair.network.run(1)
    assert (pair.said(), pair.bob.byes) == (["alice: BYE", "bob: 200 BYE"], 1)


def test_3_7_a_held_call_is_resumed(pair):
    pair.alice.call(pair.bob)
    pair.network.run(2)
    pair.said()
    pair.bob.re_invite("sendonly")
    pair.network.run(1)
    assert pair.said() == ["bob: INVITE", "alice: 200 INVITE", "bob: ACK"]
    assert (pair.alice.negotiation.remote.direction, pair.bob.negotiation.remote.direction) == ("sendonly", "recvonly")
    pair.bob.re_invite("sendrecv")
    pair.network.run(1)
    assert (pair.alice.negotiation.remote.direction, pair.bob.negotiation.remote.direction) == ("sendrecv", "sendrecv")
    assert pair.alice.negotiation.remote.codecs == pair.bob.negotiation.remote.codecs
    pair.alice.hang_up()


def test_3_8_nobody_answers_and_the_caller_gives_up(pair):
    pair.bob.script = (0, None)
    invite = pair.alice.call(pair.bob)
    pair.network.run(5)
    invite.cancel()
    pair.network.run(1)
    assert pair.said() == [
        "alice: INVITE",
        "bob: 180 INVITE",
        "alice: CANCEL",
        "bob: 200 CANCEL",
        "bob: 487 INVITE",
        "alice: ACK",
    ]
    assert pair.alice.outcomes == ["refused 487"]


@pytest.mark.parametrize("status", [480, 486, 503, 302, 603])
def test_3_9_to_3_13_the_call_is_refused(pair, status):
    pair.bob.script = (1, status)
    pair.alice.call(pair.bob)
    pair.network.run(2)
    assert pair.said() == ["alice: INVITE", "bob: 180 INVITE", f"bob: {status} INVITE", "alice: ACK"]
    assert pair.alice.outcomes == [f"refused {status}"]


def test_3_10_there_is_nobody():
    pair = Pair()
    del pair.network.telephones[pair.bob.hop.host]
    pair.alice.call(pair.bob)
    pair.network.run()
    assert (pair.said(), pair.alice.outcomes) == (["alice: INVITE"] * 7, ["failed TIMEOUT"])
    assert len(pair.alice.layer) == 0


def test_2_1_a_telephone_registers_when_it_is_asked_who_it_is(pair):
    instant = datetime(2026, 3, 1, tzinfo=UTC)
    bindings = []

    def registrar(transaction, request, source):
        if request.get("Authorization") is None:
            transaction.respond(request.response(401, headers=[("WWW-Authenticate", 'Digest realm="shop", nonce="1"')]))
            return
        outcome = register(request, bindings, instant, Limits(), source)
        bindings[:] = outcome.bindings
        transaction.respond(outcome.response)

    pair.bob.others["REGISTER"] = registrar
    user = Recorder()
    headers = [
        ("From", "<sip:alice@shop>;tag=1"),
        ("To", "<sip:alice@shop>"),
        ("Call-ID", "r1"),
        ("Contact", "<sip:alice@192.168.1.9>"),
        ("Expires", "600"),
    ]
    for more in ([("CSeq", "1 REGISTER")], [("CSeq", "2 REGISTER"), ("Authorization", 'Digest username="alice"')]):
        pair.alice.layer.request(Request.create("REGISTER", "sip:shop", headers + more), pair.bob.hop, user)
        pair.network.run(1)
    assert (user.responses, bindings[0].source) == ([401, 200], pair.alice.hop)
    assert bindings[0].contact == "sip:alice@192.168.1.9"
