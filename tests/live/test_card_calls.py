"""A card holder rings in, is let in, talks, and is billed to the last coin."""

from decimal import Decimal
from pathlib import Path

import pytest

from minitelecom.ivr.caller import Duration
from minitelecom.money import Money
from tests.live.bill import BY_THE_MINUTE, BY_THE_SECOND, ODD_STEPS, check_bill, check_books
from tests.live.house import TALK_SECONDS, TELEPHONES_HOST, House, hear_each_other
from tests.live.programs import PATIENCE_SECONDS
from tests.live.scenarios import Calling, answers, pause, play, registration, rings
from tests.live.shop import RunningShop
from tests.live.sounds import PCMA, PCMU, RATE, encode, keyed, sine

pytestmark = pytest.mark.live


def test_a_caller_who_listens_to_every_word(shop: RunningShop, house: House) -> None:
    """By telephone-events from a registered telephone of the shop; the caller hangs up."""
    house.sipp("register", registration("101", "secret"), TELEPHONES_HOST).finish()
    card = shop.card(350)
    carrier = house.carrier(rings(), pause(0.5), answers)
    caller = house.telephone("100", "101", "secret", Calling.answered, Calling.talk)
    caller.answered()
    caller.hears("greeting", "press-for-language", language="bg")
    caller.ear.press("2")
    caller.hears("enter-user-number")
    caller.ear.press(card.number)
    caller.hears("enter-password")
    caller.ear.press(card.password)
    caller.hears("your-balance-is", Money.from_minor(350, "EUR"))
    caller.hears("enter-number")
    caller.ear.press(carrier.dialled + "#")
    caller.hears("you-can-talk-for", Duration(1050))
    carrier.answered()
    hear_each_other(caller.ear, carrier.ear)
    caller.sipp.go_on()
    caller.sipp.finish()
    carrier.sipp.finish()

    (record,) = shop.ended(account=card.number)
    cost = check_bill(record, BY_THE_SECOND, carrier.answer_instant, caller.sipp.find("BYE", sent=True)[0].instant)
    assert (record["cause"], record["ended_by"], record["trunk"]) == ("normal", "caller", carrier.trunk)
    assert (record["device"], record["calling_number"], record["called_number"]) == ("101", "101", carrier.number)
    assert (record["destination"], record["promised_seconds"]) == ("by the second", 1050)
    check_books(shop, card, Decimal("3.50") - cost)


def test_keys_by_info_and_both_laws_of_sound(shop: RunningShop, house: House) -> None:
    """A telephone that speaks µ-law alone, a carrier that speaks A-law alone; the far end hangs up."""
    card = shop.card(500)
    carrier = house.carrier(answers, price="32", payload_type=PCMA)
    keys = f"{card.number}{card.password}{carrier.dialled}##"
    caller = house.card_holder(
        "359888100201", Calling.answered, lambda calling: calling.info_keys(keys), Calling.talk, payload_type=PCMU
    )
    carrier.answered()
    hear_each_other(caller.ear, carrier.ear)
    carrier.sipp.go_on()
    carrier.sipp.finish()
    caller.hears("your-balance-is", Money.from_minor(483, "EUR"))
    caller.sipp.go_on()
    caller.sipp.finish()

    (record,) = shop.ended(account=card.number)
    cost = check_bill(record, BY_THE_MINUTE, carrier.answer_instant, carrier.sipp.find("BYE", sent=True)[0].instant)
    assert (record["cause"], record["ended_by"], record["device"]) == ("normal", "callee", None)
    assert (record["billed_seconds"], cost) == (60, Decimal("0.17"))
    check_books(shop, card, Decimal("4.83"))


def test_keys_in_the_sound_that_sipp_itself_sends(shop: RunningShop, house: House, tmp_path: Path) -> None:
    """A telephone that knows no telephone-events: SIPp sends the keys, and later a tone, as plain sound."""
    card = shop.card(500)
    carrier = house.carrier(answers, price="33")
    keys = keyed(f"{card.number}{card.password}{carrier.dialled}##")
    sound = tmp_path / "keys.alaw"
    sound.write_bytes(encode(PCMA, [0.0] * RATE + keys + [0.0] * RATE + sine(700, round(PATIENCE_SECONDS) * RATE)))

    def speak(calling: Calling) -> str:
        return play(sound)

    caller = house.card_holder(
        "359888100202", Calling.answered, speak, Calling.talk, events=False, port="[rtpstream_audio_port]"
    )
    carrier.answered()
    carrier.ear.say(1100)
    carrier.ear.hears(700, 1100, TALK_SECONDS)
    caller.sipp.go_on()
    caller.sipp.finish()
    carrier.sipp.finish()

    (record,) = shop.ended(account=card.number)
    cost = check_bill(record, ODD_STEPS, carrier.answer_instant, caller.sipp.find("BYE", sent=True)[0].instant)
    check_books(shop, card, 5 - cost)


def test_three_times_a_wrong_password(shop: RunningShop, house: House) -> None:
    """Then goodbye, and no more; the card loses nothing."""
    card = shop.card(500)
    caller = house.card_holder("359888100203")
    wrong = f"{(int(card.password) + 1) % 10**8:08}"
    for count in (1, 2, 3):
        caller.ear.press(f"{card.number}{wrong}")
        caller.hears("card-unknown", count=count)
    caller.hears("goodbye")
    caller.sipp.finish()
    assert caller.sipp.find("BYE", sent=False)
    assert not shop.calls(account=card.number)
    assert shop.shown(card)["status"] == "inactive"
    check_books(shop, card, Decimal(5))
