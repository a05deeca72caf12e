"""Ringing and early sound that arrive for sure, or are asked for again: RFC 3262 with callers and with carriers."""

import pytest

from tests.calls.scene import DESCRIPTION, ON_HOLD, VIDEO, Scene, WrittenCaller
from tests.calls.story import LONDON, settle
from tests.world.house import House
from tests.world.party import Behaviour
from tests.world.wire import Text, parameter

SUPPORTED = "Supported: 100rel\n"
REQUIRED = "Require: 100rel\n"
ELSEWHERE = DESCRIPTION.replace("40000", "50000")


def reliable(number: int, lines: str = "") -> str:
    return f"Require: 100rel\nRSeq: {number}\n{lines}"


def each(texts: list[Text]) -> list[Text]:
    """Without repetitions."""
    return list({text["via"]: text for text in texts}.values())


# Callers.


def rack(response: Text) -> str:
    return f"RAck: {response['rseq']} {response['cseq']}\n"


def prack(caller: WrittenCaller, response: Text, sequence: int = 2, body: str = "") -> None:
    caller.ask("PRACK", LONDON, sequence=sequence, lines=rack(response), body=body)


def rung(caller: WrittenCaller, house: House, lines: str, body: str = DESCRIPTION, **behaviour: object) -> Text:
    house.carrier.usual = Behaviour(**{"answer_after": 3, **behaviour})  # type: ignore[arg-type]
    caller.ask(number=LONDON, lines=lines, body=body)
    house.pass_(0.3)
    return caller.heard[-1]


@pytest.mark.parametrize("lines", [SUPPORTED, REQUIRED, "Supported: timer\nk: 100rel\n"])
def test_ringing_is_repeated_until_the_caller_has_had_it(gateway: WrittenCaller, house: House, lines: str) -> None:
    ringing = rung(gateway, house, lines)
    assert (ringing.status, ringing["require"]) == (180, "100rel")
    assert 1 <= int(ringing["rseq"]) < 2**31
    house.pass_(1.5)
    assert len([text for text in gateway.heard if text.status == 180]) == 3
    assert {text["rseq"] for text in gateway.heard if text.status == 180} == {ringing["rseq"]}
    prack(gateway, ringing)
    house.pass_(2)
    assert gateway.statuses("PRACK") == [200]
    assert len([text for text in gateway.heard if text.status == 180]) == 3
    assert gateway.last(200).body == house_described(gateway)
    gateway.ask("ACK", LONDON)
    gateway.ask("BYE", LONDON, sequence=3)
    settle(house)


def house_described(caller: WrittenCaller) -> str:
    """Nothing was described before the 200."""
    assert all(not text.body for text in caller.heard if text.status < 200)
    return caller.last(200).body


def test_a_caller_that_does_not_speak_of_it_is_not_asked(gateway: WrittenCaller, house: House) -> None:
    ringing = rung(gateway, house, "Supported: timer\n")
    assert ringing.status == 180
    assert "rseq" not in ringing
    assert "require" not in ringing
    house.pass_(1)
    assert len([text for text in gateway.heard if text.status == 180]) == 1
    gateway.ask("CANCEL", LONDON, to_tag="")
    house.pass_(0.1)
    gateway.ask("ACK", LONDON)
    settle(house)


def test_a_telephone_of_old_is_not_asked_though_it_speaks_of_it(gateway: WrittenCaller, house: House) -> None:
    ringing = rung(gateway, house, f"{SUPPORTED}User-Agent: Grandstream HT286 1.0.8.32\n")
    assert "rseq" not in ringing
    gateway.ask("CANCEL", LONDON, to_tag="")
    house.pass_(0.1)
    gateway.ask("ACK", LONDON)
    settle(house)


def test_nobody_acknowledges_the_ringing(gateway: WrittenCaller, house: House) -> None:
    """RFC 3262 3: after 64·T1 the call is refused."""
    rung(gateway, house, REQUIRED, answer_after=60)
    house.pass_(31)
    assert gateway.statuses()[-1] == 180
    house.pass_(2)
    assert gateway.statuses()[-1] == 504
    assert house.carrier.calls[0].ended_at is not None
    gateway.ask("ACK", LONDON)
    settle(house)


def test_the_answer_waits_until_the_early_sound_has_arrived(gateway: WrittenCaller, house: House) -> None:
    """No 2xx while what was described is not acknowledged; then it need not be described again."""
    early = rung(gateway, house, SUPPORTED, early_media=True, answer_after=1)
    assert (early.status, bool(early.body)) == (183, True)
    house.pass_(2)
    assert gateway.statuses()[-1] == 183
    assert house.carrier.calls[0].talking
    prack(gateway, early)
    house.pass_(0.1)
    assert gateway.statuses()[-1] == 200
    assert gateway.last(200).body == ""
    gateway.ask("ACK", LONDON)
    house.pass_(1)
    gateway.ask("BYE", LONDON, sequence=3)
    house.pass_(0.1)
    assert house.records()[0].cause == "normal"
    settle(house)


