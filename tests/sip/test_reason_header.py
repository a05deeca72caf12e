"""RFC 3326: what is read, and what is passed on."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minitelecom.sip.message import Request
from minitelecom.sip.reason_header import LONGEST_TEXT, MOST_REASONS, Reason, passed_on, reasons, told


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ('SIP ;cause=200 ;text="Call completed elsewhere"', [Reason("SIP", 200, "Call completed elsewhere")]),
        ('Q.850 ;cause=16 ;text="Terminated"', [Reason("Q.850", 16, "Terminated")]),
        ('SIP;cause=600;text="Busy, everywhere",Q.850;cause=17', [Reason("SIP", 600, "Busy, everywhere"), Reason("Q.850", 17)]),
        ("Q.850;Cause=16", [Reason("Q.850", 16)]),
        ("SIP", []),
        ("SIP;cause=many", []),
        ("SIP;cause=1000", []),
        (";cause=16", []),
        ("", []),
    ],
)  # fmt: skip
def test_reading(value, read):
    assert reasons([value]) == read


def test_what_is_passed_on_is_of_our_own_writing_and_has_an_end():
    assert passed_on(['q.850 ; cause = 16 ; text = "a\\"b" ;x=y']) == 'q.850;cause=16;text="a\\"b"'
    long = passed_on([f'SIP;cause=200;text="{"x" * 500}"'] * 10)
    assert long.count("SIP") == MOST_REASONS
    assert "x" * (LONGEST_TEXT + 1) not in long


def test_of_a_message():
    lines = [("Reason", "SIP;cause=200"), ("Reason", "Q.850;cause=16")]
    assert told(Request.create("BYE", "sip:a@b", lines)) == "SIP;cause=200, Q.850;cause=16"
    assert told(Request.create("BYE", "sip:a@b", [])) == ""


@given(st.text(max_size=200))
def test_anything_is_read_or_left_alone_and_what_is_passed_on_reads_the_same(text):
    once = passed_on([text.replace("\n", " ").replace("\r", " ")])
    assert passed_on([once]) == once
    assert not any(character in once for character in "\r\n\0")
