"""Calls and their records, from the first moment to the last coin."""

import dataclasses
from datetime import timedelta
from decimal import Decimal

import pytest

from minitelecom.rating.rate import Rate
from minitelecom.store import call_records, cards, processes
from minitelecom.store.call_records import CallRecord
from minitelecom.store.refusals import BeyondReservation, NoSuchCall, ProcessIsDead, WrongCurrency
from minitelecom.store.synchronous import run
from tests.store.shop import FREE, SECOND, Shop, euro


def test_a_call_reserves_what_it_promises_and_pays_what_it_used(shop: Shop) -> None:
    card = shop.card("1.00")
    call = shop.dial(card)
    assert (call.begun.reserved, call.begun.refusal, call.promised) == (euro("1"), None, 100)
    assert shop.money(card) == ("1.00", "1.00")
    shop.later(5)
    assert call.answer()
    assert shop.money(card) == ("1.00", "1.00")
    shop.later(60)
    ended = call.end(60)
    assert (ended.cost, ended.cause, ended.repeated) == (euro("0.60"), "normal", False)
    assert shop.money(card) == ("0.40", "0.00")
    assert shop.faults() == []


def test_the_record_tells_the_whole_call(shop: Shop) -> None:
    card = shop.card("1.00")
    started = shop.now
    call = shop.dial(card)
    shop.later(5)
    call.answer()
    shop.later(60)
    call.end(60)
    assert call.record == CallRecord(
        id=call.begun.id,
        session="session-1",
        account=card.number,
        account_id=shop.account(card),
        device="cabin1",
        calling_number="101",
        called_number="359888123456",
        destination="Bulgaria",
        trunk="carrier",
        started=started,
        answered=started + 5 * SECOND,
        ended=started + 65 * SECOND,
        billed_seconds=60,
        price=euro("0.60"),
        cost=euro("0.60"),
        currency="EUR",
        cause="normal",
        sip_status=None,
        ended_by="caller",
        promised_seconds=100,
        process_id=shop.process,
        rate=call.beginning.rate,
        reserved=None,
    )


def test_a_call_that_nobody_answers_gives_everything_back(shop: Shop) -> None:
    card = shop.card("1.00")
    call = shop.dial(card)
    shop.later(30)
    call.end(0, "no-answer")
    assert shop.money(card) == ("1.00", "0.00")
    assert (call.record.cause, call.record.cost, call.record.billed_seconds) == ("no-answer", euro("0"), 0)
    assert shop.faults() == []


def test_a_second_call_on_the_card_sees_only_the_rest(shop: Shop) -> None:
    card = shop.card("100.00")
    first = shop.dial(card)
    second = shop.dial(card)
    third = shop.dial(card)
    assert [call.begun.reserved for call in (first, second)] == [euro("72"), euro("28")]
    assert (third.begun.refusal, third.begun.reserved) == ("no-credit", euro("0"))
    assert (third.record.cause, third.record.ended, third.record.ended_by) == ("no-credit", shop.now, "switch")
    for call in (first, second):
        call.answer()
        call.end(call.promised)
    assert shop.money(card) == ("0.00", "0.00")
    assert shop.faults() == []


@pytest.mark.parametrize(
    ("balance", "rate", "reserved"),
    [
        ("1.00", Rate("1", "x", "EUR", Decimal("0.60"), 60, 60), "0.60"),
        ("0.60", Rate("1", "x", "EUR", Decimal("0.60"), 60, 60), "0.60"),
        ("0.59", Rate("1", "x", "EUR", Decimal("0.60"), 60, 1), None),
        ("1.00", Rate("1", "x", "EUR", Decimal("0.60"), 30, 6, Decimal("0.20")), "0.98"),
        ("0.11", Rate("1", "x", "EUR", Decimal("0.60"), 1, 1, Decimal("0.10")), "0.11"),
        ("0.01", Rate("1", "x", "EUR", Decimal("0.60"), 60, 60), None),
        ("0.29", Rate("1", "x", "EUR", Decimal("0.01"), 1, 1), "0.29"),
        ("0.05", Rate("1", "x", "EUR", Decimal(0), 1, 1, Decimal("0.05")), "0.05"),
        ("5.00", Rate("1", "x", "EUR", Decimal("0.333333"), 1, 1), "4.999995"),
        ("3.00", Rate("1", "x", "EUR", Decimal("0.474965"), 1, 1), "2.992280"),  # 378 s are 2.9922795, half up
    ],
)
def test_whole_steps_are_reserved(balance: str, rate: Rate, reserved: str | None, shop: Shop) -> None:
    call = shop.dial(shop.card(balance), rate)
    if reserved is None:
        assert call.begun.refusal == "no-credit"
    else:
        assert call.begun.reserved == euro(reserved)


