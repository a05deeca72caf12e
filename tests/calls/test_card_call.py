"""A card holder rings in, is let in, talks, and is billed: whole visits over the real exchange and database."""

from decimal import Decimal

import pytest

from minitelecom.store.synchronous import SynchronousDatabase

from tests.world.house import HeldCard, House
from tests.world.party import Behaviour, Party, Talk


@pytest.fixture
def house(database: SynchronousDatabase) -> House:
    return House(database)


def sign_in(house: House, talk: Talk, card: HeldCard) -> None:
    """Language, user number, password; each answered while its question is asked."""
    house.pass_(1)
    talk.press("2")
    house.pass_(3)
    talk.press(card.number)
    house.pass_(5)
    talk.press(card.password)
    house.pass_(20)


def visit(house: House, telephone: Party, card: HeldCard) -> Talk:
    """A telephone of the shop rings 100 and signs in."""
    talk = telephone.call("100")
    sign_in(house, talk, card)
    assert talk.talking
    return talk


def test_a_call_from_the_first_ring_to_the_last_coin(house: House) -> None:
    card = house.card("1.00")
    telephone = house.telephone("101", "10.0.0.11")
    house.open()
    house.carrier.usual = Behaviour(answer_after=2, talk_seconds=61)
    talk = visit(house, telephone, card)
    talk.press("00442071234567#")
    house.pass_(15)
    assert [call.request.uri.user for call in house.carrier.calls if call.request] == ["442071234567"]
    assert house.reserved(card) == Decimal("1.00")
    house.pass_(80)
    record = house.records()[0]
    assert (record.cause, record.billed_seconds, record.cost.amount if record.cost else None) == (
        "normal",
        61,
        Decimal("0.061"),
    )
    assert record.promised_seconds == 1000
    assert house.balance(card) == Decimal("0.939")
    talk.hang_up()
    house.pass_(40)
    assert house.leftovers() == {}
    assert house.faults() == []
