"""
The structured header fields that calls are made of (RFC 3261 section 20): addresses, Via, CSeq.

Each reader takes one unfolded value and returns a value of its own, or raises BadSyntax. They are values: don't change one
that a message gave you, make another.
"""

import functools
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple, TypeVar

from minitelecom.sip.grammar import (
    HOST,
    MOST_VALUES,
    PARAMETERS,
    QUOTED,
    TOKEN,
    BadSyntax,
    parse_parameters,
    quote,
    split_values,
    uint32,
    unquote,
    write_parameters,
)
from minitelecom.sip.header_lines import Headers
from minitelecom.sip.uri import LONGEST_REMEMBERED, MOST_REMEMBERED, Uri, check_host, check_port

MAGIC_COOKIE = "z9hG4bK"

T = TypeVar("T")

# name-addr = [ display-name ] LAQUOT addr-spec RAQUOT ;  display-name = *(token LWS)/ quoted-string
# Looser: letters of any alphabet in an unquoted name, as telephones sold in Sofia send them.
_NAME_ADDR = re.compile(rf'[ \t]*+(?:({QUOTED})|([^"<>,;:\\]*+))[ \t]*+<([^<>]*+)>({PARAMETERS})')
# addr-spec alone: what follows a ";" belongs to the header; "?" and "," would need brackets (section 20.10).
_ADDR_SPEC = re.compile(rf"[ \t]*+([A-Za-z][A-Za-z0-9+.\-]*+:[^\s;?,<>\"]++)({PARAMETERS})")

# via-parm = sent-protocol LWS sent-by *( SEMI via-params ) ;  sent-protocol = name SLASH version SLASH transport
_VIA = re.compile(
    rf"[ \t]*+({TOKEN})[ \t]*+/[ \t]*+({TOKEN})[ \t]*+/[ \t]*+({TOKEN})[ \t]++"
    rf"({HOST})(?:[ \t]*+:[ \t]*+([0-9]{{1,5}}))?({PARAMETERS})"
)

# CSeq = 1*DIGIT LWS Method
_CSEQ = re.compile(rf"([0-9]++)[ \t]++({TOKEN})")

# SIP-date = rfc1123-date = wkday "," SP date1 SP time SP "GMT"
_DATE = re.compile(r"[A-Za-z]{3}, ([0-9]{2}) ([A-Za-z]{3}) ([0-9]{4}) ([0-9]{2}):([0-9]{2}):([0-9]{2}) GMT")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


class NameAddr:
    """An address with a display name and header parameters: From, To, Contact, Route, Record-Route."""

    __slots__ = ("display", "parameters", "uri")

    def __init__(self, display: str, uri: Uri, parameters: dict[str, str | None] | None = None) -> None:
        self.display = display
        self.uri = uri
        self.parameters = {} if parameters is None else parameters

    @classmethod
    def parse(cls, text: str) -> "NameAddr":
        """The From and To of a call come with each of its messages, so what they read as is remembered."""
        return _remembered(text) if len(text) <= LONGEST_REMEMBERED else cls._read(text)

    @classmethod
    def _read(cls, text: str) -> "NameAddr":
        match = _NAME_ADDR.fullmatch(text)
        if match is None:
            return cls._parse_bare(text)
        quoted, plain, uri, parameters = match.groups()
        display = unquote(quoted) if quoted else plain.rstrip(" \t")
        return cls(display, Uri.parse(uri), parse_parameters(parameters) if parameters else {})

    @classmethod
    def _parse_bare(cls, text: str) -> "NameAddr":
        match = _ADDR_SPEC.fullmatch(text)
        if match is None:
            if text.strip(" \t") == "*":
                return cls("", ANYWHERE)
            raise BadSyntax("Bad Address")
        return cls("", Uri.parse(match[1]), parse_parameters(match[2]) if match[2] else {})

    @property
    def tag(self) -> str | None:
        return self.parameters.get("tag") or None

    @property
    def is_star(self) -> bool:
        """The Contact "*": every binding of this address (section 10.2.2)."""
        return self.uri is ANYWHERE

    @property
    def q(self) -> float:
        """The preference of a Contact; 1 where there is none or it can't be read."""
        try:
            return min(max(float(self.parameters.get("q") or 1), 0.0), 1.0)
        except ValueError:
            return 1.0

    def with_tag(self, tag: str) -> "NameAddr":
        return NameAddr(self.display, self.uri, {**self.parameters, "tag": tag})

    def __str__(self) -> str:
        if self.is_star:
            return "*"
        name = f"{quote(self.display)} " if self.display else ""
        return f"{name}<{self.uri}>{write_parameters(self.parameters)}"

    def __repr__(self) -> str:
        return f"NameAddr({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, NameAddr)
            and self.display == other.display
            and self.uri == other.uri
            and self.parameters == other.parameters
        )

    def __hash__(self) -> int:
        return hash((self.display, self.uri))


@functools.lru_cache(MOST_REMEMBERED)
def _remembered(text: str) -> NameAddr:
    return NameAddr._read(text)  # noqa: SLF001 - its own cache


# What the Contact "*" points at; no real URI, known by identity.
ANYWHERE = Uri("*")


