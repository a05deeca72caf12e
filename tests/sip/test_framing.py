"""Where a message begins and ends in a datagram, and what is none."""

import pytest

from minitelecom.sip.framing import LARGEST_MESSAGE, is_keepalive
from minitelecom.sip.message import MalformedMessage, parse

HEAD = b"\r\n".join(
    [
        b"OPTIONS sip:shop SIP/2.0",
        b"Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKx",
        b"From: <sip:a@b>;tag=1",
        b"To: <sip:shop>",
        b"Call-ID: 1@b",
        b"CSeq: 1 OPTIONS",
    ]
)


def message(*lines: bytes, body: bytes = b"") -> bytes:
    return b"\r\n".join([HEAD, *lines, b"", b""]) + body


@pytest.mark.parametrize("data", [b"", b"\0", b"a", b"\r\n", b"\r\n\r\n", b"\0\0\0\0", b" "])
def test_keepalives_of_old_telephones(data: bytes):
    assert is_keepalive(data)
    with pytest.raises(MalformedMessage) as caught:
        parse(data)
    assert caught.value.request is None


def test_a_message_is_no_keepalive():
    assert not is_keepalive(message())


def test_line_ends_before_the_message_are_skipped():
    assert parse(b"\r\n\r\n" + message()).call_id == "1@b"


def test_without_content_length_the_body_is_what_came():
    assert parse(message(body=b"v=0\r\n")).body == b"v=0\r\n"


def test_content_length_cuts():
    assert parse(message(b"Content-Length:   3", body=b"v=0\r\n")).body == b"v=0"


@pytest.mark.parametrize(("length", "body"), [(b"6", b"v=0\r\n"), (b"7", b"v=0\r\n")])
def test_a_count_one_or_two_too_many_is_forgiven(length: bytes, body: bytes):
    """Seen in the field: a telephone counts a line end that it doesn't send."""
    request = parse(message(b"Content-Length: " + length, body=body))
    assert request.body == body
    request.set("X", "y")
    assert b"Content-Length: 5\r\n" in request.encode()


@pytest.mark.parametrize("length", [b"8", b"-1", b"", b"five", b"99999999999999999999", b"5 5", b"\xd9\xa5"])
def test_a_count_that_cannot_be_is_refused(length: bytes):
    with pytest.raises(MalformedMessage) as caught:
        parse(message(b"Content-Length: " + length, body=b"v=0\r\n"))
    assert caught.value.status == 400
    assert caught.value.request is not None


def test_a_message_that_was_cut_off():
    with pytest.raises(MalformedMessage):
        parse(HEAD[:100])
    assert parse(HEAD).body == b""


def test_lines_that_end_in_lf_alone():
    data = message(b"Subject: a", body=b"v=0\r\n").replace(b"\r\n", b"\n")
    request = parse(data)
    assert request.get("Subject") == "a"
    assert request.body == b"v=0\n"
    assert request.encode() == data


def test_a_cr_alone_hides_nothing():
    with pytest.raises(MalformedMessage):
        parse(message(b"Subject: a\rRoute: <sip:evil>"))


def test_one_byte_past_the_largest_message():
    head = message(b"Content-Length: %d" % 60000)
    assert len(parse(head + b"x" * 60000).body) == 60000
    with pytest.raises(MalformedMessage) as caught:
        parse(head + b"x" * (LARGEST_MESSAGE + 1 - len(head)))
    assert (caught.value.status, caught.value.request) == (513, None)
