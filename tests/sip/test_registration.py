"""Registration as the telephones of a shop do it: RFC 3261 section 10.3."""

from datetime import UTC, datetime, timedelta

import pytest

from minitelecom.sip.hop import Hop
from minitelecom.sip.message import Request
from minitelecom.sip.registration import Binding, Limits, Outcome, register

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ROUTER = Hop("udp", "203.0.113.5", 40000)
LIMITS = Limits(default_seconds=3600, shortest_seconds=60, longest_seconds=7200, most_bindings=3)


def ask(
    *contacts: str, expires: str | None = None, call_id: str = "c1", cseq: int = 1, agent: str = "Grandstream HT286"
) -> Request:
    headers = [
        ("Via", "SIP/2.0/UDP 192.168.0.160;branch=z9hG4bK1"),
        ("From", "<sip:201@shop>;tag=1"),
        ("To", "<sip:201@shop>"),
        ("Call-ID", call_id),
        ("CSeq", f"{cseq} REGISTER"),
        ("User-Agent", agent),
        *(("Contact", contact) for contact in contacts),
    ]
    if expires is not None:
        headers.append(("Expires", expires))
    return Request.create("REGISTER", "sip:shop", headers)


def binding(contact: str = "sip:201@192.168.0.160", seconds: int = 1000, call_id: str = "c0", cseq: int = 1) -> Binding:
    return Binding(contact, ROUTER, call_id, cseq, NOON + timedelta(seconds=seconds), "old", 1.0)


def register_at_noon(request: Request, *bindings: Binding) -> Outcome:
    return register(request, bindings, NOON, LIMITS, ROUTER)


def test_a_telephone_behind_a_router_registers():
    outcome = register_at_noon(ask("<sip:201@192.168.0.160>", expires="1800"))
    assert outcome.bindings == [
        Binding("sip:201@192.168.0.160", ROUTER, "c1", 1, NOON + timedelta(seconds=1800), "Grandstream HT286", 1.0)
    ]
    assert (outcome.status, outcome.changed, outcome.granted) == (200, True, 1800)
    assert outcome.response.get_all("Contact") == ["<sip:201@192.168.0.160>;expires=1800"]
    assert outcome.response.expires == 1800


@pytest.mark.parametrize(
    ("contact", "header", "granted"),
    [
        ("<sip:201@a>", None, 3600),  # the default
        ("<sip:201@a>", "120", 120),
        ("<sip:201@a>;expires=90", "120", 90),  # its own before the header's
        ("sip:201@a;expires=90", None, 90),
        ("<sip:201@a>", "   300", 300),
        ("<sip:201@a>", "99999", 7200),  # shortened
        ("<sip:201@a>", "4294967295", 7200),
        ("<sip:201@a>", "soon", 3600),
        ("<sip:201@a>;expires=soon", "120", 3600),
        ('<sip:201@a>;expires="Sun, 01 Mar 2026 12:10:00 GMT"', None, 600),  # RFC 2543
        ("<sip:201@a>", "Sun, 01 Mar 2026 12:20:00 GMT", 1200),
        ("<sip:201@a>", "0", 0),
    ],
)
def test_how_long_a_binding_lasts(contact, header, granted):
    assert register_at_noon(ask(contact, expires=header)).granted == granted


def test_too_short_is_423_and_says_how_short_may_be():
    outcome = register_at_noon(ask("<sip:201@a>", "<sip:202@a>;expires=30"), binding())
    assert (outcome.status, outcome.response.get("Min-Expires"), outcome.bindings) == (423, "60", [binding()])
    assert (outcome.changed, outcome.granted) == (False, None)


def test_a_question_lists_what_there_is():
    outcome = register_at_noon(ask(), binding(seconds=500), binding("sip:x@b", 70))
    assert outcome.response.get_all("Contact") == ["<sip:201@192.168.0.160>;expires=500", "<sip:x@b>;expires=70"]
    assert (outcome.changed, outcome.granted) == (False, None)


def test_what_has_expired_is_gone():
    outcome = register_at_noon(ask(), binding(seconds=0), binding("sip:x@b", 70))
    assert (outcome.bindings, outcome.changed) == ([binding("sip:x@b", 70)], True)


def test_several_contacts_and_their_preference():
    outcome = register_at_noon(ask("<sip:a@a>;q=0.7, <sip:b@b>;expires=100"))
    assert outcome.response.get_all("Contact") == ["<sip:a@a>;q=0.7;expires=3600", "<sip:b@b>;expires=100"]


def test_a_refresh_replaces_the_equivalent_contact():
    outcome = register_at_noon(ask("<sip:201@192.168.0.160;user=phone>", cseq=2), binding("sip:201@192.168.0.160", 5))
    assert len(outcome.bindings) == 2  # user=phone makes another URI (19.1.4)
    outcome = register_at_noon(ask("<sip:201@HOST>", cseq=2), binding("sip:201@host", 5))
    assert [one.contact for one in outcome.bindings] == ["sip:201@HOST"]


def test_a_contact_is_removed_by_0():
    outcome = register_at_noon(ask("<sip:201@192.168.0.160>;expires=0"), binding(), binding("sip:x@b"))
    assert (outcome.bindings, outcome.granted) == ([binding("sip:x@b")], 0)


def test_a_star_removes_all():
    outcome = register_at_noon(ask("*", expires="0"), binding(), binding("sip:x@b"))
    assert (outcome.status, outcome.bindings, outcome.changed, outcome.granted) == (200, [], True, 0)
    assert outcome.response.get_all("Contact") == []


@pytest.mark.parametrize("expires", [None, "60", "soon"])
def test_a_star_without_0_is_400(expires):
    assert register_at_noon(ask("*", expires=expires), binding()).status == 400


@pytest.mark.parametrize("contacts", [("<sip:201@192.168.0.160>",), ("*",), ("<sip:new@a>, <sip:201@192.168.0.160>",)])
@pytest.mark.parametrize("cseq", [4, 5])
def test_a_request_that_comes_late_changes_nothing(contacts, cseq):
    old = binding(call_id="c1", cseq=5)
    outcome = register_at_noon(ask(*contacts, expires="0" if contacts == ("*",) else None, cseq=cseq), old)
    assert (outcome.status, outcome.bindings, outcome.changed) == (500, [old], False)


def test_after_a_restart_another_call_id_begins_at_1_again():
    outcome = register_at_noon(ask("<sip:201@192.168.0.160>", call_id="new", cseq=1), binding(call_id="c1", cseq=500))
    assert (outcome.status, outcome.bindings[0].cseq) == (200, 1)


def test_beyond_the_limit_the_first_to_expire_goes():
    old = [binding(f"sip:201@192.168.0.{number}", 100 + number) for number in range(3)]
    outcome = register_at_noon(ask("<sip:201@192.168.0.99>"), *old)
    assert [one.contact for one in outcome.bindings] == [
        "sip:201@192.168.0.1",
        "sip:201@192.168.0.2",
        "sip:201@192.168.0.99",
    ]


def test_more_contacts_than_may_be_are_403():
    assert register_at_noon(ask(*(f"<sip:{number}@a>" for number in range(4)))).status == 403


@pytest.mark.parametrize("contact", ["<tel:+35921234567>", f"<sip:{'a' * 300}@b>"])
def test_where_nobody_can_be_called_is_400(contact):
    assert register_at_noon(ask(contact)).status == 400
