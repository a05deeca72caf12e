"""The ledger: reservations and movements, as tables of what was asked and what was answered.

R01 to R05 and R10 are the reservation vectors that every billing engine gets wrong somewhere (rating, part 2, V6).
"""

import shlex
from decimal import Decimal

import psycopg2
import pytest

from minitelecom.money import Money
from minitelecom.store import accounts, ledger
from minitelecom.store.refusals import Refusal
from minitelecom.store.synchronous import run
from tests.store.shop import MORNING, Shop, euro

STORIES = {
    "R01 what is reserved is not reserved again": """
        recharge 1.00 k1            → 1.00
        reserve 0.40 a              → ok
        reserve 0.40 b              → ok
        reserve 0.40 c              → InsufficientFunds
        look                        → 1.00 0.80
    """,
    "R02 the rest of a settled reservation comes back at once": """
        recharge 1.00 k1            → 1.00
        reserve 0.40 a              → ok
        settle a 0.25 s1            → ok
        look                        → 0.75 0.00
    """,
    "R03 settled twice with one key: the first answer, no second debit": """
        recharge 1.00 k1            → 1.00
        reserve 0.40 a              → ok
        settle a 0.25 s1            → ok
        settle a 0.25 s1            → ok
        look                        → 0.75 0.00
    """,
    "R04 a settlement never exceeds its reservation": """
        recharge 1.00 k1            → 1.00
        reserve 0.40 a              → ok
        settle a 0.50 s1            → BeyondReservation
        look                        → 1.00 0.40
        settle a 0.40 s1            → ok
        look                        → 0.60 0.00
    """,
    "R05 resolved once, and each second resolution has its own reason": """
        recharge 1.00 k1            → 1.00
        reserve 0.10 a              → ok
        reserve 0.10 b              → ok
        settle a 0.10 s1            → ok
        release a                   → AlreadySettled
        settle a 0.10 s2            → AlreadySettled
        release b                   → ok
        release b                   → AlreadyReleased
        settle b 0.10 s3            → AlreadyReleased
        settle nothing 0.10 s4      → NoSuchReservation
        look                        → 0.90 0.00
    """,
    "R10 one key, another body": """
        recharge 1.00 k1            → 1.00
        recharge 1.00 k1            → 1.00
        recharge 2.00 k1            → KeyUsedOtherwise
        reserve 0.40 a              → ok
        reserve 0.40 b              → ok
        settle a 0.20 s1            → ok
        settle a 0.21 s1            → KeyUsedOtherwise
        settle b 0.20 s1            → KeyUsedOtherwise
        settle b 0.20 k1            → KeyUsedOtherwise
        look                        → 0.80 0.40
    """,
    "nothing can be reserved of nothing": """
        look                        → 0.00 0.00
        reserve 0.000001 a          → InsufficientFunds
        recharge 0.000001 k1        → 0.000001
        reserve 0.000001 a          → ok
        look                        → 0.000001 0.000001
    """,
}


@pytest.mark.parametrize("story", STORIES)
def test_reservations(story: str, shop: Shop) -> None:
    account = run(accounts.create(shop.database, "shop", "EUR", MORNING, zone="Europe/Sofia"))
    reservations = {"nothing": 4711}
    for line in STORIES[story].strip().splitlines():
        asked, answer = line.split("→")
        assert (line, ask(shop, account, reservations, *shlex.split(asked))) == (line, answer.strip())
    assert shop.faults() == []


def ask(shop: Shop, account: int, reservations: dict[str, int], verb: str, *words: str) -> str:
    try:
        match verb, words:
            case "recharge", (amount, key):
                movement = run(ledger.recharge(shop.database, account, euro(amount), key, "eva", shop.now))
                return movement.balance_after.major()
            case "reserve", (amount, name):
                reservations[name] = run(ledger.reserve(shop.database, account, euro(amount), shop.now))
            case "settle", (name, amount, key):
                run(ledger.settle(shop.database, reservations[name], euro(amount), key, shop.now))
            case "release", (name,):
                run(ledger.release(shop.database, reservations[name], shop.now))
            case "look", ():
                found = run(accounts.find(shop.database, account, shop.now))
                assert found is not None
                return f"{found.balance.major()} {found.reserved.major()}"
    except Refusal as refusal:
        return type(refusal).__name__
    return "ok"


def test_a_recharge_tells_what_was_and_what_is(shop: Shop) -> None:
    card = shop.card("5.00")
    movement = shop.recharge(card, "2.50", "till-1")
    assert (movement.balance_before, movement.amount, movement.balance_after) == (euro("5"), euro("2.50"), euro("7.50"))
    assert not movement.repeated


