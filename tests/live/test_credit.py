"""Money that ends, grows, is shared or is taken away while somebody talks."""

import time
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from minitelecom.ivr.caller import Duration
from minitelecom.media.tones import BEEP_HERTZ
from minitelecom.money import Money
from tests.live.bill import BY_THE_MINUTE, BY_THE_SECOND, EIGHTH_A_SECOND, check_bill, check_books, check_not_charged
from tests.live.house import Carrier, House, Party
from tests.live.programs import PATIENCE_SECONDS, STALL_SECONDS
from tests.live.scenarios import answers
from tests.live.shop import Card, RunningShop
from tests.live.sounds import FRAME, decode, is_tone

pytestmark = pytest.mark.live

WITHIN_SECONDS = 1.0
FRAME_SECONDS = 0.02


def dials(caller: Party, card: Card, number: str) -> None:
    """Everything in one go, and the announcement of the time cut short."""
    caller.ear.press(f"{card.number}{card.password}{number}##")


def talked(carrier: Carrier) -> float:
    """Seconds from the carrier's answer to our BYE, by the carrier's watch."""
    return (carrier.sipp.find("BYE", sent=False)[0].instant - carrier.answer_instant).total_seconds()


def test_the_money_ends_in_mid_call(shop: RunningShop, house: House) -> None:
    """A beep fifteen seconds before, the cut at the promised second, and the caller hears why."""
    card = shop.card(200)
    carrier = house.carrier(answers, price="34")
    caller = house.card_holder("359888100210")
    caller.ear.press(f"{card.number}{card.password}{carrier.dialled}#")
    caller.hears("you-can-talk-for", Duration(16))
    carrier.answered()
    answered = time.monotonic()
    caller.ear.say(700)
    carrier.sipp.finish(16 + PATIENCE_SECONDS)
    caller.ear.say(None)
    caller.hears("credit-exhausted")
    caller.hears("goodbye")
    caller.sipp.finish()

    assert abs(talked(carrier) - 16) < STALL_SECONDS
    beeps = [at for at in beeping(caller) if at - answered < 10]
    assert abs(beeps[0] - answered - 1) < STALL_SECONDS
    assert 0.2 <= len(beeps) * FRAME_SECONDS <= 0.3
    (record,) = shop.ended(account=card.number)
    cost = check_bill(record, EIGHTH_A_SECOND, carrier.answer_instant, carrier.sipp.find("BYE", sent=False)[0].instant)
    assert (record["cause"], record["ended_by"], record["promised_seconds"]) == ("credit-exhausted", "credit", 16)
    assert (record["billed_seconds"], cost) == (16, Decimal(2))
    check_books(shop, card, Decimal(0))


def beeping(party: Party) -> list[float]:
    """The instants at which the warning's tone was heard."""
    packets = [packet for packet in party.ear.heard if len(packet.payload) == FRAME]
    return [one.instant for one in packets if is_tone(decode(one.payload_type, one.payload), BEEP_HERTZ)]


def test_a_recharge_during_the_call_moves_its_end(shop: RunningShop, house: House) -> None:
    """Given by another process; the call then ends at the new limit."""
    card = shop.card(150)
    carrier = house.carrier(answers, price="34")
    caller = house.card_holder("359888100211")
    dials(caller, card, carrier.dialled)
    carrier.answered()
    shop.recharge(card, 25)
    recharged = shop.calls(account=card.number)
    carrier.sipp.finish(14 + PATIENCE_SECONDS)
    caller.hears("credit-exhausted")
    caller.hears("goodbye")
    caller.sipp.finish()

    assert recharged[0]["ended"] is None
    assert abs(talked(carrier) - 14) < STALL_SECONDS
    (record,) = shop.ended(account=card.number)
    cost = check_bill(record, EIGHTH_A_SECOND, carrier.answer_instant, carrier.sipp.find("BYE", sent=False)[0].instant)
    assert (record["cause"], record["promised_seconds"], cost) == ("credit-exhausted", 14, Decimal("1.75"))
    check_books(shop, card, Decimal(0))


