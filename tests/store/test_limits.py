"""Limits of accounts and holds on numbers, as the beginning of a call keeps them; at the same moment, too."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from minitelecom.store import audit, call_records, limits
from minitelecom.store.cards import NewCard
from minitelecom.store.limits import Limits
from minitelecom.store.synchronous import SynchronousDatabase, run
from tests.store.shop import FREE, Call, Shop, euro
from tests.store.test_races import at_once

CUBA = "5371234567"


@pytest.fixture
def shop(database: SynchronousDatabase) -> Shop:
    return Shop(database)


def limit(shop: Shop, card: NewCard | None, **told: object) -> None:
    account = None if card is None else shop.account(card)
    run(limits.put(shop.database, account, Limits(**told), "eva", shop.now))  # type: ignore[arg-type]


def dial(shop: Shop, card: NewCard, number: str, destination: str) -> Call:
    beginning = replace(shop.beginning(card), called_number=number, destination=destination)
    return Call(shop, beginning, run(call_records.begin(shop.database, beginning)))


def refusals(*calls: Call) -> list[str | None]:
    """What each was refused for; its record says the same, with the cause that is known everywhere."""
    for call in calls:
        assert call.record.refusal == call.begun.refusal
        assert call.record.cause == (None if call.begun.refusal is None else "blocked")
    return [call.begun.refusal for call in calls]


def test_without_limits_there_are_none(shop: Shop) -> None:
    card = shop.card("1000")
    assert refusals(*(shop.dial(card) for _ in range(10))) == [None] * 10


def test_calls_at_once(shop: Shop) -> None:
    """Free ones count, too; one that has ended makes room."""
    card = shop.card("1000")
    limit(shop, card, calls_at_once=2)
    first, second, third = shop.dial(card), shop.dial(card, FREE), shop.dial(card)
    assert refusals(first, second, third) == [None, None, "calls-at-once"]
    assert refusals(shop.dial(shop.card())) == [None]
    first.end(0, "cancelled")
    assert refusals(shop.dial(card)) == [None]


def test_calls_a_minute(shop: Shop) -> None:
    """Whoever hammers at the limit does not move it."""
    card = shop.card("1000")
    limit(shop, card, calls_a_minute=2)
    for _ in range(2):
        call = shop.dial(card)
        assert refusals(call) == [None]
        call.end(0, "busy")
        shop.later(20)
    assert refusals(shop.dial(card), shop.dial(card)) == ["calls-a-minute"] * 2
    shop.later(20)
    assert refusals(shop.dial(card)) == [None]


def test_price_a_minute(shop: Shop) -> None:
    """At the limit is not beyond it."""
    card = shop.card()
    limit(shop, card, price_a_minute=euro("0.60"))
    call = shop.dial(card)
    assert refusals(call) == [None]
    call.end(0, "cancelled")
    limit(shop, card, price_a_minute=euro("0.599999"))
    assert refusals(shop.dial(card)) == ["price-a-minute"]
    assert shop.money(card) == ("1.00", "0.00")


def test_money_an_hour(shop: Shop) -> None:
    """What calls begun within an hour cost, or may still cost; the promise of a call ends where the money of the hour does."""
    card = shop.card("1000")
    limit(shop, card, money_an_hour=euro("1.00"))
    call = shop.dial(card)
    assert call.begun.reserved == euro("1.00")
    assert refusals(shop.dial(card)) == ["money-an-hour"]
    call.answer()
    call.end(30)
    rest = shop.dial(card)
    assert rest.begun.reserved == euro("0.70")
    rest.answer()
    rest.end(70)
    shop.later(3599)
    assert refusals(shop.dial(card)) == ["money-an-hour"]
    shop.later(1)
    assert shop.dial(card).begun.reserved == euro("1.00")
    assert shop.faults() == []


def test_a_recharge_does_not_enlarge_a_call_beyond_the_hour(shop: Shop) -> None:
    card = shop.card("0.50")
    limit(shop, card, money_an_hour=euro("1.00"))
    call = shop.dial(card)
    shop.recharge(card, "10.00", "till:1")
    assert call.enlarge() == euro("1.00")


def test_a_limit_made_lower_takes_nothing_from_a_call_that_runs(shop: Shop) -> None:
    """What was promised stays reserved, and is charged within it."""
    card = shop.card("2.00")
    call = shop.dial(card)
    limit(shop, card, money_an_hour=euro("0.10"))
    shop.recharge(card, "1.00", "till:1")
    assert call.enlarge() == call.begun.reserved == euro("2.00")
    assert not shop.faults()


def test_too_little_money_is_no_limit(shop: Shop) -> None:
    card = shop.card("0.005")
    limit(shop, card, money_an_hour=euro("1.00"))
    assert shop.dial(card).begun.refusal == "no-credit"


def test_everybody_has_the_usual_limits_and_some_have_others(shop: Shop) -> None:
    usual, own, none = shop.card("1000"), shop.card("1000"), shop.card("1000")
    limit(shop, None, calls_at_once=1)
    limit(shop, own, calls_at_once=2)
    limit(shop, none, calls_at_once=0)
    begun = {card.number: refusals(*(shop.dial(card) for _ in range(3))) for card in (usual, own, none)}
    assert [list(map(bool, found)) for found in begun.values()] == [
        [False, True, True],
        [False, False, True],
        [False, False, False],
    ]


def test_a_hold_on_a_country(shop: Shop) -> None:
    card, other = shop.card("1000"), shop.card("1000")
    assert run(limits.hold(shop.database, None, "53", "eva", shop.now))
    assert not run(limits.hold(shop.database, None, "53", "eva", shop.now))
    assert run(limits.hold(shop.database, shop.account(other), "359", "eva", shop.now))
    assert refusals(dial(shop, card, CUBA, "Cuba"), shop.dial(card), shop.dial(other)) == ["held", None, "held"]
    of_other, of_all = run(limits.holds(shop.database))
    assert (of_all.prefix, of_all.account, of_other.account) == ("53", None, other.number)
    assert run(limits.release(shop.database, of_all.id, "eva", shop.now))
    assert not run(limits.release(shop.database, of_all.id, "eva", shop.now))
    assert refusals(dial(shop, card, CUBA, "Cuba")) == [None]
    assert {entry.what for entry in run(audit.entries(shop.database, "53"))} == {"hold set", "hold released"}


def test_the_first_call_of_a_month_waits_to_be_released(shop: Shop) -> None:
    """By the clock of the account: in Sofia, September begins three hours before it does in Greenwich."""
    card = shop.card("1000")
    limit(shop, None, first_calls_held=True)
    assert refusals(dial(shop, card, CUBA, "Cuba"), dial(shop, card, CUBA, "Cuba")) == ["first-call"] * 2
    (hold,) = run(limits.holds(shop.database))
    assert (hold.account, hold.destination, hold.prefix) == (card.number, "Cuba", None)
    run(limits.release(shop.database, hold.id, "eva", shop.now))
    call = dial(shop, card, CUBA, "Cuba")
    assert refusals(call, dial(shop, card, "442071234567", "Britain")) == [None, "first-call"]
    call.answer()
    call.end(10)
    shop.now = datetime(2026, 8, 31, 20, 59, 59, tzinfo=UTC)
    assert refusals(dial(shop, card, CUBA, "Cuba")) == [None]
    shop.now = datetime(2026, 8, 31, 21, 0, tzinfo=UTC)
    assert refusals(dial(shop, card, CUBA, "Cuba")) == ["first-call"]


def test_a_call_that_is_asked_for_again_is_answered_as_before(shop: Shop) -> None:
    """Its first answer was lost: the limit has not been reached by itself."""
    card = shop.card("1000")
    limit(shop, card, calls_at_once=1, calls_a_minute=1, money_an_hour=euro("100"))
    call = shop.dial(card)
    assert run(call_records.begin(shop.database, call.beginning)) == call.begun
    refused = shop.dial(card)
    assert run(call_records.begin(shop.database, refused.beginning)) == refused.begun


@pytest.mark.parametrize("told", [{"calls_at_once": 3}, {"calls_a_minute": 3}, {"money_an_hour": euro("216")}])
def test_eight_at_the_same_moment(shop: Shop, database_url: str, told: dict[str, object]) -> None:
    """Three of them begin, whatever limit counts three: the longest call costs 72.00."""
    card = shop.card("10000")
    limit(shop, card, **told)
    begun = at_once(database_url, shop, lambda mine, _: mine.dial(card).begun)
    assert sum(one.refusal is None for one in begun) == 3
    assert shop.faults() == []


def test_eight_first_calls_at_the_same_moment_leave_one_hold(shop: Shop, database_url: str) -> None:
    card = shop.card("1000")
    limit(shop, card, first_calls_held=True)
    begun = at_once(database_url, shop, lambda mine, _: mine.dial(card).begun)
    assert {one.refusal for one in begun} == {"first-call"}
    assert len(run(limits.holds(shop.database))) == 1
