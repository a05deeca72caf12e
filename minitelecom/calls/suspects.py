"""
What hosts that nobody knows have tried, and when it is enough. Pure: time is an argument.

Names and passwords are counted by network and by name, since a whole office may stand behind one router: whoever guesses at one
name is stopped at that name, and only whoever tries many is stopped altogether. A right password speaks for its network.
"""

from dataclasses import dataclass
from enum import Enum

MOST_SUSPECTS = 10_000  # in each of two generations
WINDOW_SECONDS = 600.0
MOST_NAMES = 50  # asked for by a network, and nobody there could answer the challenge
MOST_NAMES_FAILED = 10  # guessed at by a network
MOST_FAILURES = 100  # of a network, at whatever name: a telephone with a wrong password has one or two a minute
MOST_FAILURES_OF_A_NAME = 5


class Offence(Enum):
    """What is enough."""

    NAMES = "many-names"
    PASSWORDS = "wrong-passwords"


@dataclass(slots=True)
class _Suspect:
    """What a network has tried since an instant."""

    since: float
    names: set[str]
    failed: dict[str, int]
    failures: int = 0


class Suspects:
    """Remembers them, as many as it has room for."""

    def __init__(self) -> None:
        self._young: dict[str, _Suspect] = {}
        self._old: dict[str, _Suspect] = {}

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def asked(self, network: str, name: str, now: float) -> Offence | None:
        """Somebody there asked for something, by this name, and has not proved anything yet."""
        suspect = self._of(network, now)
        suspect.names.add(name)
        return Offence.NAMES if len(suspect.names) >= MOST_NAMES else None

    def failed(self, network: str, name: str, now: float) -> tuple[bool, Offence | None]:
        """Somebody there does not know the password of this name: whether that is enough at this name, and altogether."""
        suspect = self._of(network, now)
        suspect.failures += 1
        suspect.failed[name] = suspect.failed.get(name, 0) + 1
        of_the_name = suspect.failed[name] >= MOST_FAILURES_OF_A_NAME
        if of_the_name:
            suspect.failed[name] = 0
        if len(suspect.failed) >= MOST_NAMES_FAILED:
            return of_the_name, Offence.NAMES
        return of_the_name, Offence.PASSWORDS if suspect.failures >= MOST_FAILURES else None

    def knocked(self, network: str, now: float) -> Offence | None:
        """Somebody there tried a name that is closed to them, so that nobody looked at the password."""
        suspect = self._of(network, now)
        suspect.failures += 1
        return Offence.PASSWORDS if suspect.failures >= MOST_FAILURES else None

    def proved(self, network: str, name: str) -> None:
        """Somebody there is who he says he is; what was tried at other names is not forgiven for that."""
        suspect = self._young.get(network) or self._old.get(network)
        if suspect is not None:
            suspect.names.clear()
            suspect.failures = 0
            suspect.failed.pop(name, None)

    def _of(self, network: str, now: float) -> _Suspect:
        suspect = self._young.get(network) or self._old.pop(network, None)
        if suspect is None or now - suspect.since >= WINDOW_SECONDS:
            suspect = _Suspect(now, set(), {})
        if network not in self._young and len(self._young) >= MOST_SUSPECTS:
            self._old, self._young = self._young, {}
        self._young[network] = suspect
        return suspect
