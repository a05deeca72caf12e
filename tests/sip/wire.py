"""One transaction layer on a bench: what it sends and tells is written down, what comes is typed in."""

from random import Random

from twisted.internet.task import Clock

from minitelecom.sip.client_user import Failure
from minitelecom.sip.hop import Hop
from minitelecom.sip.message import Request, Response, parse
from minitelecom.sip.transaction_layer import ServerTransaction, TransactionLayer

OURS = Hop("udp", "198.51.100.1", 5060)
PHONE = Hop("udp", "192.0.2.7", 5062)


class Bench:
    """A layer whose wire ends here."""

    def __init__(self, limit: int = 1000) -> None:
        self.clock = Clock()
        self.sent: list[tuple[Hop, Request | Response]] = []
        self.broken = False
        self.layer = TransactionLayer(self.clock, Random(1), self._send, lambda hop: (OURS.host, OURS.port), limit)
        self.layer.user = self.user = Recorder()

    def _send(self, data: bytes, hop: Hop) -> None:
        if self.broken:
            raise OSError("network unreachable")
        self.sent.append((hop, parse(data)))

    def receive(self, message: bytes | str | Request | Response, source: Hop = PHONE) -> None:
        if isinstance(message, str):
            message = message.replace("\n", "\r\n").encode()
        self.layer.datagram_received(message if isinstance(message, bytes) else message.encode(), source)

    def said(self) -> list[str | int]:
        """What was sent since the last question: methods and statuses."""
        found = [message.method if isinstance(message, Request) else message.status for _, message in self.sent]
        self.sent.clear()
        return found

    @property
    def last(self) -> Request | Response:
        return self.sent[-1][1]

    def wait(self, seconds: float) -> None:
        """In sixteenths of a second, as their sums are exact."""
        for _ in range(round(seconds * 16)):
            self.clock.advance(1 / 16)


class Recorder:
    """A TU and client user that remembers, and answers when the test says so."""

    def __init__(self) -> None:
        self.transactions: list[ServerTransaction] = []
        self.acks: list[Request] = []
        self.responses: list[int] = []
        self.failures: list[Failure] = []

    def request_received(self, transaction: ServerTransaction, request: Request, source: Hop) -> None:
        self.transactions.append(transaction)

    def ack_received(self, ack: Request, source: Hop) -> None:
        self.acks.append(ack)

    def response_received(self, response: Response, source: Hop) -> None:
        self.responses.append(response.status)

    def request_failed(self, cause: Failure) -> None:
        self.failures.append(cause)

    def answer(self, status: int, **more) -> None:
        transaction = self.transactions[-1]
        transaction.respond(transaction.request.response(status, **more))


def ask(
    method: str = "INVITE", *, branch: str | None = "z9hG4bKabc", to: str = "<sip:100@shop>", **changed: str
) -> str:
    """A request as a telephone writes it."""
    values = {
        "uri": "sip:100@198.51.100.1",
        "via": "SIP/2.0/UDP 192.0.2.7:5062" + (f";branch={branch}" if branch else ""),
        "from_": "<sip:201@shop>;tag=f1",
        "call_id": "c1@192.0.2.7",
        "cseq": f"1 {method}",
        **changed,
    }
    return (
        f"{method} {values['uri']} SIP/2.0\nVia: {values['via']}\nFrom: {values['from_']}\nTo: {to}\n"
        f"Call-ID: {values['call_id']}\nCSeq: {values['cseq']}\nContent-Length: 0\n\n"
    )


def own(method: str = "INVITE") -> Request:
    """A request of ours, before the layer gives it a Via."""
    headers = [
        ("From", "<sip:100@shop>;tag=ours"),
        ("To", "<sip:201@192.0.2.7>"),
        ("Call-ID", "ours1"),
        ("CSeq", f"7 {method}"),
        ("Max-Forwards", "70"),
    ]
    return Request.create(method, "sip:201@192.0.2.7:5062", headers)
