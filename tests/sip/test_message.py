"""Messages: what comes in goes out, what was changed goes out changed and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minitelecom.sip.header_lines import LONGEST_LINE, MOST_LINES
from minitelecom.sip.headers import Via
from minitelecom.sip.message import MalformedMessage, Request, Response, parse
from minitelecom.sip.uri import Uri

BODY = b"v=0\r\no=cabin3 8000 0 IN IP4 192.168.1.20\r\n"
HT286 = (
    b"INVITE sip:0888123456@192.168.1.10 SIP/2.0\r\n"
    b"Via: SIP/2.0/UDP 192.168.1.20;branch=z9hG4bK1c5d2f8a77e01b2c\r\n"
    b'From:"Cabin 3"  <sip:cabin3@192.168.1.10>;tag=3a9c21f07b6de455\r\n'
    b"To:   <sip:0888123456@192.168.1.10>\r\n"
    b"Contact: <sip:cabin3@192.168.1.20>\r\n"
    b"Supported: replaces\r\n"
    b"Call-ID: 8c1e5d0f3b7a2946@192.168.1.20\r\n"
    b"CSeq: 4294967290 INVITE\r\n"
    b"User-Agent: Grandstream HT286 1.0.8.32\r\n"
    b"Record-Route: <sip:p1;lr>, <sip:p2;lr>\r\n"
    b"record-route: <sip:p3;lr>\r\n"
    b"X-Folded: one\r\n  two\r\n\tthree  \r\n"
    b"Allow: INVITE,ACK,CANCEL,BYE\r\n"
    b"Allow: INFO , OPTIONS\r\n"
    b"Expires:   30\r\n"
    b"Timestamp: 54\r\n"
    b"Content-Type: Application/SDP ; charset=utf-8\r\n"
    b"Content-Length:   %d\r\n\r\n" % len(BODY)
) + BODY

# No branch, no port, no From tag, compact names.
ATA186 = (
    b"REGISTER sip:192.168.1.10 SIP/2.0\r\n"
    b"v: SIP/2.0/UDP 192.168.1.21\r\n"
    b"f: <sip:8000@192.168.1.10;user=phone>\r\n"
    b"t: <sip:8000@192.168.1.10;user=phone>\r\n"
    b"i: 1234567@192.168.1.21\r\n"
    b"cseq: 1 REGISTER\r\n"
    b"m: *\r\n"
    b"l: 0\r\n\r\n"
)


def invite() -> Request:
    request = parse(HT286)
    assert isinstance(request, Request)
    return request


def test_attributes():
    request = invite()
    assert (request.method, request.raw_uri) == ("INVITE", "sip:0888123456@192.168.1.10")
    assert request.uri.user == "0888123456"
    assert request.via.branch == "z9hG4bK1c5d2f8a77e01b2c"
    assert (request.from_.display, request.from_.tag) == ("Cabin 3", "3a9c21f07b6de455")
    assert request.to.tag is None
    assert request.cseq.number == 4294967290
    assert request.call_id == "8c1e5d0f3b7a2946@192.168.1.20"
    assert [str(route) for route in request.record_routes] == ["<sip:p1;lr>", "<sip:p2;lr>", "<sip:p3;lr>"]
    assert request.routes == []
    assert str(request.contacts[0].uri) == "sip:cabin3@192.168.1.20"
    assert (request.max_forwards, request.expires, request.content_type) == (None, 30, "application/sdp")
    assert request.get("x-folded") == "one two three"
    assert request.get("nothing") is None
    assert request.get_all("Allow") == ["INVITE,ACK,CANCEL,BYE", "INFO , OPTIONS"]
    assert request.tokens("Allow") == ["INVITE", "ACK", "CANCEL", "BYE", "INFO", "OPTIONS"]
    assert request.body == BODY


def test_an_ata_of_2003():
    request = parse(ATA186)
    assert (request.via.branch, request.via.is_unique, request.from_.tag) == (None, False, None)
    assert request.contacts[0].is_star
    assert request.get("Call-ID") == request.get("I") == "1234567@192.168.1.21"
    assert request.encode() == ATA186


def test_untouched_it_goes_out_as_it_came():
    request = invite()
    _ = request.vias, request.from_, request.contacts
    assert request.encode() is HT286


def test_a_change_leaves_the_other_lines_as_they_came():
    request = invite()
    request.replace_via(request.via.with_parameters(received="203.0.113.5"))
    changed = b"Via: SIP/2.0/UDP 192.168.1.20;branch=z9hG4bK1c5d2f8a77e01b2c"
    assert request.encode() == HT286.replace(changed, changed + b";received=203.0.113.5")
    assert request.via.received == "203.0.113.5"
    assert request.encode() is request.encode()


def test_the_top_via_of_a_line_with_two():
    data = HT286.replace(b"Via: ", b'Via: SIP/2.0/UDP proxy;x="a,b" , ')
    request = parse(data)
    request.replace_via(request.via.with_parameters(rport="5"))
    assert [str(via) for via in request.vias] == [
        'SIP/2.0/UDP proxy;x="a,b";rport=5',
        "SIP/2.0/UDP 192.168.1.20;branch=z9hG4bK1c5d2f8a77e01b2c",
    ]


def test_one_hop_more():
    request = invite()
    request.push_via(Via("SIP/2.0", "UDP", "192.168.1.10", 5060, {"branch": "z9hG4bKours"}))
    assert [via.host for via in request.vias] == ["192.168.1.10", "192.168.1.20"]
    assert request.encode().split(b"\r\n")[1] == b"Via: SIP/2.0/UDP 192.168.1.10:5060;branch=z9hG4bKours"


def test_set_add_remove():
    request = invite()
    request.set("allow", "INVITE")
    assert request.get_all("Allow") == ["INVITE"]
    request.add("Route", "<sip:p9;lr>")
    assert [route.uri.host for route in request.routes] == ["p9"]
    request.remove("Route")
    request.remove("Route")
    assert request.routes == []
    request.set("m", "<sip:other@host>")
    assert request.contacts[0].uri.user == "other"
    assert len(request.headers) == len(list(request.headers))
    assert "contact" in request.headers


def test_a_value_cannot_bring_lines_of_its_own():
    request = invite()
    for value in ["a\r\nRoute: <sip:evil>", "a\nb", "a\rb"]:
        with pytest.raises(ValueError, match="header lines"):
            request.set("Subject", value)
        with pytest.raises(ValueError, match="header lines"):
            request.add("Subject", value)


def test_another_body_another_length():
    request = invite()
    request.set_body(b"Signal=5\r\n", "application/dtmf-relay")
    again = parse(request.encode())
    assert (again.body, again.content_type) == (b"Signal=5\r\n", "application/dtmf-relay")
    assert again.get_all("Content-Length") == ["10"]


def test_another_request_uri():
    request = invite()
    request.uri = Uri.parse("sip:next@hop")
    assert request.encode().startswith(b"INVITE sip:next@hop SIP/2.0\r\n")


def test_a_request_of_our_own():
    request = Request.create(
        "BYE",
        Uri.parse("sip:cabin3@192.168.1.20"),
        [
            ("Via", "SIP/2.0/UDP 192.168.1.10;branch=z9hG4bKa"),
            ("From", "<sip:a@b>;tag=1"),
            ("To", "<sip:c@d>;tag=2"),
            ("Call-ID", "x"),
            ("CSeq", "2 BYE"),
        ],
    )
    again = parse(request.encode())
    assert again.encode().endswith(b"Content-Length: 0\r\n\r\n")
    assert repr(again) == "<Request BYE sip:cabin3@192.168.1.20>"
    with_body = Request.create("INFO", "sip:a@b", [], b"x", "text/plain")
    assert (with_body.body, with_body.content_type) == (b"x", "text/plain")


def test_a_response_repeats_what_it_must():
    response = invite().response(
        180, to_tag="ours", headers=[("Contact", "<sip:shop>")], body=b"v=0\r\n", content_type="application/sdp"
    )
    assert response.encode() == (
        b"SIP/2.0 180 Ringing\r\n"
        b"Via: SIP/2.0/UDP 192.168.1.20;branch=z9hG4bK1c5d2f8a77e01b2c\r\n"
        b'From:"Cabin 3"  <sip:cabin3@192.168.1.10>;tag=3a9c21f07b6de455\r\n'
        b"To: <sip:0888123456@192.168.1.10>;tag=ours\r\n"
        b"Call-ID: 8c1e5d0f3b7a2946@192.168.1.20\r\n"
        b"CSeq: 4294967290 INVITE\r\n"
        b"Record-Route: <sip:p1;lr>, <sip:p2;lr>\r\n"
        b"record-route: <sip:p3;lr>\r\n"
        b"Contact: <sip:shop>\r\n"
        b"Content-Type: application/sdp\r\n"
        b"Content-Length: 5\r\n\r\nv=0\r\n"
    )


def test_trying_repeats_the_timestamp_and_a_failure_no_route():
    assert invite().response(100).get("Timestamp") == "54"
    failure = invite().response(486, to_tag="t")
    assert (failure.get("Timestamp"), failure.record_routes, failure.reason) == (None, [], "Busy Here")
    assert invite().response(486, "Not Now").reason == "Not Now"
    assert invite().response(499).reason == "Unknown"


def test_a_tag_the_caller_knows_stays():
    data = HT286.replace(b"To:   <sip:0888123456@192.168.1.10>", b"To: <sip:0888123456@192.168.1.10>;tag=theirs")
    assert parse(data).response(200, to_tag="ours").to.tag == "theirs"


def test_an_empty_tag_is_filled():
    data = HT286.replace(b"To:   <sip:0888123456@192.168.1.10>", b"To: sip:0888123456@192.168.1.10;tag=")
    response = parse(data).response(200, to_tag="ours")
    assert response.to.tag == "ours"
    assert response.get("To") == "<sip:0888123456@192.168.1.10>;tag=ours"


def test_responses():
    response = parse(b"SIP/2.0 486 Busy Here\r\n" + HT286.partition(b"\r\n")[2])
    assert isinstance(response, Response)
    assert (response.status, response.reason) == (486, "Busy Here")
    assert repr(response) == "<Response 486 Busy Here>"


@pytest.mark.parametrize(
    "line", [b"SIP/2.0 099 x", b"SIP/2.0 700 x", b"SIP/2.0 20 x", b"SIP/3.0 200 OK", b"hello", b""]
)
def test_a_line_that_begins_nothing_is_met_with_silence(line: bytes):
    with pytest.raises(MalformedMessage) as caught:
        parse(line + b"\r\n" + HT286.partition(b"\r\n")[2])
    assert caught.value.request is None


@pytest.mark.parametrize("missing", [b"From", b"To", b"Call-ID", b"CSeq"])
def test_a_request_without_something_is_told_so(missing: bytes):
    with pytest.raises(MalformedMessage) as caught:
        parse(HT286.replace(b"\r\n" + missing + b":", b"\r\nX-Other:"))
    assert str(caught.value) == f"400 Missing {missing.decode().title()}"
    assert caught.value.request.response(400, to_tag="ours").encode()


def test_a_request_without_via_is_met_with_silence():
    with pytest.raises(MalformedMessage) as caught:
        parse(HT286.replace(b"Via:", b"X-Via:"))
    assert caught.value.request is None


def test_a_malformed_ack_is_met_with_silence():
    with pytest.raises(MalformedMessage) as caught:
        parse(HT286.replace(b"INVITE sip", b"ACK sip"))
    assert caught.value.request is None


@pytest.mark.parametrize(
    "line",
    [
        b"Contact: *, <sip:a@b>",
        b"Contact: <sip:a",
        b"Route: x",
        b"Record-Route: <>",
        b"no colon",
        b": x",
        b"a b: c",
        b"CSeq: 2 BYE",
    ],
)
def test_a_broken_header_is_found_at_once(line: bytes):
    with pytest.raises(MalformedMessage) as caught:
        parse(HT286.replace(b"Expires", line + b"\r\nExpires"))
    assert caught.value.status == 400
    assert caught.value.request.response(400).encode()


def test_one_header_past_the_most():
    lines = HT286.partition(b"\r\n\r\n")[0].count(b"\r\n") - 2  # two lines are folded ones
    full = HT286.replace(b"Expires", b"X: y\r\n" * (MOST_LINES - lines) + b"Expires")
    assert len(parse(full).headers) == MOST_LINES
    with pytest.raises(MalformedMessage) as caught:
        parse(full.replace(b"Expires", b"X: y\r\nExpires"))
    assert caught.value.status == 513


def test_a_long_line_that_is_no_header_and_nothing_else():
    with pytest.raises(MalformedMessage) as caught:
        parse(b"INVITE sip:a@b SIP/2.0\r\n" + b"y" * (LONGEST_LINE + 1))
    assert (caught.value.status, caught.value.request) == (400, None)


def test_one_character_past_the_longest_header():
    assert parse(HT286.replace(b"Expires", b"X:" + b"y" * (LONGEST_LINE - 2) + b"\r\nExpires"))
    with pytest.raises(MalformedMessage) as caught:
        parse(HT286.replace(b"Expires", b"X:" + b"y" * (LONGEST_LINE - 1) + b"\r\nExpires"))
    assert caught.value.status == 513


TOKENS = st.text("abcdefghijklmnopqrstuvwxyzABC0123456789-.!%*_+`'~", min_size=1, max_size=12)
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=20).map(lambda text: text.strip(" "))


@given(
    TOKENS,
    st.lists(st.tuples(TOKENS.map("X-".__add__), TEXTS), max_size=6),
    st.binary(max_size=60),
    st.integers(0, 2**32 - 1),
)
def test_whatever_request_we_write_reads_back(method: str, headers: list[tuple[str, str]], body: bytes, number: int):
    request = Request.create(
        method,
        "sip:a@b",
        [
            ("Via", "SIP/2.0/UDP h;branch=z9hG4bKq"),
            ("From", "<sip:a@b>;tag=1"),
            ("To", "<sip:c@d>"),
            ("Call-ID", "x"),
            ("CSeq", f"{number} {method}"),
            *headers,
        ],
        body,
    )
    again = parse(request.encode())
    assert isinstance(again, Request)
    assert (again.method, again.cseq, again.body) == (method, request.cseq, body)
    assert list(again.headers) == list(request.headers)
    assert again.encode() == request.encode()
