"""
parse(serialise(m)) == m, for messages, session descriptions and digest; and whatever bytes come, one error or a value that is
written as it was read.
"""

from collections.abc import Callable

from hypothesis import example, given
from hypothesis import strategies as st

from minitelecom.sip import sdp
from minitelecom.sip.digest import Challenge, Credentials
from minitelecom.sip.grammar import BadSyntax
from minitelecom.sip.header_lines import Headers
from minitelecom.sip.headers import CSeq, NameAddr, Via
from minitelecom.sip.message import MalformedMessage, Request, Response, parse
from minitelecom.sip.sdp import MalformedDescription, Media, Origin, SessionDescription
from minitelecom.sip.uri import Uri

TOKENS = st.text("abcdefghijklmnopqrstuvwxyzABC0123456789-.!%*_+`'~", min_size=1, max_size=12)
NAMES = st.text("abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=8)
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp"]), max_size=20)
VALUES = TEXTS.map(lambda text: text.strip(" "))
NUMBERS = st.integers(0, 2**32 - 1)
PORTS = st.none() | st.integers(0, 65535)
HOSTS = st.sampled_from(["shop.example", "a_b", "192.0.2.1", "[2001:db8::1]"])
PARAMETERS = st.dictionaries(NAMES, st.none() | TEXTS, max_size=3)

URIS = st.builds(
    Uri, st.sampled_from(["sip", "sips"]), st.none() | TEXTS.filter(bool), st.none(), HOSTS, PORTS, PARAMETERS
)
ADDRESSES = st.builds(NameAddr, TEXTS, URIS, PARAMETERS)
VIAS = st.builds(Via, st.just("SIP/2.0"), st.sampled_from(["UDP", "TCP", "TLS"]), HOSTS, PORTS, PARAMETERS)

START_LINES: st.SearchStrategy[Callable[..., Request | Response]] = st.one_of(
    st.builds(lambda method, uri: lambda *rest: Request(method, uri, *rest), TOKENS, URIS.map(str)),
    st.builds(lambda status, reason: lambda *rest: Response(status, reason, *rest), st.integers(100, 699), VALUES),
)


@st.composite
def messages(draw: st.DrawFn) -> Request | Response:
    """Every header that has a reader, in a drawn number and order, and some that have none."""
    message = draw(START_LINES)(Headers(), draw(st.binary(max_size=60)))
    method = message.method if isinstance(message, Request) else draw(TOKENS)
    lines = [("From", str(draw(ADDRESSES))), ("To", str(draw(ADDRESSES))), ("Call-ID", draw(TOKENS))]
    lines.append(("CSeq", str(CSeq(draw(NUMBERS), method))))
    for name, values in (("Contact", ADDRESSES), ("Route", ADDRESSES), ("Record-Route", ADDRESSES)):
        several = draw(st.lists(values.map(str), max_size=3))
        lines += [(name, ", ".join(several))] if several and draw(st.booleans()) else [(name, one) for one in several]
    lines += [("Via", str(via)) for via in draw(st.lists(VIAS, min_size=1, max_size=3))]
    lines += draw(st.lists(st.tuples(TOKENS.map("X-".__add__), VALUES), max_size=4))
    for name, value in draw(st.permutations(lines)):
        message.add(name, value)
    return message


def told(message: Request | Response) -> tuple[object, ...]:
    """All that a message says."""
    start = (message.method, message.uri) if isinstance(message, Request) else (message.status, message.reason)
    addresses = (message.from_, message.to, message.contacts, message.routes, message.record_routes)
    return (*start, message.vias, *addresses, message.cseq, message.call_id, list(message.headers), message.body)


@given(messages())
def test_a_message_we_write_reads_back(message: Request | Response) -> None:
    data = message.encode()
    again = parse(data)
    assert told(again) == told(message)
    assert again.encode() == data


@given(messages(), VALUES)
def test_one_header_changed_is_all_that_changes(message: Request | Response, agent: str) -> None:
    again = parse(message.encode())
    again.set("User-Agent", agent)
    assert told(parse(again.encode())) == told(again)
    again.remove("User-Agent")
    assert told(again) == told(message)


PIECES = st.sampled_from(
    [
        b"INVITE sip:a@b SIP/2.0\r\n",
        b"SIP/2.0 200 OK\r\n",
        b"Via: SIP/2.0/UDP h;branch=z9hG4bKa\r\n",
        b"From: <sip:a@b>;tag=1\r\n",
        b"To: b <sip:b@c>\r\n",
        b"Call-ID: 1\r\n",
        b"CSeq: 1 INVITE\r\n",
        b"l: 3\r\n",
        b"m: *\r\n",
        b"\r\n",
        b"\n",
        b" ",
        b"\xff",
        b",",
        b'"',
    ]
)


@given(st.lists(PIECES | st.binary(max_size=4), max_size=24).map(b"".join))
def test_whatever_is_read_is_written_so_that_it_reads_the_same(data: bytes) -> None:
    try:
        message = parse(data)
    except MalformedMessage:
        return
    message.set("X-Changed", "yes")  # what nobody changed is written as it came
    assert told(parse(message.encode())) == told(message)


# --- session descriptions ---------------------------------------------------------------------------------------------

WORDS = st.text("abcdefghijklmnopqrstuvwxyzABC0123456789.-+_", min_size=1, max_size=10)
NETWORKS = st.sampled_from(["192.0.2.1", "2001:db8::1", "shop.example", "0.0.0.0"])
ATTRIBUTES = st.lists(st.tuples(NAMES, st.none() | VALUES.map(str.strip)), max_size=5).map(tuple)
MEDIA = st.builds(
    Media,
    st.sampled_from(["audio", "video", "image"]),
    st.integers(0, 65535),
    st.sampled_from(["RTP/AVP", "RTP/SAVP", "UDPTL"]),
    st.lists(WORDS, min_size=1, max_size=6).map(tuple),
    st.none() | NETWORKS,
    ATTRIBUTES,
)
DESCRIPTIONS = st.builds(
    SessionDescription,
    st.builds(Origin, WORDS, NUMBERS.map(str), NUMBERS.map(str), NETWORKS),
    st.none() | NETWORKS,
    st.lists(MEDIA, min_size=1, max_size=4).map(tuple),
    st.tuples(NUMBERS, NUMBERS).map("{0[0]} {0[1]}".format),
    VALUES.map(lambda text: text.strip() or "-"),
    ATTRIBUTES,
)


@given(DESCRIPTIONS)
def test_a_session_description_we_write_reads_back(description: SessionDescription) -> None:
    assert sdp.parse(description.encode()) == description


SDP_PIECES = st.sampled_from(
    [b"v=0", b"o=", b"s=", b"c=", b"t=", b"a=", b"m=", b"m=audio 4 RTP/AVP 8", b"IN IP4 ", b"h/1", b":", b"\r\n", b"\n"]
)


@example(b"m=audio 4 RTP/AVP 8\r\nc=")
@given(st.lists(SDP_PIECES | st.binary(max_size=4), max_size=20).map(b"".join))
def test_whatever_description_is_read_is_written_so_that_it_reads_the_same(data: bytes) -> None:
    try:
        description = sdp.parse(data)
    except MalformedDescription:
        return
    assert sdp.parse(description.encode()) == description


# --- digest -----------------------------------------------------------------------------------------------------------

CHALLENGES = st.builds(
    Challenge, TEXTS, TEXTS, st.just("MD5"), st.none() | st.just("auth"), st.booleans(), st.none() | TEXTS
)
CREDENTIALS = st.builds(
    Credentials,
    *(TEXTS, TEXTS, TEXTS, TEXTS, TEXTS),
    st.none() | TOKENS,
    st.none() | TEXTS,
    st.none() | TEXTS,
    st.none() | TOKENS,
    st.none() | TOKENS,
)


@given(CHALLENGES)
def test_a_challenge_we_write_reads_back(challenge: Challenge) -> None:
    assert Challenge.parse(challenge.header()) == challenge


@given(CREDENTIALS)
def test_credentials_we_write_read_back(credentials: Credentials) -> None:
    assert Credentials.parse(str(credentials)) == credentials


DIGEST_PIECES = st.sampled_from(
    [
        "Digest ",
        "username",
        "realm",
        "nonce",
        "uri",
        "response",
        "qop",
        "nc",
        "stale",
        "algorithm",
        "=",
        ",",
        " ",
        '"',
        "\\",
        "MD5",
    ]
)


@given(st.lists(DIGEST_PIECES | st.text(max_size=3), max_size=30).map("".join))
def test_whatever_digest_comes_is_read_or_refused(text: str) -> None:
    for read in (Challenge.parse, Credentials.parse):
        try:
            found = read(text)
        except BadSyntax:
            continue
        assert str(found)
