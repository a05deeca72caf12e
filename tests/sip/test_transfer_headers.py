"""Refer-To, Replaces, Event, Subscription-State, sipfrag and message-summary: as the RFCs show them, and there and back."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minitelecom.sip import message_summary, refer
from minitelecom.sip.event import Event, SubscriptionState
from minitelecom.sip.grammar import BadSyntax
from minitelecom.sip.message import Request
from minitelecom.sip.message_summary import Messages
from minitelecom.sip.refer import ReferTo
from minitelecom.sip.replaces import Replaces
from minitelecom.sip.uri import Uri

tokens = st.text(string.ascii_letters + string.digits + "-.!%*_+`'~", min_size=1, max_size=20)
call_ids = st.text(string.ascii_letters + string.digits + "-.!%*_+`'~()<>:\\/[]?{}@", min_size=1, max_size=30)
replacements = st.builds(Replaces, call_ids, tokens, tokens, st.booleans())


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("98732@sip.example.com;from-tag=r33th4x0r;to-tag=ff87ff", Replaces("98732@sip.example.com", "ff87ff", "r33th4x0r")),
        ("12adf2f34456gs5;to-tag=12345;from-tag=54321", Replaces("12adf2f34456gs5", "12345", "54321")),
        ("87134@171.161.34.23 ; to-tag = 24796 ; From-Tag = 0 ; early-only", Replaces("87134@171.161.34.23", "24796", "0", True)),
        ("a;to-tag=1;from-tag=2;unknown=3", Replaces("a", "1", "2")),
    ],
)  # fmt: skip
def test_replaces(text: str, read: Replaces):
    assert Replaces.parse(text) == read


@pytest.mark.parametrize(
    "text", ["", "a", "a;to-tag=1", "a;from-tag=1", "a b;to-tag=1;from-tag=2", ";to-tag=1;from-tag=2", "a;to-tag=;from-tag=2"]
)  # fmt: skip
def test_what_replaces_nothing(text: str):
    with pytest.raises(BadSyntax):
        Replaces.parse(text)


@given(replacements)
def test_replaces_there_and_back(replaces: Replaces):
    assert Replaces.parse(str(replaces)) == replaces


@given(st.text(max_size=40))
def test_whatever_comes_as_replaces(text: str):
    try:
        assert isinstance(Replaces.parse(text), Replaces)
    except BadSyntax as fault:
        assert fault.status == 400


@pytest.mark.parametrize(("tag", "meant"), [("1", True), ("2", False), (None, False)])
def test_whose_dialog_is_meant(tag: str | None, meant: bool):
    assert Replaces("a", "x", "1").is_from(tag) is meant
    assert Replaces("a", "x", "0").is_from(None)


@pytest.mark.parametrize(
    ("text", "dialled", "replaces"),
    [
        ("sip:104@shop", "104", None),
        ("<sip:+359888123456@shop;user=phone>;x=y", "+359888123456", None),
        ("<sips:104@shop;method=INVITE>", "104", None),
        ("<sip:shop>", "", None),
        ("<tel:+359-888-123.456;phone-context=x>", "+359888123456", None),
        ("<sip:104@shop?Replaces=12345%40192.168.118.3%3Bto-tag%3D12345%3Bfrom-tag%3D5FFE-3994>", "104",
         Replaces("12345@192.168.118.3", "12345", "5FFE-3994")),
        ('"Bob" <sip:104@shop?Require=replaces&replaces=1%3Bto-tag%3D2%3Bfrom-tag%3D3>', "104", Replaces("1", "2", "3")),
    ],
)  # fmt: skip
def test_refer_to(text: str, dialled: str, replaces: Replaces | None):
    read = ReferTo.parse(text)
    assert (read.dialled, read.replaces) == (dialled, replaces)
    assert "?" not in str(read.uri)


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("", 400),
        ("*", 603),
        ("<http://example.com/>", 603),
        ("<sip:104@shop;method=BYE>", 603),
        ("<sip:104@shop?Replaces=1>", 400),
    ],
)
def test_what_refers_to_no_call(text: str, status: int):
    with pytest.raises(BadSyntax) as refused:
        ReferTo.parse(text)
    assert refused.value.status == status


@given(tokens, st.none() | replacements)
def test_refer_to_there_and_back(user: str, replaces: Replaces | None):
    reference = ReferTo(Uri("sip", user, host="shop.example", port=5070), replaces)
    read = ReferTo.parse(str(reference))
    assert (read.dialled, read.replaces, read.uri.hostport) == (user, replaces, "shop.example:5070")


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("refer", Event("refer")),
        ("refer;id=93809824", Event("refer", "93809824")),
        ("Message-Summary", Event("message-summary")),
        ("presence ; x=y", Event("presence")),
    ],
)
def test_event(text: str, read: Event):
    assert Event.parse(text) == read


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("active;expires=59", SubscriptionState("active", 59)),
        ("terminated;reason=noresource", SubscriptionState("terminated", None, "noresource")),
        ("Pending ; Expires=4294967296", SubscriptionState("pending")),
    ],
)
def test_subscription_state(text: str, read: SubscriptionState):
    assert SubscriptionState.parse(text) == read


@pytest.mark.parametrize("text", ["", ";id=1", "a b", '"refer"'])
def test_what_is_no_event(text: str):
    for kind in (Event, SubscriptionState):
        with pytest.raises(BadSyntax):
            kind.parse(text)


@given(tokens.map(str.lower), st.none() | tokens)
def test_event_there_and_back(package: str, identifier: str | None):
    event = Event(package, identifier)
    assert Event.parse(str(event)) == event


@given(tokens.map(str.lower), st.none() | st.integers(0, 2**32 - 1), st.none() | tokens)
def test_subscription_state_there_and_back(state: str, expires: int | None, reason: str | None):
    told = SubscriptionState(state, expires, reason)
    assert SubscriptionState.parse(str(told)) == told


@given(st.integers(100, 699))
def test_fragments_there_and_back(status: int):
    assert refer.status_of(refer.fragment(status)) == status


@pytest.mark.parametrize(("status", "line"), [(100, b"SIP/2.0 100 Trying\r\n"), (503, b"SIP/2.0 503 Service Unavailable\r\n")])  # fmt: skip
def test_fragments_are_status_lines(status: int, line: bytes):
    assert refer.fragment(status) == line
    assert refer.status_of(b"INVITE sip:a@b SIP/2.0\r\n") is None


@pytest.mark.parametrize(("value", "wanted"), [(None, True), ("true", True), ("False ; x", False), ("false", False)])
def test_who_wants_to_hear_how_it_goes(value: str | None, wanted: bool):
    headers = [("Refer-Sub", value)] if value is not None else []
    assert refer.wants_no_news(Request.create("REFER", "sip:a@b", headers)) is not wanted


@given(st.integers(0, 10**9 - 1), st.integers(0, 10**9 - 1))
def test_message_summary_there_and_back(new: int, old: int):
    assert message_summary.read(message_summary.summary(Messages(new, old), "sip:101@shop")) == Messages(new, old)


def test_a_summary_as_old_telephones_want_it():
    assert message_summary.summary(Messages(0, 3), "sip:101@shop") == (
        b"Messages-Waiting: no\r\nMessage-Account: sip:101@shop\r\nVoice-Message: 0/3\r\n"
    )
    assert message_summary.read(b"Messages-Waiting: yes\nvoice-message: 2/8 (0/2)\n") == Messages(2, 8)
    assert message_summary.read(b"\xff") == Messages()
