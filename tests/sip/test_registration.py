"""Registration as the telephones of a shop do it: RFC 3261 section 10.3."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from minitelecom.sip.hop import Hop
from minitelecom.sip.message import Request
from minitelecom.sip.registration import Binding, Limits, Outcome, register, ringing
from minitelecom.sip.uri import Uri

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
    return Binding(contact, ROUTER, call_id, cseq, NOON + timedelta(seconds=seconds), "old", 1000)


def register_at_noon(request: Request, *bindings: Binding) -> Outcome:
    return register(request, bindings, NOON, LIMITS, ROUTER)


def test_a_telephone_behind_a_router_registers():
    outcome = register_at_noon(ask("<sip:201@192.168.0.160>", expires="1800"))
    assert outcome.bindings == [
        Binding("sip:201@192.168.0.160", ROUTER, "c1", 1, NOON + timedelta(seconds=1800), "Grandstream HT286", since=1)
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


# --- by which way, and which telephone (RFC 3327, RFC 5626) ------------------------------------------------------------

PATH = "<sip:edge.shop;lr;received=sip:203.0.113.9:4242>"
INSTANCE = '+sip.instance="<urn:uuid:00000000-0000-1000-8000-000B82123456>"'


def with_headers(request: Request, *headers: tuple[str, str]) -> Request:
    for name, value in headers:
        request.headers.add(name, value)
    return request


@pytest.mark.parametrize("lines", [("<sip:p1;lr>", PATH), (f"<sip:p1;lr> , {PATH}",)])
def test_a_path_is_kept_as_it_came(lines):
    outcome = register_at_noon(with_headers(ask("<sip:201@a>"), *(("Path", line) for line in lines)))
    assert outcome.bindings[0].path == ("<sip:p1;lr>", PATH)


@pytest.mark.parametrize(
    ("supported", "told"), [("path", [PATH]), ("replaces, path, timer", [PATH]), ("timer", []), (None, [])]
)
def test_a_path_is_told_to_whoever_knows_the_word(supported, told):
    """It is kept either way: the telephones of 2003 stand behind proxies, too."""
    headers = [("Path", PATH)] + ([("Supported", supported)] if supported else [])
    outcome = register_at_noon(with_headers(ask("<sip:201@a>"), *headers))
    assert (outcome.status, outcome.response.get_all("Path")) == (200, told)
    assert outcome.bindings[0].path == (PATH,)


def test_a_refresh_by_another_way_has_that_way():
    old = register_at_noon(with_headers(ask("<sip:201@a>"), ("Path", PATH))).bindings
    assert register_at_noon(ask("<sip:201@a>", cseq=2), *old).bindings[0].path == ()


@pytest.mark.parametrize("path", ["<tel:+359>", "<sip:a", f"<sip:{'a' * 300}@b;lr>", ", ".join(["<sip:p;lr>"] * 11)])
def test_a_path_that_nobody_can_go_is_400(path):
    assert register_at_noon(with_headers(ask("<sip:201@a>"), ("Path", path)), binding()).status == 400


def test_a_telephone_that_says_which_it_is_has_one_place():
    first = register_at_noon(ask(f"<sip:201@10.0.0.1:5060>;reg-id=1;{INSTANCE}")).bindings
    moved = register_at_noon(ask(f"<sip:201@10.0.0.2:5062>;reg-id=1;{INSTANCE}", call_id="c2"), *first)
    assert [one.contact for one in moved.bindings] == ["sip:201@10.0.0.2:5062"]
    assert moved.bindings[0].instance == "<urn:uuid:00000000-0000-1000-8000-000B82123456>"


def test_its_ways_are_told_apart_and_so_are_two_contacts_of_one_request():
    first = register_at_noon(ask(f"<sip:201@a>;reg-id=1;{INSTANCE}")).bindings
    second = register_at_noon(ask(f"<sip:201@b>;reg-id=2;{INSTANCE}", call_id="c2"), *first)
    assert [one.reg_id for one in second.bindings] == [1, 2]
    both = register_at_noon(ask(f"<sip:201@a>;{INSTANCE}, <sip:201@b>;{INSTANCE}"))
    assert len(both.bindings) == 2


@pytest.mark.parametrize("reg_id", ["0", "-1", "x", "2147483648"])
def test_a_way_without_a_proper_number_has_none(reg_id):
    assert register_at_noon(ask(f"<sip:201@a>;reg-id={reg_id};{INSTANCE}")).bindings[0].reg_id is None


def at(host, seconds, *, call_id=None, cseq=1, q=1000, path=(), instance="", since=None):
    """A place registered for so long, from an address of its own."""
    hop = Hop("udp", host, 5060)
    until = NOON + timedelta(seconds=seconds)
    since = cseq if since is None else min(since, cseq)
    return Binding(f"sip:201@{host}", hop, call_id or host, cseq, until, "", q, path, instance, None, since)


def hosts(groups):
    return [[one.source.host for one in group] for group in groups]


def test_places_ring_by_preference_together_or_the_latest_alone():
    places = [at("a", 10), at("b", 30, q=500), at("c", 20, q=500)]
    assert hosts(ringing(places, "preferred")) == [["a"], ["b", "c"]]
    assert hosts(ringing(places, "together")) == [["b", "c", "a"]]
    assert hosts(ringing(places, "latest")) == [["b"]]
    assert [ringing([], ring) for ring in ("preferred", "together", "latest")] == [[], [], []]


def test_what_a_telephone_has_left_behind_does_not_ring():
    same_call_id = [at("a", 99, call_id="c", cseq=1), at("b", 10, call_id="c", cseq=2)]
    assert hosts(ringing(same_call_id, "together")) == [["b"]]
    same_instance = [at("a", 10, instance="i"), at("b", 20, instance="i")]
    assert hosts(ringing(same_instance, "together")) == [["b"]]
    same_source = [at("a", 10), Binding("sip:other@a", Hop("udp", "a", 5060), "d", 1, NOON + timedelta(seconds=20), "")]
    assert [one.contact for one in ringing(same_source, "together")[0]] == ["sip:other@a"]


def test_several_places_under_one_call_id_ring_as_soon_as_each_has_been_refreshed():
    """Until then the second could be where the telephone has moved to."""
    desk, shelf = "<sip:201@10.0.0.40>", "<sip:201@10.0.0.41>"
    places = []
    rung = []
    for cseq, contact in enumerate((desk, shelf, desk, shelf, desk), 1):
        places = register_at_noon(ask(contact, cseq=cseq), *places).bindings
        rung.append({one.contact for group in ringing(places, "together") for one in group})
    both = {"sip:201@10.0.0.40", "sip:201@10.0.0.41"}
    assert rung == [{"sip:201@10.0.0.40"}, {"sip:201@10.0.0.41"}, both, both, both]
    moved = register_at_noon(ask("<sip:201@10.0.0.42>", cseq=6), *places).bindings
    assert hosts_of(ringing(moved, "together")) == {"10.0.0.42"}


def hosts_of(groups):
    return {Uri.parse(one.contact).host for group in groups for one in group}


def test_telephones_behind_one_proxy_ring_each():
    places = [Binding(f"sip:201@{host}", ROUTER, host, 1, NOON, "", 1000, (PATH,)) for host in "abc"]
    assert len(ringing(places, "together")[0]) == 3


bindings = some.lists(
    some.builds(
        at,
        some.sampled_from("abcd"),
        some.integers(1, 5),
        call_id=some.sampled_from([None, "x", "y"]),
        cseq=some.integers(1, 3),
        q=some.sampled_from([1000, 500]),
        path=some.sampled_from([(), (PATH,)]),
        instance=some.sampled_from(["", "i", "j"]),
        since=some.integers(1, 3),
    ),
    max_size=6,
)


@given(bindings, some.sampled_from(["preferred", "together"]))
def test_nobody_rings_twice_and_whoever_is_registered_is_reached(places, ring):
    rung = [one for group in ringing(places, ring) for one in group]
    assert all(rung.count(one) <= places.count(one) for one in rung)
    assert bool(rung) is bool(places)
    for at_, one in enumerate(rung):
        for other in rung[at_ + 1 :]:
            together = (one.call_id, one.cseq) == (other.call_id, other.cseq)
            assert together or not one.instance or one.instance != other.instance
            both_stay = one.cseq >= other.since and other.cseq >= one.since
            assert together or one.call_id != other.call_id or both_stay
    preferences = [one.q for one in rung]
    assert ring == "together" or preferences == sorted(preferences, reverse=True)
