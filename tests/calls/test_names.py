"""Names and numbers: whatever a URI may hold, and names that are numbers of another kind."""

from random import Random

import pytest

from tests.calls.scene import ACCESS, DESCRIPTION, WrittenCaller
from tests.calls.story import settle
from tests.world.house import CARRIER, EXCHANGE, House
from tests.world.party import Behaviour

# Texts that break out of where they are put.

LONG = "".join(Random(1).choices("abcdefghijklmnop0123456789", k=7000))
BREAKING = ["%0d%0aX-Broken:%20yes", "%3e%3binjected", "a%20b", "%22%3c", "%00", "\u0438\u043c\u0435", LONG]


@pytest.mark.parametrize("user", BREAKING)
def test_a_request_uri_that_would_break_our_contact(caller: WrittenCaller, house: House, user: str) -> None:
    """Delivered to our own registration: the number is in the To, and the Request-URI may be anything."""
    caller.send(
        f"INVITE sip:{user}@10.0.0.1 SIP/2.0\nVia: SIP/2.0/UDP {CARRIER};branch=z9hG4bKbreak\nMax-Forwards: 70\n"
        f"From: <sip:a@b>;tag=1\nTo: <sip:{ACCESS}@10.0.0.1>\nCall-ID: break\nCSeq: 1 INVITE\nContent-Length: 0\n\n"
    )
    house.pass_(0.1)
    if caller.heard[-1].status == 200:
        assert "x-broken" not in caller.last(200)
        assert caller.last(200)["contact"].count("<") == caller.last(200)["contact"].count(">") == 1
    else:
        assert caller.heard[-1].status == 400
    settle(house, 80)


@pytest.mark.parametrize("user", BREAKING)
def test_a_caller_whose_name_would_break_our_invite(house: House, user: str) -> None:
    """Whoever calls for help is passed on as he is, in letters that a header can hold."""
    stranger = WrittenCaller(house.network, EXCHANGE, "10.0.0.77")
    house.open()
    house.carrier.usual = Behaviour(answer_after=0.5)
    stranger.send(
        "INVITE sip:112@10.0.0.1 SIP/2.0\nVia: SIP/2.0/UDP 10.0.0.77;branch=z9hG4bKbreak\nMax-Forwards: 70\n"
        f"From: <sip:{user}@10.0.0.77>;tag=1\nTo: <sip:112@10.0.0.1>\nCall-ID: break\nCSeq: 1 INVITE\n"
        f"Contact: <sip:10.0.0.77>\nContent-Type: application/sdp\n\n{DESCRIPTION}"
    )
    house.pass_(2)
    if stranger.heard[-1].status == 400:
        settle(house)
        return
    invite = house.carrier.calls[0].request
    assert invite is not None
    assert invite.get("X-Broken") is None
    assert len(invite.get("From") or "") < 300
    stranger.ask("BYE", "112", sequence=2, call_id="break")
    settle(house, 80)


@pytest.mark.parametrize("user", [*BREAKING, "+44 20 7123", "00442071234567;phone-context=example.com", ""])
def test_a_number_that_is_none(gateway: WrittenCaller, house: House, user: str) -> None:
    gateway.send(
        f"INVITE sip:{user}@10.0.0.1 SIP/2.0\nVia: SIP/2.0/UDP 10.0.0.50;branch=z9hG4bKnone\nMax-Forwards: 70\n"
        "From: <sip:a@b>;tag=1\nTo: <sip:b@10.0.0.1>\nCall-ID: none\nCSeq: 1 INVITE\nContent-Length: 0\n\n"
    )
    house.pass_(0.5)
    assert gateway.heard[-1].status in (400, 403, 404)
    settle(house)


# Telephones and numbers.


def test_a_telephone_that_calls_itself_is_busy(house: House) -> None:
    telephone = house.telephone("101", "10.0.0.11")
    house.open()
    telephone.register()
    house.pass_(1)
    telephone.usual = Behaviour(status=486)
    talk = telephone.call("101")
    house.pass_(3)
    assert talk.final == 486
    settle(house)


@pytest.mark.parametrize(("name", "dialled"), [("100", "100"), ("112", "112")])
def test_our_own_numbers_come_before_telephones_of_that_name(house: House, name: str, dialled: str) -> None:
    named = house.telephone(name, "10.0.0.11")
    caller = house.telephone("101", "10.0.0.12")
    house.open()
    named.register()
    house.pass_(1)
    talk = caller.call(dialled)
    house.pass_(3)
    assert talk.talking
    assert named.calls == []
    talk.hang_up()
    settle(house)


def test_a_telephone_named_like_a_number_of_the_world_is_rung_itself(house: House) -> None:
    named = house.telephone("359888123456", "10.0.0.11")
    caller = house.telephone("101", "10.0.0.12")
    house.open()
    named.register()
    house.pass_(1)
    talk = caller.call("359888123456")
    house.pass_(3)
    assert named.calls[0].talking
    assert house.carrier.calls == []
    talk.hang_up()
    settle(house)


def test_two_trunks_at_one_address(house: House) -> None:
    """Told apart by their port where they can be; a caller is let in by either."""
    house.trunk("second", f"sip:{CARRIER}:5080", priority=5)
    house.open()
    for port in (5060, 5080, 6000):
        caller = WrittenCaller(house.network, EXCHANGE, CARRIER, port)
        caller.ask(call_id=f"from-{port}", body=DESCRIPTION)
        house.pass_(0.1)
        assert caller.statuses() == [200]
        caller.ask("ACK", call_id=f"from-{port}")
        caller.ask("BYE", sequence=2, call_id=f"from-{port}")
        house.pass_(0.1)
    settle(house)


def test_a_registration_under_a_name_with_a_domain(house: House) -> None:
    """Some carriers call their customers name@domain."""
    house.trunk("far", "sip:10.0.0.90", register=True, username="shop@example.com", password="secret")
    far = WrittenCaller(house.network, EXCHANGE, "10.0.0.90")
    house.open()
    house.pass_(0.1)
    register = far.requests("REGISTER")[0]
    assert register["to"] == "<sip:shop%40example.com@10.0.0.90>"
    assert register["contact"] == "<sip:shop%40example.com@10.0.0.1:5060>"
    house.exchange.stop()
    house.pass_(40)
