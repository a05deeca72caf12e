"""Whatever comes over the wire is a message, or MalformedMessage and nothing else."""

import contextlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minitelecom.sip import digest
from minitelecom.sip.checks import is_astray, onward_hops, refusal
from minitelecom.sip.framing import is_keepalive
from minitelecom.sip.grammar import BadSyntax
from minitelecom.sip.message import MalformedMessage, Request, Response, parse

pytestmark = pytest.mark.torture

TORTURE = [path.read_bytes() for path in sorted(Path(__file__).parent.glob("data*/*.dat"))]
SPICES = [
    b"\r\n",
    b"\r",
    b"\n",
    b"\r\n ",
    b'"',
    b"<",
    b">",
    b",",
    b";",
    b":",
    b"\\",
    b"%",
    b"%00",
    b"=",
    b"@",
    b"\0",
    b"\xff",
]
SPICES += [b"*", b"[", b"]", b"?", b" ", b"\t", b"SIP/2.0", b"INVITE ", b"Via: ", b"v:", b"tag=", b"99999999999", b"-1"]


def use(data: bytes) -> None:
    """Everything that the layers above do with a datagram before they know its meaning."""
    is_keepalive(data)
    try:
        message = parse(data)
    except MalformedMessage as malformed:
        if malformed.request is not None:
            malformed.request.response(malformed.status, malformed.reason, to_tag="ours").encode()
        return
    assert message.encode() == data
    for via in [message.via, *message.vias]:
        _ = via.branch, via.received, via.rport, via.sent_by, via.is_unique, via.wants_rport
    for address in [message.from_, message.to, *message.contacts, *message.routes, *message.record_routes]:
        _ = str(address), address.tag, address.q, address.uri.user, address.uri.parameters, address.uri.headers
        assert address.uri.equivalent(address.uri)
    _ = message.cseq, message.call_id, message.max_forwards, message.expires, message.content_type
    for name in ("Authorization", "WWW-Authenticate"):
        for kind in (digest.Credentials, digest.Challenge):
            with contextlib.suppress(BadSyntax):
                kind.parse(message.get(name) or "")
    if isinstance(message, Response):
        is_astray(message)
        return
    refusal(message, ["INVITE", "REGISTER", "OPTIONS"])
    onward_hops(message)
    answer(message)


def answer(request: Request) -> None:
    """What we wrote ourselves, from whatever we were given, reads again."""
    request.replace_via(request.via.with_parameters(received="192.0.2.9", rport="40000"))
    response = parse(request.response(200, to_tag="ours").encode())
    assert isinstance(response, Response)
    assert response.via.rport == 40000
    assert response.to.tag is not None
    again = parse(request.encode())
    assert (again.call_id, again.cseq, again.from_, again.body) == (
        request.call_id,
        request.cseq,
        request.from_,
        request.body,
    )


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    data = bytearray(draw(st.sampled_from(TORTURE)))
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, len(data)))
        length = draw(st.integers(0, 12))
        data[place : place + length] = draw(st.one_of(st.sampled_from(SPICES), st.binary(max_size=6)))
    return bytes(data)


@pytest.mark.parametrize("data", TORTURE)
def test_torture(data: bytes):
    use(data)


@given(mutated())
@settings(max_examples=600, deadline=None)
def test_mutated_torture(data: bytes):
    use(data)


@given(st.binary(max_size=400))
@settings(max_examples=200, deadline=None)
def test_random_bytes(data: bytes):
    use(data)


@given(
    st.lists(
        st.sampled_from([*SPICES, b"a", b"1", b"sip:a@b", b"From: <sip:a@b>;tag=1", b"CSeq: 1 INVITE"]), max_size=60
    )
)
@settings(max_examples=300, deadline=None)
def test_random_grammar(pieces: list[bytes]):
    use(b"INVITE sip:a@b SIP/2.0\r\n" + b"".join(pieces))
    use(b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP a\r\nTo: sip:a@b\r\n" + b"".join(pieces))


@pytest.mark.parametrize("data", TORTURE)
def test_every_beginning_of_every_message(data: bytes):
    """A datagram cut short anywhere."""
    for length in range(0, len(data), 3):
        use(data[:length])
