"""Telephones of the shop: SIPp and baresip register, ring each other and the world; and one in need that is no one's."""

from collections.abc import Iterator
from decimal import Decimal

import pytest

from tests.live.baresip import Baresip
from tests.live.bill import BY_THE_SECOND, check_bill, check_books, check_not_charged
from tests.live.house import STRANGERS_HOST, TALK_SECONDS, TELEPHONES_HOST, House, hear_each_other
from tests.live.scenarios import Calling, answers, pause, registration, rings
from tests.live.shop import RunningShop

pytestmark = pytest.mark.live

BARESIP_HOST = "127.0.0.6"


@pytest.fixture(scope="module")
def baresip(shop: RunningShop) -> Iterator[Baresip]:
    shop.telephone("103", "secret")
    telephone = Baresip(shop.folder / "baresip", shop, "103", "secret", host=BARESIP_HOST, hertz=700)
    try:
        assert listed(shop, "103")["registered"]
        yield telephone
    finally:
        telephone.close()


def listed(shop: RunningShop, name: str) -> dict[str, object]:
    (device,) = [device for device in shop.answer("device", "list") if device["name"] == name]
    return dict(device)


def test_sipp_registers_and_leaves(shop: RunningShop, house: House) -> None:
    shop.telephone("110", "secret")
    sipp = house.sipp("register", registration("110", "secret", 600), TELEPHONES_HOST)
    sipp.finish()
    device = listed(shop, "110")
    assert (device["registered"], device["user_agent"]) == (True, "SIPp")
    assert device["contact"] == f"sip:110@{TELEPHONES_HOST}:{sipp.port}"
    house.sipp("leave", registration("110", "secret", 0), TELEPHONES_HOST, sipp.port).finish()
    assert not listed(shop, "110")["registered"]


def test_a_wrong_password_registers_nobody(shop: RunningShop, house: House) -> None:
    shop.telephone("111", "secret")
    house.sipp("thief", registration("111", "guess", expected=403), TELEPHONES_HOST).finish()
    assert not listed(shop, "111")["registered"]


def test_baresip_calls_by_card(shop: RunningShop, house: House, baresip: Baresip) -> None:
    """Registers, dials 100, keys in number and password, talks, hangs up."""
    card = shop.card(300)
    carrier = house.carrier(rings(), pause(0.3), answers)
    baresip.dial("100")
    baresip.press(f"1{card.number}{card.password}{carrier.dialled}##")
    carrier.answered()
    carrier.ear.say(1100)
    carrier.ear.hears(700, 1100, TALK_SECONDS)
    baresip.hears(1100, TALK_SECONDS)
    baresip.hang_up()
    carrier.sipp.finish()

    (record,) = shop.ended(account=card.number)
    cost = check_bill(record, BY_THE_SECOND, carrier.answer_instant, carrier.sipp.find("BYE", sent=False)[0].instant)
    assert (record["device"], record["ended_by"]) == ("103", "caller")
    check_books(shop, card, 3 - cost)


def test_sipp_rings_baresip(shop: RunningShop, house: House, baresip: Baresip) -> None:
    """Within the shop, by name, and free."""
    shop.telephone("112233", "secret")
    caller = house.telephone("103", "112233", "secret", Calling.answered, Calling.talk)
    caller.answered()
    caller.ear.say(1100)
    caller.ear.hears(700, 1100)
    baresip.hears(1100)
    caller.sipp.go_on()
    caller.sipp.finish()

    (record,) = shop.ended(called_number="103")
    assert (record["cause"], record["account"], record["device"]) == ("normal", None, "112233")
    assert Decimal(record["cost"]) == 0


def test_a_telephone_without_an_account_calls_nobody_outside(shop: RunningShop, house: House) -> None:
    carrier = house.carrier(answers)
    caller = house.telephone(carrier.dialled, "101", "secret", lambda calling: calling.refused(403))
    caller.sipp.finish()
    (record,) = shop.ended(called_number=carrier.number)
    check_not_charged(record, "blocked", None)
    assert not carrier.sipp.messages


def test_help_from_a_telephone_that_nobody_knows(shop: RunningShop, house: House) -> None:
    """112 from an unregistered telephone: connected at once, free, and on record."""
    helper = house.helper()
    caller = house.telephone("112", "stranger", None, Calling.answered, Calling.talk, host=STRANGERS_HOST)
    caller.answered()
    helper.answered()
    hear_each_other(caller.ear, helper.ear, 1)
    caller.sipp.go_on()
    caller.sipp.finish()
    helper.sipp.finish()

    (record,) = shop.ended(called_number="112")
    assert (record["cause"], record["destination"], record["trunk"]) == ("normal", "emergency", "help")
    assert (record["account"], record["device"], record["promised_seconds"]) == (None, None, None)
    assert Decimal(record["cost"]) == 0
    assert not shop.faults()
