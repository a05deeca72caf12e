"""Requests that come out of turn, ask for too much, or bring too little: each has its answer, and none leaves a trace."""

import pytest

from tests.calls.scene import DESCRIPTION, ON_HOLD, VIDEO, WrittenCaller
from tests.calls.story import settle, subscriber
from tests.world.house import EXCHANGE, House
from tests.world.party import Behaviour
from tests.world.wire import parameter

LONDON = "00442071234567"


def talk(caller: WrittenCaller, house: House, body: str = DESCRIPTION) -> None:
    caller.ask(body=body)
    house.pass_(0.1)
    caller.ask("ACK")
    house.pass_(0.1)
    assert caller.statuses()[-1] == 200


# Requests that lead nowhere.


@pytest.mark.parametrize("method", ["INVITE", "BYE", "INFO", "OPTIONS", "UPDATE", "REFER", "SUBSCRIBE"])
def test_a_request_of_a_call_that_we_do_not_know(caller: WrittenCaller, house: House, method: str) -> None:
    """Perhaps of a call before our last start (RFC 3261 12.2.2)."""
    caller.ask(method, to_tag="gone", body=DESCRIPTION if method == "INVITE" else "")
    house.pass_(0.1)
    assert caller.statuses(method) == [481]
    caller.ask("ACK", to_tag="gone")
    settle(house)


def test_an_ack_and_a_cancel_of_nothing(caller: WrittenCaller, house: House) -> None:
    caller.ask("ACK", to_tag="gone")
    caller.ask("CANCEL")
    house.pass_(0.1)
    assert [text.status for text in caller.heard] == [481]
    settle(house)


@pytest.mark.parametrize(("method", "status"), [("MESSAGE", 405), ("PUBLISH", 405)])
def test_methods_that_we_do_not_know_within_a_call(
    caller: WrittenCaller, house: House, method: str, status: int
) -> None:
    talk(caller, house)
    caller.ask(method, sequence=2)
    house.pass_(0.1)
    assert caller.statuses(method) == [status]
    assert "INVITE" in caller.last(status)["allow"]
    caller.ask("BYE", sequence=3)
    house.pass_(0.1)
    assert caller.statuses("BYE") == [200]
    settle(house)


@pytest.mark.parametrize(
    ("required", "unsupported"), [("precondition", "precondition"), ("timer, path", "path"), ("outbound", "outbound")]
)
def test_a_caller_that_requires_what_we_cannot_do(
    caller: WrittenCaller, house: House, required: str, unsupported: str
) -> None:
    caller.ask(lines=f"Require: {required}\n", body=DESCRIPTION)
    house.pass_(0.1)
    assert caller.last(420)["unsupported"] == unsupported
    caller.ask("ACK")
    settle(house)


def test_a_re_invite_that_requires_what_we_cannot_do(caller: WrittenCaller, house: House) -> None:
    talk(caller, house)
    caller.ask(sequence=2, lines="Require: precondition\n", body=DESCRIPTION)
    house.pass_(0.1)
    assert caller.last(420)["unsupported"] == "precondition"
    caller.ask("ACK", sequence=2)
    caller.ask("BYE", sequence=3)
    settle(house)


def test_what_a_caller_merely_supports_is_its_own_matter(caller: WrittenCaller, house: House) -> None:
    caller.ask(lines="Supported: 100rel, replaces, path, norefersub\n", body=DESCRIPTION)
    house.pass_(0.1)
    assert caller.statuses() == [200]
    assert "require" not in caller.last(200)
    caller.ask("ACK")
    caller.ask("BYE", sequence=2)
    settle(house)


def test_a_call_that_has_gone_round_too_often(gateway: WrittenCaller, house: House) -> None:
    gateway.send(
        f"INVITE sip:{LONDON}@10.0.0.1 SIP/2.0\nVia: SIP/2.0/UDP 10.0.0.50;branch=z9hG4bKround\nMax-Forwards: 0\n"
        f"From: <sip:a@b>;tag=1\nTo: <sip:{LONDON}@10.0.0.1>\nCall-ID: round\nCSeq: 1 INVITE\nContent-Length: 0\n\n"
    )
    house.pass_(0.1)
    assert [text.status for text in gateway.heard] == [483]
    settle(house)