def test_a_free_call_reserves_nothing(shop: Shop) -> None:
    card = shop.card("0.50")
    call = shop.dial(card, FREE)
    assert (call.begun.reserved, call.begun.refusal) == (euro("0"), None)
    call.answer()
    shop.later(500)
    call.end(500)
    assert shop.money(card) == ("0.50", "0.00")
    assert shop.faults() == []


def test_a_call_for_help_needs_no_account(shop: Shop) -> None:
    call = shop.dial(None, None)
    call.answer()
    shop.later(500)
    ended = call.end(500)
    assert (ended.cost, call.record.billed_seconds, call.record.account) == (euro("0"), 500, None)
    assert shop.faults() == []


def test_an_empty_card_may_call_what_is_free(shop: Shop) -> None:
    card = shop.card("0")
    assert shop.dial(card, FREE).begun.refusal is None
    assert shop.dial(card).begun.refusal == "no-credit"


def test_a_blocked_card_and_an_expired_one_are_refused(shop: Shop) -> None:
    blocked, expired, later = shop.card(), shop.card(), shop.card(activation="later")
    run(cards.set_status(shop.database, blocked.number, "disabled", "eva", shop.now))
    assert shop.dial(later).begun.refusal == "blocked"
    shop.now += timedelta(days=200)
    calls = [shop.dial(blocked), shop.dial(expired), shop.dial(expired, FREE)]
    assert [call.begun.refusal for call in calls] == ["blocked", "expired", "expired"]
    assert [call.record.cause for call in calls] == ["blocked", "blocked", "blocked"]
    assert shop.money(expired) == ("1.00", "0.00")


def test_the_first_call_of_a_telephone_activates_its_card(shop: Shop) -> None:
    card = shop.card(activation="first-use")
    shop.later(3600)
    assert shop.dial(card).begun.refusal is None
    assert shop.look(card).activated == shop.now


def test_a_call_that_is_refused_elsewhere_is_recorded_all_the_same(shop: Shop) -> None:
    card = shop.card()
    beginning = dataclasses.replace(shop.beginning(card, None), refusal="no-price")
    begun = run(call_records.begin(shop.database, beginning))
    found = run(call_records.find(shop.database, begun.id, beginning.started))
    assert found is not None
    assert (found.cause, found.ended, found.cost) == ("no-price", shop.now, euro("0"))
    assert shop.money(card) == ("1.00", "0.00")
    assert shop.faults() == []


def test_repeated_statements_change_nothing(shop: Shop) -> None:
    card = shop.card("1.00")
    call = shop.dial(card)
    assert run(call_records.begin(shop.database, call.beginning)) == call.begun
    assert shop.money(card) == ("1.00", "1.00")
    call.answer()
    answered = shop.now
    shop.later(60)
    assert call.answer()
    assert call.record.answered == answered
    call.end(60)
    again = call.end(60)
    assert again.repeated
    later = call.end(90, "failed")
    assert (later.cost, later.cause, later.repeated) == (euro("0.60"), "normal", True)
    assert shop.money(card) == ("0.40", "0.00")
    assert run(call_records.begin(shop.database, call.beginning)).id == call.begun.id
    assert not call.answer()
    assert shop.faults() == []


def test_a_repeated_refusal_stays_a_refusal(shop: Shop) -> None:
    card = shop.card("0")
    call = shop.dial(card)
    shop.recharge(card, "1.00", "k")
    assert run(call_records.begin(shop.database, call.beginning)).refusal == "no-credit"


