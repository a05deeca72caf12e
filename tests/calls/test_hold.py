"""On hold: music for whoever waits, at once and only as long; the talk goes on to cost what it costs."""

from decimal import Decimal

import pytest

from minitelecom.calls.pulse import PULSE_SECONDS
from tests.calls.scene import ON_HOLD, Scene
from tests.calls.story import LONDON, settle, subscriber, visit
from tests.world.house import House, voice
from tests.world.media import QuietPort
from tests.world.party import Behaviour, Party, Talk

HOLDS = ("a=sendonly", "a=inactive", "0.0.0.0")


def hold(house: House, talk: Talk, how: str = "a=sendonly") -> None:
    body = talk.party.description().decode()
    body = body.replace(f"c=IN IP4 {talk.party.host}", f"c=IN IP4 {how}") if how == "0.0.0.0" else f"{body}{how}\r\n"
    answer = talk.re_invite(body.encode())
    house.pass_(1)
    assert answer.statuses[-1] == 200


def resume(house: House, talk: Talk) -> None:
    answer = talk.re_invite(talk.party.description())
    house.pass_(1)
    assert answer.statuses[-1] == 200


def musical(house: House) -> list[QuietPort]:
    """The ports on which the music plays now."""
    return [port for port in house.media.open_ports if port.playing == voice().music]


def talking(house: House, euros: str = "1.00") -> tuple[Party, Talk, Talk]:
    """A telephone of the shop talks to London on its account."""
    telephone = house.telephone("101", "10.0.0.11", house.card(euros))
    house.open()
    house.carrier.usual = Behaviour(answer_after=1)
    talk = telephone.call(LONDON)
    house.pass_(5)
    assert talk.talking
    return telephone, talk, house.carrier.calls[0]


@pytest.mark.parametrize("how", HOLDS)
def test_the_far_end_hears_music_while_the_telephone_holds(house: House, how: str) -> None:
    _, talk, far = talking(house)
    near_port, far_port = house.media.every_port
    hold(house, talk, how)
    assert musical(house) == [far_port]
    resume(house, talk)
    assert musical(house) == []
    assert far_port.playing == []
    assert far_port.partner is near_port
    far.hang_up()
    settle(house)


@pytest.mark.parametrize("how", HOLDS)
def test_the_telephone_hears_music_while_the_far_end_holds(house: House, how: str) -> None:
    _, talk, far = talking(house)
    hold(house, far, how)
    assert musical(house) == [house.media.every_port[0]]
    resume(house, far)
    assert musical(house) == []
    talk.hang_up()
    settle(house)


def test_two_who_hold_each_other_hear_nothing_until_one_comes_back(house: House) -> None:
    _, talk, far = talking(house)
    near_port, far_port = house.media.every_port
    hold(house, talk)
    hold(house, far)
    assert musical(house) == []
    resume(house, talk)
    assert musical(house) == [near_port]
    resume(house, far)
    assert musical(house) == []
    hold(house, far)
    hold(house, talk)
    resume(house, far)
    assert musical(house) == [far_port]
    far.hang_up()
    settle(house)


def test_a_long_hold_is_charged_and_is_no_silence(house: House) -> None:
    _, talk, _ = talking(house)
    hold(house, talk)
    for port in house.media.open_ports:
        port.mute()
    house.pass_(180, step=1)
    assert talk.talking
    for port in house.media.open_ports:
        port.muted_at = None
    resume(house, talk)
    house.pass_(9)
    talk.hang_up()
    settle(house)
    record = house.records()[0]
    assert (record.cause, record.billed_seconds, record.cost and record.cost.amount) == (
        "normal",
        195,
        Decimal("0.195"),
    )


@pytest.mark.parametrize("status", [200, 501, 408, 481])
def test_who_holds_is_asked_whether_he_is_still_there(scene: Scene, status: int) -> None:
    """RFC 3261 12.2.1.2: an answer that knows of no call ends it, and no other."""
    there = status not in (408, 481)
    scene.connect()
    scene.carrier.ask("INVITE", body=ON_HOLD)
    scene.house.pass_(1)
    scene.carrier.ask("ACK", sequence=1)
    scene.house.pass_(PULSE_SECONDS + 1)
    scene.carrier.respond(status, scene.carrier.requests("OPTIONS")[0])
    scene.house.pass_(1)
    assert scene.talk.talking is there
    scene.talk.hang_up()
    scene.settle()
    assert [record.cause for record in scene.house.records()] == ["normal" if there else "failed"]


def test_who_is_held_is_warned_and_cut_like_anybody_and_hears_music_in_between(house: House) -> None:
    _, talk, far = talking(house, "0.10")
    hold(house, far)
    port = house.media.every_port[0]
    house.pass_(36, step=0.5)
    assert port.playing != voice().music
    house.pass_(8, step=0.5)
    assert port.playing == voice().music
    assert talk.talking
    house.pass_(60, step=0.5)
    assert not talk.talking
    settle(house)
    record = house.records()[0]
    assert (record.cause, record.billed_seconds, record.cost and record.cost.amount) == (
        "credit-exhausted",
        100,
        Decimal("0.10"),
    )


def test_a_card_caller_hears_music_and_hangs_up_on_hold(house: House) -> None:
    telephone = house.telephone("101", "10.0.0.11")
    card = house.card("1.00")
    house.open()
    house.carrier.usual = Behaviour(answer_after=1)
    talk = visit(house, telephone, card)
    talk.press(f"{LONDON}#")
    house.pass_(25)
    far = house.carrier.calls[0]
    assert far.talking
    hold(house, far)
    assert musical(house) == [house.media.every_port[0]]
    resume(house, far)
    assert musical(house) == []
    hold(house, far)
    talk.hang_up()
    house.pass_(1)
    assert not far.talking
    settle(house)


def test_who_is_answered_on_hold_waits_with_music(house: House) -> None:
    """A switchboard that holds from its very answer."""
    _, telephone = subscriber(house)
    described = house.carrier.description() + b"a=inactive\r\n"
    house.carrier.description = lambda: described  # type: ignore[method-assign]
    house.carrier.usual = Behaviour(answer_after=1)
    talk = telephone.call(LONDON)
    house.pass_(5)
    assert musical(house) == [house.media.every_port[0]]
    talk.hang_up()
    settle(house)


def test_a_shop_without_music_holds_in_silence(house: House) -> None:
    _, telephone = subscriber(house)
    house.exchange.switch.music = ()
    house.carrier.usual = Behaviour(answer_after=1)
    talk = telephone.call(LONDON)
    house.pass_(5)
    hold(house, talk)
    assert all(port.playing == [] for port in house.media.open_ports)
    resume(house, talk)
    talk.hang_up()
    settle(house)
