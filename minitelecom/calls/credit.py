"""The end of a promise: warnings before the money ends, and the cut when it has ended."""

from collections.abc import Callable

from twisted.internet.interfaces import IDelayedCall, IReactorTime

WARNINGS = (60, 15)  # seconds before the end


class Credit:
    """
    Counts one call's promised seconds from its answer.

    ``warn`` is told the seconds left at each warning, ``exhausted`` when nothing is left.  A promise enlarged by a
    recharge moves what is still to come.
    """

    def __init__(
        self, clock: IReactorTime, seconds: int, warn: Callable[[int], None], exhausted: Callable[[], None]
    ) -> None:
        self.seconds = seconds
        self._clock = clock
        self._warn = warn
        self._exhausted = exhausted
        self._answered: float | None = None
        self._timers: list[IDelayedCall] = []

    def start(self) -> None:
        self._answered = self._clock.seconds()
        self._schedule()

    def enlarge(self, seconds: int) -> None:
        """The promise is now this many seconds, counted from the answer."""
        if seconds == self.seconds:
            return
        self.seconds = seconds
        if self._answered is not None:
            self._schedule()

    def stop(self) -> None:
        for timer in self._timers:
            if timer.active():
                timer.cancel()
        self._timers = []

    def _schedule(self) -> None:
        assert self._answered is not None
        self.stop()
        left = self._answered + self.seconds - self._clock.seconds()
        self._timers = [
            self._clock.callLater(left - before, self._warn, before) for before in WARNINGS if left - before > 0
        ]
        self._timers.append(self._clock.callLater(max(left, 0), self._exhausted))
