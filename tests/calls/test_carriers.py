"""Several carriers for one number: which is tried when, what is recorded of each, and who is paid."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest

from minitelecom.money import Money
from minitelecom.rating.rate import Rate
from minitelecom.store import call_attempts, prices
from minitelecom.store.call_attempts import CarrierAttempt
from minitelecom.store.synchronous import run
from tests.calls.story import LONDON, settle
from tests.world.house import BEGINNING, HeldCard, House
from tests.world.party import Behaviour, Party

BOUGHT = Rate("44", "United Kingdom", "EUR", Decimal("0.06"), 1, 1, buy=Decimal("0.03"), buy_currency="EUR")


def attempts(house: House) -> list[CarrierAttempt]:
    """Of the last number dialled."""
    record = house.records()[-1]
    key = (record.started, record.id)
    return run(call_attempts.of_calls(house.database, [key])).get(key, [])


@pytest.fixture
def carriers(house: House) -> Callable[..., list[Party]]:
    """Carriers with trunks of the priorities 1, 2 … that answer numbers of London with these statuses."""

    def make(*behaviours: Behaviour) -> list[Party]:
        parties = []
        for place, behaviour in enumerate(behaviours, 1):
            party = house.party(f"carrier{place}", f"10.0.1.{place}")
            party.usual = behaviour
            house.trunk(party.name, f"sip:{party.host}", match="44", priority=place - 10)
            parties.append(party)
        run(prices.replace(house.database, [BOUGHT], "general", "story", BEGINNING))
        return parties

    return make


@pytest.fixture
def card(house: House) -> HeldCard:
    return house.card("1.00")


@pytest.fixture
def telephone(house: House, card: HeldCard) -> Party:
    return house.telephone("101", "10.0.0.11", card)


Carriers = Callable[..., list[Party]]


def test_each_attempt_is_recorded_and_the_one_that_answered_is_paid(
    house: House, carriers: Carriers, telephone: Party, card: HeldCard
) -> None:
    carriers(Behaviour(status=503, answer_after=2), Behaviour(answer_after=None), Behaviour(answer_after=3))
    house.network.detach("10.0.1.2", 5060)
    house.open()
    talk = telephone.call(LONDON)
    house.pass_(2 + 32 + 3 + 1)
    assert talk.talking
    house.pass_(59)
    talk.hang_up()
    house.pass_(1)
    first, second, third = attempts(house)
    assert (first.trunk, first.cause, first.sip_status, first.cost) == ("carrier1", "failed", 503, None)
    assert (second.trunk, second.cause, second.sip_status, second.cost) == ("carrier2", "failed", 408, None)
    assert (third.trunk, third.number, third.cause) == ("carrier3", "442071234567", "normal")
    assert first.ended == second.began
    assert second.ended == third.began
    assert third.answered is not None
    assert third.answered - third.began == timedelta(seconds=3.15)
    assert (third.buy_cost, third.cost) == (Money(Decimal("0.03"), "EUR"),) * 2
    record = house.records()[0]
    assert (record.trunk, record.cost, record.billed_seconds) == ("carrier3", Money(Decimal("0.06"), "EUR"), 60)
    assert house.balance(card) == Decimal("0.94")
    settle(house)


def test_nobody_is_paid_for_what_nobody_answered(
    house: House, carriers: Carriers, telephone: Party, card: HeldCard
) -> None:
    carriers(Behaviour(status=500), Behaviour(status=486), Behaviour())
    house.open()
    talk = telephone.call(LONDON)
    house.pass_(5)
    assert talk.final == 486
    assert [(one.trunk, one.cause, one.cost) for one in attempts(house)] == [
        ("carrier1", "failed", None),
        ("carrier2", "busy", None),
    ]
    assert house.balance(card) == Decimal(1)
    settle(house)


def test_the_caller_gives_up_while_the_second_rings(house: House, carriers: Carriers, telephone: Party) -> None:
    carriers(Behaviour(status=500), Behaviour(answer_after=None))
    house.open()
    talk = telephone.call(LONDON)
    house.pass_(5)
    talk.cancel()
    house.pass_(1)
    assert [(one.cause, one.sip_status) for one in attempts(house)] == [("failed", 500), ("cancelled", 487)]
    settle(house)


def test_without_a_port_for_its_sound_no_carrier_is_asked(house: House, carriers: Carriers, telephone: Party) -> None:
    carriers(Behaviour(), Behaviour())
    house.open()
    house.media.most = 1
    talk = telephone.call(LONDON)
    house.pass_(5)
    assert talk.final == 503
    assert attempts(house) == []
    settle(house)


def test_a_call_between_telephones_asks_no_carrier(house: House, telephone: Party) -> None:
    other = house.telephone("102", "10.0.0.12")
    house.open()
    other.register()
    house.pass_(1)
    talk = telephone.call("102")
    house.pass_(3)
    talk.hang_up()
    house.pass_(1)
    assert attempts(house) == []
    settle(house)


def test_a_call_for_help_records_its_carriers_too(house: House, telephone: Party) -> None:
    house.open()
    talk = telephone.call("112")
    house.pass_(3)
    talk.hang_up()
    house.pass_(1)
    assert [(one.trunk, one.number, one.cause, one.cost) for one in attempts(house)] == [
        ("carrier", "112", "normal", None)
    ]
    settle(house)
