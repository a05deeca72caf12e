"""
Who calls, as a request says it and as a carrier is told it: From, P-Asserted-Identity (RFC 3325), Privacy (RFC 3323) and
Diversion (RFC 5806).

A carrier that we trust is believed what it asserts, and told the number of a caller who wants to be hidden, together with
that wish; any other is told nothing of him.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from minitelecom.calls.switch import LONGEST_NAME, address
from minitelecom.config import Numbers
from minitelecom.rating.number import normalise, written
from minitelecom.sip.grammar import BadSyntax, readable, split_values
from minitelecom.sip.headers import NameAddr
from minitelecom.sip.message import Request
from minitelecom.sip.uri import Uri
from minitelecom.store.trunks import Trunk

ANONYMOUS = "anonymous"
ANONYMOUS_HOST = "anonymous.invalid"  # RFC 3323 4.1
HIDING = frozenset({"id", "user", "header"})
"""Wishes of a Privacy header after which the called party must not see the number."""
SHORTEST_NUMBER = 7
"""Digits of a number of the public network; whatever is shorter, or no number, is passed as it is."""
MOST_DIVERSIONS = 10


@dataclass(frozen=True, slots=True)
class Said:
    """What a request says of its caller."""

    number: str | None
    private: bool = False
    """He does not want the called party to see his number."""
    diversions: tuple[NameAddr, ...] = ()
    """Who forwarded the call, the last one first."""


@dataclass(frozen=True, slots=True)
class CallerId:
    """The caller as a far end of ours is told him."""

    user: str = ANONYMOUS
    host: str | None = None
    """None: our own."""
    display: str = ""
    asserted: str | None = None
    private: bool = False
    diversions: tuple[NameAddr, ...] = ()

    def from_(self, ours: str) -> str:
        """The From, without its tag."""
        return str(NameAddr(self.display, address(self.user, self.host or ours)))

    def headers(self, ours: str) -> list[tuple[str, str]]:
        """What a request says besides."""
        lines = [] if self.asserted is None else [("P-Asserted-Identity", f"<{address(self.asserted, ours)}>")]
        if self.private:
            lines.append(("Privacy", "id"))
        for one in self.diversions:
            diverted = NameAddr("", address(one.uri.user or "", ours), one.parameters)
            lines.append(("Diversion", str(diverted)))
        return lines


def said(request: Request, *, trusted: bool) -> Said:
    """
    The caller of a request.  What it asserts, and who forwarded it, is believed only of a sender that we trust.

    The wish to be hidden is everybody's, whether as RFC 3323 says it or by an anonymous From.
    """
    number = name(request.from_.uri)
    private = number.lower() == ANONYMOUS or not HIDING.isdisjoint(
        word.strip().lower() for value in request.get_all("Privacy") for word in value.split(";")
    )
    if not trusted:
        return Said(number or None, private)
    asserted = next((name(one.uri) for one in _addresses(request, "P-Asserted-Identity")), "")
    return Said(asserted or number or None, private, tuple(_addresses(request, "Diversion"))[:MOST_DIVERSIONS])


def name(uri: Uri) -> str:
    """Who is meant by a URI, fit for a record and a page."""
    user = uri.user or "" if uri.is_sip else uri.opaque.partition(";")[0] if uri.scheme == "tel" else ""
    return readable(user)[:LONGEST_NAME]


def _addresses(request: Request, header: str) -> Iterable[NameAddr]:
    """The addresses of a header, as far as they can be read; what can't be is nobody's word."""
    for value in request.get_all(header):
        try:
            yield from [NameAddr.parse(one) for one in split_values(value)]
        except BadSyntax:
            continue


def towards_trunk(said: Said, trunk: Trunk, numbers: Numbers, *, urgent: bool = False) -> CallerId:
    """The caller as this carrier is told him; a call for help hides nobody."""
    fixed = trunk.caller_id if trunk.caller_id not in ("pass", "hide") else None
    private = not urgent and fixed is None and (said.private or trunk.caller_id == "hide")
    number = fixed or said.number
    if number is not None:
        number = None if number.lower() == ANONYMOUS else _written(number, trunk, numbers)
    told = number is not None and trunk.asserts and (trunk.trusted or not private)
    caller = CallerId(
        asserted=number if told else None,
        private=private,
        diversions=tuple(_diversions(said, trunk, numbers)) if trunk.diversion else (),
    )
    display = "Anonymous" if private else ""
    if trunk.account_in_from:
        host = Uri.parse(trunk.uri).host.strip("[]")
        return replace(caller, user=trunk.username or trunk.name, host=host, display=display)
    if private:
        return replace(caller, host=ANONYMOUS_HOST, display=display)
    return replace(caller, user=number or ANONYMOUS)


def towards_telephone(said: Said) -> CallerId:
    """The caller as a telephone of the shop sees him."""
    if said.private:
        return CallerId(host=ANONYMOUS_HOST, display="Anonymous")
    return CallerId(said.number or ANONYMOUS)


def _diversions(said: Said, trunk: Trunk, numbers: Numbers) -> Iterable[NameAddr]:
    """Whoever forwarded the call and wants to be hidden is named to a trusted carrier only (RFC 5806 privacy)."""
    for one in said.diversions:
        hidden = (one.parameters.get("privacy") or "off").strip('"').lower() != "off"
        number = name(one.uri)
        if number and (trunk.trusted or not hidden):
            yield NameAddr("", address(_written(number, trunk, numbers), ANONYMOUS_HOST), one.parameters)


def _written(number: str, trunk: Trunk, numbers: Numbers) -> str:
    """A calling number as the trunk wants it."""
    if len(number) < SHORTEST_NUMBER:
        return number
    digits = normalise(
        number,
        numbers.country_code,
        international_prefix=numbers.international_prefix,
        national_prefix=numbers.national_prefix,
    )
    if digits is None or len(digits) < SHORTEST_NUMBER:
        return number
    return written(
        digits,
        trunk.calling_format,
        numbers.country_code,
        international_prefix=numbers.international_prefix,
        national_prefix=numbers.national_prefix,
    )
