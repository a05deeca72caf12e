"""
Rate × time → money, and credit → time.

A call is counted in steps: the first step (`initial`) as soon as it is answered, then steps of `increment` seconds begun.
The two directions are exact inverses: cost(maximum(balance)) ≤ balance < cost(maximum(balance) + 1 s).
"""

from __future__ import annotations

from decimal import ROUND_FLOOR, Decimal

from minitelecom.money import PLACES, Money, round_cost
from minitelecom.rating.rate import Rate

SECONDS_PER_MINUTE = 60
_HALF_OF_THE_LAST_PLACE = Decimal(5).scaleb(-PLACES - 1)


def billed_seconds(rate: Rate, seconds: int) -> int:
    """The seconds that are counted for a call of `seconds`; a call that never talked counts none."""
    if seconds <= 0:
        return 0
    steps = -(-max(0, seconds - rate.initial) // rate.increment)
    return rate.initial + steps * rate.increment


def cost(rate: Rate, seconds: int) -> Money:
    """What a call of `seconds` costs: multiplied first, divided once, rounded once."""
    billed = billed_seconds(rate, seconds)
    if not billed:
        return Money.zero(rate.currency)
    return Money(round_cost(rate.connection_fee + rate.sell * billed / SECONDS_PER_MINUTE), rate.currency)


def maximum(rate: Rate, balance: Money, longest: int) -> int:
    """
    The most seconds, up to `longest`, that `balance` pays; 0: not even one second.

    Below `longest` the answer is a whole number of steps, so the second after it is not affordable.
    """
    if longest <= 0 or balance < Money.zero(rate.currency):
        return 0
    if cost(rate, longest) <= balance:
        return longest
    steps = (_affordable(rate, balance.amount) - rate.initial) // rate.increment
    return rate.initial + steps * rate.increment if steps >= 0 else 0


def _affordable(rate: Rate, balance: Decimal) -> int:
    """
    The most counted seconds whose rounded cost is within the balance, not regarding steps.

    Half-up rounding brings a cost down to the balance as long as it stays below the balance plus half of the last place.
    """
    limit = balance.quantize(Decimal(1).scaleb(-PLACES), ROUND_FLOOR) + _HALF_OF_THE_LAST_PLACE
    if limit <= rate.connection_fee:
        return 0
    assert rate.sell, "the fee is affordable and a minute costs nothing: the longest call is, too"
    quotient, remainder = divmod((limit - rate.connection_fee) * SECONDS_PER_MINUTE, rate.sell)
    return int(quotient) if remainder else int(quotient) - 1
