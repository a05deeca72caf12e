"""
Calls that go round: out by one carrier and in again by another, or the same.

Max-Forwards ends a loop of proxies (RFC 3261 16.3, with RFC 5393), but a carrier's own exchange makes a new call of every
call and writes 70 again.  What is left of a loop then is that somebody calls the same number of ours again and again
before he has hung up.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

MOST_ALIKE = 5
"""Calls at one time from one number to one telephone of ours: a busy exchange may have a few, nobody has more."""


class Deliveries:
    """The calls that carriers deliver to telephones, while they last."""

    def __init__(self) -> None:
        self._alike: Counter[tuple[str, str]] = Counter()

    def goes_round(self, calling: str | None, called: str) -> bool:
        """Whether one more from there to here is to be taken for a loop; who hides his number cannot be told apart."""
        return calling is not None and self._alike[calling, called] >= MOST_ALIKE

    @contextmanager
    def one(self, calling: str | None, called: str) -> Iterator[None]:
        """A call, for as long as the block runs."""
        key = (calling or "", called)
        self._alike[key] += 1
        try:
            yield
        finally:
            self._alike[key] -= 1
            if not self._alike[key]:
                del self._alike[key]
