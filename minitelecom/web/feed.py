"""
The calls of this moment for every browser that watches: a snapshot first, then numbered changes.

Calls change in bursts, so changes are gathered and sent at most five times a second, however many browsers there are.
Nothing is gathered while nobody watches. A viewer that cannot keep up is not sent what piles up: it gets a new snapshot.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from minitelecom.calls.live import LiveCall, LiveCalls

SECONDS_BETWEEN = 0.2


@dataclass(frozen=True)
class Delta:
    """What became different since the delta numbered one less."""

    number: int
    changed: Sequence[LiveCall]
    gone: Sequence[str]


class Viewer(Protocol):
    """A browser that watches."""

    def show(self, number: int, calls: Sequence[LiveCall]) -> None: ...
    def change(self, delta: Delta) -> None: ...


class LiveFeed:
    """Stands between call control and the browsers: one subscriber there, any number of viewers here."""

    def __init__(self, live: LiveCalls, clock: IReactorTime) -> None:
        self._live = live
        self._clock = clock
        self._viewers: list[Viewer] = []
        self._shown: dict[str, LiveCall] = {}
        self._changes: dict[str, LiveCall | None] = {}
        self._number = 0
        self._sent_at = 0.0
        self._waiting: IDelayedCall | None = None
        self._unsubscribe: Callable[[], None] | None = None

    @property
    def viewers(self) -> int:
        return len(self._viewers)

    def calls(self) -> list[LiveCall]:
        """Everyone connected now, who came first first."""
        return sorted(self._live.snapshot()[1], key=lambda call: call.since)

    def watch(self, viewer: Viewer) -> Callable[[], None]:
        """Shows the viewer a snapshot, then every change until the returned function is called."""
        if not self._viewers:
            self._unsubscribe = self._live.subscribe(self._changed)
            self._shown = {call.id: call for call in self.calls()}
        self._viewers.append(viewer)
        self.show(viewer)
        return lambda: self._leave(viewer)

    def show(self, viewer: Viewer) -> None:
        """A snapshot to one viewer: what all others have been told so far, under the same number."""
        viewer.show(self._number, list(self._shown.values()))

    def _leave(self, viewer: Viewer) -> None:
        if viewer in self._viewers:
            self._viewers.remove(viewer)
        if self._viewers:
            return
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None
        self._changes = {}
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None

    def _changed(self, number: int, key: str, call: LiveCall | None) -> None:
        self._changes[key] = call
        if self._waiting is None:
            since = self._clock.seconds() - self._sent_at
            self._waiting = self._clock.callLater(max(0.0, SECONDS_BETWEEN - since), self._send)

    def _send(self) -> None:
        """Tells every viewer what became different since the last time; who came and went between is not worth a word."""
        self._waiting = None
        changes, self._changes = self._changes, {}
        changed = [call for key, call in changes.items() if call is not None and call != self._shown.get(key)]
        gone = [key for key, call in changes.items() if call is None and key in self._shown]
        self._shown.update((call.id, call) for call in changed)
        for key in gone:
            del self._shown[key]
        if not changed and not gone:
            return
        self._number += 1
        self._sent_at = self._clock.seconds()
        delta = Delta(self._number, changed, gone)
        for viewer in list(self._viewers):
            viewer.change(delta)
