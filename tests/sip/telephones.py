"""Telephones on a network that may lose, double, delay and reorder, all under one clock and one seed."""

from collections.abc import Callable
from random import Random

from twisted.internet.task import Clock

from minitelecom.sip.acceptance import Acceptance
from minitelecom.sip.client_user import Failure
from minitelecom.sip.dialog import Dialog
from minitelecom.sip.hop import Hop
from minitelecom.sip.message import Request, Response, parse
from minitelecom.sip.offer_answer import Negotiation
from minitelecom.sip.transaction_layer import ClientTransaction, ServerTransaction, TransactionLayer

SDP = "application/sdp"
RINGING_LIMIT_SECONDS = 40


class Network:
    """Carries datagrams between telephones by their address; writes down what was sent, if somebody listens."""

    def __init__(self, random: Random, *, loss: float = 0.0, doubled: float = 0.0, slowest: float = 0.01) -> None:
        self.clock = Clock()
        self.random = random
        self.loss = loss
        self.doubled = doubled
        self.slowest = slowest
        self.ladder: list[str] = []
        self.telephones: dict[str, Telephone] = {}

    def carry(self, data: bytes, origin: Hop, hop: Hop) -> None:
        message = parse(data)
        word = message.method if isinstance(message, Request) else f"{message.status} {message.cseq.method}"
        self.ladder.append(f"{self.telephones[origin.host].name}: {word}")
        for _ in range(1 + (self.random.random() < self.doubled)):
            if self.random.random() >= self.loss and hop.host in self.telephones:
                delay = self.random.uniform(0.001, self.slowest)
                self.clock.callLater(delay, self.telephones[hop.host].layer.datagram_received, data, origin)

    def run(self, seconds: float = float("inf")) -> None:
        """Let what is under way happen, at most so many seconds of it."""
        end = self.clock.seconds() + seconds
        while calls := self.clock.getDelayedCalls():
            following = min(call.getTime() for call in calls)
            if following > end:
                self.clock.advance(end - self.clock.seconds())
                return
            self.clock.advance(max(0.0, following - self.clock.seconds()))


