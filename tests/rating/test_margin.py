"""Whether a call may cost more than it brings, whatever its length; and what a carrier asks in the money of the house."""

from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from minitelecom.money import Money
from minitelecom.rating.buying import Buying
from minitelecom.rating.cost import billed_seconds
from minitelecom.rating.exchange import Exchange
from minitelecom.rating.margin import may_lose
from minitelecom.rating.rate import Rate

HOUR = 3600


def rate(price: str, initial: int = 1, increment: int = 1, fee: str = "0", currency: str = "EUR") -> Rate:
    return Rate("44", "United Kingdom", currency, Decimal(price), initial, increment, Decimal(fee))


CASES = {
    "the same price and steps": (rate("0.10"), rate("0.10"), False),
    "dearer by the last digit": (rate("0.100001"), rate("0.10"), True),
    "cheaper, by the same steps": (rate("0.05", 60, 60), rate("0.10", 60, 60), False),
    "a carrier that counts minutes, a customer who pays seconds": (rate("0.10", 60, 60), rate("0.20"), True),
    "a carrier that counts seconds, a customer who pays minutes": (rate("0.10"), rate("0.10", 60, 60), False),
    "a fee that the first seconds do not bring": (rate("0.01", fee="0.02"), rate("0.20"), True),
    "a fee that the first minute brings": (rate("0.01", fee="0.02"), rate("0.20", 60, 1), False),
    "a carrier's second minute is begun where the customer's first is not over": (
        rate("0.10", 30, 60),
        rate("0.10", 60, 60),
        True,
    ),
    "free, and free": (rate("0"), rate("0"), False),
    "free for the customer only": (rate("0.01"), rate("0"), True),
    "a fee for the customer, eaten up at last": (rate("0.11"), rate("0.10", fee="0.50"), True),
}


@pytest.mark.parametrize("case", CASES)
def test_whether_money_may_be_lost(case: str) -> None:
    carrier, customer, expected = CASES[case]
    assert may_lose(Buying(carrier, "EUR"), customer, HOUR) is expected


def test_a_loss_that_no_call_lives_to_see() -> None:
    carrier, customer = Buying(rate("0.11"), "EUR"), rate("0.10", fee="0.50")
    assert not may_lose(carrier, customer, 50 * 60)
    assert may_lose(carrier, customer, 50 * 60 + 1)


def test_another_currency_is_compared_by_what_it_is_worth() -> None:
    dollars = rate("0.10", currency="USD")
    assert not may_lose(Buying(dollars, "EUR", Decimal("0.92")), rate("0.092"), HOUR)
    assert may_lose(Buying(dollars, "EUR", Decimal("0.920001")), rate("0.092"), HOUR)


prices = st.decimals(0, 2, places=6)
steps = st.one_of(st.sampled_from([1, 6, 30, 60]), st.integers(1, 90))
rates = st.builds(
    Rate,
    st.just("44"),
    st.just("United Kingdom"),
    st.just("EUR"),
    prices,
    steps,
    steps,
    st.one_of(st.just(Decimal(0)), prices),
)


@example(rate("0.09"), rate("0.07", 60, 60), 55, Decimal(1))  # the longest call ends within the customer's first step
@example(
    rate("0.19", 11, 30), rate("0.15", 11, 45, "0.25"), 397, Decimal(1)
)  # lost in the last round alone, not at its end
@given(rates, rates, st.integers(1, 1500), st.sampled_from([Decimal(1), Decimal("0.92"), Decimal("1.7")]))
def test_the_worst_seconds_are_as_bad_as_any(carrier: Rate, customer: Rate, longest: int, exchange: Decimal) -> None:
    def exact(rate: Rate, seconds: int) -> Decimal:
        return rate.connection_fee * 60 + rate.sell * billed_seconds(rate, seconds)

    lost = any(exact(carrier, t) * exchange > exact(customer, t) for t in range(1, longest + 1))
    assert may_lose(Buying(carrier, "EUR", exchange), customer, longest) is lost


def test_what_a_carrier_asks_is_rounded_in_each_currency_once() -> None:
    buying = Buying(rate("0.1", 60, 60, "0.000001", "USD"), "EUR", Decimal("0.92"))
    assert buying.asked(61) == Money(Decimal("0.200001"), "USD")
    assert buying.cost(61) == Money(Decimal("0.184001"), "EUR")
    assert buying.asked(0).is_zero


LEVA = {"0.01": "0.005113", "0.10": "0.051129", "0.50": "0.255646", "1.70": "0.869196", "1500": "766.937822"}


@pytest.mark.parametrize("leva", LEVA)
def test_the_lev_is_worth_what_the_law_says(leva: str) -> None:
    """rating.md V5b."""
    worth = Exchange("EUR").rate("BGN")
    assert worth is not None
    assert Buying(rate(leva, 60, 60, currency="BGN"), "EUR", worth).cost(60).amount == Decimal(LEVA[leva])
    assert Exchange("BGN").rate("EUR") == Decimal("1.95583")


def test_what_nobody_has_said_is_not_known() -> None:
    exchange = Exchange("EUR", {"USD": Decimal("0.92"), "BGN": Decimal(2)})
    assert (exchange.rate("EUR"), exchange.rate("USD"), exchange.rate("GBP")) == (Decimal(1), Decimal("0.92"), None)
    assert exchange.rate("BGN") == 1 / Decimal("1.95583"), "nobody changes what a law has fixed"
