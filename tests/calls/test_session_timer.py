"""A far end that loses its power in a call is missed, since the session must be refreshed: RFC 4028."""

import pytest

from minitelecom.config import Calls, Config, Emergency
from minitelecom.store.synchronous import SynchronousDatabase
from tests.calls.scene import DESCRIPTION, ON_HOLD, Scene, WrittenCaller
from tests.calls.story import settle
from tests.world.house import House
from tests.world.wire import Text

ALLOW = "Allow: INVITE, ACK, CANCEL, BYE, UPDATE\n"
SUPPORTED = "Supported: timer\n"
FREEPHONE = "0080012345"


@pytest.fixture
def house(database: SynchronousDatabase) -> House:
    """Everybody says something at all times, so that silence ends no call."""
    return House(
        database,
        config=Config(
            emergency=Emergency(numbers=("112",), trunk="carrier"),
            calls=Calls(longest_minutes=600, silence_seconds=3600, session_seconds=1800),
        ),
    )


@pytest.fixture
def scene(house: House) -> Scene:
    """A caller who can pay for hours."""
    scene = Scene.begin(house)
    house.recharge(scene.card, "50.00")
    return scene


@pytest.fixture
def caller(gateway: WrittenCaller) -> WrittenCaller:
    """A telephone known by its address; the carrier answers and supports no timer."""
    return gateway


def answer(scene: Scene, expires: str, lines: str = "") -> Scene:
    scene.carrier.respond(200, lines=f"Session-Expires: {expires}\n{lines}" if expires else lines, body=DESCRIPTION)
    scene.house.pass_(0.1)
    assert scene.talk.talking
    return scene


def refreshes(wire: WrittenCaller | object, method: str) -> list[Text]:
    """The refreshes that this far end was asked for, each once."""
    found = {text.sequence: text for text in wire.requests(method) if ";tag=" in text["to"]}  # type: ignore[attr-defined]
    return [found[sequence] for sequence in sorted(found)]


def reply(wire: WrittenCaller, request: Text, status: int = 200, lines: str = "", body: str = "") -> None:
    kind = "Content-Type: application/sdp\n" if body else ""
    wire.send(
        f"SIP/2.0 {status} Whatever\nVia: {request['via']}\nFrom: {request['from']}\nTo: {request['to']}\n"
        f"Call-ID: {request['call-id']}\nCSeq: {request['cseq']}\nContact: <sip:4420@{wire.host}>\n"
        f"{lines}{kind}Content-Length: {len(body) + body.count(chr(10))}\n\n{body}"
    )


def talk(caller: WrittenCaller, house: House, lines: str = "") -> Text:
    caller.ask(number=FREEPHONE, lines=lines, body=DESCRIPTION)
    house.pass_(2)
    caller.ask("ACK", FREEPHONE)
    house.pass_(0.1)
    return caller.last(200)


# We call.


def test_what_we_ask_a_carrier_for(scene: Scene) -> None:
    assert scene.carrier.invite["session-expires"] == "1800"
    assert "timer" in scene.carrier.invite["supported"]
    assert "min-se" not in scene.carrier.invite
    scene.talk.cancel()
    scene.carrier.respond(487)
    scene.settle()


@pytest.mark.parametrize(("allow", "method"), [(ALLOW, "UPDATE"), ("", "INVITE")])
def test_we_refresh_at_half_time_by_what_the_far_end_takes(scene: Scene, allow: str, method: str) -> None:
    answer(scene, "600;refresher=uac", allow)
    scene.house.pass_(299.8)
    assert refreshes(scene.carrier, method) == []
    for count in (1, 2, 3):
        scene.house.pass_(0.4 if count == 1 else 300.2)
        request = refreshes(scene.carrier, method)[-1]
        assert len(refreshes(scene.carrier, method)) == count
        assert request["session-expires"] == "600;refresher=uac"
        if method == "INVITE":  # it states the session as it is, with the same version (7.4)
            assert request.body == scene.carrier.requests("INVITE")[0].body
        else:
            assert request.body == ""
        body = DESCRIPTION if method == "INVITE" else ""
        scene.carrier.respond(200, request, lines="Session-Expires: 600;refresher=uac\n", body=body)
    scene.house.pass_(100)
    assert scene.talk.talking
    scene.talk.hang_up()
    scene.settle()


