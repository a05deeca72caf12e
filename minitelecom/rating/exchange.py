"""What other currencies are worth in the house's: exact factors, as the administrator sets them or a law has fixed them."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

LEVA_FOR_A_EURO = Decimal("1.95583")  # Council Regulation (EU) on the conversion rate of the lev; multiplied in full
FIXED = {("EUR", "BGN"): 1 / LEVA_FOR_A_EURO, ("BGN", "EUR"): LEVA_FOR_A_EURO}
"""By (house, currency)."""


class Exchange:
    """The rates of one moment."""

    __slots__ = ("_rates", "house")

    def __init__(self, house: str, rates: Mapping[str, Decimal] | None = None) -> None:
        self.house = house
        self._rates = rates or {}

    def rate(self, currency: str) -> Decimal | None:
        """Units of the house's currency for one of this; None: nobody has said."""
        if currency == self.house:
            return Decimal(1)
        return FIXED.get((self.house, currency)) or self._rates.get(currency)
