"""The end of a promise: warnings before the money ends, and the cut when it has ended."""

from collections.abc import Callable

from twisted.internet.interfaces import IDelayedCall, IReactorTime

WARNINGS = (60, 15)  # seconds before the end


class Credit:
    """
    Counts one call's promised seconds from its answer, which is now.

    ``warn`` is told the seconds left at each warning, ``exhausted`` when nothing is left.  A promise enlarged by a
    recharge moves what is still to come.
    """

    def __init__(
        self, clock: IReactorTime, seconds: int, warn: Callable[[int], None], exhausted: Callable[[], None]
    ) -> None:
        self._clock = clock
        self._seconds = seconds
        self._warn = warn
        self._exhausted = exhausted
        self._answered = clock.seconds()
        self._timer: IDelayedCall
        self._wait(WARNINGS)

    def enlarge(self, seconds: int) -> None:
        """The promise is now this many seconds, counted from the answer."""
        if seconds != self._seconds:
            self._seconds = seconds
            self.stop()
            self._wait(WARNINGS)

    def stop(self) -> None:
        if self._timer.active():
            self._timer.cancel()

    def _wait(self, warnings: tuple[int, ...]) -> None:
        """For the first of these warnings that is still to come, or for the end."""
        left = self._answered + self._seconds - self._clock.seconds()
        to_come = tuple(before for before in warnings if left > before)
        if to_come:
            self._timer = self._clock.callLater(left - to_come[0], self._warn_and_wait, to_come)
        else:
            self._timer = self._clock.callLater(max(left, 0), self._exhausted)

    def _warn_and_wait(self, warnings: tuple[int, ...]) -> None:
        self._wait(warnings[1:])
        self._warn(warnings[0])
