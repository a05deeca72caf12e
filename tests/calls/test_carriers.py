"""Several carriers for one number: which is tried when, what is recorded of each, and who is paid."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest

from minitelecom.money import Money
from minitelecom.rating.rate import Rate
from minitelecom.store import call_attempts, exchange_rates, prices
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


# Who is asked first, and who is not asked.


def asks(house: House, trunk: str, price: str, currency: str = "EUR") -> None:
    """A carrier's price list arrives while the house is open, as by another process."""
    rate = Rate("44", "United Kingdom", currency, Decimal(price), price_list=trunk)
    run(prices.replace_carrier(house.database, [rate], trunk, "story", house.now()))
    run(house.exchange.read("buy_prices"))


def worth(house: House, currency: str, rate: str) -> None:
    run(exchange_rates.add(house.database, "EUR", currency, Decimal(rate), "story", house.now()))
    run(house.exchange.read("exchange_rates"))


@pytest.fixture
def three(house: House) -> list[Party]:
    """Carriers of one priority; they ring and do not answer."""
    parties = [house.party(name, f"10.0.1.{place}") for place, name in enumerate(("ann", "bob", "cid"), 1)]
    for party in parties:
        party.usual = Behaviour(answer_after=1, status=503)
        house.trunk(party.name, f"sip:{party.host}", match="44", priority=-1)
    return parties


def test_the_cheapest_is_asked_first_as_prices_and_currencies_stand_now(
    house: House, three: list[Party], telephone: Party
) -> None:
    house.carrier.usual = Behaviour(status=503)
    house.open()
    asks(house, "ann", "0.05")
    worth(house, "USD", "0.92")
    asks(house, "bob", "0.05", "USD")
    asks(house, "cid", "0.01")
    telephone.call(LONDON)
    house.pass_(8)
    assert [one.trunk for one in attempts(house)] == ["cid", "bob", "ann", "carrier"]
    worth(house, "USD", "1.02")
    asks(house, "cid", "0.059")
    telephone.call(LONDON)
    house.pass_(8)
    assert [one.trunk for one in attempts(house)] == ["ann", "bob", "cid", "carrier"]
    settle(house)


def test_what_is_paid_is_what_was_asked_when_the_call_began(house: House, three: list[Party], telephone: Party) -> None:
    three[1].usual = Behaviour(answer_after=1)
    house.open()
    worth(house, "USD", "0.5")
    asks(house, "bob", "0.06", "USD")
    talk = telephone.call(LONDON)
    house.pass_(2)
    asks(house, "bob", "0.01", "USD")
    worth(house, "USD", "0.9")
    house.pass_(59)
    talk.hang_up()
    house.pass_(1)
    (bought,) = [one for one in attempts(house) if one.answered is not None]
    assert (bought.buy_cost, bought.cost) == (Money(Decimal("0.06"), "USD"), Money(Decimal("0.03"), "EUR"))
    settle(house)


def test_nobody_is_asked_at_a_loss_and_the_record_says_so(house: House, three: list[Party], telephone: Party) -> None:
    """Sold at six cents; at last a loss is allowed for one of them."""
    house.trunk("carrier", "sip:10.0.0.99", match="49")
    house.open()
    for trunk, price in (("ann", "0.07"), ("bob", "0.061"), ("cid", "9")):
        asks(house, trunk, price)
    talk = telephone.call(LONDON)
    house.pass_(2)
    assert talk.final == 404
    assert house.records()[-1].cause == "no-route"
    assert [(one.trunk, one.cause, one.number) for one in attempts(house)] == [
        ("ann", "below-cost", None),
        ("bob", "below-cost", None),
        ("cid", "below-cost", None),
    ]
    assert not any(party.calls for party in three)
    house.trunk("bob", "sip:10.0.1.2", match="44", priority=-1, allow_loss=True)
    run(house.exchange.read("trunks"))
    talk = telephone.call(LONDON)
    house.pass_(3)
    assert talk.final == 500
    assert [one.trunk for one in attempts(house)] == ["bob"]
    settle(house)


def test_a_call_for_help_asks_for_no_price(house: House, telephone: Party) -> None:
    house.open()
    asks(house, "carrier", "9")
    talk = telephone.call("112")
    house.pass_(3)
    assert talk.talking
    talk.hang_up()
    settle(house)
