"""
A called party that answers "elsewhere" (3xx, RFC 3261 sections 8.1.3.4 and 16.5), and how far that is followed.

Nobody else may come to pay, and nothing at another price.  So a carrier may move a call between its own machines but not
to another number, unless an administrator says that it may; what a telephone of the shop forwards is a call of its own,
which the forwarder pays.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from minitelecom.calls.caller_id import name
from minitelecom.calls.visitor import Visitor
from minitelecom.sip.headers import NameAddr
from minitelecom.sip.hop import is_address
from minitelecom.sip.uri import Uri
from minitelecom.store.devices import Device

MOST_TARGETS = 5  # followed for one number dialled
MOST_LEVELS = 2  # who was named by one who was named may not name another


@dataclass(slots=True)
class Course:
    """What has been followed for one number dialled, so that it ends: so many, so deep, and nothing twice."""

    _seen: dict[str, int] = field(default_factory=dict)
    _followed: int = 0

    def begin(self, place: str) -> None:
        """A place that is tried without anybody having named it."""
        self._seen.setdefault(place, 0)

    def follow(self, named_by: str, places: Iterable[str]) -> list[str]:
        """Those of the places that one place names which may be tried."""
        level = self._seen.get(named_by, 0) + 1
        fresh: list[str] = []
        for place in places:
            if level <= MOST_LEVELS and self._followed < MOST_TARGETS and place not in self._seen:
                self._seen[place] = level
                self._followed += 1
                fresh.append(place)
        return fresh


@dataclass(frozen=True, slots=True)
class Forwarded:
    """A telephone of the shop that wants its caller to try elsewhere."""

    forwarder: Device
    contacts: tuple[Uri, ...]


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """What a telephone of the shop dials, as it were, by sending its caller on."""

    forwarder: Device
    dialled: str


class Forwarding:
    """
    Whom one caller is sent on to, one after another, the best contact first.

    Of a contact only the name or number counts, as of what a telephone dials: its host is we, or somebody behind us.
    """

    def __init__(self, dialled: str) -> None:
        self._course = Course()
        self._course.begin(dialled)
        self._waiting: list[Elsewhere] = []

    def forwarded(self, by: Forwarded) -> None:
        """One more has sent him on, as far as it may."""
        if by.forwarder.may_transfer:
            names = [name(contact) for contact in by.contacts]
            fresh = self._course.follow(by.forwarder.name, filter(None, names))
            self._waiting[:0] = [Elsewhere(by.forwarder, dialled) for dialled in fresh]

    def next(self) -> Elsewhere | None:
        """None where there is nobody left."""
        return self._waiting.pop(0) if self._waiting else None


def stays_with_carrier(contact: Uri, called: Uri, carrier: Uri) -> bool:
    """Whether a contact is the same number at a machine of the same carrier."""
    return _number(contact) == _number(called) and _is_of(contact.host.lower(), carrier.host.lower())


def _number(uri: Uri) -> str:
    return (uri.user or "").removeprefix("+")


def _is_of(host: str, carrier: str) -> bool:
    """The same host; or of its domain, which is what follows its first label where two more follow that."""
    domain = carrier.partition(".")[2]
    if host == carrier or is_address(carrier) or "." not in domain:
        return host == carrier
    return host == domain or host.endswith(f".{domain}")


def forwarded_by(visitor: Visitor, forwarder: Device) -> Visitor:
    """Whoever calls, as one whom a telephone of the shop has sent on at its own expense."""
    diverted = NameAddr("", Uri("sip", forwarder.name, host="localhost"), {"reason": "unknown", "counter": "1"})
    return replace(
        visitor,
        device=forwarder,
        diversions=(diverted, *visitor.diversions),
        max_forwards=max(0, visitor.max_forwards - 1),
    )