@pytest.mark.parametrize("how", ["cancel", "bye", "carrier", "nothing"])
def test_the_call_ends_while_the_answer_waits(gateway: WrittenCaller, house: House, how: str) -> None:
    rung(gateway, house, SUPPORTED, early_media=True, answer_after=1)
    house.pass_(1)
    if how == "cancel":
        gateway.ask("CANCEL", LONDON, to_tag="")
    elif how == "bye":
        gateway.ask("BYE", LONDON, sequence=2)
    elif how == "carrier":
        house.carrier.calls[0].hang_up()
    house.pass_(33 if how == "nothing" else 0.1)
    assert gateway.statuses()[-1] == {"cancel": 487, "bye": 487, "carrier": 480, "nothing": 504}[how]
    assert house.carrier.calls[0].ended_at is not None
    gateway.ask("ACK", LONDON)
    settle(house)


def test_ringing_and_then_early_sound_come_one_after_the_other(house: House, gateway: WrittenCaller) -> None:
    scene = Scene.begin(house)
    scene.talk.cancel()
    gateway.ask(number=LONDON, lines=SUPPORTED, body=DESCRIPTION)
    house.pass_(0.1)
    scene.carrier.respond(180)
    house.pass_(0.1)
    first = gateway.heard[-1]
    scene.carrier.respond(183, body=DESCRIPTION)
    house.pass_(0.1)
    assert gateway.statuses()[-1] == 180
    prack(gateway, first)
    house.pass_(0.1)
    early = next(text for text in gateway.heard if text.status == 183)
    assert int(early["rseq"]) == int(first["rseq"]) + 1
    assert early.body
    prack(gateway, early, 3)
    house.pass_(0.1)
    gateway.ask("UPDATE", LONDON, sequence=4, body=ON_HOLD)  # the exchange is over, and another may begin
    house.pass_(0.1)
    assert gateway.last(200).method == "UPDATE"
    assert "a=inactive" in gateway.last(200).body
    gateway.ask("CANCEL", LONDON, to_tag="")
    house.pass_(0.1)
    gateway.ask("ACK", LONDON)
    for invite in each(scene.carrier.requests("INVITE")):
        scene.carrier.respond(487, invite)
    scene.settle()


@pytest.mark.parametrize("value", ["RAck: 1 1 INVITE\n", "RAck: x\n", ""])
def test_a_prack_of_nothing(gateway: WrittenCaller, house: House, value: str) -> None:
    rung(gateway, house, SUPPORTED)
    gateway.ask("PRACK", LONDON, sequence=2, lines=value)
    house.pass_(0.1)
    assert gateway.statuses("PRACK") == [481]
    gateway.ask("CANCEL", LONDON, to_tag="")
    house.pass_(0.1)
    gateway.ask("ACK", LONDON)
    settle(house)


def test_a_prack_after_the_cancel_and_one_where_none_was_wanted(gateway: WrittenCaller, house: House) -> None:
    ringing = rung(gateway, house, SUPPORTED)
    gateway.ask("CANCEL", LONDON, to_tag="")
    house.pass_(0.1)
    prack(gateway, ringing)
    house.pass_(0.1)
    assert gateway.statuses("PRACK") == [481]
    gateway.ask("ACK", LONDON)
    gateway.ask(number=LONDON, call_id="plain", body=DESCRIPTION)
    house.pass_(0.3)
    gateway.ask("PRACK", LONDON, sequence=2, call_id="plain", lines="RAck: 1 1 INVITE\n")
    house.pass_(0.1)
    assert gateway.last(481)["call-id"] == "plain"
    gateway.ask("CANCEL", LONDON, call_id="plain", to_tag="")
    house.pass_(0.1)
    gateway.ask("ACK", LONDON, call_id="plain")
    settle(house)


@pytest.mark.parametrize(("body", "status"), [(ELSEWHERE, 200), (VIDEO, 488)])
def test_a_prack_with_an_offer_of_its_own(gateway: WrittenCaller, house: House, body: str, status: int) -> None:
    early = rung(gateway, house, SUPPORTED, early_media=True)
    prack(gateway, early, body=body)
    house.pass_(0.1)
    assert gateway.statuses("PRACK") == [status]
    assert ("m=audio" in gateway.last(status).body) is (status == 200)
    remote = house.media.every_port[0].remote
    assert remote is not None
    assert remote.port == (50000 if status == 200 else 40000)
    house.pass_(3)
    gateway.ask("ACK", LONDON)
    gateway.ask("BYE", LONDON, sequence=3)
    settle(house)


