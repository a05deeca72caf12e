"""The messages of RFC 5118: IPv6 addresses, and where a port begins."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from minitelecom.sip.message import MalformedMessage, parse

pytestmark = pytest.mark.torture

DATA = Path(__file__).parent / "data-ipv6"

VALUES: dict[str, list[tuple[Callable[[Any], object], object]]] = {
    "ipv6-good": [(lambda m: (m.uri.host, m.uri.port), ("[2001:db8::10]", None))],
    "port-ambiguous": [(lambda m: (m.uri.host, m.uri.port), ("[2001:db8::10:5070]", None))],
    "port-unambiguous": [(lambda m: (m.uri.host, m.uri.port), ("[2001:db8::10]", 5070))],
    "via-received-param-no-delim": [
        (lambda m: (m.via.host, m.via.received), ("[2001:db8::9:1]", "2001:db8::9:255")),
    ],
    "via-received-param-with-delim": [
        (lambda m: (m.via.host, m.via.received), ("[2001:db8::9:1]", "2001:db8::9:255")),
    ],
    "ipv6-in-sdp": [(lambda m: m.contacts[0].uri.host, "[2001:db8::20]"), (lambda m: len(m.body), 251)],
    "mult-ip-in-header": [
        (lambda m: [v.sent_by for v in m.vias], [
            ("[2001:db8::9:1]", 6050), ("192.0.2.1", 5060), ("[2001:db8::9:255]", 5060)]),
        (lambda m: m.vias[2].received, "192.0.2.200"),
    ],
    "mult-ip-in-sdp": [(lambda m: m.content_type, "application/sdp")],
    "ipv4-mapped-ipv6": [
        (lambda m: m.via.sent_by, ("[::ffff:192.0.2.10]", 19823)),
        (lambda m: m.contacts[0].uri.host, "[::ffff:192.0.2.2]"),
    ],
    # RFC 3261's own grammar made three colons of two; who reads is asked to take both (section 4.10).
    "ipv6-bug-abnf-3-colons": [(lambda m: m.uri.host, "[2001:db8:::192.0.2.1]")],
    "ipv6-correct-abnf-2-colons": [(lambda m: m.uri.host, "[2001:db8::192.0.2.1]")],
}  # fmt: skip


def test_no_message_is_left_out():
    assert sorted([*VALUES, "ipv6-bad"]) == sorted(path.stem for path in DATA.glob("*.dat"))


@pytest.mark.parametrize("name", VALUES)
def test_values(name: str):
    data = (DATA / f"{name}.dat").read_bytes()
    message = parse(data)
    for value, expected in VALUES[name]:
        assert value(message) == expected
    assert message.encode() == data


def test_an_ipv6_address_without_brackets_is_no_host():
    with pytest.raises(MalformedMessage) as caught:
        parse((DATA / "ipv6-bad.dat").read_bytes())
    assert caught.value.status == 400
    assert caught.value.request is not None
