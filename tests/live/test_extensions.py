"""What SIPp makes of our 100rel, UPDATE and session timer."""

import pytest

from tests.live.bill import BY_THE_SECOND, check_bill, check_books
from tests.live.house import House
from tests.live.scenarios import CONTACT, Calling, answers_after_prack, asks, baton, pause, rings_reliably
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