@pytest.mark.parametrize("early_media", [True, False])
def test_a_caller_without_an_offer_gets_ours_with_the_ringing(
    gateway: WrittenCaller, house: House, early_media: bool
) -> None:
    """RFC 3261 13.2.1: the first reliable response has the offer, and the PRACK the answer."""
    ringing = rung(gateway, house, SUPPORTED, body="", early_media=early_media)
    assert "m=audio" in ringing.body
    gateway.ask("UPDATE", LONDON, sequence=2, body=DESCRIPTION)
    house.pass_(0.1)
    assert gateway.statuses("UPDATE") == [491]
    prack(gateway, ringing, 3, body=DESCRIPTION)
    house.pass_(0.1)
    assert gateway.statuses("PRACK") == [200]
    remote = house.media.every_port[0].remote
    assert remote is not None
    assert remote.port == 40000
    house.pass_(3)
    assert gateway.last(200).body == ""
    gateway.ask("ACK", LONDON)
    house.pass_(1)
    assert house.carrier.calls[0].talking
    gateway.ask("BYE", LONDON, sequence=4)
    settle(house)


def test_an_offer_of_ours_that_the_prack_does_not_answer(gateway: WrittenCaller, house: House) -> None:
    ringing = rung(gateway, house, SUPPORTED, body="")
    prack(gateway, ringing)
    house.pass_(3)
    gateway.ask("ACK", LONDON)
    house.pass_(0.1)
    assert len(each(gateway.requests("BYE"))) == 1
    settle(house)


# Carriers.


def test_a_carrier_is_told_that_we_can(scene: Scene) -> None:
    assert scene.carrier.invite["supported"] == "100rel, timer"
    assert "PRACK" in scene.carrier.invite["allow"]
    scene.talk.cancel()
    scene.carrier.respond(487)
    scene.settle()


def test_a_telephone_is_not_told_so(house: House) -> None:
    """One of old might not know what to do with it."""
    caller = house.telephone("102", "10.0.0.12")
    telephone = house.telephone("101", "10.0.0.11")
    house.open()
    telephone.register()
    house.pass_(1)
    telephone.usual = Behaviour(answer_after=None)
    talk = caller.call("101")
    house.pass_(1)
    invite = telephone.calls[0].request
    assert invite is not None
    assert invite.get("Supported") == "replaces, timer"
    talk.cancel()
    settle(house)


def test_a_reliable_response_is_acknowledged_once_however_often_it_comes(scene: Scene) -> None:
    for _ in range(3):
        scene.carrier.respond(183, lines=reliable(4711, "Record-Route: <sip:10.0.0.99;lr>\n"), body=DESCRIPTION)
        scene.house.pass_(0.1)
    [prack] = each(scene.carrier.requests("PRACK"))
    assert prack["rack"] == "4711 1 INVITE"
    assert prack.sequence == 2
    assert parameter(prack["to"], "tag") == "far"
    assert prack["route"] == "<sip:10.0.0.99;lr>"
    assert scene.talk.statuses[-1] == 183
    scene.carrier.respond(200, prack)
    scene.carrier.answer(body="")
    scene.house.pass_(1)
    assert scene.talk.talking
    scene.talk.hang_up()
    scene.house.pass_(0.1)
    assert scene.carrier.requests("BYE")[0].sequence == 3
    scene.settle()


def test_reliable_responses_out_of_order_wait_for_their_turn(scene: Scene) -> None:
    for number in (1, 3, 2, 3):
        scene.carrier.respond(180, lines=reliable(number))
        scene.house.pass_(0.1)
    assert [text["rack"] for text in each(scene.carrier.requests("PRACK"))] == [
        "1 1 INVITE",
        "2 1 INVITE",
        "3 1 INVITE",
    ]
    for prack in each(scene.carrier.requests("PRACK")):
        scene.carrier.respond(200, prack)
    scene.connect()
    scene.talk.hang_up()
    scene.settle()


def test_each_far_end_of_a_fork_has_its_own_order(scene: Scene) -> None:
    """Two ring with sound of their own; the latest is heard, and the one that answers has the call."""
    carrier, house = scene.carrier, scene.house
    carrier.respond(183, tag="one", lines=reliable(10), body=DESCRIPTION)
    house.pass_(0.1)
    carrier.respond(183, tag="two", lines=reliable(70), body=ELSEWHERE)
    house.pass_(0.1)
    assert remote_port(house) == 50000
    carrier.respond(180, tag="one", lines=reliable(11))
    house.pass_(0.1)
    pracks = each(carrier.requests("PRACK"))
    assert [(parameter(text["to"], "tag"), text["rack"], text.sequence) for text in pracks] == [
        ("one", "10 1 INVITE", 2),
        ("two", "70 1 INVITE", 2),
        ("one", "11 1 INVITE", 3),
    ]
    for prack in pracks:
        carrier.respond(200, prack)
    carrier.answer(tag="one", body="")
    house.pass_(0.1)
    assert scene.talk.talking
    assert remote_port(house) == 40000
    carrier.answer(tag="two", body="")
    house.pass_(0.1)
    bye = carrier.requests("BYE")[0]
    assert (parameter(bye["to"], "tag"), bye.sequence) == ("two", 3)
    scene.talk.hang_up()
    house.pass_(0.1)
    assert carrier.requests("BYE")[-1].sequence == 4
    scene.settle()


