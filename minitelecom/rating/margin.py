"""
Whether a call may cost more than the customer pays for it, were it as long or as short as it likes.

Both prices go up in steps.  What the customer pays stands still while the carrier's goes on, so that the loss is greatest
where the carrier has just begun a step, or where the customer's is about to end; of those two kinds of instants the rarer
is enough.  The pattern repeats after the least common multiple of the two steps, so the first and the last round are asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from functools import lru_cache
from itertools import chain
from math import lcm

from minitelecom.rating.buying import Buying
from minitelecom.rating.cost import SECONDS_PER_MINUTE, billed_seconds
from minitelecom.rating.rate import Rate

MOST_REMEMBERED = 4096  # pairs of prices


@lru_cache(MOST_REMEMBERED)
def may_lose(buying: Buying, rate: Rate, longest: int) -> bool:
    """Whether some call of 1 to `longest` seconds costs more than it brings, before either is rounded."""
    exchange = buying.exchange
    return any(
        _minutes(buying.rate, seconds) * exchange > _minutes(rate, seconds)
        for seconds in _worst(buying.rate, rate, longest)
    )


def _minutes(rate: Rate, seconds: int) -> Decimal:
    """The cost, times sixty, so that nothing is divided."""
    return rate.connection_fee * SECONDS_PER_MINUTE + rate.sell * billed_seconds(rate, seconds)


def _worst(carrier: Rate, customer: Rate, longest: int) -> Iterator[int]:
    """The durations at which a loss is greatest."""
    if carrier.increment >= customer.increment:
        first, step = carrier.initial + 1, carrier.increment
        yield 1
    else:
        first, step = customer.initial, customer.increment
        yield longest
    period = lcm(carrier.increment, customer.increment)
    settled = max(carrier.initial, customer.initial) + period
    last = max(first, longest - period)
    last += -(last - first) % step
    yield from chain(range(first, min(settled, longest) + 1, step), range(last, longest + 1, step))
