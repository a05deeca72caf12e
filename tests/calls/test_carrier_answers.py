"""What a carrier may answer to an INVITE of ours, sensible or not: the caller hears the right thing, nothing is left."""

import pytest

from minitelecom.media.tones import ringback
from tests.calls.scene import DESCRIPTION, ON_HOLD, VIDEO, Scene
from tests.calls.story import LONDON, desk_and_shelf, settle, subscriber, visitor
from tests.world.house import House
from tests.world.party import Behaviour


@pytest.mark.parametrize(
    "body",
    [
        "",
        "nonsense\n",
        VIDEO,
        DESCRIPTION.replace("40000", "0"),
        DESCRIPTION.replace("RTP/AVP 8 101", "RTP/AVP 18"),
        DESCRIPTION.replace("c=IN IP4 10.0.0.99\n", ""),
    ],
    ids=["none", "nonsense", "video", "port 0", "G.729", "no address"],
)
def test_an_answer_without_sound_that_we_could_use(scene: Scene, body: str) -> None:
    """Acknowledged, ended at once, and never charged."""
    scene.carrier.answer(body=body)
    scene.house.pass_(0.5)
    assert len(scene.carrier.requests("ACK")) == 1
    assert len(scene.carrier.requests("BYE")) == 1
    assert scene.talk.final == 488
    record = scene.house.records()[0]
    assert (record.answered, str(record.cost)) == (None, "0.00 EUR")
    scene.settle()


def test_sound_described_before_the_answer_need_not_be_described_again(scene: Scene) -> None:
    """RFC 3261 13.2.1 wants the same description in the 200, too; some leave it out."""
    scene.carrier.respond(183, body=DESCRIPTION)
    scene.house.pass_(1)
    assert 183 in scene.talk.statuses
    scene.carrier.answer(body="")
    scene.house.pass_(1)
    assert scene.talk.talking
    scene.talk.hang_up()
    scene.settle()


def test_the_sound_of_the_branch_that_answers_is_the_one_we_send_to(scene: Scene) -> None:
    scene.carrier.respond(183, tag="one", body=DESCRIPTION)
    scene.house.pass_(1)
    scene.carrier.answer(tag="two", body=DESCRIPTION.replace("40000", "50000"))
    scene.house.pass_(1)
    assert {port.remote.port for port in scene.house.media.open_ports if port.remote} == {40000, 50000}
    assert scene.house.media.every_port[1].remote.port == 50000
    scene.talk.hang_up()
    scene.settle()


def test_a_carrier_that_spoke_before_it_refused_is_followed_by_ringing(house: House) -> None:
    """An announcement, then 503: while the next carrier rings, the caller in the dialogue hears our ringing tone."""
    second = house.party("second", "10.0.0.98")
    second.usual = Behaviour(answer_after=None)
    house.trunk("second", "sip:10.0.0.98", priority=1)
    house.carrier.usual = Behaviour(early_media=True, status=503)
    _, talk = visitor(house)
    talk.press(LONDON + "#")
    house.pass_(12)
    assert second.calls[0].request is not None
    assert house.media.every_port[0].played[-1] is ringback()
    talk.hang_up()
    settle(house)


def test_one_of_two_telephones_speaks_and_refuses_while_the_other_rings(house: House) -> None:
    caller, desk, shelf = desk_and_shelf(house)
    desk.usual, shelf.usual = Behaviour(early_media=True, status=486, answer_after=3), Behaviour(answer_after=None)
    talk = caller.call("101")
    house.pass_(2)
    assert talk.statuses[-1] == 183
    house.pass_(3)
    assert talk.statuses[-1] == 180
    talk.cancel()
    settle(house)


def test_sound_before_the_answer_for_a_caller_who_described_none(house: House) -> None:
    """It cannot be sent to anywhere: what the caller hears of it is that it rings."""
    _, telephone = subscriber(house)
    house.carrier.usual = Behaviour(early_media=True, answer_after=3)
    talk = telephone.call(LONDON, body=False)
    house.pass_(2)
    assert talk.statuses[-1] == 180
    house.pass_(3)
    assert talk.talking
    talk.hang_up()
    settle(house)


@pytest.mark.parametrize("body", ["nonsense\n", VIDEO])
def test_early_sound_that_we_cannot_use_is_ringing(scene: Scene, body: str) -> None:
    scene.carrier.respond(183, body=body)
    scene.house.pass_(1)
    assert 180 in scene.talk.statuses
    scene.connect()
    scene.talk.hang_up()
    scene.settle()


def test_a_description_of_another_kind_is_no_sound(scene: Scene) -> None:
    """An ISUP message, as gateways put beside or instead."""
    scene.carrier.respond(183, lines="Content-Type: application/isup\n", body="\x01\x11\n")
    scene.house.pass_(1)
    assert 180 in scene.talk.statuses
    scene.connect()
    scene.talk.hang_up()
    scene.settle()