class Via:
    """One hop of the way a request came (section 20.42)."""

    __slots__ = ("host", "parameters", "port", "protocol", "transport")

    def __init__(
        self,
        protocol: str,
        transport: str,
        host: str,
        port: int | None = None,
        parameters: dict[str, str | None] | None = None,
    ) -> None:
        self.protocol = protocol
        self.transport = transport
        self.host = host
        self.port = port
        self.parameters = {} if parameters is None else parameters

    @classmethod
    def parse(cls, text: str) -> "Via":
        match = _VIA.fullmatch(text)
        if match is None:
            raise BadSyntax("Bad Via")
        name, version, transport, host, port, parameters = match.groups()
        check_host(host)
        number = None if port is None else check_port(port)
        return cls(f"{name}/{version}".upper(), transport.upper(), host, number, parse_parameters(parameters))

    @property
    def branch(self) -> str | None:
        return self.parameters.get("branch") or None

    @property
    def is_unique(self) -> bool:
        """Whether the branch alone names the transaction: the cookie and something behind it (section 8.1.1.7)."""
        branch = self.branch
        return branch is not None and branch.startswith(MAGIC_COOKIE) and len(branch) > len(MAGIC_COOKIE)

    @property
    def received(self) -> str | None:
        return (self.parameters.get("received") or "").strip("[]") or None

    @property
    def wants_rport(self) -> bool:
        return "rport" in self.parameters

    @property
    def rport(self) -> int | None:
        """The port filled in by the server that received it; None while the parameter is empty (RFC 3581)."""
        return uint32(self.parameters.get("rport") or "")

    @property
    def sent_by(self) -> tuple[str, int]:
        """Where the sender listens, with its transport's port filled in; hosts compare in lower case."""
        default = 5061 if self.transport == "TLS" else 5060
        return self.host.lower(), default if self.port is None else self.port

    def with_parameters(self, **parameters: str | None) -> "Via":
        return Via(self.protocol, self.transport, self.host, self.port, {**self.parameters, **parameters})

    def __str__(self) -> str:
        port = "" if self.port is None else f":{self.port}"
        return f"{self.protocol}/{self.transport} {self.host}{port}{write_parameters(self.parameters)}"

    def __repr__(self) -> str:
        return f"Via({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Via) and str(self) == str(other)

    def __hash__(self) -> int:
        return hash(str(self))


class CSeq(NamedTuple):
    """The place of a request in its dialog; 32 bits without sign, and some telephones begin near the top."""

    number: int
    method: str

    @classmethod
    def parse(cls, text: str) -> "CSeq":
        match = _CSEQ.fullmatch(text)
        number = None if match is None else uint32(match[1])
        if match is None or number is None:
            raise BadSyntax("Bad CSeq")
        return cls(number, match[2])

    def __str__(self) -> str:
        return f"{self.number} {self.method}"


def lifetime(text: str, instant: datetime) -> int | None:
    """
    The seconds an Expires header or an `expires` parameter means: a number, or, from telephones of RFC 2543's time
    (section 6.20 there), the date it ends. None where it is neither, which means the default.
    """
    seconds = uint32(text)
    if seconds is not None:
        return seconds
    match = _DATE.fullmatch(text)
    if match is None or match[2].lower() not in _MONTHS:
        return None
    day, month, year, hour, minute, second = match.groups()
    number = 1 + _MONTHS.index(month.lower())
    try:
        end = datetime(int(year), number, int(day), int(hour), int(minute), int(second), tzinfo=UTC)
    except ValueError:
        return None
    return max(0, int((end - instant).total_seconds()))


def _read_each(headers: Headers, key: str, read: Callable[[str], T]) -> list[T]:
    found = []
    for value in headers.values(key):
        found += [read(value)] if "," not in value else [read(one) for one in split_values(value)]
        if len(found) > MOST_VALUES:
            raise BadSyntax(f"Too Many Values of {key.title()}")
    return found


def read_vias(headers: Headers) -> list[Via]:
    return _read_each(headers, "via", Via.parse)


def read_contacts(headers: Headers) -> list[NameAddr]:
    return _read_each(headers, "contact", NameAddr.parse)


def read_routes(headers: Headers) -> list[NameAddr]:
    return _read_each(headers, "route", NameAddr.parse)


def read_record_routes(headers: Headers) -> list[NameAddr]:
    return _read_each(headers, "record-route", NameAddr.parse)


def _required(headers: Headers, key: str) -> str:
    value = headers.value(key)
    if value is None:
        raise BadSyntax(f"Missing {key.title()}")
    return value


def _address(headers: Headers, key: str) -> NameAddr:
    address = NameAddr.parse(_required(headers, key))
    if address.is_star:
        raise BadSyntax("Bad Address")
    return address


def read_from(headers: Headers) -> NameAddr:
    return _address(headers, "from")


def read_to(headers: Headers) -> NameAddr:
    return _address(headers, "to")


def read_cseq(headers: Headers) -> CSeq:
    return CSeq.parse(_required(headers, "cseq"))


def read_call_id(headers: Headers) -> str:
    value = _required(headers, "call-id")
    if not value or " " in value or "\t" in value:
        raise BadSyntax("Bad Call-Id")
    return value
