"""
One transaction at work: what its machine wants done is done, its timers are kept. Here SIP meets the clock and the wire.
"""

from typing import Generic, Protocol, TypeVar

from minitelecom.sip.effects import Effect, Effects, Input, Send, Start, State, Stop, Timer
from minitelecom.sip.hop import Hop
from minitelecom.sip.message import Request, Response
from minitelecom.sip.timers import Timed, Timers
from minitelecom.sip.transaction import Transaction

RETRANSMITTING = frozenset({Timer.A, Timer.E, Timer.G})


class Counts:
    """What came and led nowhere, and what had to be sent again; for `status` and for tests."""

    __slots__ = ("malformed", "merged", "refused", "repeated", "retransmitted", "stateless", "stray")

    def __init__(self) -> None:
        self.malformed = self.merged = self.refused = self.repeated = self.retransmitted = 0
        self.stateless = self.stray = 0


class Edge(Protocol):
    """What a performer needs of the transaction layer."""

    timers: Timers
    counts: Counts

    def put(self, data: bytes, hop: Hop) -> bool:
        """Send; whether that could be done."""


L = TypeVar("L", bound=Edge)
M = TypeVar("M", bound=Transaction)


class Performer(Generic[L, M]):
    """One machine at work: its effects performed, its timers kept."""

    __slots__ = ("_heard_from", "_layer", "_machine", "_timers", "hop")

    _machine: M

    def __init__(self, layer: L, hop: Hop) -> None:
        self.hop = hop
        self._layer = layer
        self._heard_from = hop
        self._timers: dict[Timer, Timed] = {}

    def begin(self) -> None:
        self.perform(self._machine.start())

    def happened(self, what: Input | Timer, message: Request | Response | None = None) -> None:
        self.perform(self._machine.handle(what, message))

    def heard(self, what: Input, message: Request | Response | None, source: Hop) -> None:
        self._heard_from = source
        self.perform(self._machine.handle(what, message))

    def perform(self, effects: Effects) -> None:
        ended = self._machine.state is State.TERMINATED
        if ended:
            self.forget()
        for effect in effects:
            if isinstance(effect, Send):
                if not self._put(effect.data):
                    self._layer.timers.start(0.0, self.happened, Input.TRANSPORT_ERROR)
            elif isinstance(effect, Start):
                self._timers[effect.timer] = self._layer.timers.start(effect.seconds, self._fired, effect.timer)
            elif isinstance(effect, Stop):
                timed = self._timers.pop(effect.timer, None)
                if timed is not None:
                    timed.stop()
            else:
                self._tell(effect)
        if ended:
            self._let_go()

    def _put(self, data: bytes) -> bool:
        return self._layer.put(data, self.hop)

    def forget(self) -> None:
        for timed in self._timers.values():
            timed.stop()
        self._timers.clear()
        self._unlist()

    def _fired(self, timer: Timer) -> None:
        del self._timers[timer]
        if timer in RETRANSMITTING:
            self._layer.counts.retransmitted += 1
        self.happened(timer)

    def _tell(self, effect: Effect) -> None:
        raise NotImplementedError

    def _unlist(self) -> None:
        raise NotImplementedError

    def _let_go(self) -> None:
        """The machine has ended, and whoever had to be told knows it."""
