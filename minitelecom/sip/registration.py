"""
Registration: RFC 3261 section 10.3, steps 6 to 8, as a function from bindings to bindings.

A request is taken whole or not at all.  Whom it came by (RFC 3327) is kept with a binding, and passed again by whatever goes
there.  A telephone that says which one it is (RFC 5626) has one binding, wherever it comes from next. How long a binding lasts is said by its Contact, else by the Expires header, else by
us; old telephones say it as a date, too. The address a request came from is kept with the binding, as a telephone behind
a router can only be reached there.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from minitelecom.sip.grammar import BadSyntax, readable, split_values, uint32
from minitelecom.sip.headers import NameAddr
from minitelecom.sip.hop import Hop
from minitelecom.sip.message import Request, Response
from minitelecom.sip.uri import Uri

MALFORMED_EXPIRES_SECONDS = 3600  # 10.2.1.1, 20.19
LONGEST_TEXT = 255
LONGEST_PATH = 10  # elements between a telephone and us
LARGEST_REG_ID = 2**31 - 1  # RFC 5626 4.2.1
FIRST_CHOICE = 1000
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
    q: int = FIRST_CHOICE
    """Its preference in thousandths (RFC 3261 25.1: qvalue)."""
    path: tuple[str, ...] = ()
    """The Path it came by, each as it came: the Route of whatever goes there."""
    instance: str = ""
    """Which telephone it is (+sip.instance); empty where it does not say."""
    reg_id: int | None = None
    """Which of that telephone's own ways to us."""
    since: int = 0
    """The CSeq under which this place first came by this Call-ID."""


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
    if "path" in request.tokens(
        "Supported"
    ):  # RFC 3327 5.3; the telephones of 2003 do not ask, and come by proxies, too
        headers += [("Path", value) for value in request.get_all("Path")]
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
    path = _path(request)
    after = alive
    for contact, seconds in zip(contacts, granted, strict=True):
        new = _new(contact, request, instant + timedelta(seconds=seconds), source, path)
        new = replace(new, since=_since(new, alive))
        for binding in alive:
            if _replaces(new, binding):
                _check_order(binding, request)
        after = _bind(after, new, instant)
    return _newest(after, limits.most_bindings), granted[0]


def _same(one: str, other: str) -> bool:
    return Uri.parse(one).equivalent(Uri.parse(other))


def _replaces(new: Binding, old: Binding) -> bool:
    """The same place, or the same telephone at another one, by the same way of its own (RFC 5626 section 6)."""
    if _same(new.contact, old.contact):
        return True
    if _of_one_request(new, old) or not new.instance:
        return False
    return (new.instance, new.reg_id) == (old.instance, old.reg_id)


def _of_one_request(one: Binding, other: Binding) -> bool:
    return (one.call_id, one.cseq) == (other.call_id, other.cseq)


def _bind(bindings: list[Binding], new: Binding, instant: datetime) -> list[Binding]:
    """A new binding, another in place of an old one, or one less."""
    kept = [binding for binding in bindings if not _replaces(new, binding)]
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


def _path(request: Request) -> tuple[str, ...]:
    """Whom the request came by, the last one first, as RFC 3327 has it and a Route wants it."""
    try:
        path = [one for value in request.get_all("Path") for one in split_values(value)]
        usable = len(path) <= LONGEST_PATH and all(NameAddr.parse(one).uri.is_sip for one in path)
    except BadSyntax:
        usable = False
    if not usable or any(len(one) > LONGEST_TEXT or readable(one) != one for one in path):
        raise _Refused(400, "Bad Path")
    return tuple(path)


def _new(contact: NameAddr, request: Request, expires: datetime, source: Hop, path: tuple[str, ...]) -> Binding:
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
        q=round(contact.q * FIRST_CHOICE),
        path=path,
        instance=readable(contact.parameters.get("+sip.instance") or "")[:LONGEST_TEXT],
        reg_id=_reg_id(contact),
    )


def _since(new: Binding, alive: list[Binding]) -> int:
    known = (old.since for old in alive if old.call_id == new.call_id and _same(new.contact, old.contact))
    return next(known, new.cseq)


def _reg_id(contact: NameAddr) -> int | None:
    number = uint32(contact.parameters.get("reg-id") or "")
    return number if number is not None and 0 < number <= LARGEST_REG_ID else None


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
    q = "" if binding.q == FIRST_CHOICE else f";q={binding.q / FIRST_CHOICE:g}"
    return f"<{binding.contact}>{q};expires={seconds}"


def ringing(bindings: Sequence[Binding], ring: str) -> list[list[Binding]]:
    """
    Where a call rings: places that ring together, and those that ring after them.

    By preference (q, RFC 3261 16.6); or "together"; or "latest", the last to have registered alone.
    """
    once = _each_telephone_once(bindings)
    if ring == "latest":
        return [once[:1]] if once else []
    preferences = sorted({binding.q for binding in once}, reverse=True)
    if ring == "together" or len(preferences) == 1:
        return [once] if once else []
    return [[binding for binding in once if binding.q == q] for q in preferences]


def _each_telephone_once(bindings: Sequence[Binding]) -> list[Binding]:
    """
    The bindings, latest first, without those that a telephone has left behind: it registered another place later, as the
    same instance (RFC 5626 7), or from the same address and port; or under the same Call-ID, and has not come back to the
    first since. Who registers several places under one Call-ID refreshes each of them, and rings at all.
    """
    newest: dict[str, int] = {}
    for binding in bindings:
        newest[binding.call_id] = max(binding.since, newest.get(binding.call_id, 0))
    kept: list[Binding] = []
    for binding in sorted(bindings, key=lambda one: one.expires, reverse=True):
        if binding.cseq >= newest[binding.call_id] and not any(_is_left_behind(binding, other) for other in kept):
            kept.append(binding)
    return kept


def _is_left_behind(binding: Binding, later: Binding) -> bool:
    if _of_one_request(binding, later):
        return False
    if binding.instance and binding.instance == later.instance:
        return True
    if binding.call_id == later.call_id:
        return False
    return binding.source == later.source and not binding.path and not later.path
