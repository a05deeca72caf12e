"""The carriers tried for a call, and what they ask for it."""

from dataclasses import replace
from decimal import Decimal

import psycopg2
import pytest

from minitelecom.money import Money
from minitelecom.rating.buying import Buying
from minitelecom.rating.rate import Rate
from minitelecom.store import call_attempts, call_records, processes
from minitelecom.store.call_attempts import CarrierAttempt
from minitelecom.store.synchronous import run
from tests.store.shop import Call, Shop

DOLLARS = Buying(Rate("359", "Bulgaria", "USD", Decimal("0.10"), 60, 60), "EUR", Decimal("0.92"))


def attempts_of(call: Call) -> list[CarrierAttempt]:
    key = (call.beginning.started, call.begun.id)
    return run(call_attempts.of_calls(call.shop.database, [key])).get(key, [])


def answer(call: Call, *attempts: CarrierAttempt) -> bool:
    shop, started = call.shop, call.beginning.started
    return run(
        call_records.answered(
            shop.database, call.begun.id, started, shop.now, call.promised, attempts[-1].trunk, attempts
        )
    )


def end(call: Call, seconds: int, *attempts: CarrierAttempt) -> call_records.Ended:
    return run(call_records.ended(call.shop.database, replace(call.ending(seconds), attempts=attempts)))


def talk(shop: Shop) -> tuple[Call, CarrierAttempt, CarrierAttempt]:
    """The first carrier fails, the second answers after five seconds."""
    call = shop.dial(shop.card("1.00"))
    failed = CarrierAttempt("first", "0359888123456", shop.now, DOLLARS)
    shop.later(3)
    failed = failed.closed(shop.now, "failed", 503, 0)
    second = CarrierAttempt("second", "+359888123456", shop.now, DOLLARS)
    shop.later(2)
    second = replace(second, answered=shop.now)
    assert answer(call, failed, second)
    return call, failed, second


def test_attempts_are_written_with_the_answer_and_the_end(shop: Shop) -> None:
    call, failed, second = talk(shop)
    assert attempts_of(call) == [failed, second]
    shop.later(61)
    closed = second.closed(shop.now, "normal", None, 61)
    assert not end(call, 61, failed, closed).repeated
    assert attempts_of(call) == [failed, closed]
    assert (failed.buy_cost, failed.cost) == (None, None)
    assert (closed.buy_cost, closed.cost) == (Money(Decimal("0.2"), "USD"), Money(Decimal("0.184"), "EUR"))
    assert call.record.trunk == "second"
    assert shop.faults() == []


def test_repeated_statements_change_no_attempt(shop: Shop) -> None:
    call, failed, second = talk(shop)
    assert answer(call, failed, second)
    shop.later(61)
    closed = second.closed(shop.now, "normal", None, 61)
    for seconds in (61, 62):
        end(call, seconds, failed, second.closed(shop.now, "normal", None, seconds))
    assert not answer(call, failed, second)
    assert attempts_of(call) == [failed, closed]


@pytest.mark.parametrize("statement", ["UPDATE call_attempts SET trunk = 'another'", "DELETE FROM call_attempts"])
def test_what_was_tried_is_never_changed(shop: Shop, statement: str) -> None:
    call, failed, second = talk(shop)
    end(call, 1, failed, second.closed(shop.now, "normal", None, 1))
    with pytest.raises(psycopg2.DatabaseError, match="kept as written"):
        run(shop.database.query(statement))


def test_the_attempt_of_a_dead_process_is_closed_and_paid_to_its_last_heartbeat(shop: Shop) -> None:
    call, failed, second = talk(shop)
    shop.later(30.5)
    run(processes.beat(shop.database, shop.process, shop.now, {}))
    last = shop.now
    shop.later(11)
    assert run(processes.recover(shop.database, shop.now)) == 1
    assert attempts_of(call) == [failed, second.closed(last, "interrupted", None, 30)]
    end(call, 60, failed, second.closed(shop.now, "normal", None, 60))
    assert attempts_of(call)[1].cause == "interrupted", "the first end holds"


def test_of_a_process_that_died_before_an_answer_the_first_carrier_is_known(shop: Shop) -> None:
    beginning = replace(shop.beginning(shop.card("1.00")), trunk="first")
    call = Call(shop, beginning, run(call_records.begin(shop.database, beginning)))
    shop.later(20)
    run(processes.recover(shop.database, shop.now))
    (tried,) = attempts_of(call)
    assert (tried.trunk, tried.number, tried.cause, tried.cost) == ("first", None, "interrupted", None)


def test_calls_without_carriers_have_no_attempts(shop: Shop) -> None:
    call = shop.dial(None, None)
    end(call, 0)
    assert attempts_of(call) == []
    assert run(call_attempts.of_calls(shop.database, [])) == {}