def test_a_far_end_that_holds_before_it_has_answered(scene: Scene) -> None:
    """It is sent nothing until it answers, and its silence is no death; only the talk is paid."""
    scene.carrier.respond(183, body=ON_HOLD)
    scene.house.pass_(60)
    near, far = (port.remote for port in scene.house.media.open_ports)
    assert (near.send, far.send, far.receive) == (True, False, False)
    assert scene.talk.final is None
    scene.connect()
    assert scene.house.media.every_port[1].remote.send
    scene.talk.hang_up()
    scene.settle()
    assert [(record.cause, record.billed_seconds) for record in scene.house.records()] == [("normal", 1)]


@pytest.mark.parametrize("status", [400, 402, 415, 420, 422, 481, 484, 488, 491, 500, 501, 580, 600, 606, 699])
def test_any_refusal_ends_the_call(scene: Scene, status: int) -> None:
    scene.carrier.respond(status)
    scene.house.pass_(0.5)
    assert len(scene.carrier.requests("ACK")) == 1
    assert scene.talk.final is not None
    assert scene.talk.final >= 400
    assert scene.house.records()[0].cause in ("rejected", "failed", "busy")
    assert scene.house.records()[0].sip_status == status
    scene.settle()


@pytest.mark.parametrize("status", [401, 402, 407, 500, 503])
def test_a_carrier_that_cannot_help_us_gives_way_to_the_next(house: House, status: int) -> None:
    """It doesn't know us, we owe it money, it is out of order: none of that says anything about the number."""
    second = house.party("second", "10.0.0.98")
    house.trunk("second", "sip:10.0.0.98", priority=1)
    scene = Scene.begin(house)
    scene.carrier.respond(status)
    house.pass_(2)
    assert scene.talk.talking
    assert second.calls[0].talking
    scene.talk.hang_up()
    scene.settle()


def test_an_answer_with_the_vias_of_somebody_else(scene: Scene) -> None:
    """RFC 3261 8.1.3.3: not for us; the INVITE goes on asking, and at last nobody has answered."""
    vias = scene.carrier.invite.all("via")
    scene.carrier.respond(200, lines=f"Via: {vias[0]}\n", body=DESCRIPTION)
    scene.house.pass_(40)
    assert scene.talk.final == 500
    assert scene.house.records()[0].cause == "failed"
    scene.settle()


def test_a_refusal_after_the_answer_and_ringing_after_the_refusal(scene: Scene) -> None:
    scene.connect()
    for status in (486, 180, 100, 407):
        scene.carrier.respond(status)
        scene.house.pass_(0.1)
    assert scene.talk.talking
    scene.talk.hang_up()
    scene.settle()


def test_ringing_that_never_ends_and_never_answers(scene: Scene) -> None:
    """A far end that repeats 180 each minute keeps no call alive."""
    for _ in range(3):
        scene.ring()
        scene.house.pass_(40)
    assert scene.talk.final == 480
    assert len(scene.carrier.requests("CANCEL")) >= 1
    scene.settle()


@pytest.mark.parametrize("contact", ["", "Contact: <tel:+442071234567>\n", "Contact: <sip:far@sbc.example.net>\n"])
def test_an_answer_whose_contact_names_no_address(scene: Scene, contact: str) -> None:
    """Then requests go where the answer came from."""
    invite = scene.carrier.invite
    vias = "".join(f"Via: {via}\n" for via in invite.all("via"))
    scene.carrier.send(
        f"SIP/2.0 200 OK\n{vias}From: {invite['from']}\nTo: {invite['to']};tag=far\nCall-ID: {invite['call-id']}\n"
        f"CSeq: {invite['cseq']}\n{contact}Content-Type: application/sdp\n\n{DESCRIPTION}"
    )
    scene.house.pass_(0.5)
    assert scene.talk.talking
    assert len(scene.carrier.requests("ACK")) == 1
    scene.talk.hang_up()
    scene.house.pass_(0.5)
    assert len(scene.carrier.requests("BYE")) == 1
    scene.settle()


def test_the_way_back_leads_by_the_proxies_of_the_answer(scene: Scene) -> None:
    """Loose routes: BYE goes to the last proxy, which is the first on our way."""
    proxy = type(scene.carrier)(scene.house.network, scene.carrier.exchange, "10.0.0.97")
    scene.carrier.respond(
        200,
        lines="Record-Route: <sip:10.0.0.96;lr>, <sip:10.0.0.97;lr>\n",
        body=DESCRIPTION,
    )
    scene.house.pass_(0.5)
    scene.talk.hang_up()
    scene.house.pass_(0.5)
    bye = proxy.requests("BYE")[0]
    assert bye.all("route") == ["<sip:10.0.0.97;lr>", "<sip:10.0.0.96;lr>"]
    proxy.respond(200, bye)
    scene.settle()


def test_nobody_is_there_any_more_when_we_hang_up(scene: Scene) -> None:
    """The BYE is repeated for 32 seconds and then given up."""
    scene.connect()
    scene.carrier.unplug()
    scene.talk.hang_up()
    settle(scene.house)
    assert scene.house.records()[0].cause == "normal"


def test_a_name_that_cannot_be_found_is_no_way(house: House) -> None:
    house.trunk("nameless", "sip:sbc.example.net", match="4420", priority=-1)
    _, telephone = subscriber(house)
    talk = telephone.call(LONDON)
    house.pass_(2)
    assert talk.talking
    assert house.carrier.calls[0].talking
    talk.hang_up()
    settle(house)
