import json
from datetime import date
from decimal import Decimal

import pytest

from minitelecom.rating.rate import Rate


def test_a_rate_survives_the_call_record():
    for rate in (
        Rate("359", "Bulgaria", "EUR", Decimal("0.012345")),
        Rate(
            "4930",
            "Berlin",
            "EUR",
            Decimal("0.10"),
            60,
            30,
            Decimal("0.05"),
            Decimal("0.08"),
            "USD",
            "nights",
            date(2026, 1, 31),
        ),
        Rate("1", "free", "EUR", Decimal("0.000001")),
        Rate("882", "at a loss", "EUR", Decimal(1), allow_loss=True),
    ):
        assert Rate.from_data(json.loads(json.dumps(rate.to_data()))) == rate


def test_decimals_are_written_plainly():
    assert Rate("1", "x", "EUR", Decimal("1E-6")).to_data()["sell"] == "0.000001"


def test_free_is_a_price():
    assert Rate("359800", "Freephone", "EUR", Decimal(0)).is_free
    assert not Rate("359800", "Fee only", "EUR", Decimal(0), connection_fee=Decimal("0.01")).is_free


@pytest.mark.parametrize(
    "wrong", [{"initial": 0}, {"increment": 0}, {"sell": Decimal("-0.01")}, {"connection_fee": Decimal(-1)}]
)
def test_impossible_rates_cannot_be_made(wrong):
    with pytest.raises(ValueError, match="49"):
        Rate(**({"prefix": "49", "destination": "x", "currency": "EUR", "sell": Decimal(1)} | wrong))