def test_a_telephone_that_leads_back_to_us_does_not_ring_for_ever(house: House) -> None:
    """A gateway registered under a name sends every call for it back: Max-Forwards ends that."""
    house.gateway("loop", EXCHANGE.host, house.card("1.00"))
    caller = house.telephone("101", "10.0.0.11")
    house.open()
    talk = caller.call("loop")
    house.pass_(10)
    assert talk.final is not None
    assert talk.final >= 400
    settle(house, 80)


@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        ("application/dtmf-relay", "Signal=hf\nDuration=160\n", 200),
        ("application/dtmf-relay", f"Signal={'1' * 5000}\n", 200),
        ("application/dtmf", "16", 200),
        ("application/dtmf", "", 200),
        ("application/broadsoft", "event flashhook\n", 415),
    ],
)
def test_an_info_that_is_no_key(caller: WrittenCaller, house: House, kind: str, body: str, status: int) -> None:
    """A hook flash is understood and means nothing here."""
    talk(caller, house)
    caller.ask("INFO", sequence=2, lines=f"Content-Type: {kind}\n", body=body)
    house.pass_(0.1)
    assert caller.statuses("INFO") == [status]
    caller.ask("BYE", sequence=3)
    settle(house)


# What belongs to the description of a session.


@pytest.mark.parametrize("body", ["nonsense\n", VIDEO, DESCRIPTION.replace("RTP/AVP 8 101", "RTP/AVP 18 4")])
def test_a_call_whose_sound_we_do_not_understand(caller: WrittenCaller, house: House, body: str) -> None:
    caller.ask(body=body)
    house.pass_(0.1)
    assert caller.statuses() == [488]
    assert house.leftovers() == {"transactions": 1}
    caller.ask("ACK")
    settle(house)


def test_a_change_to_sound_that_we_do_not_understand_changes_nothing(caller: WrittenCaller, house: House) -> None:
    talk(caller, house)
    caller.ask(sequence=2, body=VIDEO)
    house.pass_(0.1)
    assert caller.statuses() == [200, 488]
    caller.ask("ACK", sequence=2)
    house.pass_(1)
    assert len(house.media.open_ports) == 1
    caller.ask("BYE", sequence=3)
    settle(house)


def test_an_optional_body_of_another_kind_is_no_offer(caller: WrittenCaller, house: House) -> None:
    """As if the INVITE had none: the offer is ours, the answer comes in the ACK."""
    lines = "Content-Type: application/isup\nContent-Disposition: signal;handling=optional\n"
    caller.ask(lines=lines, body="\x01\x11\n")
    house.pass_(0.1)
    assert "m=audio" in caller.last(200).body
    caller.ask("ACK", body=DESCRIPTION)
    house.pass_(0.1)
    assert house.media.every_port[0].remote is not None
    caller.ask("BYE", sequence=2)
    settle(house)


@pytest.mark.parametrize("body", ["", "nonsense\n", VIDEO], ids=["none", "nonsense", "video"])
def test_an_offer_of_ours_that_gets_no_answer_ends_the_call(caller: WrittenCaller, house: House, body: str) -> None:
    """Without an answer there is no session: nobody should pay for silence."""
    caller.ask()
    house.pass_(0.1)
    caller.ask("ACK", body=body)
    house.pass_(0.1)
    assert len(caller.requests("BYE")) == 1
    settle(house)


def test_an_offer_of_ours_within_a_call_that_gets_no_answer_changes_nothing(
    caller: WrittenCaller, house: House
) -> None:
    talk(caller, house)
    caller.ask(sequence=2)
    house.pass_(0.1)
    caller.ask("ACK", sequence=2)
    house.pass_(1)
    assert caller.requests("BYE") == []
    assert house.media.every_port[0].remote is not None
    caller.ask("BYE", sequence=3)
    settle(house)


def test_a_call_without_an_offer_while_there_is_no_port(caller: WrittenCaller, house: House) -> None:
    house.media.most = 0
    caller.ask()
    house.pass_(0.1)
    assert caller.statuses() == [503]
    caller.ask("ACK")
    settle(house)


def test_a_call_that_begins_on_hold(gateway: WrittenCaller, house: House) -> None:
    """It is answered as it asked (RFC 3264 6.1), and taken up again."""
    gateway.ask(number=LONDON, body=ON_HOLD)
    house.pass_(3)
    assert "a=inactive" in gateway.last(200).body
    gateway.ask("ACK", LONDON)
    house.pass_(1)
    assert not house.media.every_port[0].remote.send
    gateway.ask(number=LONDON, sequence=2, body=DESCRIPTION)
    house.pass_(0.1)
    assert "a=sendrecv" in gateway.last(200).body
    assert house.media.every_port[0].remote.send
    gateway.ask("ACK", LONDON, sequence=2)
    gateway.ask("BYE", LONDON, sequence=3)
    settle(house)


