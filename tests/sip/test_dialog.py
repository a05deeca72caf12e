"""Dialogs: who, where to, by which way, in which order."""

import pytest

from minitelecom.sip.dialog import Dialog
from minitelecom.sip.message import Request

LOOSE = ("<sip:p1.example;lr>", "<sip:p2.example;lr>")
STRICT = ("<sip:p1.example>", "<sip:p2.example>")


def invite(*routes: str, sequence: int = 314159, contact: str = "<sip:alice@pc33.atlanta.com>") -> Request:
    headers = [
        ("Via", "SIP/2.0/UDP pc33.atlanta.com;branch=z9hG4bK776asdhds"),
        *(("Record-Route", route) for route in routes),
        ("To", '"Bob B." <sip:bob@biloxi.com>'),
        ("From", "Alice <sip:alice@atlanta.com>;tag=1928301774"),
        ("Call-ID", "a84b4c76e66710"),
        ("CSeq", f"{sequence} INVITE"),
    ]
    if contact:
        headers.append(("Contact", contact))
    return Request.create("INVITE", "sip:bob@biloxi.com", headers)


def test_the_called_side():
    dialog = Dialog.as_uas(invite(*LOOSE), "a6c85cf")
    bye = dialog.request("BYE")
    assert bye.encode().decode().split("\r\n") == [
        "BYE sip:alice@pc33.atlanta.com SIP/2.0",
        "Max-Forwards: 70",
        "Route: <sip:p1.example;lr>",
        "Route: <sip:p2.example;lr>",
        'From: "Bob B." <sip:bob@biloxi.com>;tag=a6c85cf',
        'To: "Alice" <sip:alice@atlanta.com>;tag=1928301774',
        "Call-ID: a84b4c76e66710",
        "CSeq: 1 BYE",
        "Content-Length: 0",
        "",
        "",
    ]
    assert (dialog.key, dialog.early) == (("a84b4c76e66710", "a6c85cf", "1928301774"), True)
    assert dialog.request("BYE").cseq.number == 2


def test_the_calling_side_goes_the_other_way_round():
    sent = invite()
    answer = invite(*LOOSE).response(200, to_tag="a6c85cf", headers=[("Contact", "<sip:bob@192.0.2.4>")])
    dialog = Dialog.as_uac(sent, answer)
    ack = dialog.ack(314159)
    assert (ack.raw_uri, ack.get_all("Route")) == ("sip:bob@192.0.2.4", ["<sip:p2.example;lr>", "<sip:p1.example;lr>"])
    assert (str(ack.cseq), ack.to.tag, ack.from_.tag) == ("314159 ACK", "a6c85cf", "1928301774")
    assert str(dialog.next_hop) == "sip:p2.example;lr"
    assert dialog.request("BYE").cseq.number == 314160
    assert (dialog.early, dialog.remote_sequence) == (False, None)


def test_a_strict_router_gets_the_request_as_if_it_were_for_it():
    """RFC 3261 section 12.2.1.1."""
    dialog = Dialog.as_uas(invite(*STRICT), "t")
    bye = dialog.request("BYE")
    assert bye.raw_uri == "sip:p1.example"
    assert bye.get_all("Route") == ["<sip:p2.example>", "<sip:alice@pc33.atlanta.com>"]
    assert str(dialog.next_hop) == "sip:p1.example"


def test_without_a_route_the_next_hop_is_the_contact():
    assert str(Dialog.as_uas(invite(), "t").next_hop) == "sip:alice@pc33.atlanta.com"


def test_a_far_end_of_rfc_2543_has_neither_contact_nor_tag():
    request = invite(contact="")
    request.set("From", "<sip:alice@atlanta.com>")
    dialog = Dialog.as_uas(request, "t")
    bye = dialog.request("BYE")
    assert (str(dialog.remote_target), dialog.remote_tag) == ("sip:alice@atlanta.com", None)
    assert bye.get("To") == "<sip:alice@atlanta.com>"


@pytest.mark.parametrize(
    ("method", "sequence", "in_order"),
    [
        ("BYE", 314160, True),
        ("BYE", 999999, True),
        ("INFO", 314159, True),
        ("INVITE", 314158, False),
        ("ACK", 1, True),
        ("CANCEL", 1, True),
    ],
)
def test_order(method, sequence, in_order):
    """12.2.2 refuses a lower number than the last, and not the same."""
    dialog = Dialog.as_uas(invite(), "t")
    request = invite(sequence=sequence)
    request.method = method
    assert dialog.in_order(request) is in_order


def test_a_number_near_the_top_of_32_bits_is_a_number():
    dialog = Dialog.as_uas(invite(sequence=4294967294), "t")
    assert dialog.in_order(invite(sequence=4294967295))
    assert not dialog.in_order(invite(sequence=1))


def test_a_re_invite_moves_the_target_but_not_the_route():
    dialog = Dialog.as_uas(invite(*LOOSE), "t")
    dialog.update(invite("<sip:elsewhere.example;lr>", contact="<sip:alice@192.0.2.99>"))
    bye = dialog.request("BYE")
    assert (bye.raw_uri, bye.get_all("Route")) == ("sip:alice@192.0.2.99", list(LOOSE))


def test_the_2xx_that_confirms_an_early_dialog_brings_the_final_route():
    sent = invite()
    ringing = invite("<sip:early.example;lr>").response(180, to_tag="b", headers=[("Contact", "<sip:early@192.0.2.4>")])
    answer = invite("<sip:late.example;lr>").response(200, to_tag="b", headers=[("Contact", "<sip:late@192.0.2.4>")])
    dialog = Dialog.as_uac(sent, ringing)
    assert (dialog.early, str(dialog.next_hop)) == (True, "sip:early.example;lr")
    dialog.update(answer)
    assert (dialog.early, str(dialog.next_hop), str(dialog.remote_target)) == (
        False,
        "sip:late.example;lr",
        "sip:late@192.0.2.4",
    )


def test_headers_and_body_of_a_request():
    dialog = Dialog.as_uas(invite(), "t")
    info = dialog.request("INFO", [("Contact", "<sip:us@192.0.2.1>")], b"Signal=5\r\n", "application/dtmf-relay")
    assert (info.get("Contact"), info.body, info.content_type) == (
        "<sip:us@192.0.2.1>",
        b"Signal=5\r\n",
        "application/dtmf-relay",
    )
