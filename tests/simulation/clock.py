"""Time that goes from one due call straight to the next, and a view of it that ends with a process."""

from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count
from typing import Any

from twisted.internet.base import DelayedCall
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import Clock
from zope.interface import implementer


class LeapingClock(Clock):
    """A task.Clock for many calls: each is made at its own instant, and nothing is sorted."""

    def __init__(self) -> None:
        super().__init__()
        self._due: list[tuple[float, int, DelayedCall]] = []
        self._numbers = count()
        self.made = 0

    def callLater(self, delay: float, function: Callable[..., object], *args: object, **kw: object) -> DelayedCall:
        call = DelayedCall(self.rightNow + delay, function, args, kw, lambda call: None, self._queue, self.seconds)
        self._queue(call)
        return call

    def _queue(self, call: DelayedCall) -> None:
        heappush(self._due, (call.getTime(), next(self._numbers), call))

    def getDelayedCalls(self) -> list[DelayedCall]:
        return [call for due, _, call in self._due if call.active() and call.getTime() == due]

    def advance(self, amount: float) -> None:
        end = self.rightNow + amount
        while self._due and self._due[0][0] <= end:
            due, _, call = heappop(self._due)
            if call.cancelled or call.called or call.getTime() != due:
                continue
            self.rightNow = max(self.rightNow, due)
            self.made += 1
            call.called = 1
            call.func(*call.args, **call.kw)
        self.rightNow = end


@implementer(IReactorTime)
class ProcessClock:
    """What a process sees of the time: when it is killed, nothing it had planned happens any more."""

    def __init__(self, clock: Clock) -> None:
        self.alive = True
        self._clock = clock
        self.seconds = clock.seconds

    def callLater(self, delay: float, function: Callable[..., Any], *args: object, **kw: object) -> Any:
        return self._clock.callLater(delay, self._call, function, args, kw)

    def getDelayedCalls(self) -> list[Any]:
        return self._clock.getDelayedCalls()

    def _call(self, function: Callable[..., Any], args: Any, kw: Any) -> None:
        if self.alive:
            function(*args, **kw)
