"""What happens when both sides act at once, or one acts again, or too late: written on the wire by hand."""

from tests.calls.scene import DESCRIPTION, Scene, WrittenCaller
from tests.calls.story import settle
from tests.world.house import EXCHANGE, House
from tests.world.wire import Text

CHALLENGE = 'Proxy-Authenticate: Digest realm="carrier", nonce="n"\n'


def branches(texts: list[Text]) -> set[str]:
    """What tells requests from their repetitions."""
    return {text["via"] for text in texts}


# The caller gives up.


def test_the_far_end_answers_what_we_have_just_cancelled(scene: Scene) -> None:
    """CANCEL and 200 cross: the call is acknowledged and ended, once however often the 200 comes."""
    scene.ring()
    scene.talk.cancel()
    scene.house.pass_(0.0015)
    scene.carrier.answer()
    scene.house.pass_(0.4)
    scene.carrier.answer()
    scene.house.pass_(0.4)
    assert scene.talk.final == 487
    assert len(scene.carrier.requests("ACK")) == 2
    assert len(branches(scene.carrier.requests("BYE"))) == 1
    assert scene.house.records()[0].cause == "cancelled"
    scene.settle()


def test_a_cancel_that_comes_after_our_200_changes_nothing(caller: WrittenCaller, house: House) -> None:
    caller.ask(body=DESCRIPTION)
    house.pass_(0.1)
    caller.ask("CANCEL", to_tag="")
    house.pass_(0.1)
    assert caller.statuses("CANCEL") == [200]
    assert caller.statuses() == [200]
    caller.ask("ACK")
    house.pass_(1)
    caller.ask("BYE", sequence=2)
    house.pass_(0.1)
    assert caller.statuses("BYE") == [200]
    settle(house)


def test_a_challenge_that_comes_after_we_gave_up_is_not_answered(house: House) -> None:
    """Nobody is to be rung any more."""
    scene = Scene.begin(house, username="shop", password="secret")
    scene.carrier.respond(100)
    house.pass_(0.3)
    scene.talk.cancel()
    house.pass_(0.1)
    scene.carrier.respond(407, lines=CHALLENGE)
    house.pass_(1)
    assert len(branches(scene.carrier.requests("INVITE"))) == 1
    scene.settle()


def test_an_answer_to_the_invite_before_the_challenge_was_taken(house: House) -> None:
    """We gave up between two attempts; the carrier answers the second all the same, and wants a password for the BYE."""
    scene = Scene.begin(house, username="shop", password="secret")
    scene.carrier.respond(407, lines=CHALLENGE)
    house.pass_(0.1)
    scene.carrier.respond(180)
    scene.talk.cancel()
    house.pass_(0.1)
    scene.carrier.answer()
    house.pass_(0.1)
    scene.carrier.respond(407, scene.carrier.requests("BYE")[-1], lines=CHALLENGE)
    house.pass_(0.1)
    assert "proxy-authorization" in scene.carrier.requests("BYE")[-1]
    scene.settle()


def test_the_far_end_takes_no_notice_of_our_cancel(scene: Scene) -> None:
    """It rings on; we don't wait longer than RFC 3261 9.1 says, and end what it answers in that time."""
    scene.ring()
    scene.talk.cancel()
    scene.house.pass_(30)
    scene.carrier.answer()
    scene.house.pass_(1)
    assert len(branches(scene.carrier.requests("BYE"))) == 1
    scene.settle()


def test_we_give_up_before_the_far_end_has_said_anything(scene: Scene) -> None:
    """No CANCEL before a provisional response (9.1); then at once."""
    scene.talk.cancel()
    scene.house.pass_(1)
    assert scene.carrier.requests("CANCEL") == []
    scene.carrier.respond(100)
    scene.house.pass_(0.1)
    assert len(scene.carrier.requests("CANCEL")) == 1
    scene.carrier.respond(200, scene.carrier.requests("CANCEL")[0])
    scene.carrier.respond(487)
    scene.house.pass_(0.1)
    assert scene.talk.final == 487
    scene.settle()


