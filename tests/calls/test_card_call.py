"""A card holder rings in, is let in, talks, and is billed: whole visits over the real exchange and database."""

from decimal import Decimal

import pytest

from tests.calls.story import BERLIN, LONDON, guest, settle, sign_in, subscriber, visit, visitor
from tests.world.house import CARRIER, House
from tests.world.party import Behaviour


def test_a_call_from_the_first_ring_to_the_last_coin(house: House) -> None:
    house.carrier.usual = Behaviour(answer_after=2, talk_seconds=61)
    card, talk = visitor(house)
    talk.press(LONDON + "#")
    house.pass_(15)
    assert [call.request.uri.user for call in house.carrier.calls if call.request] == ["442071234567"]
    assert house.reserved(card) == Decimal("1.00")
    house.pass_(80)
    record = house.records()[0]
    assert (record.cause, record.billed_seconds, str(record.cost)) == ("normal", 61, "0.061 EUR")
    assert (record.promised_seconds, record.ended_by, record.trunk) == (1000, "callee", "carrier")
    assert house.balance(card) == Decimal("0.939")
    talk.hang_up()
    settle(house)


def test_a_carrier_delivers_a_caller_to_the_access_number(house: House) -> None:
    """The language is the access number's: nobody is asked for it."""
    card = house.card("1.00")
    house.open()
    talk = house.carrier.call("35921234567")
    house.pass_(6)
    talk.press(card.number)
    house.pass_(5)
    talk.press(card.password)
    house.pass_(20)
    assert "en/your-balance-is" in house.heard()
    assert "bg/press-for-language" not in house.heard()
    talk.hang_up()
    settle(house)


def test_a_number_that_is_not_an_access_number_is_nobody(house: House) -> None:
    house.open()
    talk = house.carrier.call("35929999999")
    house.pass_(1)
    assert talk.final == 404
    settle(house)


@pytest.mark.parametrize(
    ("status", "prompt", "cause", "recorded"),
    [
        (486, "en/call-busy", "busy", 486),
        (480, "en/call-no-answer", "no-answer", 480),
        (404, "en/call-wrong-number", "rejected", 404),
        (603, "en/call-rejected", "rejected", 603),
        (302, "en/call-rejected", "rejected", 302),
        (503, "en/call-failed", "failed", 503),
    ],
)
def test_the_reason_is_told_and_another_number_asked_for(
    house: House, status: int, prompt: str, cause: str, recorded: int
) -> None:
    card, telephone = guest(house)
    headers = (("Contact", "<sip:elsewhere@198.51.100.7>"),) if status == 302 else ()
    house.carrier.behaviours["442071234567"] = Behaviour(status=status, headers=headers)
    house.carrier.usual = Behaviour(answer_after=1, talk_seconds=10)
    talk = visit(house, telephone, card)
    talk.press(LONDON + "#")
    house.pass_(25)
    assert prompt in house.heard()
    assert house.reserved(card) == 0
    talk.press(BERLIN + "#")
    house.pass_(40)
    first, second = house.records()
    assert (first.cause, first.sip_status, str(first.cost)) == (cause, recorded, "0.00 EUR")
    assert (second.cause, second.billed_seconds, str(second.cost)) == ("normal", 60, "0.60 EUR")
    assert first.session == second.session
    talk.hang_up()
    settle(house)


def test_nobody_answers(house: House) -> None:
    """The carrier rings for ever: the leg's own limit ends it."""
    house.carrier.usual = Behaviour(answer_after=None)
    _, talk = visitor(house)
    talk.press(LONDON + "#")
    house.pass_(110)
    assert "en/call-no-answer" in house.heard()
    assert house.carrier.calls[0].ended_at is not None
    assert house.records()[0].cause == "no-answer"
    talk.hang_up()
    settle(house)


def test_a_carrier_that_does_not_respond_at_all(house: House) -> None:
    card, telephone = guest(house)
    house.network.detach(CARRIER, 5060)
    talk = visit(house, telephone, card)
    talk.press(LONDON + "#")
    house.pass_(60)
    assert "en/call-failed" in house.heard()
    assert house.records()[0].cause == "failed"
    talk.hang_up()
    settle(house)


def test_the_second_carrier_is_tried_when_the_first_is_out_of_order(house: House) -> None:
    card = house.card("1.00")
    telephone = house.telephone("101", "10.0.0.11")
    second = house.party("second", "10.0.0.98")
    second.usual = Behaviour(answer_after=1, talk_seconds=5)
    house.trunk("second", "sip:10.0.0.98", priority=1, strip=2, add="00")
    house.open()
    house.carrier.usual = Behaviour(status=503)
    talk = visit(house, telephone, card)
    talk.press(LONDON + "#")
    house.pass_(30)
    assert second.calls[0].request is not None
    assert second.calls[0].request.uri.user == "002071234567"
    record = house.records()[0]
    assert (record.trunk, record.cause, record.billed_seconds) == ("second", "normal", 5)
    talk.hang_up()
    settle(house)


