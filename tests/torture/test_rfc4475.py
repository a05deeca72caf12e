"""Every message of RFC 4475, with the outcome that the RFC asks of the element it would have been sent to: us."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from minitelecom.sip.checks import is_astray, onward_hops, refusal
from minitelecom.sip.digest import Credentials
from minitelecom.sip.grammar import BadSyntax
from minitelecom.sip.headers import CSeq
from minitelecom.sip.message import MalformedMessage, Message, Request, Response, parse

pytestmark = pytest.mark.torture

DATA = Path(__file__).parent / "data"
METHODS = ["ACK", "BYE", "CANCEL", "INFO", "INVITE", "OPTIONS", "REGISTER"]


@dataclass(frozen=True)
class Served:
    """A request that is well-formed and ours to serve."""


@dataclass(frozen=True)
class Refused:
    """A request that is well-formed and that a user agent refuses, with the header that says why."""

    status: int
    header: tuple[str, str] | None = None


@dataclass(frozen=True)
class Answered:
    """A request that is malformed and is told so."""

    status: int


@dataclass(frozen=True)
class Read:
    """A response that is well-formed and reaches its transaction."""


@dataclass(frozen=True)
class Dropped:
    """A response that nobody should look at any further."""


Outcome = Served | Refused | Answered | Read | Dropped

ALLOW = ("Allow", ", ".join(METHODS))

# The RFC leaves a choice at badaspec, baddn, lwsruri, lwsstart, escruri, regbadct (400 or leniency: we say 400, for the
# guess could be wrong), trws and baddate (400 or leniency: nothing to guess, we let them pass), mismatch02 (501 or 400),
# sdp01 (406 or 400).
MANIFEST: dict[str, tuple[str, Outcome]] = {
    "wsinv": ("3.1.1.1", Served()),
    "intmeth": ("3.1.1.2", Refused(501, ALLOW)),
    "esc01": ("3.1.1.3", Served()),
    "escnull": ("3.1.1.4", Served()),
    "esc02": ("3.1.1.5", Refused(501, ALLOW)),
    "lwsdisp": ("3.1.1.6", Served()),
    "longreq": ("3.1.1.7", Served()),
    "dblreq": ("3.1.1.8", Served()),
    "semiuri": ("3.1.1.9", Served()),
    "transports": ("3.1.1.10", Served()),
    "mpart01": ("3.1.1.11", Refused(405, ALLOW)),
    "unreason": ("3.1.1.12", Read()),
    "noreason": ("3.1.1.13", Read()),
    "badinv01": ("3.1.2.1", Answered(400)),
    "clerr": ("3.1.2.2", Answered(400)),
    "ncl": ("3.1.2.3", Answered(400)),
    "scalar02": ("3.1.2.4", Answered(400)),
    "scalarlg": ("3.1.2.5", Dropped()),
    "quotbal": ("3.1.2.6", Answered(400)),
    "ltgtruri": ("3.1.2.7", Answered(400)),
    "lwsruri": ("3.1.2.8", Answered(400)),
    "lwsstart": ("3.1.2.9", Answered(400)),
    "trws": ("3.1.2.10", Served()),
    "escruri": ("3.1.2.11", Answered(400)),
    "baddate": ("3.1.2.12", Served()),
    "regbadct": ("3.1.2.13", Answered(400)),
    "badaspec": ("3.1.2.14", Answered(400)),
    "baddn": ("3.1.2.15", Answered(400)),
    "badvers": ("3.1.2.16", Answered(505)),
    "mismatch01": ("3.1.2.17", Answered(400)),
    "mismatch02": ("3.1.2.18", Answered(400)),
    "bigcode": ("3.1.2.19", Dropped()),
    "badbranch": ("3.2.1", Served()),
    "insuf": ("3.3.1", Answered(400)),
    "unkscm": ("3.3.2", Refused(416)),
    "novelsc": ("3.3.3", Refused(416)),
    "unksm2": ("3.3.4", Refused(400)),
    "bext01": ("3.3.5", Refused(420, ("Unsupported", "nothingSupportsThis, nothingSupportsThisEither"))),
    "invut": ("3.3.6", Refused(415, ("Accept", "application/sdp"))),
    "regaut01": ("3.3.7", Served()),
    "multi01": ("3.3.8", Answered(400)),
    "mcl01": ("3.3.9", Answered(400)),
    "bcast": ("3.3.10", Dropped()),
    "zeromf": ("3.3.11", Served()),
    "cparam01": ("3.3.12", Served()),
    "cparam02": ("3.3.13", Served()),
    "regescrt": ("3.3.14", Served()),
    "sdp01": ("3.3.15", Refused(406)),
    "inv2543": ("3.4.1", Served()),
}


def read(name: str) -> bytes:
    return (DATA / f"{name}.dat").read_bytes()


def well_formed(name: str) -> Any:
    return parse(read(name))


def outcome(data: bytes) -> Outcome:
    """What the transport, the transaction layer and the user agent make of a datagram, without them."""
    try:
        message = parse(data)
    except MalformedMessage as malformed:
        return Dropped() if malformed.request is None else Answered(malformed.status)
    if isinstance(message, Response):
        return Dropped() if is_astray(message) else Read()
    refused = refusal(message, METHODS)
    if refused is None:
        return Served()
    return Refused(refused.status, refused.headers[0] if refused.headers else None)


def test_no_message_is_left_out():
    assert sorted(MANIFEST) == sorted(path.stem for path in DATA.glob("*.dat"))
    assert len({section for section, _ in MANIFEST.values()}) == len(MANIFEST) == 49


@pytest.mark.parametrize("name", MANIFEST)
def test_outcome(name: str):
    expected = MANIFEST[name][1]
    found = outcome(read(name))
    if isinstance(expected, Refused) and expected.header is None and isinstance(found, Refused):
        found = Refused(found.status)
    assert found == expected


@pytest.mark.parametrize("name", [name for name, (_, what) in MANIFEST.items() if not isinstance(what, Answered)])
def test_what_is_well_formed_is_written_as_it_came(name: str):
    try:
        message = well_formed(name)
    except MalformedMessage:
        assert MANIFEST[name][1] == Dropped()
        return
    assert message.encode() == read(name)


@pytest.mark.parametrize("name", [name for name, (_, what) in MANIFEST.items() if isinstance(what, Answered)])
def test_who_sent_a_malformed_request_hears_of_it(name: str):
    """The answer goes back over the Vias as they came, and is itself well-formed wherever they were."""
    with pytest.raises(MalformedMessage) as caught:
        well_formed(name)
    malformed = caught.value
    answer = malformed.request.response(malformed.status, malformed.reason, to_tag="ours")
    assert answer.encode().startswith(f"SIP/2.0 {malformed.status} {malformed.reason}\r\n".encode())
    assert answer.get_all("Via") == malformed.request.get_all("Via") != []
    assert answer.get_all("CSeq") == malformed.request.get_all("CSeq")


# The values that the RFC's text draws attention to.
VALUES: list[tuple[str, Callable[[Any], object], object]] = [
    ("wsinv", lambda m: m.to.tag, "1918181833n"),
    ("wsinv", lambda m: str(m.to.uri), "sip:vivekg@chair-dnrc.example.com"),
    ("wsinv", lambda m: (m.from_.display, m.from_.tag), ('J Rosenberg \\"', "98asjd8")),
    ("wsinv", lambda m: m.max_forwards, 68),
    ("wsinv", lambda m: m.cseq, CSeq(9, "INVITE")),
    ("wsinv", lambda m: [(v.transport, v.host) for v in m.vias], [
        ("UDP", "192.0.2.2"), ("TCP", "spindle.example.com"), ("UDP", "192.168.255.111")]),
    ("wsinv", lambda m: [v.branch for v in m.vias], ["390skdjuw", "z9hG4bK9ikj8", "z9hG4bK30239"]),
    ("wsinv", lambda m: [v.is_unique for v in m.vias], [False, True, True]),
    ("wsinv", lambda m: m.get("Subject"), ""),
    ("wsinv", lambda m: m.get("NewFangledHeader"), "newfangled value continued newfangled value"),
    ("wsinv", lambda m: m.get("UnknownHeaderWithUnusualValue"), ";;,,;;,;"),
    ("wsinv", lambda m: m.routes[0].uri.parameters, {"lr": None, "unknownwith": "value", "unknown-no-value": None}),
    ("wsinv", lambda m: m.contacts[0].display, 'Quoted string ""'),
    ("wsinv", lambda m: m.contacts[0].parameters, {"newparam": "newvalue", "secondparam": None, "q": "0.33"}),
    ("wsinv", lambda m: m.contacts[0].q, 0.33),
    ("wsinv", lambda m: m.uri.parameters, {"unknownparam": None}),
    ("wsinv", lambda m: len(m.body), 150),
    ("intmeth", lambda m: m.method, "!interesting-Method0123456789_*+`.%indeed'~"),
    ("intmeth", lambda m: m.cseq.method, "!interesting-Method0123456789_*+`.%indeed'~"),
    ("intmeth", lambda m: (m.uri.user, m.uri.password), (
        "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*", "&it+has=1,weird!*pas$wo~d_too.(doesn't-it)")),
    ("intmeth", lambda m: m.to.display, "BEL:\x07 NUL:\x00 DEL:\x7f"),
    ("intmeth", lambda m: m.from_.display, "token1~` token2'+_ token3*%!.-"),
    ("intmeth", lambda m: m.from_.parameters["fromparam''~+*_!.-%"], "работающий"),
    ("intmeth", lambda m: m.from_.tag, "_token~1'+`*%!-."),
    ("intmeth", lambda m: m.call_id, "intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{"),
    ("intmeth", lambda m: m.get("extensionHeader-!.%*+_`'~"), "\ufeff大停電"),
    ("intmeth", lambda m: m.max_forwards, 255),
    ("esc01", lambda m: (m.uri.user, m.uri.host), ("sips:user@example.com", "example.net")),
    ("esc01", lambda m: m.to.uri.user, "user"),
    ("esc01", lambda m: m.from_.uri.user, "I have spaces"),
    ("esc01", lambda m: m.contacts[0].uri.user, "caller"),
    ("esc01", lambda m: m.contacts[0].uri.parameters, {"lr": None, "name": "value%41"}),
    ("escnull", lambda m: m.to.uri.user, "null-\0-null"),
    ("escnull", lambda m: [c.uri.user for c in m.contacts], ["\0", "\0\0"]),
    ("esc02", lambda m: m.method, "RE%47IST%45R"),
    ("esc02", lambda m: m.to.display, "%Z%45"),
    ("esc02", lambda m: [c.uri.user for c in m.contacts], ["alias1", "alias3"]),
    ("esc02", lambda m: m.via.branch, "z9hG4bK209%fzsnel234"),
    ("lwsdisp", lambda m: m.from_.display, "caller"),
    ("longreq", lambda m: len(m.vias), 34),
    ("longreq", lambda m: m.vias[-1].received, "192.0.2.5"),
    ("longreq", lambda m: m.to.uri.port, 6000),
    ("longreq", lambda m: len(m.call_id), 141),
    ("dblreq", lambda m: (m.method, m.body), ("REGISTER", b"")),
    ("semiuri", lambda m: (m.uri.user, m.uri.host, m.uri.parameters), ("user;par=u@example.net", "example.com", {})),
    ("semiuri", lambda m: len(m.tokens("Accept")), 6),
    ("transports", lambda m: [v.transport for v in m.vias], ["UDP", "SCTP", "TLS", "UNKNOWN", "TCP"]),
    ("mpart01", lambda m: (len(m.body), m.content_type), (553, "multipart/mixed")),
    ("unreason", lambda m: (m.status, m.reason), (200, "= 2**3 * 5**2 но сто девяносто девять - простое")),
    ("noreason", lambda m: (m.status, m.reason), (100, "")),
    ("trws", lambda m: m.uri.user, "remote-target"),
    ("baddate", lambda m: m.get("Date"), "Fri, 01 Jan 2010 16:00:00 EST"),
    ("badbranch", lambda m: (m.via.branch, m.via.is_unique), ("z9hG4bK", False)),
    ("unkscm", lambda m: (m.uri.scheme, m.uri.opaque), ("nobodyknowsthisscheme", "totallyopaquecontent")),
    ("novelsc", lambda m: m.uri.scheme, "soap.beep"),
    ("unksm2", lambda m: (m.to.uri.scheme, m.from_.uri.scheme, m.contacts[0].uri.scheme), ("isbn", "http", "name")),
    ("zeromf", lambda m: (m.max_forwards, onward_hops(m)), (0, None)),
    ("cparam01", lambda m: m.contacts[0].parameters, {"unknownparam": None}),
    ("cparam01", lambda m: m.contacts[0].uri.parameters, {}),
    ("cparam02", lambda m: m.contacts[0].parameters, {}),
    ("cparam02", lambda m: m.contacts[0].uri.parameters, {"unknownparam": None}),
    ("regescrt", lambda m: m.contacts[0].uri.headers, {"Route": "<sip:sip.example.com>"}),
    ("bcast", lambda m: len(m.vias), 2),
    ("inv2543", lambda m: (m.via.branch, m.from_.tag, m.max_forwards), (None, None, None)),
    ("inv2543", lambda m: m.record_routes[0].uri.parameters, {"maddr": "ss1.example.com"}),
    ("inv2543", lambda m: m.body.startswith(b"v=0") and m.body.endswith(b"RTP/AVP 0\r\n"), True),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value", "expected"), VALUES, ids=[f"{n}-{i}" for i, (n, _, _) in enumerate(VALUES)])
def test_values(name: str, value: Callable[[Message], object], expected: object):
    assert value(well_formed(name)) == expected


def test_unknown_credentials_are_as_if_none_had_come():
    """Section 3.3.7: a registrar challenges this request."""
    with pytest.raises(BadSyntax):
        Credentials.parse(well_formed("regaut01").get("Authorization"))


def test_a_second_request_in_the_datagram_is_thrown_away():
    """Section 3.1.1.8, also once the first has been changed."""
    request = well_formed("dblreq")
    assert isinstance(request, Request)
    request.set("Max-Forwards", "7")
    assert b"INVITE" not in request.encode()
