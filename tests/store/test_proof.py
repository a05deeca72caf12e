"""The proof of the books finds what was changed behind the triggers' back, by somebody who may do anything."""

from datetime import timedelta

import pytest

from minitelecom.store import ledger
from minitelecom.store.database import Cursor
from minitelecom.store.synchronous import run
from tests.store.shop import Shop

GUARDED = ("accounts", "movements", "movement_lines", "reservations", "cards", "call_records", "audit")

# What was done, and a law whose breach must be among the faults.
TAMPERING = {
    "UPDATE movement_lines SET amount = amount + 1 WHERE sequence = 1": "movements sum to zero",
    "UPDATE movement_lines SET amount = amount * 2 WHERE movement_id = (SELECT max(id) FROM movements)": (
        "movements are as they were sealed"
    ),
    "UPDATE movement_lines SET balance_after = balance_after + 1 WHERE sequence = 2": "lines are chained",
    "UPDATE movement_lines SET sequence = sequence + 10 WHERE sequence = 3": "lines are chained",
    "UPDATE movement_lines SET account_id = (SELECT id FROM accounts WHERE name = 'cash') WHERE sequence IS NULL"
    " AND account_id = (SELECT id FROM accounts WHERE name = 'revenue')": "movements are as they were sealed",
    "UPDATE movement_lines SET hash = '\\x00', sequence = 9, balance_after = 1 WHERE sequence IS NULL": (
        "only lines of customers are chained"
    ),
    "DELETE FROM movement_lines WHERE sequence = 2": "balances equal lines",
    "DELETE FROM movement_lines WHERE sequence IS NULL": "movements sum to zero",
    "UPDATE movements SET operator = 'somebody else' WHERE kind = 'recharge'": "movements are as they were sealed",
    "UPDATE movements SET happened = happened + interval '1 day'": "movements are as they were sealed",
    "UPDATE movements SET key = 'call:999' WHERE kind = 'call'": "every charged call is settled once",
    "UPDATE movements SET body = '\\x00'": "movements are as they were sealed",
    "UPDATE accounts SET balance = balance + 5 WHERE kind = 'card'": "balances equal lines",
    "UPDATE accounts SET head = '\\x00' WHERE kind = 'card'": "chains end where accounts say",
    "UPDATE accounts SET lines = lines + 1 WHERE kind = 'card'": "chains end where accounts say",
    "UPDATE accounts SET reserved = 0 WHERE reserved > 0": "what is reserved is held",
    "ALTER TABLE accounts DROP CONSTRAINT promise_is_covered; UPDATE accounts SET balance = -5 WHERE kind = 'card'": (
        "balances cover what is reserved"
    ),
    "ALTER TABLE accounts DROP CONSTRAINT house_stores_no_balance; UPDATE accounts SET balance = 5"
    " WHERE kind = 'house'": "house accounts store no balance",
    "ALTER TABLE reservations DROP CONSTRAINT settled_within_the_reservation; UPDATE reservations"
    " SET settled = amount + 1 WHERE state = 'settled'": "settlements stay within their reservations",
    "UPDATE reservations SET settled = settled / 2 WHERE state = 'settled'": (
        "settled reservations have their movement"
    ),
    "UPDATE reservations SET movement_id = (SELECT min(id) FROM movements) WHERE state = 'settled'": (
        "settled reservations have their movement"
    ),
    "INSERT INTO reservations (account_id, purpose, amount, state, held) SELECT id, 'call', 1, 'held', created"
    " FROM accounts WHERE kind = 'card'": "a reservation of a call belongs to one call",
    "UPDATE reservations SET state = 'released', resolved = held WHERE state = 'held'": (
        "open calls hold, ended calls do not"
    ),
    "UPDATE call_records SET cost = cost / 2 WHERE cost > 0": "every charged call is settled once",
    "UPDATE call_records SET cost = 0, movement_id = NULL WHERE cost > 0": (
        "every movement of a call belongs to one call"
    ),
    "DELETE FROM call_records WHERE cost > 0": "every movement of a call belongs to one call",
    "DELETE FROM call_records WHERE ended IS NULL": "a reservation of a call belongs to one call",
    "UPDATE processes SET stopped = heartbeat": "no reservation of a dead process",
    "ALTER TABLE movements DISABLE TRIGGER append_only": "the guards stand",
    "DROP TRIGGER agrees ON accounts": "the guards stand",
}


@pytest.fixture
def busy_shop(shop: Shop) -> Shop:
    """A card that was recharged, has called, and is calling."""
    card = shop.card("1.00")
    shop.recharge(card, "4.00", "k")
    call = shop.dial(card)
    call.answer()
    shop.later(30)
    call.end(30)
    shop.dial(card).answer()
    return shop


async def tamper(cursor: Cursor, statements: str) -> None:
    for table in GUARDED:
        await cursor.query(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    for statement in statements.split(";"):
        await cursor.query(statement)
    if "TRIGGER" not in statements:
        for table in GUARDED:
            await cursor.query(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def test_an_honest_shop_has_no_faults(busy_shop: Shop) -> None:
    assert busy_shop.faults() == []


@pytest.mark.parametrize("statements", TAMPERING)
def test_tampering_is_found(statements: str, busy_shop: Shop) -> None:
    run(busy_shop.database.transaction(tamper, statements))
    assert TAMPERING[statements] in {fault.law for fault in busy_shop.faults()}


def test_every_law_can_be_broken() -> None:
    """Or it would be none: each of them finds something above, or below."""
    assert set(ledger.LAWS) == {*TAMPERING.values(), "no reservation of a silent process"}


def test_a_process_that_is_silent_must_not_hold_money(busy_shop: Shop) -> None:
    soon, later = busy_shop.now + timedelta(seconds=5), busy_shop.now + timedelta(seconds=60)
    busy_shop.later(0)
    assert run(ledger.proof(busy_shop.database, busy_shop.now - timedelta(seconds=25))) == []
    assert "no reservation of a silent process" in {fault.law for fault in run(ledger.proof(busy_shop.database, later))}
    assert run(ledger.proof(busy_shop.database, soon, dead_after=timedelta(minutes=5))) == []
