"""Addresses, Via and CSeq as old telephones and new ones write them."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minitelecom.sip.grammar import BadSyntax, readable, split_values
from minitelecom.sip.headers import CSeq, NameAddr, Via, lifetime
from minitelecom.sip.uri import Uri


@pytest.mark.parametrize(
    ("text", "display", "uri", "parameters"),
    [
        ('"Cabin 3" <sip:cabin3@10.0.0.1>;tag=1', "Cabin 3", "sip:cabin3@10.0.0.1", {"tag": "1"}),
        ("Cabin <sip:cabin3@10.0.0.1>", "Cabin", "sip:cabin3@10.0.0.1", {}),
        ("Кабина 3 <sip:cabin3@10.0.0.1>", "Кабина 3", "sip:cabin3@10.0.0.1", {}),
        ("<sip:a@b;lr>;lr", "", "sip:a@b;lr", {"lr": None}),
        ("sip:a@b;lr", "", "sip:a@b", {"lr": None}),
        ("sip:a@b ; tag = x", "", "sip:a@b", {"tag": "x"}),
        ('"a \\"b\\" \\\\" <sip:a@b>', 'a "b" \\', "sip:a@b", {}),
        ('<sip:a@b>;+sip.instance="<urn:uuid:1;2,3>";reg-id=1', "", "sip:a@b",
         {"+sip.instance": "<urn:uuid:1;2,3>", "reg-id": "1"}),
        ("<sip:a@b>;EXPIRES=60;Expires=70", "", "sip:a@b", {"expires": "60"}),
        ("<sip:a@b>;", "", "sip:a@b", {}),
    ],
)  # fmt: skip
def test_address(text: str, display: str, uri: str, parameters: dict[str, str | None]):
    address = NameAddr.parse(text)
    assert (address.display, str(address.uri), address.parameters) == (display, uri, parameters)
    assert NameAddr.parse(str(address)) == address


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<>",
        "<sip:a@b",
        "sip:a@b>",
        '"open <sip:a@b>',
        "Bell, Alexander <sip:a@b>",
        "<sip:a@b> rest",
        "sip:a@b?Route=x",
        "<sip:a@b>;tag=a b",
        "<sip:a@b>;tag=<x>",
        "**",
        "<*>",
    ],
)
def test_what_is_no_address(text: str):
    with pytest.raises(BadSyntax):
        NameAddr.parse(text)


def test_the_star():
    star = NameAddr.parse(" * ")
    assert star.is_star
    assert str(star) == "*"
    assert not NameAddr.parse("<sip:*@b>").is_star


def test_a_tag_is_added_to_a_copy():
    address = NameAddr.parse("<sip:a@b>;x=1")
    assert str(address.with_tag("t")) == "<sip:a@b>;x=1;tag=t"
    assert address.tag is None
    assert NameAddr.parse("<sip:a@b>;tag=").tag is None


@pytest.mark.parametrize(("q", "expected"), [("0.5", 0.5), ("7", 1.0), ("-1", 0.0), ("x", 1.0), ("", 1.0)])
def test_preference(q: str, expected: float):
    assert NameAddr("", Uri.parse("sip:a@b"), {"q": q}).q == expected


def test_via_of_a_grandstream_and_of_an_ata():
    """The one has no rport, the other neither branch nor port."""
    grandstream = Via.parse("SIP/2.0/UDP 192.168.1.20;branch=z9hG4bK1c5d2f8a77e01b2c")
    assert grandstream.is_unique
    assert not grandstream.wants_rport
    assert grandstream.sent_by == ("192.168.1.20", 5060)
    ata = Via.parse("SIP/2.0/UDP 192.168.1.21")
    assert (ata.branch, ata.is_unique, ata.port) == (None, False, None)


def test_via_filled_in_by_the_server():
    via = Via.parse("SIP/2.0/UDP 10.0.0.1:5062;rport;branch=z9hG4bKx")
    assert via.wants_rport
    assert via.rport is None
    filled = via.with_parameters(received="198.51.100.7", rport="40000")
    assert str(filled) == "SIP/2.0/UDP 10.0.0.1:5062;rport=40000;branch=z9hG4bKx;received=198.51.100.7"
    assert (filled.received, filled.rport) == ("198.51.100.7", 40000)


@pytest.mark.parametrize(
    "text", ["", "SIP/2.0/UDP", "SIP/2.0 UDP a", "SIP/2.0/UDP a:99999", "SIP/2.0/UDP [::x]", "a b c"]
)
def test_what_is_no_via(text: str):
    with pytest.raises(BadSyntax):
        Via.parse(text)


def test_tls_listens_elsewhere():
    assert Via.parse("SIP/2.0/TLS Host").sent_by == ("host", 5061)


def test_cseq_is_32_bits_without_sign():
    assert CSeq.parse("4294967295 INVITE") == CSeq(4294967295, "INVITE")
    assert CSeq.parse("0009  INVITE").number == 9
    for bad in ["4294967296 INVITE", "-1 INVITE", "1", "INVITE 1", "1 IN VITE", "", "١ INVITE"]:
        with pytest.raises(BadSyntax):
            CSeq.parse(bad)


def test_values_are_split_outside_quotes_and_brackets():
    assert split_values('"a, b" <sip:x,y@h>;p="1,2", <sip:z@h>,c') == ['"a, b" <sip:x,y@h>;p="1,2"', "<sip:z@h>", "c"]
    assert split_values("a,,b ,") == ["a", "", "b", ""]
    with pytest.raises(BadSyntax):
        split_values('"a, b')
    with pytest.raises(BadSyntax):
        split_values("a, <b")


def test_too_many_values_are_refused():
    for text in [",".join(["a"] * 101), ",".join(["<a>"] * 101)]:
        with pytest.raises(BadSyntax):
            split_values(text)
    assert len(split_values(",".join(["<a>"] * 100))) == 100


NOON = datetime(2005, 3, 31, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("3600", 3600),
        ("0", 0),
        ("Thu, 31 Mar 2005 12:30:00 GMT", 1800),
        ("Thu, 31 Mar 2005 11:00:00 GMT", 0),
        ("Thu, 31 Mar 2005 12:30:00 EST", None),
        ("Thu, 32 Mar 2005 12:30:00 GMT", None),
        ("Thu, 31 Mai 2005 12:30:00 GMT", None),
        ("4294967296", None),
        ("soon", None),
        ("", None),
    ],
)
def test_lifetimes_are_seconds_or_dates(text: str, seconds: int | None):
    assert lifetime(text, NOON) == seconds


def test_text_for_a_database_holds_no_nul_and_no_stray_byte():
    assert readable("a\0b\udcffc\r\n") == "a\ufffdb\ufffdc\ufffd\ufffd"
    assert readable("Кабина 3") == "Кабина 3"


DISPLAYS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=20)
VALUES = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp"]), max_size=12)
NAMES = st.text("abcdefghijklmnopqrstuvwxyz-+.", min_size=1, max_size=8)


@given(DISPLAYS, st.dictionaries(NAMES, st.none() | VALUES, max_size=4))
def test_whatever_address_we_write_reads_back(display: str, parameters: dict[str, str | None]):
    address = NameAddr(display, Uri.parse("sip:a@b;lr"), parameters)
    again = NameAddr.parse(str(address))
    assert again == address
    assert hash(again) == hash(address)


@given(NAMES, st.none() | st.integers(0, 65535), st.dictionaries(NAMES, st.none() | VALUES, max_size=4))
def test_whatever_via_we_write_reads_back(host: str, port: int | None, parameters: dict[str, str | None]):
    via = Via("SIP/2.0", "UDP", "h" + host.replace("+", "-"), port, parameters)
    again = Via.parse(str(via))
    assert again == via
    assert again.parameters == parameters
