"""Who is connected at this moment: a snapshot and numbered changes, for the live page and the command line."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from minitelecom.rating.rate import Rate

Changed = Callable[[int, str, "LiveCall | None"], None]


@dataclass(frozen=True, slots=True)
class LiveCall:
    """One caller as he is now.  ``step`` is a stable id of what he does; ``rate`` is what a running talk costs."""

    id: str
    session: str
    account: str | None
    device: str | None
    calling_number: str | None
    called_number: str | None
    destination: str | None
    step: str
    since: datetime
    answered: datetime | None = None
    rate: Rate | None = None
    promised_seconds: int | None = None


class LiveCalls:
    """
    Everyone connected, by session id.

    Each change has the number after the one before it, so whoever reads a stream of them after a snapshot sees a gap.
    """

    def __init__(self) -> None:
        self._calls: dict[str, LiveCall] = {}
        self._subscribers: list[Changed] = []
        self.number = 0

    def __len__(self) -> int:
        return len(self._calls)

    def snapshot(self) -> tuple[int, list[LiveCall]]:
        """The number of the latest change, and everyone connected, oldest first."""
        return self.number, list(self._calls.values())

    def subscribe(self, changed: Changed) -> Callable[[], None]:
        """Be told each change (its number, the id, the call or None when it is gone); returns how to end that."""
        self._subscribers.append(changed)
        return lambda: self._subscribers.remove(changed)

    def enter(self, call: LiveCall) -> None:
        self._calls[call.id] = call
        self._tell(call.id, call)

    def change(self, id_: str, **changes: Any) -> None:
        """Change what is known of someone connected; nothing happens when he has left."""
        known = self._calls.get(id_)
        if known is None:
            return
        changed = replace(known, **changes)
        if changed != known:
            self._calls[id_] = changed
            self._tell(id_, changed)

    def leave(self, id_: str) -> None:
        if self._calls.pop(id_, None) is not None:
            self._tell(id_, None)

    def _tell(self, id_: str, call: LiveCall | None) -> None:
        self.number += 1
        for changed in list(self._subscribers):
            changed(self.number, id_, call)
