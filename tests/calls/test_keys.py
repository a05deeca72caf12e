"""Keys of a talk towards a far end that takes no telephone-event: by INFO where it says so, otherwise as tones."""

import pytest

from minitelecom.calls.told_keys import takes_info
from minitelecom.sip.message import Request
from minitelecom.store import devices
from minitelecom.store.devices import Settings
from minitelecom.store.synchronous import run
from tests.calls.scene import DESCRIPTION, Scene
from tests.world.house import House
from tests.world.media import QuietPort
from tests.world.wire import Text

ALLOW = "Allow: INVITE, ACK, BYE, CANCEL, INFO\n"
WITHOUT_EVENTS = DESCRIPTION.replace(" 101", "").replace("a=rtpmap:101 telephone-event/8000\n", "")


def talk(house: House, lines: str = ALLOW, body: str = WITHOUT_EVENTS, **trunk: object) -> Scene:
    """The carrier has answered, and says this of itself."""
    scene = Scene.begin(house, **trunk)
    scene.carrier.respond(200, lines=lines, body=body)
    house.pass_(1)
    assert scene.talk.talking
    return scene


def far_port(scene: Scene) -> QuietPort:
    return scene.house.media.open_ports[-1]


def told(scene: Scene) -> list[Text]:
    """The INFOs that the carrier has had, each once."""
    return list({text["cseq"]: text for text in scene.carrier.requests("INFO")}.values())


def keys(infos: list[Text]) -> str:
    return "".join(text.body.partition("Signal=")[2][0] for text in infos)


@pytest.mark.parametrize(
    "lines",
    [
        ALLOW,
        "Allow: INVITE\nAllow: info\n",
        ALLOW + "Accept: application/sdp, application/dtmf-relay\n",
        ALLOW + "Accept: */*\n",
    ],
)
def test_whoever_takes_info_is_told_one_key_after_the_other(house: House, lines: str) -> None:
    scene = talk(house, lines)
    scene.talk.press("5*1", seconds_apart=0.1)
    house.pass_(0.45)
    assert keys(told(scene)) == "5"  # the next waits for its answer
    for _ in range(3):
        scene.carrier.respond(200, told(scene)[-1])
        house.pass_(0.1)
    assert keys(told(scene)) == "5*1"
    assert {text["content-type"] for text in told(scene)} == {"application/dtmf-relay"}
    assert told(scene)[0].body.splitlines() == ["Signal=5", "Duration=160"]
    assert far_port(scene).pressed == ""
    scene.talk.hang_up()
    scene.settle()


@pytest.mark.parametrize(
    ("lines", "body"),
    [
        ("", WITHOUT_EVENTS),
        ("Allow: INVITE, ACK, BYE, CANCEL, XINFO\n", WITHOUT_EVENTS),
        (ALLOW + "Accept: application/sdp\n", WITHOUT_EVENTS),
        (ALLOW, DESCRIPTION),
    ],
)
def test_whoever_says_nothing_of_info_or_takes_events_is_not(house: House, lines: str, body: str) -> None:
    scene = talk(house, lines, body)
    scene.talk.press("5")
    house.pass_(1)
    assert told(scene) == []
    assert far_port(scene).pressed == "5"
    scene.talk.hang_up()
    scene.settle()


@pytest.mark.parametrize("status", [405, 415, 501])
def test_whoever_does_not_understand_hears_tones_from_then_on(house: House, status: int) -> None:
    scene = talk(house)
    scene.talk.press("123", seconds_apart=0.1)
    house.pass_(0.5)
    scene.carrier.respond(status, told(scene)[0])
    house.pass_(0.5)
    scene.talk.press("4")
    house.pass_(0.5)
    assert len(told(scene)) == 1
    assert far_port(scene).pressed == "1234"
    scene.talk.hang_up()
    scene.settle()


def test_a_key_that_is_refused_is_a_tone_and_the_next_is_told_again(house: House) -> None:
    scene = talk(house)
    scene.talk.press("12", seconds_apart=0.1)
    house.pass_(0.5)
    scene.carrier.respond(500, told(scene)[0])
    house.pass_(0.2)
    scene.carrier.respond(200, told(scene)[1])
    house.pass_(0.2)
    assert (keys(told(scene)), far_port(scene).pressed) == ("12", "1")
    scene.talk.hang_up()
    scene.settle()


