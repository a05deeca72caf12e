"""
Locating a SIP server: RFC 3263 section 4, with RFC 2782 for the order of SRV records. Pure: questions out, answers in.

`locate` is a generator. It yields what must be asked of the name servers, all at once, and is sent what they said; an answer
that nobody gives counts as none. What it returns is where to go, the best first: the others are for when that one is out of
order (4.3). To save a stranger's round trips, and not to depend on servers that are silent about what they don't know, all
that may be needed is asked together in the first round.
"""

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from minitelecom.sip.hop import Hop, default_port, is_address
from minitelecom.sip.uri import Uri

MOST_HOPS = 12
MOST_RECORDS = 32  # of one answer

TRANSPORTS = ("udp", "tcp", "tls")
"""What we speak, best first where a domain leaves us the choice."""

_SERVICES = {"SIP+D2U": "udp", "SIP+D2T": "tcp", "SIPS+D2T": "tls"}
_SRV_NAMES = {"udp": "_sip._udp", "tcp": "_sip._tcp", "tls": "_sips._tcp"}


class Kind(Enum):
    """Of a record."""

    __hash__ = object.__hash__

    NAPTR = "NAPTR"
    SRV = "SRV"
    A = "A"
    AAAA = "AAAA"


class Question(NamedTuple):
    kind: Kind
    name: str


@dataclass(frozen=True, slots=True)
class Pointer:
    """NAPTR (RFC 3403 section 4.1), as far as SIP needs it."""

    order: int
    preference: int
    flags: str
    service: str
    replacement: str


@dataclass(frozen=True, slots=True)
class Service:
    """SRV (RFC 2782)."""

    priority: int
    weight: int
    port: int
    target: str


Record = Pointer | Service | str
"""The last is the address of an A or AAAA."""

Answers = Mapping[Question, Sequence[Record]]
Asking = Generator[list[Question], Answers, list[Hop]]
Draw = Callable[[int, int], int]
"""A whole number between two, both included, all equally likely: Random.randint."""


class Place(NamedTuple):
    """A server before its address is known."""

    transport: str
    host: str
    port: int


def locate(uri: Uri, families: Sequence[Kind], draw: Draw) -> Asking:
    """Where a request to this URI may go. `families` are the kinds of address we can reach, better ones first."""
    transport = transport_of(uri)
    host = (uri.parameters.get("maddr") or uri.host).strip("[]").rstrip(".").lower()
    usual = "tls" if uri.scheme == "sips" else "udp"
    domain = uri.host.strip("[]").rstrip(".").lower()
    spoken = ("tls",) if uri.scheme == "sips" else TRANSPORTS
    if transport is not None and transport not in spoken:
        return []
    if is_address(host):
        place = Place(transport or usual, host, uri.port or default_port(transport or usual))
        return _hops([place], {}, families, domain)
    if uri.port is not None:
        place = Place(transport or usual, host, uri.port)
        answers = yield [Question(kind, host) for kind in families]
        return _hops([place], answers, families, domain)
    wanted = (transport,) if transport else spoken
    places, answers = yield from _places(host, wanted, families, choose=transport is None, draw=draw)
    if places is None:
        places = [Place(transport or usual, host, default_port(transport or usual))]
    unknown = {place.host for place in places if not is_address(place.host)}
    asking = [Question(kind, name) for name in sorted(unknown) for kind in families]
    asking = [question for question in asking if question not in answers]
    if asking:
        answers = {**answers, **(yield asking)}
    return _hops(places, answers, families, domain)


def transport_of(uri: Uri) -> str | None:
    """What the URI itself says (4.1); of sips, TLS, whatever carries it (RFC 3261 section 26.2.2)."""
    named = (uri.parameters.get("transport") or "").lower()
    if uri.scheme == "sips":
        return "tls" if named in ("tcp", "tls") else named or None
    return named or None


def in_order(services: Iterable[Service], draw: Draw) -> list[Service]:
    """RFC 2782: by priority; among equals by lot, with chances as their weights."""
    left = sorted(services, key=lambda service: (service.priority, service.weight))
    found: list[Service] = []
    while left:
        equals = [service for service in left if service.priority == left[0].priority]
        at = draw(0, sum(service.weight for service in equals))
        for chosen in equals:
            at -= chosen.weight
            if at <= 0:
                break
        left.remove(chosen)
        found.append(chosen)
    return found


def _places(
    host: str, wanted: Sequence[str], families: Sequence[Kind], *, choose: bool, draw: Draw
) -> Generator[list[Question], Answers, tuple[list[Place] | None, Answers]]:
    """The servers that a domain names, and what was learned on the way; None where it names none."""
    usual = [(transport, f"{_SRV_NAMES[transport]}.{host}") for transport in wanted]
    pointing = Question(Kind.NAPTR, host)
    asked = [Question(Kind.SRV, name) for _, name in usual] + [Question(kind, host) for kind in families]
    answers = yield [pointing, *asked] if choose else asked
    pointed = _pointed(answers.get(pointing, ()), wanted)
    further = [Question(Kind.SRV, name) for _, name in pointed if Question(Kind.SRV, name) not in answers]
    if further:
        answers = {**answers, **(yield further)}
    found, places = False, []
    for transport, name in pointed or usual:
        services = [one for one in answers.get(Question(Kind.SRV, name), ()) if isinstance(one, Service)]
        found = found or bool(services)
        offered = [service for service in services[:MOST_RECORDS] if service.target.rstrip(".")]  # "." is a No
        places += [
            Place(transport, one.target.rstrip(".").lower(), one.port) for one in in_order(offered, draw) if one.port
        ]
    return (places if found else None), answers


def _pointed(records: Sequence[Record], wanted: Sequence[str]) -> list[tuple[str, str]]:
    """The transports that NAPTR records name, with the name of their SRV records, in the domain's order (4.1)."""
    pointers = [one for one in records[:MOST_RECORDS] if isinstance(one, Pointer) and one.flags.lower() == "s"]
    pointers.sort(key=lambda pointer: (pointer.order, pointer.preference))
    return [
        (transport, pointer.replacement.rstrip(".").lower())
        for pointer in pointers
        if (transport := _SERVICES.get(pointer.service.upper(), "")) in wanted
    ]


def _hops(places: Sequence[Place], answers: Answers, families: Sequence[Kind], domain: str) -> list[Hop]:
    hops: dict[Hop, None] = {}
    for transport, host, port in places:
        if is_address(host):
            addresses: list[Record] = [host]
        else:
            addresses = [one for kind in families for one in answers.get(Question(kind, host), ())[:MOST_RECORDS]]
        for address in addresses:
            if isinstance(address, str) and len(hops) < MOST_HOPS:
                hops[Hop(transport, address, port, domain if transport == "tls" else "")] = None
    return list(hops)
