"""The same at the same moment, on eight real connections: threads with psycopg2 on a server that really commits."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import TypeVar

import pytest

from minitelecom.store import call_records, cards, ledger, processes
from minitelecom.store.refusals import KeyUsedOtherwise
from minitelecom.store.synchronous import SynchronousDatabase, run
from tests.store.shop import SECRETS, Shop, euro

CONNECTIONS = 8

T = TypeVar("T")


@pytest.fixture
def shop(database: SynchronousDatabase) -> Shop:
    """Committed, so that the connections see each other."""
    return Shop(database)


def at_once(url: str, shop: Shop, story: Callable[[Shop, int], T], count: int = CONNECTIONS) -> list[T]:
    """Tell the story on that many connections, which all begin at the same moment."""
    barrier = Barrier(count)

    def tell(number: int) -> T:
        with SynchronousDatabase(url) as database:
            mine = Shop(database, now=shop.now, process=shop.process, dialled=1000 * (number + 1))
            barrier.wait(30)
            return story(mine, number)

    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(tell, range(count)))


def test_calls_on_one_card_share_its_minute(shop: Shop, database_url: str) -> None:
    """R07: two calls, balance for 60 s: whatever the order, never more than 60 s are granted."""
    for _ in range(5):
        card = shop.card("0.60")
        granted = at_once(database_url, shop, lambda mine, _, card=card: mine.dial(card).begun, 2)  # type: ignore[misc]
        assert sorted(begun.reserved.amount for begun in granted) == [0, euro("0.60").amount]
        assert sorted(begun.refusal or "" for begun in granted) == ["", "no-credit"]
    assert shop.faults() == []


def test_fifty_debits_leave_the_exact_balance(shop: Shop, database_url: str) -> None:
    """R12: 50 calls of 59 s, on one card."""
    card = shop.card("100.00")

    def talk(mine: Shop, number: int) -> None:
        for _ in range(10 if number < 2 else 5):
            call = mine.dial(card)
            while call.begun.refusal is not None or call.promised < 59:  # the other calls hold the rest at this moment
                call.end(0, "cancelled")
                call = mine.dial(card)
            call.answer()
            call.end(59)

    at_once(database_url, shop, talk)
    assert shop.money(card) == ("70.50", "0.00")  # 100 - 50 · 0.59
    assert run(ledger.house_balance(shop.database, "revenue", "EUR")) == euro("29.50")
    assert shop.faults() == []


def test_one_key_recharges_once(shop: Shop, database_url: str) -> None:
    card = shop.card("1.00")
    movements = at_once(database_url, shop, lambda mine, _: mine.recharge(card, "2.00", "voucher"))
    assert len({movement.id for movement in movements}) == 1
    assert sum(not movement.repeated for movement in movements) == 1
    assert shop.money(card) == ("3.00", "0.00")


def test_one_key_on_two_cards_recharges_one_of_them(shop: Shop, database_url: str) -> None:
    both = shop.cards_of("1.00", 2)

    def redeem(mine: Shop, number: int) -> bool:
        try:
            return not mine.recharge(both[number % 2], "2.00", "voucher").repeated
        except KeyUsedOtherwise:
            return False

    assert sum(at_once(database_url, shop, redeem)) == 1
    assert sorted(shop.money(card)[0] for card in both) == ["1.00", "3.00"]
    assert shop.faults() == []


def test_one_beginning_sent_by_eight_is_one_call(shop: Shop, database_url: str) -> None:
    card = shop.card("1.00")
    beginning = shop.beginning(card)
    begun = at_once(database_url, shop, lambda mine, _: run(call_records.begin(mine.database, beginning)))
    assert len(set(begun)) == 1
    assert shop.money(card) == ("1.00", "1.00")
    assert shop.faults() == []


def test_one_ending_sent_by_eight_charges_once(shop: Shop, database_url: str) -> None:
    card = shop.card("1.00")
    call = shop.dial(card)
    call.answer()
    shop.later(30)
    ended = at_once(database_url, shop, lambda mine, _: run(call_records.ended(mine.database, call.ending(30))))
    assert sum(not answer.repeated for answer in ended) == 1
    assert shop.money(card) == ("0.70", "0.00")
    assert shop.faults() == []


def test_recovery_and_the_living_agree_who_closed_the_call(shop: Shop, database_url: str) -> None:
    card = shop.card("10.00")
    calls = [shop.dial(card, None) for _ in range(20)]
    paid = shop.dial(card)
    paid.answer()
    shop.later(60)
    instant = shop.now + timedelta(seconds=60)

    def close(mine: Shop, number: int) -> int:
        if number % 2:
            return run(processes.recover(mine.database, instant))
        return sum(not run(call_records.ended(mine.database, call.ending(20))).repeated for call in [*calls, paid])

    assert sum(at_once(database_url, shop, close)) == 21
    assert shop.look(card).reserved.is_zero
    assert shop.faults() == []


def test_everything_at_once_on_three_cards(shop: Shop, database_url: str) -> None:
    """Calls, recharges, blocks and sign-ins wait for each other, but never in a circle."""
    three = shop.cards_of("5.00", 3)

    def work(mine: Shop, number: int) -> None:
        for step in range(12):
            card = three[(number + step) % 3]
            match (number + step) % 4:
                case 0:
                    mine.recharge(card, "1.00", f"{number}-{step}")
                case 1:
                    status = "disabled" if step % 2 else "enabled"
                    numbers = [one.number for one in three]
                    run(cards.change(mine.database, numbers, status, "eva", mine.now))  # type: ignore[arg-type]
                case 2:
                    mac = SECRETS.mac(card.number, "wrong" if step % 3 else card.password)
                    run(cards.sign_in(mine.database, card.number, mac, f"+{number % 2}", "carrier", mine.now))
                case _:
                    call = mine.dial(card)
                    if call.begun.refusal is None:
                        call.answer()
                        call.enlarge()
                        call.end(7)

    at_once(database_url, shop, work)
    assert shop.faults() == []
    assert all(shop.look(card).reserved.is_zero for card in three)
