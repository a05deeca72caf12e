"""Who calls: what is believed of a request, and what a carrier is told by the policy of its trunk."""

import pytest

from minitelecom.calls.caller_id import MOST_DIVERSIONS, Said, said, towards_telephone, towards_trunk
from minitelecom.config import Numbers
from minitelecom.sip.headers import NameAddr
from minitelecom.sip.message import Request
from minitelecom.store.trunks import Trunk

OURS = "10.0.0.1"
SOFIA = "35921234567"
ANONYMOUS = '"Anonymous" <sip:anonymous@anonymous.invalid>'


def told(said_: Said, *, urgent: bool = False, **policy: object) -> list[str]:
    """From, and what is said besides, as a carrier reads it."""
    trunk = Trunk("carrier", "sip:sip.carrier.example:5080", "shop", "secret", **policy)
    caller = towards_trunk(said_, trunk, Numbers(), urgent=urgent)
    return [caller.from_(OURS), *(f"{name}: {value}" for name, value in caller.headers(OURS))]


POLICIES = {
    "as he is": ({}, False, [f"<sip:{SOFIA}@{OURS}>"]),
    "with +": ({"calling_format": "plus"}, False, [f"<sip:+{SOFIA}@{OURS}>"]),
    "as dialled at home": ({"calling_format": "national"}, False, [f"<sip:021234567@{OURS}>"]),
    "as dialled from abroad": ({"calling_format": "international"}, False, [f"<sip:00{SOFIA}@{OURS}>"]),
    "asserted": (
        {"asserts": True},
        False,
        [f"<sip:{SOFIA}@{OURS}>", f"P-Asserted-Identity: <sip:{SOFIA}@{OURS}>"],
    ),
    "hidden by himself": ({"asserts": True}, True, [ANONYMOUS, "Privacy: id"]),
    "hidden by himself, and asserted to whom we trust": (
        {"asserts": True, "trusted": True},
        True,
        [ANONYMOUS, f"P-Asserted-Identity: <sip:{SOFIA}@{OURS}>", "Privacy: id"],
    ),
    "trusted with what it did not ask for": ({"trusted": True}, True, [ANONYMOUS, "Privacy: id"]),
    "hidden by us": ({"caller_id": "hide", "asserts": True}, False, [ANONYMOUS, "Privacy: id"]),
    "our own number": ({"caller_id": "35929999999"}, False, [f"<sip:35929999999@{OURS}>"]),
    "our own number, which hides him": ({"caller_id": "35929999999"}, True, [f"<sip:35929999999@{OURS}>"]),
    "our account": ({"account_in_from": True}, False, ["<sip:shop@sip.carrier.example>"]),
    "our account, and he asserted": (
        {"account_in_from": True, "asserts": True, "calling_format": "plus"},
        False,
        ["<sip:shop@sip.carrier.example>", f"P-Asserted-Identity: <sip:+{SOFIA}@{OURS}>"],
    ),
    "our account, which must not be shown": (
        {"account_in_from": True, "asserts": True},
        True,
        ['"Anonymous" <sip:shop@sip.carrier.example>', "Privacy: id"],
    ),
}


@pytest.mark.parametrize("policy", POLICIES)
def test_the_policies_of_a_trunk(policy: str) -> None:
    data, private, expected = POLICIES[policy]
    assert told(Said(SOFIA, private), **data) == expected


def test_a_call_for_help_hides_nobody() -> None:
    assert told(Said(SOFIA, private=True), urgent=True, caller_id="hide") == [f"<sip:{SOFIA}@{OURS}>"]


@pytest.mark.parametrize("name", ["101", "cabin-1", "1234"])
def test_what_is_no_number_of_the_public_network_is_passed_as_it_is(name: str) -> None:
    assert told(Said(name), calling_format="plus") == [f"<sip:{name}@{OURS}>"]


def test_nobody_knows_who_calls() -> None:
    assert told(Said(None), asserts=True) == [f"<sip:anonymous@{OURS}>"]


DIVERTED = NameAddr.parse(f"<sip:{SOFIA}@10.0.0.11>;reason=unconditional;counter=1")
HIDING = NameAddr.parse("<sip:35928888888@10.0.0.12>;reason=no-answer;privacy=full")


def test_who_forwarded_a_call_is_told_where_the_trunk_wants_it() -> None:
    forwarded = Said("35927777777", diversions=(DIVERTED, HIDING))
    first = f"Diversion: <sip:+{SOFIA}@{OURS}>;reason=unconditional;counter=1"
    second = f"Diversion: <sip:+35928888888@{OURS}>;reason=no-answer;privacy=full"
    assert told(forwarded)[1:] == []
    assert told(forwarded, diversion=True, calling_format="plus")[1:] == [first]
    assert told(forwarded, diversion=True, calling_format="plus", trusted=True)[1:] == [first, second]


def test_a_telephone_sees_the_caller_unless_he_hides() -> None:
    assert towards_telephone(Said(SOFIA)).from_(OURS) == f"<sip:{SOFIA}@{OURS}>"
    hidden = towards_telephone(Said(SOFIA, private=True))
    assert (hidden.from_(OURS), hidden.headers(OURS)) == (ANONYMOUS, [])


def request(*lines: tuple[str, str], caller: str = "<sip:4420@10.0.0.99>") -> Request:
    return Request.create("INVITE", "sip:100@10.0.0.1", [("From", f"{caller};tag=1"), *lines])


ASSERTED = ("P-Asserted-Identity", '"Ann" <sip:+44207@10.0.0.99>, <tel:+44-207>')
DIVERSION = ("Diversion", f"{DIVERTED}, {HIDING}")


def test_what_is_asserted_is_believed_of_whom_we_trust() -> None:
    assert said(request(ASSERTED, DIVERSION), trusted=True) == Said("+44207", diversions=(DIVERTED, HIDING))
    assert said(request(ASSERTED, DIVERSION), trusted=False) == Said("4420")


def test_a_number_may_be_asserted_as_a_tel_uri() -> None:
    assert said(request(("P-Asserted-Identity", "<tel:+44207;ext=1>")), trusted=True).number == "+44207"


@pytest.mark.parametrize("value", ["nonsense", "<sip:", "<mailto:ann@example.org>", ""])
def test_an_assertion_that_says_nothing_leaves_the_from(value: str) -> None:
    assert said(request(("P-Asserted-Identity", value)), trusted=True) == Said("4420")


@pytest.mark.parametrize(
    ("value", "private"),
    [("id", True), ("header;critical", True), ("user; id", True), ("ID", True), ("none", False), ("history", False)],
)
def test_the_wish_to_be_hidden_is_everybodys(value: str, private: bool) -> None:
    for trusted in (True, False):
        assert said(request(("Privacy", value)), trusted=trusted).private is private


def test_an_anonymous_from_is_a_wish_to_be_hidden() -> None:
    anonymous = request(ASSERTED, caller='"Anonymous" <sip:anonymous@anonymous.invalid>')
    assert said(anonymous, trusted=True) == Said("+44207", private=True)
    assert said(anonymous, trusted=False) == Said("anonymous", private=True)


def test_nobody_tells_us_of_more_forwarding_than_there_can_be() -> None:
    lines = [("Diversion", f"<sip:{number}@10.0.0.99>") for number in range(50)]
    assert len(said(request(*lines), trusted=True).diversions) == MOST_DIVERSIONS