# Who hangs up when.


def test_both_hang_up_at_once(scene: Scene) -> None:
    scene.connect()
    scene.talk.hang_up()
    scene.carrier.ask("BYE")
    scene.house.pass_(1)
    assert len(branches(scene.carrier.requests("BYE"))) == 1
    assert scene.carrier.statuses("BYE") == [481]
    record = scene.house.records()[0]
    assert (record.cause, record.ended_by, record.billed_seconds) == ("normal", "caller", 1)
    scene.settle()


def test_a_bye_right_behind_the_answer_and_the_answer_once_more(scene: Scene) -> None:
    scene.carrier.answer()
    scene.carrier.ask("BYE")
    scene.house.pass_(0.5)
    scene.carrier.answer()
    scene.house.pass_(0.5)
    assert scene.carrier.statuses("BYE") == [200]
    assert len(scene.carrier.requests("ACK")) == 2
    assert scene.carrier.requests("BYE") == []
    assert scene.talk.ended_by_far_end
    scene.settle()


def test_a_bye_before_the_answer_it_is_to_end(scene: Scene) -> None:
    """The network turned 200 and BYE round: there is no such dialog yet, and the BYE is repeated until there is."""
    scene.carrier.ask("BYE")
    scene.house.pass_(0.1)
    assert scene.carrier.statuses("BYE") == [481]
    scene.connect()
    scene.carrier.ask("BYE", sequence=2)
    scene.house.pass_(0.1)
    assert scene.carrier.statuses("BYE") == [481, 200]
    scene.settle()


def test_the_caller_says_bye_instead_of_acknowledging(caller: WrittenCaller, house: House) -> None:
    """Our 200 is not repeated any more."""
    caller.ask(body=DESCRIPTION)
    house.pass_(0.2)
    caller.ask("BYE", sequence=2)
    house.pass_(35)
    assert len([text for text in caller.heard if (text.status, text.method) == (200, "INVITE")]) == 1
    assert caller.statuses("BYE") == [200]
    settle(house)


def test_the_caller_says_bye_before_any_answer(house: House) -> None:
    """RFC 3261 15 allows it within an early dialog: as good as a CANCEL."""
    card = house.card("1.00")
    gateway = WrittenCaller(house.network, EXCHANGE, "10.0.0.50")
    house.gateway("gateway", "10.0.0.50", card)
    house.open()
    house.carrier.usual.answer_after = None
    gateway.ask(number="00442071234567", body=DESCRIPTION)
    house.pass_(1)
    gateway.ask("BYE", "00442071234567", sequence=2)
    house.pass_(1)
    assert gateway.statuses()[-1] == 487
    assert gateway.statuses("BYE") == [200]
    assert house.carrier.calls[0].ended_at is not None
    gateway.ask("ACK", "00442071234567")
    settle(house)


def test_nobody_acknowledges_our_answer(caller: WrittenCaller, house: House) -> None:
    """It is repeated for 32 seconds; then we say BYE."""
    caller.ask(body=DESCRIPTION)
    house.pass_(31)
    assert len([text for text in caller.heard if text.status == 200]) == 10
    assert caller.requests("BYE") == []
    house.pass_(2)
    assert len(branches(caller.requests("BYE"))) == 1
    settle(house)


# Forks.


def test_two_far_ends_answer_a_forked_invite(scene: Scene) -> None:
    """The first has the call; the second is acknowledged and ended, once."""
    scene.carrier.respond(180, tag="one")
    scene.carrier.respond(180, tag="two")
    scene.carrier.answer(tag="two")
    scene.house.pass_(0.1)
    for _ in range(2):
        scene.carrier.answer(tag="one")
        scene.house.pass_(0.1)
    assert scene.talk.talking
    byes = scene.carrier.requests("BYE")
    assert len(branches(byes)) == 1
    assert byes[0]["to"].endswith("tag=one")
    assert [ack["to"][-3:] for ack in scene.carrier.requests("ACK")] == ["two", "one", "one"]
    scene.talk.hang_up()
    scene.house.pass_(0.1)
    assert scene.carrier.requests("BYE")[-1]["to"].endswith("tag=two")
    scene.settle()


