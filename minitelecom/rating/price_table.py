"""
Number → rate by the longest prefix.

One dictionary by prefix, asked from the longest prefix length in use down to the shortest: at most fifteen look-ups, and
nothing to rebuild when a list of a quarter of a million prefixes is replaced.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

from minitelecom.rating.rate import Rate


class PriceTable:
    """
    The prices of one list in force on one day.

    Of several rows of a prefix the latest that is valid on `day` holds; without a day, rows that wait for their day are
    left out.  A second row of the same prefix and the same day is a mistake of whoever made the list.
    """

    __slots__ = ("_lengths", "_rates")

    def __init__(self, rates: Iterable[Rate], day: date | None = None) -> None:
        self._rates: dict[str, Rate] = {}
        for rate in rates:
            if rate.valid_from is not None and (day is None or rate.valid_from > day):
                continue
            before = self._rates.get(rate.prefix)
            if before is not None and before.valid_from == rate.valid_from:
                raise ValueError(f"prefix {rate.prefix} has two prices")
            if before is None or _since(before) < _since(rate):
                self._rates[rate.prefix] = rate
        self._lengths = sorted({len(prefix) for prefix in self._rates}, reverse=True)

    def find(self, number: str) -> Rate | None:
        """The rate of the longest prefix of `number`; None: there is no price, which is not the same as free."""
        for length in self._lengths:
            if length <= len(number):
                rate = self._rates.get(number[:length])
                if rate is not None:
                    return rate
        return None

    def __len__(self) -> int:
        return len(self._rates)

    def __iter__(self) -> Iterator[Rate]:
        return iter(self._rates.values())


def _since(rate: Rate) -> date:
    return rate.valid_from or date.min