def test_nobody_answers_and_the_keys_become_tones(house: House) -> None:
    scene = talk(house)
    scene.talk.press("12", seconds_apart=0.1)
    house.pass_(40)
    assert far_port(scene).pressed == "12"
    assert scene.talk.talking
    scene.talk.hang_up()
    scene.settle()


def test_the_other_kind_of_body_is_tried_where_it_is_asked_for(house: House) -> None:
    scene = talk(house)
    scene.talk.press("#")
    house.pass_(0.3)
    scene.carrier.respond(415, told(scene)[0], lines="Accept: application/dtmf\n")
    house.pass_(0.3)
    again = told(scene)[1]
    assert (again["content-type"], again.body) == ("application/dtmf", "#")
    scene.carrier.respond(200, again)
    house.pass_(0.3)
    assert far_port(scene).pressed == ""
    scene.talk.hang_up()
    scene.settle()


def test_a_carrier_that_knows_of_no_such_call_ends_it(house: House) -> None:
    scene = talk(house)
    scene.talk.press("1")
    house.pass_(0.3)
    scene.carrier.respond(481, told(scene)[0])
    house.pass_(0.5)
    assert not scene.talk.talking
    scene.settle()


def test_a_call_that_ends_with_keys_on_their_way_leaves_nothing(house: House) -> None:
    scene = talk(house)
    scene.talk.press("123", seconds_apart=0.05)
    house.pass_(0.3)
    scene.talk.hang_up()
    house.pass_(0.3)
    scene.carrier.respond(405, told(scene)[0])
    scene.settle()
    assert keys(told(scene)) == "1"


@pytest.mark.parametrize(("way", "by_info", "as_tones"), [("info", "7", ""), ("tones", "", "7")])
def test_an_administrator_knows_better_of_a_carrier(house: House, way: str, by_info: str, as_tones: str) -> None:
    """Telephone-event is not offered then."""
    scene = Scene.begin(house, keys=way)
    assert "telephone-event" not in scene.carrier.invite.body
    scene.carrier.respond(200, lines=ALLOW if way == "tones" else "", body=DESCRIPTION)
    house.pass_(1)
    scene.talk.press("7")
    house.pass_(0.5)
    assert (keys(told(scene)), far_port(scene).pressed) == (by_info, as_tones)
    remote = far_port(scene).remote
    assert remote is not None
    assert remote.telephone_event is None
    for info in told(scene):
        scene.carrier.respond(200, info)
    scene.talk.hang_up()
    scene.settle()


def test_and_of_a_telephone(house: House) -> None:
    caller = house.telephone("102", "10.0.0.12")
    telephone = house.telephone("101", "10.0.0.11")
    house.open()
    device = house.exchange.directory.devices["101"]
    run(devices.configure(house.database, device, Settings(properties={"keys": "info"}), "story", house.now()))
    run(house.exchange.directory.read_devices())
    telephone.register()
    house.pass_(1)
    near = caller.call("101")
    house.pass_(2)
    near.press("9")
    house.pass_(0.5)
    [info] = [request for request in telephone.calls[0].heard if request.method == "INFO"]
    assert info.body == b"Signal=9\r\nDuration=160\r\n"
    near.hang_up()
    house.pass_(40)
    assert house.leftovers() == {}


def test_keys_before_the_answer_are_tones(house: House) -> None:
    """INFO belongs to a dialog that both sides are sure of."""
    scene = Scene.begin(house)
    scene.carrier.respond(183, lines=ALLOW, body=WITHOUT_EVENTS)
    house.pass_(0.5)
    caller, carrier = house.media.open_ports
    caller.info_key("1")
    assert (told(scene), carrier.pressed) == ([], "1")
    scene.talk.cancel()
    house.pass_(0.5)
    scene.carrier.respond(487)
    scene.settle()


@pytest.mark.parametrize(
    ("lines", "taken"),
    [
        ([("Allow", "INVITE,INFO")], True),
        ([("Allow", "INVITE"), ("Allow", " INFO ")], True),
        ([("Allow", "INVITE, INFORM")], False),
        ([], False),
        ([("Allow", "INFO"), ("Accept", "application/sdp")], False),
        ([("Allow", "INFO"), ("Accept", "application/sdp"), ("Accept", "application/dtmf;q=0.1")], True),
        ([("Allow", "INFO"), ("Accept", "application/*")], True),
    ],
)
def test_what_a_far_end_says_of_info(lines: list[tuple[str, str]], taken: bool) -> None:
    assert takes_info(Request.create("INVITE", "sip:a@b", lines)) is taken