# Numbers of a dialog.


def test_a_request_with_a_number_gone_by(caller: WrittenCaller, house: House) -> None:
    caller.ask(sequence=10, body=DESCRIPTION)
    house.pass_(0.1)
    caller.ask("ACK", sequence=10)
    caller.ask("BYE", sequence=9)
    house.pass_(0.1)
    assert caller.statuses("BYE") == [500]
    caller.ask("BYE", sequence=4294967295)
    house.pass_(0.1)
    assert caller.statuses("BYE") == [500, 200]
    settle(house)


def test_two_callers_with_one_call_id(house: House, gateway: WrittenCaller) -> None:
    """Some telephones begin to count anew after a power cut, all alike: our own tags tell the calls apart."""
    other = WrittenCaller(house.network, EXCHANGE, "10.0.0.51")
    house.gateway("other", "10.0.0.51", house.card("1.00"))
    house.open()
    gateway.ask(number=LONDON, call_id="1", body=DESCRIPTION)
    house.pass_(2)
    gateway.ask("ACK", LONDON, call_id="1")
    gateway.ask("BYE", LONDON, sequence=2, call_id="1")
    other.ask(number=LONDON, sequence=7, call_id="1", body=DESCRIPTION)
    house.pass_(2)
    other.ask("ACK", LONDON, sequence=7, call_id="1")
    house.pass_(0.1)
    assert parameter(gateway.last(200)["to"], "tag") != parameter(other.last(200)["to"], "tag")
    gateway.ask("BYE", LONDON, sequence=3, call_id="1", to_tag="guessed")
    house.pass_(0.1)
    assert house.carrier.calls[1].talking
    other.ask("BYE", LONDON, sequence=8, call_id="1")
    settle(house)


def test_an_invite_that_comes_on_two_ways(gateway: WrittenCaller, house: House) -> None:
    """RFC 3261 8.2.2.2: the one that comes second is told so."""
    gateway.ask(number=LONDON, body=DESCRIPTION)
    twin = WrittenCaller(house.network, EXCHANGE, "10.0.0.50", 5070)
    twin.ask(number=LONDON, body=DESCRIPTION)
    house.pass_(0.1)
    assert twin.statuses() == [482]
    house.pass_(2)
    gateway.ask("ACK", LONDON)
    gateway.ask("BYE", LONDON, sequence=2)
    settle(house)


# Identity.


def test_a_password_given_for_an_old_question_is_asked_for_again(house: House) -> None:
    """The nonce has grown old: stale=true says that the password was right (RFC 2617 3.2.1)."""
    _, telephone = subscriber(house)
    first = telephone.call(LONDON)
    house.pass_(3)
    first.hang_up()
    house.pass_(400)
    assert first.client is not None
    credentials = first.client.request.get("Proxy-Authorization")
    again = telephone.call(LONDON, headers=(("Proxy-Authorization", credentials or ""),))
    house.pass_(0.1)
    assert again.statuses[0] == 407
    assert "stale=true" in again.challenges[0]
    house.pass_(3)
    assert again.talking
    again.hang_up()
    settle(house)


def test_a_call_lasts_longer_than_the_question_for_its_password(house: House) -> None:
    """Requests within a call are not asked who they are."""
    _, telephone = subscriber(house)
    house.carrier.usual = Behaviour(answer_after=1)
    talk = telephone.call(LONDON)
    house.pass_(400)
    answer = talk.re_invite(telephone.description())
    house.pass_(0.1)
    assert answer.statuses == [200]
    talk.hang_up()
    house.pass_(0.1)
    assert house.records()[0].cause == "normal"
    settle(house)


def test_a_telephone_that_wants_to_know_of_its_messages(house: House) -> None:
    """MWI: it is asked who it is, and whatever it makes of that, it keeps its registration."""
    telephone = house.telephone("101", "10.0.0.11")
    house.open()
    telephone.register()
    house.pass_(1)
    wire = WrittenCaller(house.network, EXCHANGE, "10.0.0.11", 5062)
    wire.ask("SUBSCRIBE", "101", lines="Event: message-summary\nExpires: 3600\n")
    house.pass_(0.1)
    assert wire.statuses("SUBSCRIBE") == [407]
    assert house.exchange.counters()["registered"] == 1
    settle(house)
