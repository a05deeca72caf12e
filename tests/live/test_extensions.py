"""What SIPp makes of our 100rel, UPDATE and session timer, and of keys by INFO."""

import pytest

from tests.live.bill import BY_THE_SECOND, check_bill, check_books
from tests.live.house import House
from tests.live.scenarios import (
    CONTACT,
    END,
    TAG,
    Calling,
    answers_after_prack,
    asks,
    baton,
    pause,
    receive_request,
    respond,
    rings,
    rings_reliably,
    talk,
)
from tests.live.shop import RunningShop

pytestmark = pytest.mark.live

TIMER = "Supported: timer"


def test_a_carrier_that_rings_for_sure_and_changes_and_refreshes_the_session_by_update(
    shop: RunningShop, house: House
) -> None:
    card = shop.card(1000, "now")
    shop.telephone("107", "secret", card)

    def answers(described: str) -> str:
        held = asks("UPDATE", 1, CONTACT, body=f"{described}\na=sendonly")
        brief = asks("UPDATE", 2, CONTACT, TIMER, "Session-Expires: 30;refresher=uac", status=422)
        refreshed = asks("UPDATE", 3, CONTACT, TIMER, "Session-Expires: 90;refresher=uac")
        return answers_after_prack(baton(), held, brief, refreshed, pause(0.3))

    carrier = house.carrier(rings_reliably, answers)
    caller = house.telephone(carrier.dialled, "107", "secret", Calling.answered, Calling.talk)
    invite = carrier.sipp.wait_for("INVITE").text
    assert "Supported: 100rel, timer" in invite
    assert "Session-Expires: 1800" in invite
    assert "RAck: 4711 1 INVITE" in carrier.sipp.wait_for("PRACK").text
    caller.answered()
    carrier.sipp.wait_for("ACK")
    carrier.sipp.go_on()
    answer = carrier.sipp.wait_for("SIP/2.0 200", method="UPDATE").text
    assert "a=recvonly" in answer
    assert "Min-SE: 90" in carrier.sipp.wait_for("SIP/2.0 422").text
    refreshed = carrier.sipp.wait_for("SIP/2.0 200", method="UPDATE", count=2).text
    assert "Session-Expires: 90;refresher=uac" in refreshed
    assert "Require: timer" in refreshed
    carrier.sipp.finish()
    caller.sipp.finish()

    (record,) = shop.ended(called_number=carrier.number)
    answered = carrier.sipp.find("SIP/2.0 200", sent=True, method="INVITE")[0].instant
    cost = check_bill(record, BY_THE_SECOND, answered, carrier.sipp.find("BYE", sent=True)[0].instant)
    check_books(shop, card, 10 - cost)


def test_a_carrier_that_knows_keys_by_info_only(shop: RunningShop, house: House) -> None:
    card = shop.card(1000, "now")
    shop.telephone("108", "secret", card)

    def answers(described: str) -> str:
        accepted = respond(200, CONTACT, "Allow: INVITE, ACK, BYE, CANCEL, INFO", tag=TAG, body=described, repeat=True)
        key = "\n".join([receive_request("INFO"), respond(200)])
        talking = talk(asks("BYE", 1, then="end")).removesuffix(END)
        return "\n".join([accepted, receive_request("ACK"), key, key, talking])

    carrier = house.carrier(lambda _: rings(), answers, events=False)
    caller = house.telephone(
        carrier.dialled, "108", "secret", Calling.answered, lambda calling: calling.info_keys("5#"), Calling.talk
    )
    keys = [carrier.sipp.wait_for("INFO", count=count).text for count in (1, 2)]
    assert ["Signal=5" in keys[0], "Signal=#" in keys[1]] == [True, True]
    caller.sipp.wait_for("SIP/2.0 200", method="INFO", count=2)
    caller.sipp.go_on()
    caller.sipp.finish()
    carrier.sipp.finish()
    shop.ended(called_number=carrier.number)
