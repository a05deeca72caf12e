"""Where a 3xx sends its caller: RFC 3261 8.1.3.4, and what nobody is sent to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minitelecom.sip.message import Request
from minitelecom.sip.redirection import MOST_CONTACTS, contacts

INVITE = Request.create("INVITE", "sip:a@b", [("To", "<sip:a@b>"), ("CSeq", "1 INVITE"), ("Call-ID", "c")])


def named(status: int, *values: str) -> list[str]:
    response = INVITE.response(status, headers=[("Contact", value) for value in values])
    return [str(uri) for uri in contacts(response)]


def test_the_best_comes_first_and_of_equal_ones_the_first_written():
    assert named(302, "<sip:c@x>;q=0.2, <sip:d@x>", "<sip:e@x>;q=0.7", "<sip:f@x>;q=1.0") == [
        "sip:d@x",
        "sip:f@x",
        "sip:e@x",
        "sip:c@x",
    ]


@pytest.mark.parametrize("status", [200, 303, 305, 380, 404, 486])
def test_other_answers_send_nobody_elsewhere(status: int):
    assert named(status, "<sip:c@x>") == []


@pytest.mark.parametrize(
    "contact",
    ["*", "<tel:+359888123456>", "<mailto:c@x>", "<sip:c@x?Replaces=1>", "<sip:c@x?Route=%3Csip:y%3E>"],
)
def test_who_is_not_followed(contact: str):
    assert named(302, contact) == []


def test_a_call_that_is_to_be_safe_all_the_way_is_not_led_where_it_is_not():
    response = INVITE.response(302, headers=[("Contact", "<sip:c@x>, <sips:d@x>;q=0.5")])
    assert [str(uri) for uri in contacts(response)] == ["sip:c@x", "sips:d@x"]
    assert [str(uri) for uri in contacts(response, secured=True)] == ["sips:d@x"]


@given(st.lists(st.tuples(st.sampled_from("abcdefgh"), st.integers(0, 10))))
def test_each_once_in_order_and_not_too_many(given_: list[tuple[str, int]]):
    found = named(300, *(f"<sip:{user}@x>;q={q / 10}" for user, q in given_))
    assert len(found) == len(set(found)) == min(MOST_CONTACTS, len({user for user, _ in given_}))
    best = {f"sip:{user}@x": max(q for other, q in given_ if other == user) for user, _ in given_}
    assert [best[uri] for uri in found] == sorted((best[uri] for uri in found), reverse=True)
