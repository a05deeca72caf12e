"""
The timers of the transactions: those of one fixed length share a queue, the rest are the clock's own.

Nearly every timer of RFC 3261 is 0.01, 0.5, 5 or 32 seconds long, and nearly every one is stopped before it fires. Timers
of one length are due in the order in which they were started: a deque holds them, one delayed call waits for the first.
"""

from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

from twisted.internet.interfaces import IDelayedCall, IReactorTime

# A delayed call may come a hair before its instant, as instants are sums of floats.
SLACK_SECONDS = 1e-6


class Timed:
    """One started timer."""

    __slots__ = ("_argument", "_function", "_timers", "call", "due")

    def __init__(self, timers: "Timers", due: float, function: Callable[[Any], None], argument: object) -> None:
        self.due = due
        self.call: IDelayedCall | None = None
        self._timers = timers
        self._function: Callable[[Any], None] | None = function
        self._argument = argument

    @property
    def active(self) -> bool:
        return self._function is not None

    def stop(self) -> None:
        """Once more, or after firing, changes nothing."""
        if self._function is not None:
            self._forget()
            if self.call is not None:
                self.call.cancel()
                self.call = None

    def fire(self) -> None:
        function, argument = self._function, self._argument
        self.call = None
        if function is not None:
            self._forget()
            function(argument)

    def _forget(self) -> None:
        self._function = self._argument = None
        self._timers.active -= 1


class FixedTimers:
    """Timers of one length."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._queue: deque[Timed] = deque()
        self._call: IDelayedCall | None = None

    def append(self, timed: Timed) -> None:
        queue = self._queue
        while queue and not queue[0].active:
            queue.popleft()
        queue.append(timed)
        self._wait()

    def _fire(self) -> None:
        self._call = None
        now = self._clock.seconds() + SLACK_SECONDS
        queue = self._queue
        try:
            while queue and (queue[0].due <= now or not queue[0].active):
                queue.popleft().fire()
        finally:  # whoever was told may have failed; the others wait on
            if queue:
                self._wait()

    def _wait(self) -> None:
        """For the first, unless that is waited for: one started by a timer that is just firing has others before it."""
        if self._call is None:
            self._call = self._clock.callLater(max(0.0, self._queue[0].due - self._clock.seconds()), self._fire)

    def close(self) -> None:
        for timed in self._queue:
            timed.stop()
        self._queue.clear()
        if self._call is not None:
            self._call.cancel()
            self._call = None


class Timers:
    """All timers of one layer; `active` is how many of them would still fire."""

    def __init__(self, clock: IReactorTime, lengths: Iterable[float]) -> None:
        self.active = 0
        self._clock = clock
        self._fixed = {seconds: FixedTimers(clock) for seconds in lengths}

    def start(self, seconds: float, function: Callable[[Any], None], argument: object = None) -> Timed:
        """Call the function with the argument after so many seconds, unless stopped before."""
        timed = Timed(self, self._clock.seconds() + seconds, function, argument)
        self.active += 1
        fixed = self._fixed.get(seconds)
        if fixed is not None:
            fixed.append(timed)
        else:
            timed.call = self._clock.callLater(seconds, timed.fire)
        return timed

    def close(self) -> None:
        """Stop the queues' timers and their delayed calls. The others belong to who started them."""
        for fixed in self._fixed.values():
            fixed.close()
