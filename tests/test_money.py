from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minitelecom.money import Money, minor_digits, round_cost


def euro(amount: str) -> Money:
    return Money(Decimal(amount), "EUR")


def test_an_operator_types_minor_units():
    assert Money.from_minor(1500, "EUR") == euro("15.00")
    assert Money.from_minor(1500, "JPY") == Money(Decimal(1500), "JPY")
    assert Money.from_minor(1500, "KWD") == Money(Decimal("1.5"), "KWD")
    assert Money.from_minor(-1, "EUR") == euro("-0.01")


def test_money_adds_subtracts_and_compares():
    assert euro("1.10") + euro("2.20") == euro("3.30")
    assert euro("1") - euro("1.000001") == euro("-0.000001")
    assert -euro("2") == euro("-2")
    assert euro("0.59") < euro("0.60") <= euro("0.600") < euro("1")
    assert euro("1") >= euro("1.00")
    assert euro("1.01") > euro("1")
    assert Money.zero("EUR").is_zero
    assert not euro("0.000001").is_zero


@pytest.mark.parametrize("act", [lambda a, b: a + b, lambda a, b: a - b, lambda a, b: a < b, lambda a, b: a >= b])
def test_two_currencies_never_meet(act):
    with pytest.raises(ValueError, match="two currencies"):
        act(euro("1"), Money(Decimal(1), "BGN"))


def test_equal_amounts_of_two_currencies_are_not_equal():
    assert euro("1") != Money(Decimal(1), "BGN")


def test_what_is_shown_is_rounded_down():
    assert euro("12.509999").minor_down() == 1250
    assert euro("0.009999").minor_down() == 0
    assert euro("-0.000001").minor_down() == -1
    assert euro("-12.50").minor_down() == -1250
    assert Money(Decimal("7.9"), "JPY").minor_down() == 7


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        ("12.500000", "EUR", "12.50"),
        ("0.012345", "EUR", "0.012345"),
        ("0.012340", "EUR", "0.01234"),
        ("1000", "EUR", "1000.00"),  # never a thousands comma
        ("1E+3", "EUR", "1000.00"),
        ("0E-6", "EUR", "0.00"),
        ("-0.5", "EUR", "-0.50"),
        ("1500.000000", "JPY", "1500"),
        ("1500.25", "JPY", "1500.25"),
        ("1.5", "KWD", "1.500"),
    ],
)
def test_major_is_exact_and_short(amount, currency, text):
    assert Money(Decimal(amount), currency).major() == text
    assert str(Money(Decimal(amount), currency)) == f"{text} {currency}"


@pytest.mark.parametrize("amount", [Decimal("NaN"), Decimal("Infinity"), 0.5, 1])
def test_only_finite_decimals_are_amounts(amount):
    with pytest.raises(ValueError, match="finite Decimal"):
        Money(amount, "EUR")


def test_a_currency_is_one_of_iso_4217():
    assert [minor_digits(code) for code in ("EUR", "BGN", "USD", "JPY", "TND")] == [2, 2, 2, 0, 3]
    with pytest.raises(ValueError, match="ISO 4217"):
        Money(Decimal(1), "EURO")


def test_a_cost_is_rounded_half_up_to_six_places():
    assert round_cost(Decimal("0.0000005")) == Decimal("0.000001")
    assert round_cost(Decimal("0.00000049")) == 0
    assert round_cost(Decimal("0.0025") * 10 / 60) == Decimal("0.000417")


@given(st.decimals(min_value=-(10**12), max_value=10**12, places=6), st.sampled_from(["EUR", "JPY", "KWD"]))
def test_major_reads_back_and_minor_down_is_within_one_unit(amount, currency):
    money = Money(amount, currency)
    assert Decimal(money.major()) == amount
    shown = Money.from_minor(money.minor_down(), currency)
    assert shown <= money < shown + Money.from_minor(1, currency)
