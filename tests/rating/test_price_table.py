from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minitelecom.rating.price_table import PriceTable
from minitelecom.rating.rate import Rate


def rate(prefix, sell="0.10", valid_from=None):
    return Rate(prefix, f"to {prefix}", "EUR", Decimal(sell), valid_from=valid_from)


def test_the_longest_prefix_holds():
    table = PriceTable([rate("359"), rate("35988", "0.20"), rate("3598")])
    assert table.find("359888123456").prefix == "35988"
    assert table.find("35987123456").prefix == "3598"
    assert table.find("35921234567").prefix == "359"
    assert len(table) == 3


def test_no_price_is_not_free():
    table = PriceTable([rate("359800", "0")])
    assert table.find("35980012345").is_free
    assert table.find("359") is None
    assert table.find("49") is None
    assert table.find("") is None
    assert PriceTable([]).find("49") is None


def test_a_prefix_with_two_prices_is_a_mistake():
    with pytest.raises(ValueError, match="49 has two prices"):
        PriceTable([rate("49"), rate("49", "0.20")])


def test_a_price_waits_for_its_day():
    rows = [
        rate("49", "0.10"),
        rate("49", "0.20", date(2026, 5, 1)),
        rate("49", "0.30", date(2026, 6, 1)),
        rate("1", "1", date(2026, 6, 1)),
    ]
    for day, sell in [(date(2026, 4, 30), "0.10"), (date(2026, 5, 1), "0.20"), (date(2026, 7, 1), "0.30")]:
        for order in (rows, rows[::-1]):
            assert PriceTable(order, day).find("49301").sell == Decimal(sell)
    assert PriceTable(rows, date(2026, 5, 31)).find("1202") is None
    assert PriceTable(rows).find("49301").sell == Decimal("0.10")


digits = st.text("0123", min_size=1, max_size=6)


@given(st.sets(digits, max_size=40), st.lists(st.text("0123", max_size=9), max_size=20))
def test_look_up_agrees_with_trying_every_prefix(prefixes, numbers):
    table = PriceTable([rate(prefix) for prefix in prefixes])
    assert len(table) == len(prefixes)
    assert {rate.prefix for rate in table} == prefixes
    for number in numbers:
        found = table.find(number)
        fitting = [prefix for prefix in prefixes if number.startswith(prefix)]
        assert (found and found.prefix) == max(fitting, key=len, default=None)
