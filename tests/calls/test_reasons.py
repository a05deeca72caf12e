"""Why a call has ended is told to the other side (RFC 3326)."""

import pytest

from tests.calls.scene import DESCRIPTION, Scene, WrittenCaller
from tests.calls.story import LONDON, desk_and_shelf, settle
from tests.world.house import House
from tests.world.party import Behaviour

Q850 = 'Reason: Q.850;cause=16;text="Normal call clearing"\n'


def test_a_telephone_that_stops_ringing_learns_that_another_has_answered(house: House) -> None:
    """It should not show a missed call."""
    caller, desk, shelf = desk_and_shelf(house)
    desk.usual, shelf.usual = Behaviour(answer_after=1), Behaviour(answer_after=None)
    talk = caller.call("101")
    house.pass_(2)
    [cancel] = {data for data in house.network.carried if data.startswith(b"CANCEL")}
    assert b'\r\nReason: SIP;cause=200;text="Call completed elsewhere"\r\n' in cancel
    talk.hang_up()
    settle(house)


@pytest.mark.parametrize(("lines", "told"), [(Q850, 'Q.850;cause=16;text="Normal call clearing"'), ("", "")])
def test_why_the_carrier_hung_up_comes_through(gateway: WrittenCaller, house: House, lines: str, told: str) -> None:
    scene = Scene.begin(house)
    scene.talk.cancel()
    gateway.ask(number=LONDON, body=DESCRIPTION)
    house.pass_(0.1)
    scene.carrier.answer()
    house.pass_(0.1)
    gateway.ask("ACK", LONDON)
    scene.carrier.ask("BYE", lines=lines)
    house.pass_(0.1)
    assert gateway.requests("BYE")[0]["reason"] == told
    scene.carrier.respond(487, scene.carrier.requests("INVITE")[0])
    scene.settle()


def test_why_the_caller_hung_up_or_gave_up_comes_through(gateway: WrittenCaller, house: House) -> None:
    gateway.ask(number=LONDON, body=DESCRIPTION)
    house.pass_(0.5)
    gateway.ask("CANCEL", LONDON, to_tag="", lines='Reason: SIP;cause=200;text="Call completed elsewhere"\n')
    house.pass_(0.1)
    gateway.ask("ACK", LONDON)
    [cancel] = {data for data in house.network.carried if data.startswith(b"CANCEL sip:442")}
    assert b'\r\nReason: SIP;cause=200;text="Call completed elsewhere"\r\n' in cancel
    gateway.ask(number=LONDON, call_id="again", body=DESCRIPTION)
    house.pass_(2)
    gateway.ask("ACK", LONDON, call_id="again")
    gateway.ask("BYE", LONDON, sequence=2, call_id="again", lines=Q850)
    house.pass_(0.1)
    bye = house.carrier.calls[-1]
    assert bye.ended_by_far_end
    assert any(
        data.startswith(b"BYE") and b"10.0.0.1" in data and b"Q.850;cause=16" in data
        for data in house.network.carried[-4:]
    )
    settle(house)  # fmt: skip


def test_what_the_network_said_of_a_refusal_comes_through(gateway: WrittenCaller, house: House) -> None:
    """RFC 6432."""
    house.carrier.usual = Behaviour(answer_after=0.5, status=480, headers=(("Reason", "Q.850;cause=19"),))
    gateway.ask(number=LONDON, body=DESCRIPTION)
    house.pass_(1)
    assert gateway.last(480)["reason"] == "Q.850;cause=19"
    gateway.ask("ACK", LONDON)
    settle(house)


def test_a_second_answer_to_a_forked_call_is_told_why_it_is_ended(scene: Scene) -> None:
    scene.connect()
    scene.carrier.answer(tag="late")
    scene.house.pass_(0.1)
    assert "completed elsewhere" in scene.carrier.requests("BYE")[0]["reason"]
    scene.talk.hang_up()
    scene.settle()


def test_a_session_that_was_not_refreshed(scene: Scene) -> None:
    scene.carrier.respond(200, lines="Session-Expires: 90;refresher=uas\n", body=DESCRIPTION)
    scene.house.pass_(61)
    assert scene.carrier.requests("BYE")[0]["reason"] == 'SIP;cause=408;text="Session not refreshed"'
    scene.settle()