def test_no_price_and_no_route_are_refused_before_anything_rings(house: House) -> None:
    _, talk = visitor(house)
    talk.press("00851234567#")
    house.pass_(10)
    assert "en/call-no-price" in house.heard()
    assert house.carrier.calls == []
    assert house.records()[0].cause == "no-price"
    talk.hang_up()
    settle(house)


def test_the_balance_ends_in_the_middle_of_a_call(house: House) -> None:
    """0.10 at 0.06 a minute: 100 s; a warning at 60 and at 15 seconds before, and the cut at the promised second."""
    house.carrier.usual = Behaviour(answer_after=1)
    card, talk = visitor(house, "0.10")
    talk.press(LONDON + "#")
    house.pass_(130)
    callee = house.carrier.calls[0]
    assert callee.answered_at is not None
    assert callee.ended_at is not None
    assert abs(callee.ended_at - callee.answered_at - 100) < 0.2
    assert house.heard().count("en/one-minute-left") == 1
    assert "en/credit-exhausted" in house.heard()
    record = house.records()[0]
    assert (record.cause, record.billed_seconds, str(record.cost)) == ("credit-exhausted", 100, "0.10 EUR")
    assert house.balance(card) == 0
    settle(house)


def test_two_calls_on_one_card_whose_balance_pays_for_one(house: House) -> None:
    card = house.card("0.60")
    first, second = house.telephone("101", "10.0.0.11"), house.telephone("102", "10.0.0.12")
    house.open()
    house.carrier.usual = Behaviour(answer_after=1)
    one = visit(house, first, card)
    one.press(BERLIN + "#")
    house.pass_(10)
    two = visit(house, second, card)
    two.press(BERLIN + "#")
    house.pass_(10)
    assert "en/card-busy" in house.heard()
    house.pass_(60)
    assert sorted(record.cause or "" for record in house.records()) == ["credit-exhausted", "no-credit"]
    assert house.balance(card) == 0
    assert len(house.carrier.calls) == 1
    two.hang_up()
    settle(house)


def test_a_recharge_moves_the_end_of_a_running_call(house: House) -> None:
    house.carrier.usual = Behaviour(answer_after=1)
    card, talk = visitor(house, "0.10")
    talk.press(LONDON + "#")
    house.pass_(60)
    house.recharge(card, "0.05")
    assert house.reserved(card) == Decimal("0.15")
    assert house.records()[0].promised_seconds == 150
    house.pass_(120)
    callee = house.carrier.calls[0]
    assert callee.answered_at is not None
    assert callee.ended_at is not None
    assert abs(callee.ended_at - callee.answered_at - 150) < 0.2
    assert str(house.records()[0].cost) == "0.15 EUR"
    settle(house)


def test_a_block_ends_nobody_elses_call(house: House) -> None:
    other = house.telephone("102", "10.0.0.12", house.card("1.00"))
    card, telephone = subscriber(house)
    house.carrier.usual = Behaviour(answer_after=1)
    talk, others_talk = telephone.call(LONDON), other.call(BERLIN)
    house.pass_(10)
    house.block(card)
    house.pass_(1)
    assert (talk.talking, others_talk.talking) == (False, True)
    others_talk.hang_up()
    settle(house)
    assert [record.cause for record in house.records()] == ["blocked", "normal"]


def test_a_block_ends_the_running_call_and_charges_what_was_talked(house: House) -> None:
    house.carrier.usual = Behaviour(answer_after=1)
    card, talk = visitor(house)
    talk.press(LONDON + "#")
    house.pass_(30)
    callee = house.carrier.calls[0]
    assert callee.talking
    house.block(card)
    house.pass_(1)
    assert not callee.talking
    record = house.records()[0]
    assert record.cause == "blocked"
    assert record.cost is not None
    assert house.balance(card) == Decimal("1.00") - record.cost.amount
    house.pass_(10)
    assert "en/card-disabled" in house.heard()
    settle(house)


def test_star_star_ends_the_call_and_asks_for_the_next_number(house: House) -> None:
    house.carrier.usual = Behaviour(answer_after=1)
    _, talk = visitor(house)
    talk.press(LONDON + "#")
    house.pass_(25)
    assert house.carrier.calls[0].talking
    talk.press("**")
    house.pass_(15)
    assert not house.carrier.calls[0].talking
    talk.press(BERLIN + "#")
    house.pass_(10)
    assert house.carrier.calls[1].talking
    talk.hang_up()
    settle(house)
    assert [record.cause for record in house.records()] == ["normal", "normal"]


