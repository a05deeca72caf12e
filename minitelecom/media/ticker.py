"""
A beat that does not drift: round n is due at start + n periods, whenever the one before really came.

A reactor that was held up is caught up with in a few rounds at once; a longer debt is forgotten.
"""

from typing import Protocol

from twisted.internet.interfaces import IDelayedCall, IReactorTime

CATCH_UP_ROUNDS = 5


class Ticked(Protocol):
    def tick(self, now: float) -> None: ...


class Ticker:
    """Ticks all its members together. Without members it keeps no timer."""

    def __init__(self, clock: IReactorTime, period_seconds: float) -> None:
        self._clock = clock
        self._period = period_seconds
        self._members: dict[Ticked, None] = {}
        self._due = 0.0
        self._call: IDelayedCall | None = None

    def add(self, member: Ticked) -> None:
        """The first tick comes within one period."""
        self._members[member] = None
        if self._call is None:
            self._due = self._clock.seconds()
            self._schedule(self._due)

    def discard(self, member: Ticked) -> None:
        self._members.pop(member, None)
        if not self._members and self._call is not None:
            self._call.cancel()
            self._call = None

    def _schedule(self, now: float) -> None:
        """Set the next call first, so that whatever a member does cannot stop the beat."""
        self._due += self._period
        self._call = self._clock.callLater(max(0.0, self._due - now), self._beat)

    def _beat(self) -> None:
        now = self._clock.seconds()
        behind = int((now - self._due) / self._period)
        rounds = min(behind, CATCH_UP_ROUNDS) + 1
        self._due += behind * self._period
        self._call = None
        self._schedule(now)
        for _ in range(max(rounds, 1)):
            for member in list(self._members):
                if member in self._members:
                    member.tick(now)
