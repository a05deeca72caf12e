"""Processes that die, and the calls they leave behind."""

from datetime import timedelta

import pytest

from minitelecom.store import ledger, processes
from minitelecom.store.refusals import AlreadyExpired
from minitelecom.store.synchronous import run
from tests.store.shop import Shop, euro


def beat(shop: Shop) -> bool:
    return run(processes.beat(shop.database, shop.process, shop.now, {"legs": 1}))


def recover(shop: Shop) -> int:
    return run(processes.recover(shop.database, shop.now))


def test_a_process_beats_and_is_seen(shop: Shop) -> None:
    shop.later(1)
    assert beat(shop)
    found = run(processes.latest(shop.database))
    assert found is not None
    assert (found.id, found.heartbeat, found.counters) == (shop.process, shop.now, {"legs": 1})
    assert [process.id for process in run(processes.running(shop.database, shop.now))] == [shop.process]
    shop.later(60)
    assert run(processes.running(shop.database, shop.now)) == []


def test_a_call_in_progress_is_charged_to_the_last_proof_of_life(shop: Shop) -> None:
    card = shop.card("1.00")
    call = shop.dial(card)
    shop.later(5)
    call.answer()
    shop.later(30.5)
    beat(shop)
    last = shop.now
    shop.later(11)
    assert recover(shop) == 1
    assert shop.money(card) == ("0.70", "0.00")
    record = call.record
    assert (record.cause, record.ended, record.billed_seconds, record.cost) == ("interrupted", last, 30, euro("0.30"))
    assert recover(shop) == 0
    assert shop.faults() == []


def test_a_call_that_was_not_answered_is_given_back(shop: Shop) -> None:
    card = shop.card("1.00")
    call = shop.dial(card)
    shop.later(20)
    assert recover(shop) == 1
    assert shop.money(card) == ("1.00", "0.00")
    assert (call.record.cause, call.record.cost) == ("interrupted", euro("0"))
    assert shop.faults() == []


def test_a_call_is_never_charged_beyond_its_reservation(shop: Shop) -> None:
    card = shop.card("0.25")
    call = shop.dial(card)
    call.answer()
    shop.later(600)  # the cut at 25 s was never made
    beat(shop)
    shop.later(20)
    recover(shop)
    assert shop.money(card) == ("0.00", "0.00")
    assert call.record.billed_seconds == 25
    assert shop.faults() == []


def test_a_recharge_in_mid_call_counts_in_its_recovery(shop: Shop) -> None:
    card = shop.card("0.25")
    call = shop.dial(card)
    call.answer()
    shop.recharge(card, "1.00", "k")
    call.enlarge()
    shop.later(60)
    beat(shop)
    shop.later(20)
    recover(shop)
    assert shop.money(card) == ("0.65", "0.00")


def test_a_call_for_help_is_closed_too(shop: Shop) -> None:
    call = shop.dial(None, None)
    call.answer()
    shop.later(9)
    beat(shop)
    shop.later(11)
    assert recover(shop) == 1
    assert (call.record.cause, call.record.billed_seconds) == ("interrupted", 9)


def test_calls_of_the_living_go_on(shop: Shop) -> None:
    card = shop.card("1.00")
    call = shop.dial(card)
    shop.later(9)
    assert recover(shop) == 0
    assert call.record.ended is None


def test_a_process_that_starts_again_closes_the_calls_of_its_former_life_at_once(shop: Shop) -> None:
    card = shop.card("1.00")
    call = shop.dial(card)
    call.answer()
    shop.later(1)
    beat(shop)
    shop.later(0.5)
    second = run(processes.start(shop.database, "shop", 2, shop.now))
    assert recover(shop) == 1
    assert call.record.cost == euro("0.01")
    assert not beat(shop)
    shop.process = second
    assert beat(shop)


def test_another_process_of_the_house_is_left_alone(shop: Shop) -> None:
    call = shop.dial(shop.card())
    run(processes.start(shop.database, "branch", 2, shop.now))
    assert recover(shop) == 0
    assert call.record.ended is None


def test_a_process_that_was_only_slow_hears_that_it_is_dead(shop: Shop) -> None:
    card = shop.card("1.00")
    call = shop.dial(card)
    call.answer()
    shop.later(30)
    recover(shop)
    assert not beat(shop)
    late = call.end(30)
    assert (late.repeated, late.cause, late.cost) == (True, "interrupted", euro("0"))
    assert not call.answer()
    assert shop.money(card) == ("1.00", "0.00")


def test_what_expired_is_neither_settled_nor_released(shop: Shop) -> None:
    """R05: a settlement after the reservation expired has its own reason."""
    shop.dial(shop.card())
    shop.later(30)
    recover(shop)
    reservation = run(shop.database.query("SELECT max(id) FROM reservations"))[0][0]
    with pytest.raises(AlreadyExpired):
        run(ledger.release(shop.database, reservation, shop.now))
    with pytest.raises(AlreadyExpired):
        run(ledger.settle(shop.database, reservation, euro("0.10"), "late", shop.now))


def test_a_process_that_stops_leaves_nothing(shop: Shop) -> None:
    card = shop.card("1.00")
    call = shop.dial(card)
    call.answer()
    shop.later(3)
    run(processes.stop(shop.database, shop.process, shop.now))
    assert recover(shop) == 1
    assert call.record.cost == euro("0.03")


def test_many_calls_are_closed_in_turns(shop: Shop) -> None:
    many = processes.AT_ONCE + 1
    run(
        shop.database.query(
            "INSERT INTO call_records (started, process_id, session, called_number, currency)"
            " SELECT %s, %s, n::text, '112', 'EUR' FROM generate_series(1, %s) AS n",
            (shop.now, shop.process, many),
        )
    )
    shop.now += timedelta(hours=1)
    assert recover(shop) == many
