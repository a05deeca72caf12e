"""
One press, one key, however many ways a device tells it.

Some telephones send a key as telephone-event and by INFO, or as sound and by INFO, for every press. A key is
counted with the first report; the same key by another way shortly after is the same press. Of a key pressed n times
each way reports n, so what counts is the way that reported most.
"""

from enum import Enum

WINDOW_SECONDS = 1.5  # an INFO that was lost once comes half a second later (RFC 3261 timer E)
_MOST_PRESSES = 64  # within the window; nobody types faster


class Way(Enum):
    TELEPHONE_EVENT = "telephone-event"
    INFO = "info"
    SOUND = "sound"


class _Press:
    __slots__ = ("instant", "key", "ways")

    def __init__(self, key: str, way: Way, instant: float) -> None:
        self.key = key
        self.ways = {way}
        self.instant = instant


class KeyPresses:
    """The presses of one leg, lately."""

    __slots__ = ("_lately",)

    def __init__(self) -> None:
        self._lately: list[_Press] = []

    def counts(self, key: str, way: Way, now: float) -> bool:
        """Whether this report is a press of its own."""
        while self._lately and now - self._lately[0].instant > WINDOW_SECONDS:
            del self._lately[0]
        for press in self._lately:
            if press.key == key and way not in press.ways:
                press.ways.add(way)
                return False
        self._lately = [*self._lately[1 - _MOST_PRESSES :], _Press(key, way, now)]
        return True
