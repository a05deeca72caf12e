"""The worked examples that every rating engine should agree on, and the law that ties cost and time together."""

from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from minitelecom.money import Money
from minitelecom.rating.cost import billed_seconds, cost, maximum
from minitelecom.rating.rate import Rate

HOUR = 3600


def rate(sell="0.60", initial=1, increment=1, fee="0"):
    return Rate("49", "Germany", "EUR", Decimal(sell), initial, increment, Decimal(fee))


def euro(amount):
    return Money(Decimal(amount), "EUR")


@pytest.mark.parametrize(
    ("seconds", "initial", "increment", "fee", "billed", "charge"),
    [
        (1, 60, 60, "0", 60, "0.60"),
        (60, 60, 60, "0", 60, "0.60"),
        (61, 60, 60, "0", 120, "1.20"),
        (29, 30, 6, "0", 30, "0.30"),
        (30, 30, 6, "0", 30, "0.30"),
        (31, 30, 6, "0", 36, "0.36"),
        (45, 30, 6, "0", 48, "0.48"),
        (560, 60, 11, "0", 566, "5.66"),
        (45, 30, 20, "0", 50, "0.50"),
        (51, 30, 20, "0", 70, "0.70"),
        (70, 60, 1, "0.10", 70, "0.80"),
    ],
)
def test_steps_are_counted_after_the_first(seconds, initial, increment, fee, billed, charge):
    price = rate("0.60", initial, increment, fee)
    assert billed_seconds(price, seconds) == billed
    assert cost(price, seconds) == euro(charge)


@pytest.mark.parametrize(
    ("sell", "initial", "increment", "seconds", "billed", "charge"),
    [
        ("0.05", 30, 6, 45, 48, "0.04"),  # MagnusBilling's manual
        ("0.05", 30, 6, 32, 36, "0.03"),  # MagnusBilling's call-shop help
        ("1", 1, 1, 15, 15, "0.25"),  # Kolmisoft, step 1, 10 and 20
        ("1", 10, 10, 15, 20, "0.333333"),
        ("1", 20, 20, 15, 20, "0.333333"),
        ("1", 10, 1, 6, 10, "0.166667"),  # Kolmisoft, minimum time 10
        ("1", 10, 1, 10, 10, "0.166667"),
        ("1", 10, 1, 11, 11, "0.183333"),
        ("0.60", 30, 6, 12, 30, "0.30"),  # VitalPBX
        ("0.60", 30, 6, 39, 42, "0.42"),
        ("0.05", 60, 1, 5, 60, "0.05"),  # cnxcc, 60/1
    ],
)
def test_printed_examples_of_other_engines(sell, initial, increment, seconds, billed, charge):
    price = rate(sell, initial, increment)
    assert billed_seconds(price, seconds) == billed
    assert cost(price, seconds) == euro(charge)


def test_a_call_that_never_talked_costs_nothing():
    price = rate("0.60", 60, 60, "0.10")
    assert billed_seconds(price, 0) == 0
    assert cost(price, 0) == euro("0")


def test_five_short_calls_and_one_of_two_minutes_six():
    """call-meter, issue 97."""
    price = rate("0.03", 60, 60)
    total = sum((cost(price, seconds) for seconds in (5, 10, 20, 40, 59, 126)), euro("0"))
    assert total == euro("0.24")


@pytest.mark.parametrize(
    ("balance", "initial", "increment", "fee", "seconds", "left"),
    [
        ("1.00", 60, 60, "0", 60, "0.40"),
        ("1.00", 60, 1, "0", 100, "0"),
        ("0.50", 60, 1, "0", 0, "0.50"),
        ("0.59", 60, 1, "0", 0, "0.59"),
        ("0.60", 60, 60, "0", 60, "0"),
        ("1.00", 30, 6, "0.20", 78, "0.02"),
        ("0.01", 60, 60, "0", 0, "0.01"),
        ("0.11", 1, 1, "0.10", 1, "0"),
    ],
)
def test_the_longest_call_a_balance_pays_and_what_it_leaves(balance, initial, increment, fee, seconds, left):
    price = rate("0.60", initial, increment, fee)
    assert maximum(price, euro(balance), 4 * HOUR) == seconds
    assert euro(balance) - cost(price, seconds) == euro(left)


def test_a_coin_that_does_not_pay_the_first_step_pays_nothing():
    """A2Billing, issue 22: fifteen seconds were allowed for 0.01 where the first minute costs 0.04."""
    assert maximum(rate("0.04", 60, 60), euro("0.01"), HOUR) == 0