def test_a_card_that_is_stopped_ends_its_call_within_a_second(shop: RunningShop, house: House) -> None:
    card = shop.card(500)
    carrier = house.carrier(answers)
    caller = house.card_holder("359888100212")
    dials(caller, card, carrier.dialled)
    carrier.answered()
    before = datetime.now(UTC)
    shop.command("card", "set", card.number, "--status", "disabled")
    carrier.sipp.finish()
    stopped = carrier.sipp.find("BYE", sent=False)[0].instant
    assert (stopped - before).total_seconds() < WITHIN_SECONDS + STALL_SECONDS
    caller.hears("card-disabled")
    caller.hears("goodbye")
    caller.sipp.finish()

    (record,) = shop.ended(account=card.number)
    cost = check_bill(record, BY_THE_SECOND, carrier.answer_instant, carrier.sipp.find("BYE", sent=False)[0].instant)
    assert (record["cause"], record["ended_by"]) == ("blocked", "operator")
    check_books(shop, card, 5 - cost)


def test_two_calls_on_a_card_that_pays_for_one(shop: RunningShop, house: House) -> None:
    """The second hears why; when the first is over, what it has left is there for the second."""
    card = shop.card(20)
    carrier = house.carrier(answers, price="32")
    other = house.carrier(answers, price="31")
    first, second = house.card_holder("359888100213"), house.card_holder("359888100214")
    dials(first, card, carrier.dialled)
    carrier.answered()
    dials(second, card, carrier.dialled)
    second.hears("card-busy")
    first.sipp.go_on()
    first.sipp.finish()
    carrier.sipp.finish()
    second.hears("enter-number")
    second.ear.press(other.dialled + "#")
    second.hears("you-can-talk-for", Duration(9))
    other.answered()
    second.sipp.go_on()
    second.sipp.finish()
    other.sipp.finish()

    one, two, three = shop.ended(3, account=card.number)
    ended = first.sipp.find("BYE", sent=True)[0].instant
    assert check_bill(one, BY_THE_MINUTE, carrier.answer_instant, ended) == Decimal("0.17")
    check_not_charged(two, "no-credit", None)
    cost = check_bill(three, BY_THE_SECOND, other.answer_instant, second.sipp.find("BYE", sent=True)[0].instant)
    assert (one["promised_seconds"], three["promised_seconds"]) == (60, 9)
    check_books(shop, card, Decimal("0.03") - cost)


def test_two_stars_end_a_call_and_ask_for_the_next(shop: RunningShop, house: House) -> None:
    """Both on one visit; the balance is said again between them."""
    card = shop.card(300)
    carrier, next_carrier = house.carrier(answers, price="32"), house.carrier(answers)
    caller = house.card_holder("359888100215")
    dials(caller, card, carrier.dialled)
    carrier.answered()
    caller.ear.press("**")
    carrier.sipp.finish()
    caller.hears("your-balance-is", Money.from_minor(283, "EUR"))
    caller.ear.press(next_carrier.dialled + "##")
    next_carrier.answered()
    next_carrier.sipp.go_on()
    next_carrier.sipp.finish()
    caller.sipp.wait_for("SIP/2.0 200")
    caller.sipp.go_on()
    caller.sipp.finish()

    one, two = shop.ended(2, account=card.number)
    ended = carrier.sipp.find("BYE", sent=False)[0].instant
    assert check_bill(one, BY_THE_MINUTE, carrier.answer_instant, ended) == Decimal("0.17")
    ended = next_carrier.sipp.find("BYE", sent=True)[0].instant
    cost = check_bill(two, BY_THE_SECOND, next_carrier.answer_instant, ended)
    assert one["session"] == two["session"]
    assert (one["ended_by"], two["ended_by"]) == ("caller", "callee")
    check_books(shop, card, Decimal("2.83") - cost)
