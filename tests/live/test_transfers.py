"""Telephones that hand their talks on: baresip blind, SIPp attended; the two who remain hear each other."""

import re
from decimal import Decimal

import pytest

from tests.live.baresip import Baresip
from tests.live.bill import BY_THE_SECOND, check_bill, check_books
from tests.live.house import Carrier, House, Party, hear_each_other
from tests.live.scenarios import Calling, answers, rings
from tests.live.shop import Card, RunningShop

pytestmark = pytest.mark.live

BARESIP_HOST, GATEWAY_HOST = "127.0.0.7", "127.0.0.8"


def replaces(party: Party) -> str:
    """What takes the place of this party's end of its talk (RFC 3891), escaped for a URI."""
    (answer, *_) = party.sipp.find("SIP/2.0 200", sent=False, method="INVITE")
    found = [re.search(rf"^{name}: *(.*)", answer.text, re.MULTILINE) for name in ("Call-ID", "To", "From")]
    call_id, to, from_ = (one[1].strip() for one in found if one is not None)
    tags = [value.partition(";tag=")[2] for value in (to, from_)]
    return f"{call_id.replace('@', '%40')}%3Bto-tag%3D{tags[0]}%3Bfrom-tag%3D{tags[1]}"


def check_who_remain(shop: RunningShop, card: Card, euros: int, first: Carrier, second: Carrier) -> None:
    """The two who remain hear each other until one hangs up; both legs are on the bill of who has gone."""
    hear_each_other(first.ear, second.ear, 2)
    first.sipp.go_on()
    first.sipp.finish()
    second.sipp.finish()
    ended = first.sipp.find("BYE", sent=True)[0].instant
    left = Decimal(euros)
    for carrier in (first, second):
        (record,) = shop.ended(called_number=carrier.number)
        left -= check_bill(record, BY_THE_SECOND, carrier.answer_instant, ended)
        assert (record["account"], record["cause"]) == (card.number, "normal")
    check_books(shop, card, left)


def test_baresip_hands_a_call_on_and_leaves(shop: RunningShop, house: House) -> None:
    card = shop.card(12000)
    shop.telephone("121", "secret", card)
    telephone = Baresip(shop.folder / "baresip-121", shop, "121", "secret", host=BARESIP_HOST, hertz=500)
    try:
        first, second = house.carrier(rings(), answers), house.carrier(rings(), answers)
        telephone.dial(first.dialled)
        first.answered()
        telephone.transfer(second.dialled)
        second.answered()
        check_who_remain(shop, card, 120, first, second)
        telephone.waits_for("audio: destroyed")
    finally:
        telephone.close()


def test_sipp_joins_two_talks(shop: RunningShop, house: House) -> None:
    card = shop.card(12000)
    shop.command("device", "add", "122", "--address", GATEWAY_HOST, "--account", card.number)
    first, second = house.carrier(rings(), answers), house.carrier(rings(), answers)
    consulting = house.telephone(second.dialled, "122", None, Calling.answered, Calling.talk, host=GATEWAY_HOST)
    consulting.answered()
    to = f"<sip:{second.dialled}@[remote_ip]?Replaces={replaces(consulting)}>"
    calling = house.telephone(
        first.dialled, "122", None, Calling.answered, lambda call: call.refer(to), host=GATEWAY_HOST
    )
    calling.answered()
    for carrier in (first, second):
        carrier.answered()
    calling.sipp.go_on()
    calling.sipp.finish()
    consulting.sipp.finish()
    told = [message.text.rstrip().rpartition("\n")[2].strip() for message in calling.sipp.find("NOTIFY", sent=False)]
    assert told == ["SIP/2.0 100 Trying", "SIP/2.0 200 OK"]
    check_who_remain(shop, card, 120, first, second)
