"""
What a carrier asks for a call: its price, counted by its own steps, in its currency and in the house's.

A carrier's rate is a Rate like any other, of which we are the customer: `sell` is what we pay.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from minitelecom.money import Money, round_cost
from minitelecom.rating.cost import cost
from minitelecom.rating.rate import Rate


@dataclass(frozen=True, slots=True)
class Buying:
    """A carrier's rate, and what its currency is worth."""

    rate: Rate
    currency: str
    """The house's."""
    exchange: Decimal = Decimal(1)
    """Units of the house's currency for one of the carrier's."""

    def asked(self, seconds: int) -> Money:
        """What the carrier asks for a talk of so many seconds, in its currency."""
        return cost(self.rate, seconds)

    def cost(self, seconds: int) -> Money:
        """The same in the currency of the house; converted once, rounded once."""
        return Money(round_cost(self.asked(seconds).amount * self.exchange), self.currency)
