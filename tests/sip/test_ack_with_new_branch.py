"""An ACK of a refusal that comes on a branch of its own, as some senders write it, still ends the refusal's repetition."""

from random import Random

from twisted.internet.task import Clock

from minitelecom.sip.hop import Hop
from minitelecom.sip.message import Request, parse
from minitelecom.sip.transaction_layer import ServerTransaction, TransactionLayer

SOURCE = Hop("udp", "192.0.2.7", 5090)
LINES = "From: <sip:a@192.0.2.7>;tag=1\r\nCall-ID: c\r\nContent-Length: 0\r\n\r\n"


class Busy:
    """Refuses whoever calls."""

    def __init__(self) -> None:
        self.stray: list[Request] = []

    def request_received(self, transaction: ServerTransaction, request: Request, source: Hop) -> None:
        transaction.respond(request.response(486, to_tag="2"))

    def ack_received(self, ack: Request, source: Hop) -> None:
        self.stray.append(ack)


def test_the_refusal_is_not_repeated_after_an_ack_on_another_branch() -> None:
    clock, sent = Clock(), list[bytes]()
    layer = TransactionLayer(clock, Random(1), lambda data, hop: sent.append(data), lambda hop: ("192.0.2.1", 5060))
    layer.user = user = Busy()
    via = "SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.7:5090;branch=z9hG4bK"
    layer.datagram_received(
        f"INVITE sip:b@192.0.2.1 {via}one\r\nTo: <sip:b@192.0.2.1>\r\nCSeq: 1 INVITE\r\n{LINES}".encode(), SOURCE
    )
    clock.advance(0.5)
    assert [parse(data).cseq.number for data in sent] == [1, 1]
    layer.datagram_received(
        f"ACK sip:b@192.0.2.1 {via}two\r\nTo: <sip:b@192.0.2.1>;tag=2\r\nCSeq: 1 ACK\r\n{LINES}".encode(), SOURCE
    )
    clock.pump([0.5] * 64)
    assert len(sent) == 2
    assert user.stray == []
    assert len(layer) == 0


def test_an_ack_that_comes_when_the_refusal_is_forgotten_is_a_stray_one() -> None:
    """What is kept to know it by goes with the transaction."""
    clock = Clock()
    layer = TransactionLayer(clock, Random(1), lambda data, hop: None, lambda hop: ("192.0.2.1", 5060))
    layer.user = user = Busy()
    via = "SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.7:5090;branch=z9hG4bK"
    layer.datagram_received(
        f"INVITE sip:b@192.0.2.1 {via}one\r\nTo: <sip:b@192.0.2.1>\r\nCSeq: 1 INVITE\r\n{LINES}".encode(), SOURCE
    )
    clock.pump([0.5] * 65)
    layer.datagram_received(
        f"ACK sip:b@192.0.2.1 {via}two\r\nTo: <sip:b@192.0.2.1>;tag=2\r\nCSeq: 1 ACK\r\n{LINES}".encode(), SOURCE
    )
    assert [ack.method for ack in user.stray] == ["ACK"]
