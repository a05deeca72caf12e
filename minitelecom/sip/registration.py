"""
Registration: RFC 3261 section 10.3, steps 6 to 8, as a function from bindings to bindings.

A request is taken whole or not at all. How long a binding lasts is said by its Contact, else by the Expires header, else by
us; old telephones say it as a date, too. The address a request came from is kept with the binding, as a telephone behind
a router can only be reached there.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from minitelecom.sip.grammar import readable, uint32
from minitelecom.sip.headers import NameAddr
from minitelecom.sip.hop import Hop
from minitelecom.sip.message import Request, Response
from minitelecom.sip.uri import Uri

MALFORMED_EXPIRES_SECONDS = 3600  # 10.2.1.1, 20.19
LONGEST_TEXT = 255
MOST_BINDINGS = 10  # of one telephone


@dataclass(frozen=True, slots=True)
class Binding:
    """Where one telephone can be reached, until when."""

    contact: str
    source: Hop
    call_id: str
    cseq: int
    expires: datetime
    user_agent: str
    q: float = 1.0


@dataclass(frozen=True, slots=True)
class Limits:
    default_seconds: int = 3600
    shortest_seconds: int = 60
    longest_seconds: int = 7200
    most_bindings: int = MOST_BINDINGS


@dataclass(frozen=True, slots=True)
class Outcome:
    """What to answer, and the bindings there are then."""

    response: Response
    bindings: list[Binding]
    changed: bool
    granted: int | None = None
    """Seconds given to the first contact of the request; 0 for a removal, None for a question or a refusal."""

    @property
    def status(self) -> int:
        return self.response.status


class _Refused(Exception):
    def __init__(self, status: int, reason: str | None = None, headers: Iterable[tuple[str, str]] = ()) -> None:
        super().__init__(status, reason)
        self.status = status
        self.reason = reason
        self.headers = list(headers)


def register(request: Request, bindings: Sequence[Binding], instant: datetime, limits: Limits, source: Hop) -> Outcome:
    """One REGISTER of a telephone that has been identified, on the bindings its address of record has."""
    alive = [binding for binding in bindings if binding.expires > instant]
    try:
        after, granted = _apply(request, alive, instant, limits, source)
    except _Refused as refused:
        response = request.response(refused.status, refused.reason, headers=refused.headers)
        return Outcome(response, list(bindings), changed=False)
    headers = [("Contact", _listed(binding, instant)) for binding in after]
    if granted is not None:  # for telephones that don't look into the Contacts
        headers.append(("Expires", str(granted)))
    response = request.response(200, headers=headers)
    return Outcome(response, after, after != list(bindings), granted)


def _apply(
    request: Request, alive: list[Binding], instant: datetime, limits: Limits, source: Hop
) -> tuple[list[Binding], int | None]:
    contacts = request.contacts
    if not contacts:
        return alive, None
    if any(contact.is_star for contact in contacts):
        if len(contacts) > 1 or _seconds(request.get("Expires"), instant) != 0:
            raise _Refused(400, "Contact * Needs Expires 0")
        for binding in alive:
            _check_order(binding, request)
        return [], 0
    if len(contacts) > limits.most_bindings:
        raise _Refused(403, "Too Many Contacts")
    granted = [_granted(contact, request, instant, limits) for contact in contacts]
    after = alive
    for contact, seconds in zip(contacts, granted, strict=True):
        new = _new(contact, request, instant + timedelta(seconds=seconds), source)
        for binding in alive:
            if _same(binding.contact, new.contact):
                _check_order(binding, request)
        after = _bind(after, new, instant)
    return _newest(after, limits.most_bindings), granted[0]


def _same(one: str, other: str) -> bool:
    return Uri.parse(one).equivalent(Uri.parse(other))


def _bind(bindings: list[Binding], new: Binding, instant: datetime) -> list[Binding]:
    """A new binding, another in place of an old one, or one less."""
    kept = [binding for binding in bindings if not _same(binding.contact, new.contact)]
    return [*kept, new] if new.expires > instant else kept


def _check_order(binding: Binding, request: Request) -> None:
    """Of one Call-ID a later request has a higher number; another one comes late, and nothing of it is done."""
    if binding.call_id == readable(request.call_id) and binding.cseq >= request.cseq.number:
        raise _Refused(500, "Out of Order")


def _granted(contact: NameAddr, request: Request, instant: datetime, limits: Limits) -> int:
    asked = _seconds(contact.parameters.get("expires"), instant)
    if asked is None:
        asked = _seconds(request.get("Expires"), instant)
    if asked is None:
        return limits.default_seconds
    if 0 < asked < limits.shortest_seconds:
        raise _Refused(423, headers=[("Min-Expires", str(limits.shortest_seconds))])
    return min(asked, limits.longest_seconds)


def _seconds(text: str | None, instant: datetime) -> int | None:
    """A number of seconds, or a date as RFC 2543 allowed; what can't be read counts as an hour."""
    if text is None or not text.strip():
        return None
    seconds = uint32(text.strip())
    if seconds is not None:
        return seconds
    try:
        date = parsedate_to_datetime(text.strip())
    except (ValueError, TypeError, OverflowError):
        return MALFORMED_EXPIRES_SECONDS
    date = date.replace(tzinfo=UTC) if date.tzinfo is None else date
    return max(0, round((date - instant).total_seconds()))


def _new(contact: NameAddr, request: Request, expires: datetime, source: Hop) -> Binding:
    text = str(contact.uri)
    if not contact.uri.is_sip or len(text) > LONGEST_TEXT or readable(text) != text:
        raise _Refused(400, "Bad Contact")
    return Binding(
        contact=text,
        source=source,
        call_id=readable(request.call_id),
        cseq=request.cseq.number,
        expires=expires,
        user_agent=readable(request.get("User-Agent") or "")[:LONGEST_TEXT],
        q=contact.q,
    )


def _newest(bindings: list[Binding], most: int) -> list[Binding]:
    """
    Beyond the limit those go that were to expire first: a telephone that starts anew behind a router comes with
    another contact each time, and must not be locked out by its own past.
    """
    if len(bindings) <= most:
        return bindings
    oldest = sorted(bindings, key=lambda binding: binding.expires)[: len(bindings) - most]
    return [binding for binding in bindings if binding not in oldest]


def _listed(binding: Binding, instant: datetime) -> str:
    """Step 8."""
    seconds = max(0, round((binding.expires - instant).total_seconds()))
    q = "" if binding.q == 1.0 else f";q={binding.q:g}"
    return f"<{binding.contact}>{q};expires={seconds}"
