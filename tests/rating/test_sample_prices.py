"""The price list that a new shop starts with."""

from pathlib import Path

import pytest

from minitelecom.rating.price_file import parse, serialise
from minitelecom.rating.price_table import PriceTable

SAMPLE = Path(__file__).parents[2] / "etc" / "prices-sample.csv"


@pytest.fixture(scope="module")
def prices():
    return parse(SAMPLE.read_text(), "EUR")


def test_it_is_read_without_a_remark(prices):
    assert prices.remarks == ()
    assert list(parse(serialise(prices.rates), "EUR").rates) == list(prices.rates)


def test_the_world_is_in_it(prices):
    countries = {rate.destination.split(",")[0] for rate in prices.rates}
    assert len(countries) >= 220
    assert countries >= {
        "Bulgaria",
        "Germany",
        "Turkey",
        "United States",
        "Canada",
        "Nigeria",
        "India",
        "Iridium satellite",
    }


def test_no_row_loses_money(prices):
    """A dollar is less than a euro, so a number sold in euro above its price in dollars earns."""
    for rate in prices.rates:
        assert rate.buy is not None
        assert rate.buy_currency == "USD"
        assert rate.sell > rate.buy, rate.destination


def test_no_row_repeats_the_price_of_the_one_above_it(prices):
    """A longer prefix says something that the shorter one does not: another name."""
    table = PriceTable(prices.rates)
    for rate in prices.rates:
        above = table.find(rate.prefix[:-1])
        assert above is None or above.destination != rate.destination, rate.prefix


@pytest.mark.parametrize(
    ("number", "destination"),
    [
        ("35929876543", "Bulgaria, Sofia"),
        ("359888123456", "Bulgaria, mobile A1"),
        ("447700900123", "United Kingdom, mobile"),
        ("12125550123", "United States, New York City"),
        ("14165550123", "Canada"),
        ("18765550123", "Jamaica"),
        ("77011234567", "Kazakhstan, mobile"),
        ("79161234567", "Russia, mobile"),
        ("390669812345", "Vatican City"),
        ("97259123456", "Palestine, mobile"),
        ("88161234567890", "Iridium satellite"),
    ],
)
def test_numbers_fall_where_they_belong(prices, number, destination):
    assert PriceTable(prices.rates).find(number).destination == destination


def test_emergency_and_free_numbers_are_not_in_it(prices):
    assert all(rate.sell > 0 for rate in prices.rates)
    assert not {"112", "911"} & {rate.prefix for rate in prices.rates}
    assert not [rate.prefix for rate in prices.rates if rate.prefix.startswith(("800", "359800"))]
    assert PriceTable(prices.rates).find("80012345678") is None
