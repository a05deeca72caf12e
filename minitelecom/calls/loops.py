"""
Calls that go round: out by one carrier and in again by another, or the same.

Max-Forwards ends a loop of proxies (RFC 3261 16.3, with RFC 5393), but a carrier's own exchange makes a new call of every
call and writes 70 again.  What is left of a loop then is that somebody calls the same number of ours again and again
before anybody has answered.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from minitelecom.calls.incoming_leg import IncomingLeg

MOST_ALIKE = 5
"""Calls from one number to one telephone of ours that ring at one time: a busy exchange may have a few, nobody has more."""


class Deliveries:
    """The calls that carriers deliver to telephones, while they last."""

    def __init__(self) -> None:
        self._alike: dict[tuple[str, str], set[IncomingLeg]] = {}

    def goes_round(self, calling: str | None, called: str) -> bool:
        """Whether one more from there to here is to be taken for a loop; who hides his number cannot be told apart."""
        return calling is not None and sum(map(_rings, self._alike.get((calling, called), ()))) >= MOST_ALIKE

    @contextmanager
    def one(self, calling: str | None, called: str, leg: IncomingLeg) -> Iterator[None]:
        """A call, for as long as the block runs."""
        key = (calling or "", called)
        alike = self._alike.setdefault(key, set())
        alike.add(leg)
        try:
            yield
        finally:
            alike.discard(leg)
            if not alike:
                del self._alike[key]


def _rings(leg: IncomingLeg) -> bool:
    """Nobody has answered it: those of a loop never are, an office may talk with us as often as it likes."""
    return leg.dialog is not None and leg.dialog.early