@pytest.mark.parametrize(("balance", "seconds"), [("0.29", 1740), ("0.47", 2820), ("0.57", 3420), ("1.13", 6780)])
def test_binary_floats_would_lose_a_second(balance, seconds):
    assert maximum(rate("0.01"), euro(balance), 4 * HOUR) == seconds


def test_two_minutes_for_one_at_a_half():
    """MagnusBilling, issue 526."""
    assert maximum(rate("0.50"), euro("1.00"), HOUR) == 120


def test_a_hundred_seconds_at_one_a_second_leave_nothing():
    """IVOZ, issue 703."""
    price = rate("60")
    assert maximum(price, euro("100"), HOUR) == 100
    assert cost(price, 100) == euro("100")


def test_a_free_destination_lasts_as_long_as_a_call_may():
    assert maximum(rate("0"), euro("0"), HOUR) == HOUR
    assert maximum(rate("0", fee="0.10"), euro("0.10"), HOUR) == HOUR
    assert maximum(rate("0", fee="0.10"), euro("0.09"), HOUR) == 0


def test_a_debt_pays_nothing_not_even_a_free_call():
    assert maximum(rate("0"), euro("-0.01"), HOUR) == 0


def test_no_call_is_longer_than_the_house_allows():
    assert maximum(rate("0.60", 60, 60), euro("1000"), 90) == 90
    assert maximum(rate("0.60"), euro("1000"), 0) == 0


def test_a_balance_in_another_currency_is_a_mistake():
    with pytest.raises(ValueError, match="two currencies"):
        maximum(rate(), Money(Decimal(1), "USD"), HOUR)


prices = st.decimals(min_value=0, max_value=100, places=6)
fees = st.one_of(st.just(Decimal(0)), st.decimals(min_value=0, max_value=2, places=6))
steps = st.integers(min_value=1, max_value=200)
rates = st.builds(rate, prices, steps, steps, fees)
balances = st.decimals(min_value=0, max_value=1000, places=6).map(euro)


@given(rates, balances, st.integers(min_value=1, max_value=6 * HOUR))
@example(rate("0.000001", 1, 1), euro("0"), HOUR)  # costs that round down to nothing
@example(rate("0.000029", 7, 13), euro("0.000001"), HOUR)
@example(rate("0.60", 30, 6, "0.05"), euro("5.00"), HOUR)
def test_the_promise_is_exact(price, balance, longest):
    """cost(maximum) ≤ balance < cost(maximum + 1 s), unless the house's limit came first."""
    seconds = maximum(price, balance, longest)
    assert 0 <= seconds <= longest
    assert cost(price, seconds) <= balance
    if seconds < longest:
        assert balance < cost(price, seconds + 1)


@given(rates, balances, balances)
def test_more_money_never_buys_less_time(price, one, other):
    less, more = sorted([one, other], key=lambda money: money.amount)
    assert maximum(price, less, 4 * HOUR) <= maximum(price, more, 4 * HOUR)


@given(rates, st.integers(min_value=0, max_value=4 * HOUR), st.integers(min_value=0, max_value=4 * HOUR))
def test_a_longer_call_never_costs_less(price, one, other):
    shorter, longer = sorted([one, other])
    assert cost(price, shorter) <= cost(price, longer)
    assert billed_seconds(price, shorter) <= billed_seconds(price, longer)


@given(rates, st.integers(min_value=1, max_value=4 * HOUR))
def test_counted_seconds_cover_the_call_by_less_than_a_step(price, seconds):
    billed = billed_seconds(price, seconds)
    assert billed >= seconds
    if billed > price.initial:
        assert billed - seconds < price.increment
        assert (billed - price.initial) % price.increment == 0


@given(rates, st.integers(1, 4 * HOUR - 1))
def test_a_promised_call_ends_on_a_step(price, seconds):
    promised = maximum(price, cost(price, seconds), 4 * HOUR)
    assert promised >= seconds
    assert promised == 4 * HOUR or billed_seconds(price, promised) == promised


def test_costs_beyond_any_real_call_stay_exact():
    price = rate("999999999.999999", 3600, 3600, "0.000001")
    assert cost(price, 24 * HOUR) == euro("1439999999999.998561")
    assert maximum(price, euro("1439999999999.998560"), 24 * HOUR) == 23 * HOUR