def test_three_wrong_passwords(house: House) -> None:
    """The visit ends after the third, and the card is locked for a while also to its holder."""
    card, telephone = guest(house)
    talk = telephone.call("100")
    house.pass_(1)
    talk.press("2")
    for _ in range(3):
        house.pass_(3)
        talk.press(card.number)
        house.pass_(6)
        talk.press("00000000")
        house.pass_(14)
    house.pass_(30)
    assert house.heard().count("en/card-unknown") + house.heard().count("en/card-locked") >= 2
    assert talk.ended_by_far_end
    assert house.records() == []
    settle(house)


@pytest.mark.parametrize(
    ("seconds", "keys"),
    [(0.5, ""), (3, "2"), (8, "2"), (30, "sign-in"), (33, "dial"), (36, "dial"), (50, "dial")],
)
def test_hanging_up_at_any_moment_ends_everything_cleanly(house: House, seconds: float, keys: str) -> None:
    card, telephone = guest(house)
    house.carrier.usual = Behaviour(answer_after=5)
    talk = telephone.call("100")
    if keys in ("sign-in", "dial"):
        sign_in(house, talk, card)
    else:
        house.pass_(1)
        talk.press(keys)
    if keys == "dial":
        talk.press(LONDON + "#")
    house.pass_(max(0.0, seconds - house.clock.seconds()))
    talk.hang_up()
    settle(house)
    assert house.reserved(card) == 0
    assert all(record.ended is not None for record in house.records())


def test_the_caller_gives_up_while_it_rings(house: House) -> None:
    house.carrier.usual = Behaviour(answer_after=60)
    _, talk = visitor(house)
    talk.press(LONDON + "#")
    house.pass_(15)
    talk.hang_up()
    house.pass_(1)
    callee = house.carrier.calls[0]
    assert callee.answered_at is None
    assert callee.ended_at is not None
    record = house.records()[0]
    assert (record.cause, record.ended_by, str(record.cost)) == ("cancelled", "caller", "0.00 EUR")
    settle(house)


def test_a_first_use_activates_the_card(house: House) -> None:
    _, talk = visitor(house, activation="first-use")
    assert "en/your-balance-is" in house.heard()
    talk.hang_up()
    settle(house)


def test_a_card_not_switched_on_hears_why(house: House) -> None:
    _, talk = visitor(house, activation="later")
    assert "en/card-inactive" in house.heard()
    talk.hang_up()
    settle(house)


def test_both_sides_fall_silent(house: House) -> None:
    """Neither sends a packet any more and nobody says BYE: the call ends, and is charged to the last packet."""
    house.carrier.usual = Behaviour(answer_after=1)
    _, talk = visitor(house)
    talk.press(LONDON + "#")
    house.pass_(20)
    answered = house.carrier.calls[0].answered_at
    assert answered is not None
    for port in house.media.open_ports:
        port.mute()
    silent_at = house.clock.seconds()
    house.pass_(70)
    record = house.records()[0]
    assert (record.cause, record.ended_by, record.billed_seconds) == ("failed", "silence", round(silent_at - answered))
    settle(house)


def test_every_wrong_password_makes_the_next_answer_wait_longer(house: House) -> None:
    """The second answer waits longer than the first; a card holder who keys slowly waits for nothing."""
    card, telephone = guest(house)
    talk = telephone.call("100")
    house.pass_(1)
    talk.press("2")
    waits = []
    for password in ("00000000", "00000001", card.password):
        house.pass_(3)
        talk.press(card.number)
        house.pass_(5)
        talk.press(password)
        house.pass_(1.45)  # the last key is there
        before, asked_at = len(house.heard()), house.clock.seconds()
        while len(house.heard()) == before:
            house.pass_(0.05)
        waits.append(round(house.clock.seconds() - asked_at))
        house.pass_(5)
    assert waits == [1, 2, 0]
    assert "en/your-balance-is" in house.heard()
    talk.hang_up()
    settle(house)


def test_a_call_without_any_sound_is_ended_and_hardly_charged(house: House) -> None:
    house.carrier.usual = Behaviour(answer_after=1)
    _, talk = visitor(house)
    talk.press(LONDON + "#")
    house.pass_(15)
    for port in house.media.open_ports:
        port.mute()
        port.muted_at = None
        port.never_heard = True
    house.pass_(70)
    record = house.records()[0]
    assert (record.ended_by, record.billed_seconds) == ("silence", 1)
    settle(house)
