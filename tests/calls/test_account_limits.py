"""What callers hear of the limits of their account, by card and by telephone."""

from decimal import Decimal

from minitelecom.money import Money
from minitelecom.store import limits
from minitelecom.store.limits import Limits
from minitelecom.store.synchronous import run
from tests.calls.story import LONDON, settle, visit
from tests.world.house import House
from tests.world.party import Behaviour


def test_a_card_caller_hears_that_a_country_is_not_open_to_him(house: House) -> None:
    """And may dial another number; nothing is reserved for the first."""
    card = house.card("1.00")
    telephone = house.telephone("101", "10.0.0.11")
    house.open()
    run(limits.hold(house.database, None, "44", "story", house.now()))
    talk = visit(house, telephone, card)
    talk.press(LONDON + "#")
    house.pass_(8)
    assert "en/call-held" in house.heard()
    assert talk.talking
    assert house.carrier.calls == []
    assert house.reserved(card) == 0
    talk.hang_up()
    assert [(record.cause, record.refusal) for record in house.records()] == [("blocked", "held")]
    settle(house)


def test_a_card_caller_hears_that_the_hour_is_used_up(house: House) -> None:
    card = house.card("1.00")
    telephone = house.telephone("101", "10.0.0.11")
    house.open()
    house.carrier.usual = Behaviour(answer_after=0.5)
    run(limits.put(house.database, None, Limits(money_an_hour=Money(Decimal("0.01"), "EUR")), "story", house.now()))
    talk = visit(house, telephone, card)
    talk.press(LONDON + "#")
    house.pass_(30)
    assert "en/call-limited" not in house.heard()
    talk.press(LONDON + "#")
    house.pass_(20)
    assert "en/call-limited" in house.heard()
    talk.hang_up()
    house.pass_(1)
    assert [(record.cause, record.refusal, record.promised_seconds) for record in house.records()] == [
        ("credit-exhausted", None, 10),
        ("blocked", "money-an-hour", None),
    ]
    settle(house)


def test_a_telephone_is_refused_the_second_call_of_its_account(house: House) -> None:
    """Help is never counted."""
    card = house.card("1.00")
    first, second = (house.telephone(name, host, card) for name, host in (("101", "10.0.0.11"), ("102", "10.0.0.12")))
    house.open()
    house.carrier.usual = Behaviour(answer_after=0.5)
    run(limits.put(house.database, card.account_id, Limits(calls_at_once=1), "story", house.now()))
    talk = first.call(LONDON)
    house.pass_(2)
    refused, help_ = second.call(LONDON), first.call("112")
    house.pass_(2)
    assert refused.final == 403
    assert talk.talking
    assert help_.talking
    for one in (talk, help_):
        one.hang_up()
    house.pass_(1)
    assert sorted(str(record.refusal) for record in house.records()) == ["None", "None", "calls-at-once"]
    settle(house)