def test_a_far_end_that_has_lost_its_power_is_missed_at_the_next_refresh(scene: Scene) -> None:
    answer(scene, "600;refresher=uac", ALLOW)
    scene.carrier.unplug()
    scene.house.pass_(340)
    assert scene.talk.ended_by_far_end
    assert scene.house.records()[0].cause == "failed"
    scene.settle()


@pytest.mark.parametrize("status", [481, 408])
def test_a_far_end_that_knows_the_call_no_more(scene: Scene, status: int) -> None:
    answer(scene, "600;refresher=uac", ALLOW)
    scene.house.pass_(300.2)
    scene.carrier.respond(status, refreshes(scene.carrier, "UPDATE")[0])
    scene.house.pass_(0.1)
    assert scene.talk.ended_by_far_end
    scene.settle()


def test_a_far_end_that_refuses_update_is_asked_by_re_invite(scene: Scene) -> None:
    answer(scene, "600;refresher=uac", ALLOW)
    scene.house.pass_(300.2)
    scene.carrier.respond(405, refreshes(scene.carrier, "UPDATE")[0])
    scene.house.pass_(0.1)
    [request] = refreshes(scene.carrier, "INVITE")
    scene.carrier.respond(200, request, lines="Session-Expires: 600;refresher=uac\n", body=DESCRIPTION)
    scene.house.pass_(300.2)
    assert len(refreshes(scene.carrier, "UPDATE")) == 1
    assert len(refreshes(scene.carrier, "INVITE")) == 2
    scene.talk.hang_up()
    scene.carrier.respond(481, refreshes(scene.carrier, "INVITE")[1])
    scene.settle()


def test_a_refresh_that_is_always_refused_is_repeated_until_it_is_too_late(scene: Scene) -> None:
    """Section 10: a third of the interval, or 32 seconds, before its end we say BYE."""
    answer(scene, "90;refresher=uac", ALLOW)
    for _ in range(600):
        scene.house.pass_(0.1)
        for request in refreshes(scene.carrier, "UPDATE"):
            scene.carrier.respond(503, request)
        if not scene.talk.talking:
            break
    assert 59 < scene.house.clock.seconds() < 61
    assert len(refreshes(scene.carrier, "UPDATE")) == 3
    scene.settle()


def test_a_far_end_that_is_to_refresh_and_does_not(scene: Scene) -> None:
    answer(scene, "600;refresher=uas")
    scene.house.pass_(567)
    assert scene.talk.talking
    scene.house.pass_(2)
    assert scene.talk.ended_by_far_end
    assert len({text["via"] for text in scene.carrier.requests("BYE")}) == 1
    scene.settle()


@pytest.mark.parametrize("method", ["UPDATE", "INVITE"])
def test_a_far_end_that_refreshes_in_time(scene: Scene, method: str) -> None:
    answer(scene, "600;refresher=uas")
    for sequence in (1, 2, 3):
        scene.house.pass_(400)
        body = DESCRIPTION if method == "INVITE" else ""
        lines = f"{SUPPORTED}Session-Expires: 600;refresher=uac\n"
        scene.carrier.ask(method, sequence=sequence, lines=lines, body=body)
        scene.house.pass_(0.1)
        assert scene.carrier.last(200)["session-expires"] == "600;refresher=uac"
        assert scene.carrier.last(200)["require"] == "timer"
        if method == "INVITE":
            scene.carrier.ask("ACK", sequence=sequence)
    scene.house.pass_(500)
    assert scene.talk.talking
    scene.talk.hang_up()
    scene.settle()


def test_a_carrier_without_timer_may_talk_for_hours(scene: Scene) -> None:
    answer(scene, "")
    scene.house.pass_(7200, step=5)
    assert scene.talk.talking
    assert refreshes(scene.carrier, "INVITE") == []
    scene.talk.hang_up()
    scene.settle()