def remote_port(house: House) -> int:
    remote = house.media.every_port[1].remote
    assert remote is not None
    return remote.port


def test_what_has_been_answered_for_sure_is_not_answered_again(scene: Scene) -> None:
    """RFC 3261 13.2.1: a description in the 200 counts no more."""
    scene.carrier.respond(183, lines=reliable(1), body=DESCRIPTION)
    scene.house.pass_(0.1)
    scene.carrier.respond(200, scene.carrier.requests("PRACK")[0])
    scene.carrier.answer(body=ELSEWHERE)
    scene.house.pass_(0.1)
    assert scene.talk.talking
    assert remote_port(scene.house) == 40000
    scene.talk.hang_up()
    scene.settle()


def test_a_carrier_changes_the_early_sound_by_update(scene: Scene) -> None:
    carrier, house = scene.carrier, scene.house
    carrier.ask("UPDATE", body=ELSEWHERE)
    house.pass_(0.1)
    assert carrier.statuses("UPDATE") == [481]  # nobody rings yet
    carrier.respond(183, body=DESCRIPTION)
    house.pass_(0.1)
    carrier.ask("UPDATE", sequence=2, body=ELSEWHERE)
    house.pass_(0.1)
    assert carrier.statuses("UPDATE") == [481, 491]  # it might not have answered for sure
    carrier.respond(183, lines=reliable(1), body=DESCRIPTION)
    house.pass_(0.1)
    carrier.respond(200, carrier.requests("PRACK")[0])
    carrier.ask("UPDATE", sequence=3, body=ELSEWHERE)
    house.pass_(0.1)
    assert carrier.statuses("UPDATE") == [481, 491, 200]
    assert remote_port(house) == 50000
    carrier.answer(body="")
    house.pass_(0.1)
    assert scene.talk.talking
    assert remote_port(house) == 50000
    scene.talk.hang_up()
    scene.settle()


def test_a_carrier_says_bye_while_it_rings(scene: Scene) -> None:
    """RFC 3261 15: the called side must not; its INVITE waits for a final response."""
    scene.carrier.respond(180)
    scene.house.pass_(0.1)
    scene.carrier.ask("BYE")
    scene.house.pass_(0.1)
    assert scene.carrier.statuses("BYE") == [481]
    scene.connect()
    scene.talk.hang_up()
    scene.settle()


@pytest.mark.parametrize("end", ["refusal", "cancel", "no answer to PRACK"])
def test_the_call_comes_to_nothing_after_a_prack(scene: Scene, end: str) -> None:
    scene.carrier.respond(180, lines=reliable(1))
    scene.house.pass_(0.1)
    [prack] = scene.carrier.requests("PRACK")
    if end == "no answer to PRACK":
        scene.house.pass_(33)
        assert scene.talk.final is None
    else:
        scene.carrier.respond(200, prack)
    if end == "refusal":
        scene.carrier.respond(486)
    else:
        scene.talk.cancel()
        scene.house.pass_(0.1)
        scene.carrier.respond(180, lines=reliable(2))
        scene.house.pass_(0.1)
        assert len(each(scene.carrier.requests("PRACK"))) == 1
        scene.carrier.respond(487)
    scene.house.pass_(0.1)
    assert scene.talk.final == (486 if end == "refusal" else 487)
    scene.settle()


def test_a_carrier_that_asks_who_sends_the_prack(house: House) -> None:
    scene = Scene.begin(house, username="shop", password="secret")
    scene.carrier.respond(180, lines=reliable(1))
    house.pass_(0.1)
    scene.carrier.respond(
        407, scene.carrier.requests("PRACK")[0], lines='Proxy-Authenticate: Digest realm="carrier", nonce="n"\n'
    )
    house.pass_(0.1)
    prack = scene.carrier.requests("PRACK")[-1]
    assert 'username="shop"' in prack["proxy-authorization"]
    assert prack["rack"] == "1 1 INVITE"
    scene.carrier.respond(200, prack)
    scene.connect()
    scene.talk.hang_up()
    scene.settle()
