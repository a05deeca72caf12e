"""Where a message begins and ends in a datagram and in a stream, and what is none."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minitelecom.sip.framing import (
    LARGEST_MESSAGE,
    LONGEST_HEAD,
    Broken,
    Framed,
    Keepalive,
    StreamFramer,
    is_keepalive,
)
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


# Streams.


def framed(*pieces: bytes) -> list[Framed]:
    framer = StreamFramer()
    return [one for piece in pieces for one in framer.feed(piece)]


def whole(body: bytes = b"", length: int | None = None) -> bytes:
    return message(b"Content-Length: %d" % (len(body) if length is None else length), body=body)


def test_messages_of_a_stream_are_cut_by_their_content_length():
    first, second = whole(b"\r\n\r\nOPTIONS"), whole()
    assert framed(first + second + first[:-1]) == [first, second]
    assert framed(message(b"l : 2", body=b"ab"), message(b"Content-Length:\r\n 2", body=b"cd")) == [
        message(b"l : 2", body=b"ab"),
        message(b"Content-Length:\r\n 2", body=b"cd"),
    ]


def test_line_ends_between_messages_are_pings_and_pongs():
    assert framed(b"\r\n\r\n") == [Keepalive.PING]
    assert framed(b"\r\n", whole(), b"\r\n", whole()) == [whole(), whole()]
    assert framed(b"\r", b"\n", b"\r", b"\n", b"\r\n\r\n") == [Keepalive.PING, Keepalive.PING]
    framer = StreamFramer()
    framer.expect_pong()
    assert framer.feed(b"\r\n\r\n") == [Keepalive.PONG]
    assert framer.feed(b"\r\n") == [Keepalive.PING]
    assert not framer.within


@pytest.mark.parametrize(
    ("data", "status", "reason"),
    [
        (message(), 400, "Missing Content-Length"),
        (message(b"Content-Length: -1"), 400, "Bad Content-Length"),
        (message(b"Content-Length: 1", b"l: 1", body=b"x"), 400, "Bad Content-Length"),
        (message(b"Content-Length: 1, 1", body=b"x"), 400, "Bad Content-Length"),
        (whole(length=LARGEST_MESSAGE), 513, "Message Too Large"),
        (message(b"X: " + b"x" * LONGEST_HEAD, b"l: 0"), 513, "Message Too Large"),
        (b"\x16\x03\x01", 400, "Bad Start-Line"),
        (b"\n\n", 400, "Bad Start-Line"),
    ],
)
def test_a_stream_that_cannot_be_followed(data: bytes, status: int, reason: str):
    (broken,) = framed(data, whole())
    assert isinstance(broken, Broken)
    assert (broken.status, broken.reason) == (status, reason)
    assert broken.head == b"" or broken.head.startswith(HEAD)


STREAM_PIECES = st.lists(
    st.sampled_from(
        [
            *(whole(), whole(b"\r\n\r\n"), whole(b"x" * 3000), b"\r\n", b"\r\n\r\n", b"\r", HEAD, b"\n", b"x"),
            *(message(b"L: 1", body=b"y"), message(b"l: 1", b"l: 2"), b"y" * LONGEST_HEAD, whole(length=70000)),
        ]
    ),
    max_size=8,
)


@given(STREAM_PIECES, st.data())
def test_however_a_stream_is_cut_the_same_comes_out(pieces: list[bytes], data: st.DataObject):
    stream = b"".join(pieces)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=20)))
    parts = [stream[begin:end] for begin, end in itertools.pairwise([0, *cuts, len(stream)])]
    assert framed(*parts) == framed(stream)
    if len(stream) < 5000:
        assert framed(*(stream[place : place + 1] for place in range(len(stream)))) == framed(stream)


@given(st.lists(st.binary(max_size=200), max_size=20))
def test_any_bytes_in_no_exception_out(pieces: list[bytes]):
    for one in framed(*pieces):
        assert isinstance(one, bytes | Keepalive | Broken)