def test_a_refresh_that_is_answered_without_the_timer_turns_it_off(scene: Scene) -> None:
    answer(scene, "600;refresher=uac", ALLOW)
    scene.house.pass_(300.2)
    scene.carrier.respond(200, refreshes(scene.carrier, "UPDATE")[0])
    scene.house.pass_(2000, step=1)
    assert scene.talk.talking
    assert len(refreshes(scene.carrier, "UPDATE")) == 1
    scene.talk.hang_up()
    scene.settle()


def test_a_carrier_that_wants_a_longer_interval(scene: Scene) -> None:
    """422 with Min-SE: the call is asked for again at once, and the caller hears nothing of it (7.3)."""
    scene.carrier.respond(422, lines="Min-SE: 3600\n")
    scene.house.pass_(0.1)
    first, second = scene.carrier.requests("INVITE")
    assert (second["session-expires"], second["min-se"]) == ("3600", "3600")
    assert second["call-id"] == first["call-id"]
    assert second.sequence == first.sequence + 1
    answer(scene, "3600;refresher=uac", ALLOW)
    scene.house.pass_(1800.1, step=0.5)
    assert refreshes(scene.carrier, "UPDATE")[0]["min-se"] == "3600"
    scene.talk.hang_up()
    scene.carrier.respond(481, refreshes(scene.carrier, "UPDATE")[0])
    scene.settle()


@pytest.mark.parametrize("least", ["", "Min-SE: 90\n", "Min-SE: 100000\n"])
def test_a_422_that_does_not_say_what_would_do_is_a_refusal(scene: Scene, least: str) -> None:
    scene.carrier.respond(422, lines=least)
    scene.house.pass_(0.5)
    assert len(scene.carrier.requests("INVITE")) == 1
    assert scene.talk.final == 500
    scene.settle()


def test_a_carrier_that_is_never_content(scene: Scene) -> None:
    for step in range(8):
        scene.carrier.respond(422, lines=f"Min-SE: {2000 + step}\n")
        scene.house.pass_(0.1)
    assert len(scene.carrier.requests("INVITE")) == 6
    assert scene.talk.final == 500
    scene.settle()


def test_a_refresh_that_is_too_frequent_for_the_far_end(scene: Scene) -> None:
    answer(scene, "600;refresher=uac", ALLOW)
    scene.house.pass_(300.2)
    scene.carrier.respond(422, refreshes(scene.carrier, "UPDATE")[0], lines="Min-SE: 1200\n")
    scene.house.pass_(0.1)
    assert refreshes(scene.carrier, "UPDATE")[1]["session-expires"] == "1200;refresher=uac"
    scene.talk.hang_up()
    scene.carrier.respond(481, refreshes(scene.carrier, "UPDATE")[1])
    scene.settle()


# We are called.


def test_a_caller_that_asks_for_too_short_an_interval(caller: WrittenCaller, house: House) -> None:
    caller.ask(number=FREEPHONE, lines=f"{SUPPORTED}Session-Expires: 60\n", body=DESCRIPTION)
    house.pass_(0.1)
    assert caller.last(422)["min-se"] == "90"
    caller.ask("ACK", FREEPHONE)
    settle(house)


def test_a_caller_that_wants_to_refresh_itself(caller: WrittenCaller, house: House) -> None:
    accepted = talk(caller, house, f"{SUPPORTED}Session-Expires: 600;refresher=uac\n")
    assert (accepted["session-expires"], accepted["require"]) == ("600;refresher=uac", "timer")
    house.pass_(560)
    assert house.carrier.calls[0].talking
    house.pass_(9)
    assert house.carrier.calls[0].ended_by_far_end
    assert len({text["via"] for text in caller.requests("BYE")}) == 1
    settle(house)