def test_nothing_is_charged_beyond_the_promise(shop: Shop) -> None:
    card = shop.card("1.00")
    call = shop.dial(card)
    call.answer()
    shop.later(101)
    with pytest.raises(BeyondReservation):
        call.end(101)
    assert call.record.ended is None
    call.end(100)
    assert shop.money(card) == ("0.00", "0.00")


def test_nothing_is_charged_where_nothing_was_reserved(shop: Shop) -> None:
    call = shop.dial(None)
    call.answer()
    with pytest.raises(Exception, match="no reservation"):
        call.end(10)


def test_a_call_must_exist_to_end(shop: Shop) -> None:
    call = shop.dial(None, None)
    with pytest.raises(NoSuchCall):
        run(call_records.ended(shop.database, dataclasses.replace(call.ending(1), id=99)))


def test_an_account_pays_in_its_own_currency(shop: Shop) -> None:
    with pytest.raises(WrongCurrency):
        shop.dial(shop.card(), Rate("1", "x", "USD", Decimal(1)))


def test_a_process_taken_for_dead_begins_no_calls(shop: Shop) -> None:
    run(processes.start(shop.database, "shop", 2, shop.now))
    with pytest.raises(ProcessIsDead):
        shop.dial(None, None)


def test_a_recharge_in_mid_call_moves_its_end(shop: Shop) -> None:
    card = shop.card("1.00")
    call = shop.dial(card)
    call.answer()
    assert call.enlarge() == euro("1")
    shop.recharge(card, "0.50", "k")
    assert call.enlarge() == euro("1.50")
    shop.later(140)
    call.end(140)
    assert shop.money(card) == ("0.10", "0.00")
    assert call.enlarge() is None
    assert shop.faults() == []


def test_a_reservation_grows_no_further_than_the_longest_call(shop: Shop) -> None:
    card = shop.card("1.00")
    call = shop.dial(card)
    shop.recharge(card, "100.00", "k")
    assert call.enlarge() == euro("72")


def test_a_free_call_has_nothing_to_enlarge(shop: Shop) -> None:
    assert shop.dial(shop.card(), FREE).enlarge() is None


def test_ending_may_bring_an_answer_that_was_never_written(shop: Shop) -> None:
    card = shop.card("1.00")
    call = shop.dial(card)
    answered = shop.now
    shop.later(20)
    ending = dataclasses.replace(call.ending(20), answered=answered, promised_seconds=100)
    run(call_records.ended(shop.database, ending))
    assert (call.record.answered, call.record.promised_seconds, call.record.cost) == (answered, 100, euro("0.20"))
    assert shop.faults() == []


def test_a_clock_that_was_set_back_does_not_keep_a_record_open(shop: Shop) -> None:
    call = shop.dial(shop.card())
    started = shop.now
    shop.later(-3600)
    call.answer()
    call.end(0, "failed")
    assert (call.record.answered, call.record.ended) == (started, started)


def test_records_are_searched_by_day_user_and_number(shop: Shop) -> None:
    one, other = shop.cards_of("1.00", 2)
    calls = []
    for card in (one, other, one):
        shop.later(60)
        calls.append(shop.dial(card, FREE))
    newest = [call.begun.id for call in reversed(calls)]

    def found(*arguments: object, **more: object) -> list[int]:
        since, until = shop.now - timedelta(hours=1), shop.now + SECOND
        records = run(call_records.search(shop.database, since, until, *arguments, **more))  # type: ignore[arg-type]
        return [record.id for record in records]

    assert found() == newest
    assert found(oldest_first=True) == newest[::-1]
    assert found(other.number) == [newest[1]]
    assert found(None, "359888") == newest
    assert found(None, "101") == newest
    assert found(None, "_59") == []
    assert found(limit=1) == newest[:1]
    last = calls[2].record
    assert found(after=(last.started, last.id), limit=1) == newest[1:2]
    first = calls[0].record
    assert found(after=(first.started, first.id), oldest_first=True) == newest[1::-1]
    assert [record.id for record in run(call_records.live(shop.database))] == newest[::-1]
    calls[1].end(0, "cancelled")
    assert len(run(call_records.live(shop.database))) == 2
