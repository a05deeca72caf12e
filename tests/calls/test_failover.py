"""A carrier with several servers (RFC 3263): the next one where one is out of order, before the carrier counts as failed."""

import pytest

from minitelecom.sip.locating import Kind, Question, Service
from tests.calls.scene import WrittenCarrier
from tests.calls.story import LONDON, settle, subscriber
from tests.world.house import EXCHANGE, House
from tests.world.party import Behaviour, Party, Talk

ONE, TWO = "10.0.0.91", "10.0.0.92"


def carrier(house: House, *, transport: str = "udp", **trunk: object) -> None:
    """A carrier whose servers are tried in this order."""
    name = f"_sip._{transport}.carrier.example"
    house.zone[Question(Kind.SRV, name)] = [
        Service(1, 0, 5060, "one.carrier.example"),
        Service(2, 0, 5060, "two.carrier.example"),
    ]
    house.names |= {"one.carrier.example": ONE, "two.carrier.example": TWO}
    house.trunk("named", "sip:carrier.example", match="4420", priority=-1, **trunk)


def opened(house: House) -> Party:
    _, telephone = subscriber(house, "15.00")
    house.pass_(1)
    return telephone


def check_talk(house: House, talk: Talk, there: Party) -> None:
    """One carrier was tried, at its second server."""
    assert talk.talking
    assert there.calls[0].talking
    talk.hang_up()
    settle(house)
    (record,) = house.records()
    assert (record.trunk, record.cause) == ("named", "normal")
    assert not house.carrier.calls


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_the_second_server_where_the_first_is_overloaded(house: House, transport: str) -> None:
    carrier(house, transport=transport)
    one, two = (house.party("x", host, transport=transport) for host in (ONE, TWO))
    one.usual, two.usual = Behaviour(status=503, answer_after=0.1), Behaviour(answer_after=0.5)
    talk = opened(house).call(LONDON)
    house.pass_(2)
    assert len(one.calls) == 1
    check_talk(house, talk, two)


def test_the_second_server_where_nobody_listens_at_the_first(house: House) -> None:
    carrier(house, transport="tcp")
    two = house.party("two", TWO, transport="tcp")
    two.usual = Behaviour(answer_after=0.5)
    talk = opened(house).call(LONDON)
    house.pass_(1)
    check_talk(house, talk, two)


def test_the_second_server_where_the_first_is_silent_and_whoever_answers_too_late_is_hung_up(house: House) -> None:
    carrier(house)
    one, two = WrittenCarrier(house.network, EXCHANGE, ONE), house.party("two", TWO)
    two.usual = Behaviour(answer_after=0.5)
    talk = opened(house).call(LONDON)
    house.pass_(3.5)
    assert not two.calls
    house.pass_(2)
    assert talk.talking
    one.answer()
    house.pass_(0.1)
    assert (len(one.requests("ACK")), len(one.requests("BYE"))) == (1, 1)
    one.respond(200, one.requests("BYE")[0])
    check_talk(house, talk, two)


def test_a_late_ringing_is_cancelled(house: House) -> None:
    carrier(house)
    one, two = WrittenCarrier(house.network, EXCHANGE, ONE), house.party("two", TWO)
    two.usual = Behaviour(answer_after=0.5)
    talk = opened(house).call(LONDON)
    house.pass_(5.5)
    one.respond(180)
    house.pass_(0.1)
    (cancel,) = one.requests("CANCEL")
    one.respond(200, cancel)
    one.respond(487)
    house.pass_(1)
    check_talk(house, talk, two)


def test_who_has_said_100_is_waited_for(house: House) -> None:
    carrier(house)
    one, two = WrittenCarrier(house.network, EXCHANGE, ONE), house.party("two", TWO)
    talk = opened(house).call(LONDON)
    house.pass_(1)
    one.respond(100)
    house.pass_(10)
    assert not two.calls
    one.respond(486)
    house.pass_(1)
    assert talk.final == 486
    settle(house)


def test_when_all_servers_are_out_of_order_the_next_carrier_is_tried(house: House) -> None:
    carrier(house, transport="tcp")
    house.carrier.usual = Behaviour(answer_after=0.5)
    talk = opened(house).call(LONDON)
    house.pass_(2)
    assert talk.talking
    talk.hang_up()
    settle(house)
    assert [record.trunk for record in house.records()] == ["carrier"]


def test_a_caller_who_gives_up_meanwhile(house: House) -> None:
    carrier(house)
    two = house.party("two", TWO)
    talk = opened(house).call(LONDON)
    house.pass_(2)
    talk.cancel()
    house.pass_(4)
    assert talk.final == 487
    settle(house)
    assert not two.calls


@pytest.mark.parametrize("out_of_order", ["silent", "overloaded"])
def test_we_register_at_the_second_server(house: House, out_of_order: str) -> None:
    carrier(house, username="shop", password="x", register=True)
    one, two = WrittenCarrier(house.network, EXCHANGE, ONE), WrittenCarrier(house.network, EXCHANGE, TWO)
    house.open()
    house.pass_(1)
    (asked,) = {request["cseq"] for request in one.requests("REGISTER")}
    if out_of_order == "overloaded":
        one.respond(503, one.requests("REGISTER")[0])
    house.pass_(0.1 if out_of_order == "overloaded" else 31.5)
    register = two.requests("REGISTER")[0]
    two.respond(200, register)
    house.pass_(60)
    assert (asked, len({request["cseq"] for request in two.requests("REGISTER")})) == ("1 REGISTER", 1)


def test_a_carrier_over_tcp_by_its_address(house: House) -> None:
    house.trunk("tcp", f"sip:{ONE};transport=tcp", match="4420", priority=-1)
    one = house.party("one", ONE, transport="tcp")
    one.usual = Behaviour(answer_after=0.5, talk_seconds=3)
    talk = opened(house).call(LONDON)
    house.pass_(2)
    assert talk.talking
    house.pass_(5)
    assert not talk.talking
    assert house.streams.opened[0].host == ONE
    settle(house)