# A re-INVITE.


def test_a_re_invite_while_ours_is_under_way(caller: WrittenCaller, house: House) -> None:
    """Until our 200 is acknowledged the session is not to be changed (14.2)."""
    caller.ask(body=DESCRIPTION)
    house.pass_(0.1)
    caller.ask(sequence=2, body=DESCRIPTION)
    house.pass_(0.1)
    assert "retry-after" in caller.last(500)
    caller.ask("ACK", sequence=2)
    caller.ask("ACK")
    house.pass_(0.1)
    caller.ask(sequence=3, body=DESCRIPTION)
    house.pass_(0.1)
    assert caller.last(200).sequence == 3
    caller.ask("ACK", sequence=3)
    caller.ask("BYE", sequence=4)
    settle(house)


def test_a_re_invite_before_any_answer(house: House) -> None:
    """An INVITE on top of an INVITE (14.2): 500, and the first goes on."""
    card = house.card("1.00")
    gateway = WrittenCaller(house.network, EXCHANGE, "10.0.0.50")
    house.gateway("gateway", "10.0.0.50", card)
    house.open()
    house.carrier.usual.answer_after = 2
    gateway.ask(number="00442071234567", body=DESCRIPTION)
    house.pass_(1)
    gateway.ask(number="00442071234567", sequence=2, body=DESCRIPTION)
    house.pass_(0.1)
    assert "retry-after" in gateway.last(500)
    gateway.ask("ACK", "00442071234567", sequence=2)
    house.pass_(2)
    assert gateway.last(200).sequence == 1
    gateway.ask("ACK", "00442071234567")
    gateway.ask("BYE", "00442071234567", sequence=3)
    settle(house)


def test_the_ack_of_an_earlier_answer_is_not_that_of_a_later(caller: WrittenCaller, house: House) -> None:
    """A doubled ACK must not end the repetition of the answer to a re-INVITE."""
    caller.ask(body=DESCRIPTION)
    house.pass_(0.1)
    caller.ask("ACK")
    house.pass_(0.1)
    caller.ask(sequence=2, body=DESCRIPTION)
    house.pass_(0.1)
    caller.ask("ACK")
    house.pass_(1)
    assert len([text for text in caller.heard if text.status == 200 and text.sequence == 2]) > 1
    caller.ask("ACK", sequence=2)
    caller.ask("BYE", sequence=3)
    settle(house)


def test_a_cancel_of_a_re_invite_is_too_late(scene: Scene) -> None:
    scene.connect()
    scene.carrier.ask("INVITE", body=DESCRIPTION)
    scene.carrier.ask("CANCEL")
    scene.house.pass_(0.1)
    assert scene.carrier.statuses("CANCEL") == [200]
    assert scene.carrier.statuses() == [200]
    scene.carrier.ask("ACK")
    scene.house.pass_(1)
    assert scene.talk.talking
    scene.talk.hang_up()
    scene.settle()


def test_a_re_invite_of_each_side_at_the_same_moment(scene: Scene) -> None:
    """We are two user agents to them: their dialogs are not one, and neither glares at the other."""
    scene.connect()
    answer = scene.talk.re_invite(scene.telephone.description())
    scene.carrier.ask("INVITE", body=DESCRIPTION)
    scene.house.pass_(0.1)
    scene.carrier.ask("ACK")
    scene.house.pass_(0.1)
    assert answer.statuses == [200]
    assert scene.carrier.statuses() == [200]
    scene.talk.hang_up()
    scene.settle()


def test_a_re_invite_that_is_never_acknowledged_ends_the_call(scene: Scene) -> None:
    scene.connect()
    scene.carrier.ask("INVITE", body=DESCRIPTION)
    scene.house.pass_(33)
    assert not scene.talk.talking
    assert len(branches(scene.carrier.requests("BYE"))) == 1
    scene.settle()