class Telephone:
    """
    Calls and is called, one call at a time. When called it rings and then does what `script` says: a status after so
    many seconds, or None for letting it ring.
    """

    def __init__(self, network: Network, name: str, host: str) -> None:
        self.name = name
        self.hop = Hop("udp", host, 5060)
        self.network = network
        self.layer = TransactionLayer(
            network.clock,
            Random(network.random.random()),
            lambda data, hop: network.carry(data, self.hop, hop),
            lambda hop: (host, 5060),
        )
        self.layer.user = self
        self.script: tuple[float, int | None] = (1.0, 200)
        self.invites: list[ServerTransaction] = []
        self.byes = 0
        self.dialog: Dialog | None = None
        self.acceptance: Acceptance | None = None
        self.acknowledged = 0
        self.outcomes: list[str] = []
        self.negotiation = Negotiation(host, 16384, 1)
        self.others: dict[str, Callable[[ServerTransaction, Request, Hop], None]] = {}
        network.telephones[host] = self

    # Called.

    def request_received(self, transaction: ServerTransaction, request: Request, source: Hop) -> None:
        if request.method in self.others:
            self.others[request.method](transaction, request, source)
        elif request.method == "INVITE" and request.to.tag is None:
            self._ring(transaction)
        elif request.method == "INVITE":
            self._accept(transaction)
        elif request.method == "BYE" and self.dialog is not None:
            self.byes += 1
            self._stop_accepting()
            transaction.respond(request.response(200))
        else:
            transaction.respond(request.response(481))

    def _ring(self, transaction: ServerTransaction) -> None:
        self.invites.append(transaction)
        transaction.on_cancel = lambda: transaction.respond(transaction.request.response(487, to_tag=self.name))
        transaction.respond(transaction.request.response(180, to_tag=self.name))
        seconds, status = self.script
        if status is None:  # rings until the caller gives up; or, as his CANCEL may be lost, until this side does
            seconds, status = 3 * RINGING_LIMIT_SECONDS, 480
        self.network.clock.callLater(seconds, self._answer, transaction, status)

    def _answer(self, transaction: ServerTransaction, status: int) -> None:
        if transaction.answered:
            return
        if status >= 300:
            transaction.respond(transaction.request.response(status, to_tag=self.name))
            return
        self.dialog = Dialog.as_uas(transaction.request, self.name)
        self._accept(transaction)

    def _accept(self, transaction: ServerTransaction) -> None:
        request = transaction.request
        body, _ = self.negotiation.answer(request.body)
        contact = ("Contact", f"<sip:{self.name}@{self.hop.host}>")
        response = request.response(200, to_tag=self.name, headers=[contact], body=body, content_type=SDP)
        self.acceptance = Acceptance(self.layer.timers, transaction, response, self._unacknowledged)

    def _unacknowledged(self) -> None:
        self.outcomes.append("unacknowledged")
        self.hang_up()

    def _stop_accepting(self) -> None:
        if self.acceptance is not None:
            self.acceptance.acknowledged()

    def ack_received(self, ack: Request, source: Hop) -> None:
        if self.acceptance is not None and self.acceptance.waiting:
            self.acknowledged += 1
            self.acceptance.acknowledged()

    # Calling.

    def call(self, other: "Telephone") -> ClientTransaction:
        headers = [
            ("From", f"<sip:{self.name}@{self.hop.host}>;tag={self.name}"),
            ("To", f"<sip:{other.name}@{other.hop.host}>"),
            ("Call-ID", f"{self.name}-1"),
            ("CSeq", "1 INVITE"),
            ("Contact", f"<sip:{self.name}@{self.hop.host}>"),
            ("Max-Forwards", "70"),
        ]
        uri = f"sip:{other.name}@{other.hop.host}"
        invite = Request.create("INVITE", uri, headers, self.negotiation.offer(), SDP)
        calling = _Calling(self, other.hop)
        calling.transaction = self.layer.request(invite, other.hop, calling)
        calling.limit = self.network.clock.callLater(RINGING_LIMIT_SECONDS, calling.transaction.cancel)
        return calling.transaction

    def re_invite(self, direction: str) -> None:
        assert self.dialog is not None
        contact = ("Contact", f"<sip:{self.name}@{self.hop.host}>")
        invite = self.dialog.request("INVITE", [contact], self.negotiation.offer(direction), SDP)
        hop = Hop("udp", self.dialog.next_hop.host, 5060)
        calling = _Calling(self, hop)
        calling.transaction = self.layer.request(invite, hop, calling)

    def hang_up(self) -> None:
        assert self.dialog is not None
        hop = Hop("udp", self.dialog.next_hop.host, 5060)
        self.layer.request(self.dialog.request("BYE"), hop, _HangingUp(self))


class _Calling:
    """What becomes of an INVITE."""

    def __init__(self, telephone: Telephone, hop: Hop) -> None:
        self.telephone = telephone
        self.hop = hop
        self.transaction: ClientTransaction | None = None
        self.limit = None
        self.ack: Request | None = None

    def response_received(self, response: Response, source: Hop) -> None:
        telephone = self.telephone
        if response.status < 200:
            return
        self._stop_limit()
        if response.status >= 300:
            telephone.outcomes.append(f"refused {response.status}")
            return
        invite = self.transaction.request
        if self.ack is None:
            if telephone.dialog is None:
                telephone.dialog = Dialog.as_uac(invite, response)
            telephone.negotiation.accept_answer(response.body)
            telephone.outcomes.append("answered")
            self.ack = telephone.dialog.ack(invite.cseq.number)
        telephone.layer.send_ack(self.ack, self.hop)

    def request_failed(self, cause: Failure) -> None:
        self._stop_limit()
        self.telephone.outcomes.append(f"failed {cause.name}")

    def _stop_limit(self) -> None:
        if self.limit is not None and self.limit.active():
            self.limit.cancel()


class _HangingUp:
    def __init__(self, telephone: Telephone) -> None:
        self.telephone = telephone

    def response_received(self, response: Response, source: Hop) -> None:
        if response.status >= 200:
            self.telephone.outcomes.append(f"hung up {response.status}")

    def request_failed(self, cause: Failure) -> None:
        self.telephone.outcomes.append("hung up alone")
