"""
Who is on the telephone: the legs that each telephone of the shop, and each carrier, has at this moment.

Counted anew from the legs whenever somebody asks.  A leg joins when it begins and leaves when it is let go of, however
that comes about; a number kept beside them could drift.
"""

from typing import Protocol

from minitelecom.calls.telephone import Telephone
from minitelecom.store.devices import Device


class OnTelephone(Protocol):
    """A leg, as far as it matters here; legs of one call have one user."""

    telephone: Telephone | None
    trunk: str | None
    """The carrier that it leads to or comes from."""

    @property
    def user(self) -> object: ...


class Engaged:
    """The telephones and carriers with calls."""

    def __init__(self) -> None:
        self._legs: dict[str, set[OnTelephone]] = {}
        self._trunks: dict[str, set[OnTelephone]] = {}
        self.elsewhere: dict[str, int] = {}
        """The calls that trunks have by other processes, as these said last."""

    def join(self, leg: OnTelephone) -> None:
        if leg.telephone is not None:
            self._legs.setdefault(leg.telephone.device.name, set()).add(leg)
        elif leg.trunk is not None:
            self._trunks.setdefault(leg.trunk, set()).add(leg)

    def leave(self, leg: OnTelephone) -> None:
        """Harmless when repeated."""
        if leg.telephone is not None:
            _remove(self._legs, leg.telephone.device.name, leg)
        elif leg.trunk is not None:
            _remove(self._trunks, leg.trunk, leg)

    def calls(self, name: str) -> int:
        """How many calls a telephone has, ringing ones included; one that rings at several places is one."""
        return len({id(leg.user) for leg in self._legs.get(name, ())})

    def is_full(self, device: Device) -> bool:
        """Whether one more would be too many."""
        most = device.settings.most_calls
        return most is not None and self.calls(device.name) >= most

    def lines(self, trunk: str) -> int:
        """How many calls a carrier has from this process and brings it."""
        return len(self._trunks.get(trunk, ()))

    def takes_more(self, trunk: str, capacity: int) -> bool:
        """Whether a carrier that takes so many calls at one time (0: any number) takes one more."""
        return not capacity or self.lines(trunk) + self.elsewhere.get(trunk, 0) < capacity


def _remove(legs_of: dict[str, set[OnTelephone]], name: str, leg: OnTelephone) -> None:
    legs = legs_of.get(name, set())
    legs.discard(leg)
    if not legs:
        legs_of.pop(name, None)
