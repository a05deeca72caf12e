"""Carriers that refuse, are silent, or are not wanted any more; and what the caller and the books know of it."""

from decimal import Decimal

import pytest

from tests.live.bill import BY_THE_SECOND, check_bill, check_books, check_not_charged
from tests.live.house import House, hear_each_other
from tests.live.programs import PATIENCE_SECONDS, STALL_SECONDS
from tests.live.scenarios import Calling, answers, is_cancelled, pause, refuses, rings
from tests.live.shop import RINGING_SECONDS, Card, RunningShop
from tests.live.sipp import waited

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def card(shop: RunningShop) -> Card:
    """The account of the telephone 102."""
    card = shop.card(1000, "now")
    shop.telephone("102", "secret", card)
    return card


MOVED = "Contact: <sip:359888999@127.0.0.9>"

REFUSALS = {
    486: ("busy", 486, "call-busy"),
    302: ("rejected", 603, "call-rejected"),
    404: ("rejected", 404, "call-wrong-number"),
    503: ("failed", 500, "call-failed"),  # RFC 3261 16.7.6: we are in service ourselves
}


@pytest.mark.parametrize("status", REFUSALS)
def test_a_refusal_as_a_telephone_hears_it(shop: RunningShop, house: House, card: Card, status: int) -> None:
    cause, passed_on, _ = REFUSALS[status]
    carrier = house.carrier(refuses(status, *([MOVED] if status == 302 else [])))
    caller = house.telephone(carrier.dialled, "102", "secret", lambda calling: calling.refused(passed_on))
    caller.sipp.finish()
    carrier.sipp.finish()

    (record,) = shop.ended(called_number=carrier.number)
    check_not_charged(record, cause, status)
    assert (record["account"], record["device"]) == (card.number, "102")
    assert not shop.calls(called_number="359888999")


def test_refusals_as_a_card_holder_hears_them(shop: RunningShop, house: House) -> None:
    """One visit: every reason is said, another number may be dialled, and the fifth answers."""
    card = shop.card(100)
    carriers = {status: house.carrier(refuses(status)) for status in REFUSALS}
    last = house.carrier(answers)
    caller = house.card_holder("359888100220")
    caller.ear.press(f"{card.number}{card.password}")
    for status, carrier in carriers.items():
        caller.ear.press(f"{carrier.dialled}##")
        caller.hears(REFUSALS[status][2])
        carrier.sipp.finish()
    caller.ear.press(f"{last.dialled}##")
    last.answered()
    last.sipp.go_on()
    last.sipp.finish()
    caller.sipp.go_on()
    caller.sipp.finish()

    *refused, talked = shop.ended(5, account=card.number)
    for record, status in zip(refused, REFUSALS, strict=True):
        check_not_charged(record, REFUSALS[status][0], status)
    cost = check_bill(talked, BY_THE_SECOND, last.answer_instant, last.sipp.find("BYE", sent=True)[0].instant)
    assert len({record["session"] for record in (*refused, talked)}) == 1
    check_books(shop, card, 1 - cost)


def test_a_carrier_that_rings_for_ever(shop: RunningShop, house: House, card: Card) -> None:
    carrier = house.carrier(rings(), is_cancelled())
    caller = house.telephone(carrier.dialled, "102", "secret", lambda calling: calling.refused(480))
    caller.sipp.finish(RINGING_SECONDS + PATIENCE_SECONDS)
    carrier.sipp.finish()
    assert 0 <= waited(caller.sipp, 480) - RINGING_SECONDS < STALL_SECONDS

    (record,) = shop.ended(called_number=carrier.number)
    check_not_charged(record, "no-answer", 408)


def test_a_telephone_gives_up_while_it_rings(shop: RunningShop, house: House, card: Card) -> None:
    carrier = house.carrier(rings(), is_cancelled())
    caller = house.telephone(carrier.dialled, "102", "secret", Calling.cancelled)
    caller.sipp.wait_for("SIP/2.0 180")
    caller.sipp.go_on()
    caller.sipp.finish()
    carrier.sipp.finish()

    (record,) = shop.ended(called_number=carrier.number)
    check_not_charged(record, "cancelled", 487)
    assert record["ended_by"] == "caller"


def test_a_card_holder_hangs_up_while_it_rings(shop: RunningShop, house: House) -> None:
    """Having heard our own ringing tone."""
    card = shop.card(100)
    carrier = house.carrier(rings(), is_cancelled())
    caller = house.card_holder("359888100221")
    caller.ear.press(f"{card.number}{card.password}{carrier.dialled}##")
    carrier.sipp.wait_for("SIP/2.0 180")
    caller.ear.hears_tone(425)
    caller.sipp.go_on()
    caller.sipp.finish()
    carrier.sipp.finish()

    (record,) = shop.ended(account=card.number)
    check_not_charged(record, "cancelled", 487)
    check_books(shop, card, Decimal(1))


def test_early_sound_costs_nothing(shop: RunningShop, house: House, card: Card) -> None:
    """What the carrier says before it answers is heard, and the bill begins with the answer."""
    before = shop.balance(card)
    carrier = house.carrier(rings, pause(2), answers)
    caller = house.telephone(carrier.dialled, "102", "secret", Calling.answered, Calling.talk)
    carrier.sipp.wait_for("SIP/2.0 183")
    carrier.ear.speak_to(*carrier.sipp.far_sound())
    carrier.ear.say(1100)
    caller.ear.hears_tone(1100)
    assert not caller.sipp.find("SIP/2.0 200")
    caller.answered()
    carrier.answered()
    hear_each_other(caller.ear, carrier.ear, 1)
    carrier.sipp.go_on()
    carrier.sipp.finish()
    caller.sipp.finish()

    (record,) = shop.ended(called_number=carrier.number)
    ended = carrier.sipp.find("BYE", sent=True)[0].instant
    cost = check_bill(record, BY_THE_SECOND, carrier.answer_instant, ended)
    check_books(shop, card, before - cost)