@pytest.mark.parametrize(
    ("lines", "method"),
    [(SUPPORTED, "INVITE"), (SUPPORTED + ALLOW, "UPDATE"), (f"{SUPPORTED}Session-Expires: 3600\n", "INVITE")],
)
def test_a_caller_that_leaves_it_to_us(caller: WrittenCaller, house: House, lines: str, method: str) -> None:
    accepted = talk(caller, house, lines)
    assert (accepted["session-expires"], accepted["require"]) == ("1800;refresher=uas", "timer")
    house.pass_(900, step=0.5)
    request = refreshes(caller, method)[0]
    assert request["session-expires"] == "1800;refresher=uac"
    reply(
        caller, request, lines="Session-Expires: 1800;refresher=uac\n", body=DESCRIPTION if method == "INVITE" else ""
    )
    house.pass_(600, step=0.5)
    assert house.carrier.calls[0].talking
    caller.ask("BYE", FREEPHONE, sequence=2)
    settle(house)


def test_a_telephone_that_knows_no_timer_behind_a_proxy_that_does(caller: WrittenCaller, house: House) -> None:
    """Table 2, first row: it is we who refresh, by re-INVITE; the telephone is not told to require anything."""
    accepted = talk(caller, house, "Session-Expires: 600\n")
    assert accepted["session-expires"] == "600;refresher=uas"
    assert "require" not in accepted
    house.pass_(299.1)
    assert len(refreshes(caller, "INVITE")) == 1
    caller.ask("BYE", FREEPHONE, sequence=2)
    house.pass_(0.1)
    reply(caller, refreshes(caller, "INVITE")[0], 487)
    settle(house)


def test_a_telephone_that_knows_no_timer_is_never_asked(caller: WrittenCaller, house: House) -> None:
    accepted = talk(caller, house)
    assert "session-expires" not in accepted
    house.pass_(4000, step=2)
    assert refreshes(caller, "INVITE") == []
    assert house.carrier.calls[0].talking
    caller.ask("BYE", FREEPHONE, sequence=2)
    settle(house)


def test_who_holds_keeps_holding_while_the_session_is_refreshed(caller: WrittenCaller, house: House) -> None:
    caller.on_text = lambda text: reply(caller, text) if text.start.startswith("OPTIONS") else None
    talk(caller, house, f"{SUPPORTED}Session-Expires: 600\n")
    caller.ask(number=FREEPHONE, sequence=2, lines=f"{SUPPORTED}Session-Expires: 600\n", body=ON_HOLD)
    house.pass_(0.1)
    held = caller.last(200).body
    caller.ask("ACK", FREEPHONE, sequence=2)
    house.pass_(300)
    request = refreshes(caller, "INVITE")[0]
    assert request.body == held
    reply(caller, request, lines="Session-Expires: 600;refresher=uac\n", body=ON_HOLD)
    house.pass_(0.1)
    remote = house.media.every_port[0].remote
    assert remote is not None
    assert not remote.receive
    caller.ask("BYE", FREEPHONE, sequence=3)
    settle(house)


def test_a_refresh_with_too_short_an_interval(caller: WrittenCaller, house: House) -> None:
    talk(caller, house, f"{SUPPORTED}Session-Expires: 600;refresher=uac\n")
    caller.ask("UPDATE", FREEPHONE, sequence=2, lines=f"{SUPPORTED}Session-Expires: 30;refresher=uac\n")
    house.pass_(0.1)
    assert caller.last(422)["min-se"] == "90"
    caller.ask("BYE", FREEPHONE, sequence=3)
    settle(house)


def test_a_house_that_wants_no_timer(database: SynchronousDatabase) -> None:
    house = House(database, config=Config(calls=Calls(session_seconds=0)))
    scene = Scene.begin(house)
    assert "session-expires" not in scene.carrier.invite
    assert "timer" not in scene.carrier.invite["supported"]
    scene.carrier.respond(200, lines="Session-Expires: 600;refresher=uac\n", body=DESCRIPTION)
    scene.house.pass_(400)
    assert refreshes(scene.carrier, "INVITE") == []
    scene.talk.hang_up()
    scene.settle()