def test_a_repeated_recharge_tells_what_the_first_did(shop: Shop) -> None:
    card = shop.card("5.00")
    shop.recharge(card, "2.50", "till-1")
    first = shop.now
    shop.recharge(card, "1.00", "till-2")
    shop.later(60)
    again = shop.recharge(card, "2.50", "till-1")
    assert again.repeated
    assert (again.balance_before, again.balance_after, again.happened) == (euro("5"), euro("7.50"), first)
    assert shop.money(card) == ("8.50", "0.00")


def test_the_house_is_the_other_side_of_everything(shop: Shop) -> None:
    card = shop.card("5.00")
    shop.recharge(card, "2.50", "till-1")
    call = shop.dial(card)
    call.answer()
    shop.later(100)
    call.end(100)
    house = {name: run(ledger.house_balance(shop.database, name, "EUR")) for name in ("cards", "cash", "revenue")}
    assert house == {"cards": euro("-5"), "cash": euro("-2.5"), "revenue": euro("1")}
    assert [movement.kind for movement in run(ledger.history(shop.database, shop.account(card)))] == [
        "call",
        "recharge",
        "issue",
    ]


def test_a_movement_is_found_by_its_key(shop: Shop) -> None:
    card = shop.card("5.00")
    made = shop.recharge(card, "2.50", "till-1")
    assert run(ledger.find(shop.database, "till-1", made.account_id)) == made
    assert run(ledger.find(shop.database, "till-2", made.account_id)) is None


def test_a_recharge_is_refused_where_it_makes_no_sense(shop: Shop) -> None:
    card = shop.card()
    with pytest.raises(ledger.WrongCurrency):
        run(ledger.recharge(shop.database, card.number, Money(Decimal("1.00"), "BGN"), "k", "eva", shop.now))
    with pytest.raises(ledger.NoSuchAccount):
        run(ledger.recharge(shop.database, "1234567890", euro("1"), "k", "eva", shop.now))
    with pytest.raises(psycopg2.DataError):
        shop.recharge(card, "-1.00", "k")
    with pytest.raises(psycopg2.DataError):
        shop.recharge(card, "0.0000001", "k")
    assert shop.money(card) == ("1.00", "0.00")


TAMPERING = {
    "a line is changed": "UPDATE movement_lines SET amount = amount * 2",
    "a line is removed": "DELETE FROM movement_lines",
    "a movement is changed": "UPDATE movements SET note = 'nothing to see here'",
    "movements are emptied": "TRUNCATE movements, movement_lines, reservations CASCADE",
    "a balance is written": "UPDATE accounts SET balance = balance + 100 WHERE kind <> 'house'",
    "a balance is written with its line's number": "UPDATE accounts SET balance = balance + 100, lines = lines + 1"
    " WHERE kind <> 'house'",
    "a reserved sum is written": "UPDATE accounts SET reserved = 0.5 WHERE kind <> 'house'",
    "an account is removed": "DELETE FROM accounts",
    "an account changes its currency": "UPDATE accounts SET currency = 'USD'",
    "an account begins with money": "INSERT INTO accounts (kind, currency, status, activation, zone, created, balance,"
    " reserved, lines, head) SELECT kind, currency, status, activation, zone, created, 5, 0, 0, '' FROM accounts"
    " WHERE kind <> 'house'",
    "a house account stores a balance": "UPDATE accounts SET balance = 1 WHERE kind = 'house'",
    "a line is added by hand": "INSERT INTO movement_lines (movement_id, account_id, currency, amount)"
    " SELECT movement_id, (SELECT id FROM accounts WHERE name = 'revenue'), 'EUR', 1 FROM movement_lines",
    "a chained line is added by hand": "INSERT INTO movement_lines SELECT m.id, a.id, 'EUR', 1, a.lines + 1,"
    " a.balance + 1, '\\x00' FROM movements m, accounts a WHERE m.kind = 'issue' AND a.kind = 'shop'",
    "a call record is removed": "DELETE FROM call_records",
    "a closed call record is changed": "UPDATE call_records SET cost = 0, movement_id = NULL",
    "a call record gets another beginning": "UPDATE call_records SET rate = NULL",
    "a reservation is removed": "DELETE FROM reservations",
    "a resolved reservation is held again": "UPDATE reservations SET state = 'held', resolved = NULL, settled = NULL,"
    " movement_id = NULL",
    "a card is removed": "DELETE FROM cards",
    "what somebody did is forgotten": "DELETE FROM audit",
}


@pytest.mark.parametrize("tampering", TAMPERING)
def test_what_is_written_stays_written(tampering: str, shop: Shop) -> None:
    run(accounts.create(shop.database, "shop", "EUR", MORNING, zone="Europe/Sofia"))
    card = shop.card("1.00")
    call = shop.dial(card)
    call.answer()
    shop.later(10)
    call.end(10)
    with pytest.raises(psycopg2.Error):
        run(shop.database.query(TAMPERING[tampering]))
    assert shop.money(card) == ("0.90", "0.00")
    assert shop.faults() == []
