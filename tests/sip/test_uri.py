"""URIs: the examples of RFC 3261 section 19.1, and what telephones make of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minitelecom.sip.grammar import BadSyntax
from minitelecom.sip.uri import Uri


@pytest.mark.parametrize(
    "text",
    [
        "sip:alice@atlanta.com",
        "sip:alice:secretword@atlanta.com;transport=tcp",
        "sips:alice@atlanta.com?subject=project%20x&priority=urgent",
        "sip:+1-212-555-1212:1234@gateway.com;user=phone",
        "sips:1212@gateway.com",
        "sip:alice@192.0.2.4",
        "sip:atlanta.com;method=REGISTER?to=alice%40atlanta.com",
        "sip:alice;day=tuesday@atlanta.com",
        "sip:[2001:db8::1]:5070",
        "sip:*31#0888123456@192.168.1.10",
        "tel:+359888123456",
        "http://www.example.com",
    ],
)
def test_what_was_read_is_written_as_it_came(text: str):
    assert str(Uri.parse(text)) == text
    assert str(Uri.parse(text.encode())) == text


def test_parts():
    uri = Uri.parse("sip:+1-212-555-1212:1234@gateway.com:5080;user=phone;lr")
    assert (uri.scheme, uri.user, uri.password, uri.host, uri.port) == (
        "sip",
        "+1-212-555-1212",
        "1234",
        "gateway.com",
        5080,
    )
    assert uri.parameters == {"user": "phone", "lr": None}
    assert uri.is_loose
    assert uri.is_sip
    assert uri.hostport == "gateway.com:5080"


def test_headers_of_a_uri():
    uri = Uri.parse("sip:atlanta.com;method=REGISTER?to=alice%40atlanta.com&subject=x")
    assert uri.headers == {"to": "alice@atlanta.com", "subject": "x"}
    assert uri.user is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sip:",
        "sip",
        "sip:@host",
        "sip:a@",
        "sip:a@b:99999",
        "sip:a@b:",
        "sip:a b@c",
        "sip:a@b ;lr",
        "<sip:a@b>",
        "sip:a@[::1",
        "sip:a@[1:2]",
        "sip:a@2001:db8::1",
        "sip:%4@b",
        "sip:%zz@b",
        "sip:a@b;x=%",
        "sip:a@b\r\nVia: x",
        "sip:a@b\0",
        "sip:юзер@host",
        "42:a",
        "nothing",
    ],
)
def test_what_is_no_uri(text: str):
    with pytest.raises(BadSyntax):
        Uri.parse(text)


# RFC 3261 section 19.1.4, its own examples.
@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtlanTa.CoM;Transport=tcp"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com;security=on"),
        (
            "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
            "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com",
        ),
        (
            "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
            "sip:alice@atlanta.com?priority=urgent&subject=project%20x",
        ),
        ("tel:112", "tel:112"),
    ],
)
def test_equivalent(one: str, other: str):
    assert Uri.parse(one).equivalent(Uri.parse(other))
    assert Uri.parse(other).equivalent(Uri.parse(one))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"),
        ("sip:bob@biloxi.com:6000;transport=tcp", "sip:bob@biloxi.com"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"),
        ("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"),
        ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off"),
        ("sip:a@b", "sips:a@b"),
        ("sip:a@b", "tel:a"),
        ("tel:112", "tel:113"),
    ],
)
def test_not_equivalent(one: str, other: str):
    assert not Uri.parse(one).equivalent(Uri.parse(other))
    assert not Uri.parse(other).equivalent(Uri.parse(one))


def test_a_uri_is_replaced_not_changed():
    uri = Uri.parse("sip:0888@10.0.0.1:5062;user=phone")
    assert str(uri.replace(host="carrier.example")) == "sip:0888@carrier.example;user=phone"
    assert str(uri.replace(user="359888")) == "sip:359888@10.0.0.1:5062;user=phone"
    assert str(uri.replace(host="h", port=5070, parameters={})) == "sip:0888@h:5070"
    assert str(uri) == "sip:0888@10.0.0.1:5062;user=phone"


USERS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)
PARAMETERS = st.dictionaries(
    st.text("abcdefghijklmnopqrstuvwxyz-", min_size=1, max_size=8), st.none() | st.text(max_size=8), max_size=3
)


@given(
    USERS,
    st.sampled_from(["host.example", "192.0.2.1", "[2001:db8::1]"]),
    st.none() | st.integers(0, 65535),
    PARAMETERS,
)
def test_whatever_we_write_reads_back(user: str, host: str, port: int | None, parameters: dict[str, str | None]):
    uri = Uri("sip", user, None, host, port, parameters)
    again = Uri.parse(str(uri))
    assert (again.user, again.host, again.port, again.parameters) == (user, host, port, parameters)
    assert again == uri
    assert hash(again) == hash(uri)
    assert again.equivalent(uri)
