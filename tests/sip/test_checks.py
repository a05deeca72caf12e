"""The inspection of a request before its meaning (RFC 3261 section 8.2)."""

import pytest

from minitelecom.sip.checks import Refusal, is_astray, onward_hops, refusal
from minitelecom.sip.message import Request, parse

METHODS = ["INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "REGISTER", "INFO"]
ALLOW = (("Allow", "ACK, BYE, CANCEL, INFO, INVITE, OPTIONS, REGISTER"),)


def request(
    method: str, *headers: tuple[str, str], uri: str = "sip:100@shop", to: str = "<sip:100@shop>", body: bytes = b""
) -> Request:
    return Request.create(
        method,
        uri,
        [
            ("Via", "SIP/2.0/UDP h;branch=z9hG4bKq"),
            ("From", "<sip:a@b>;tag=1"),
            ("To", to),
            ("Call-ID", "x"),
            ("CSeq", f"1 {method}"),
            *headers,
        ],
        body,
    )


@pytest.mark.parametrize("method", METHODS)
def test_what_we_serve(method: str):
    assert refusal(request(method), METHODS) is None


def test_a_method_we_know_of_and_don_t_serve():
    assert refusal(request("PUBLISH"), METHODS) == Refusal(405, "Method Not Allowed", ALLOW)


def test_a_word_that_is_no_method():
    assert refusal(request("SHOUT"), METHODS) == Refusal(501, "Not Implemented", ALLOW)


def test_an_ack_is_never_refused():
    assert refusal(request("ACK", ("Require", "magic"), uri="tel:1"), []) is None


@pytest.mark.parametrize("uri", ["tel:+359888123456", "http://shop", "isbn:1"])
def test_a_scheme_we_do_not_route(uri: str):
    assert refusal(request("INVITE", uri=uri), METHODS) == Refusal(416, "Unsupported URI Scheme")


def test_an_address_of_record_is_a_sip_uri():
    refused = refusal(request("REGISTER", to="<tel:1>"), METHODS)
    assert refused is not None
    assert refused.status == 400
    assert refusal(request("INVITE", to="<tel:1>"), METHODS) is None


def test_extensions():
    asked = request("INVITE", ("Require", "timer, 100rel"), ("Require", "replaces"))
    assert refusal(asked, METHODS, extensions=["timer"]) == Refusal(
        420, "Bad Extension", (("Unsupported", "100rel, replaces"),)
    )
    assert refusal(asked, METHODS, extensions=["timer", "100rel", "replaces"]) is None
    assert refusal(request("CANCEL", ("Require", "magic")), METHODS) is None
    assert refusal(request("INVITE", ("Proxy-Require", "magic")), METHODS) is None


def test_only_an_invite_takes_the_place_of_a_dialog():
    replaces = ("Replaces", "a;to-tag=b;from-tag=c")
    assert refusal(request("INVITE", replaces), METHODS) is None
    assert refusal(request("BYE", replaces), METHODS) == Refusal(400, "Replaces Is for INVITE")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ([("Content-Type", "application/sdp")], None),
        ([("c", "Application / SDP;x=y")], None),
        ([("Content-Type", "application/isup")], 415),
        ([("Content-Type", "application/isup"), ("Content-Disposition", "signal; handling=optional")], None),
        ([], 415),
        ([("Content-Type", "application/sdp"), ("Content-Encoding", "gzip")], 415),
        ([("Content-Type", "application/sdp"), ("e", "identity")], None),
    ],
)
def test_bodies_of_an_invite(headers: list[tuple[str, str]], status: int | None):
    refused = refusal(request("INVITE", *headers, body=b"v=0"), METHODS)
    assert (refused and refused.status) == status


def test_a_body_elsewhere_is_for_the_method_to_judge():
    assert refusal(request("INFO", ("Content-Type", "application/dtmf-relay"), body=b"Signal=5"), METHODS) is None


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("application/sdp", None),
        ("text/html, */*;q=0.1", None),
        ("application/*", None),
        ("text/plain", 406),
        ("", 406),
    ],
)
def test_what_an_invite_accepts(accept: str, status: int | None):
    refused = refusal(request("INVITE", ("Accept", accept)), METHODS)
    assert (refused and refused.status) == status
    assert refusal(request("OPTIONS", ("Accept", accept)), METHODS) is None


@pytest.mark.parametrize(("header", "hops"), [("70", 69), ("1", 0), ("0", None), ("300", 70), ("x", 70)])
def test_hops_left_for_the_other_leg(header: str, hops: int | None):
    assert onward_hops(request("INVITE", ("Max-Forwards", header))) == hops


def test_an_old_telephone_counts_no_hops():
    assert onward_hops(request("INVITE")) == 70


def test_a_response_for_somebody_else():
    response = request("INVITE").response(200)
    assert not is_astray(response)
    response.push_via(response.via)
    assert is_astray(parse(response.encode()))  # type: ignore[arg-type]
