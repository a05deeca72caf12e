"""
The test carrier: a user agent server of its own (RFC 3261 13.3) on a loopback port, which rings, answers, speaks a sentence
and then sends back what it hears.

The last digits of a number decide what becomes of the call: 486 is busy, 404 does not exist, 480 rings and nobody answers.
It reaches nobody, whatever is dialled: 112 hears that this is a demonstration.
"""

from collections.abc import Callable, Collection, Sequence
from functools import partial
from random import Random

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from minitelecom.media.door import Media, NoPortsLeft, Remote, RtpPort
from minitelecom.media.keys import Way
from minitelecom.media.sound import Sound
from minitelecom.sip.acceptance import Acceptance
from minitelecom.sip.checks import refusal
from minitelecom.sip.client_user import Nobody
from minitelecom.sip.dialog import Dialog
from minitelecom.sip.hop import Hop
from minitelecom.sip.message import Request, Response
from minitelecom.sip.offer_answer import Negotiation, NotAcceptable, Stream
from minitelecom.sip.transaction_layer import ServerTransaction, TransactionLayer

HOST = "127.0.0.1"
RING_SECONDS = 2.0
PATIENCE_SECONDS = 20.0
SILENCE_SECONDS = 120.0
METHODS = ("INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "INFO")
SDP = "application/sdp"
SESSION_BITS = 31

REFUSED_AT_ONCE = {"404": 404, "486": 486}
NEVER_ANSWERED = "480"

log = Logger()

Sentence = Callable[[str], Sequence[Sound]]
"""What is said to who dialled this number."""


class Echo:
    """The user of a port that only sends back: it hears no keys and waits for nothing."""

    def key_pressed(self, key: str) -> None:
        """See MediaUser."""

    def tells_key(self, key: str, way: Way) -> bool:
        """See MediaUser: none are told."""
        return False

    def play_finished(self) -> None:
        """See MediaUser."""

    def media_silent(self, seconds: float) -> None:
        """See MediaUser."""


class CarrierCall:
    """One call, from its INVITE to the BYE. Raises NotAcceptable or NoPortsLeft, and holds nothing then."""

    def __init__(self, carrier: "Carrier", transaction: ServerTransaction) -> None:
        request = transaction.request
        self.tag = carrier.layer.tag()
        self._carrier = carrier
        self._transaction = transaction
        self._dialog = Dialog.as_uas(request, self.tag)
        self._dialled = request.uri.user or ""
        self._acceptance: Acceptance | None = None
        self._waiting: IDelayedCall | None = None
        self._port: RtpPort = carrier.media.open(self, SILENCE_SECONDS)
        self._mirror: RtpPort | None = None
        self._negotiation = Negotiation(HOST, self._port.number, carrier.random.getrandbits(SESSION_BITS))
        try:
            self._answer, stream = self._negotiation.answer(request.body)
            self._mirror = carrier.media.open(Echo(), SILENCE_SECONDS)
        except (NotAcceptable, NoPortsLeft):
            self._port.close()
            raise
        self._connect(stream)
        # A port whose far end is itself: what it is given to send comes in again, and is relayed back to the caller.
        self._mirror.connect(Remote(HOST, self._mirror.number, stream.codecs[0].value, None, send=True, receive=True))

    def ring(self) -> None:
        """Ring, and answer or not, as the number says."""
        self._transaction.on_cancel = self._cancelled
        self._transaction.respond(self._response(180))
        answers = not self._dialled.endswith(NEVER_ANSWERED)
        seconds, end = (RING_SECONDS, self._accept) if answers else (PATIENCE_SECONDS, partial(self._refuse, 480))
        self._waiting = self._carrier.clock.callLater(seconds, end)

    def request_received(self, transaction: ServerTransaction, request: Request) -> None:
        """A request within the dialog."""
        if not self._dialog.in_order(request):
            transaction.respond(request.response(500))
        elif request.method == "INVITE":
            self._change(transaction, request)
        else:
            transaction.respond(request.response(200))
            if request.method == "BYE":
                self._left()

    def acknowledged(self) -> None:
        """The caller has our 200."""
        if self._acceptance is not None:
            self._acceptance.acknowledged()

    def hang_up(self) -> None:
        """End it from our side."""
        if self._acceptance is None:
            self._refuse(480)
            return
        self._carrier.layer.request(self._dialog.request("BYE"), self._transaction.source, Nobody())
        self.close()

    def close(self) -> None:
        """Hold nothing any more."""
        self._carrier.calls.pop((self._dialog.call_id, self.tag), None)
        if self._waiting is not None and self._waiting.active():
            self._waiting.cancel()
        self.acknowledged()
        for port in (self._port, self._mirror):
            if port is not None:
                port.close()

    # What the media port tells.

    def key_pressed(self, key: str) -> None:
        """See MediaUser."""

    def tells_key(self, key: str, way: Way) -> bool:
        """See MediaUser: none are told."""
        return False

    def play_finished(self) -> None:
        """See MediaUser."""

    def media_silent(self, seconds: float) -> None:
        """See MediaUser: the caller has gone without a word."""
        self.hang_up()

    # What becomes of the INVITE.

    def _accept(self) -> None:
        response = self._response(200, self._answer)
        self._acceptance = Acceptance(self._carrier.layer.timers, self._transaction, response, self.hang_up)
        self._port.relay(self._mirror)
        self._port.play(self._carrier.sentence(self._dialled))

    def _refuse(self, status: int) -> None:
        self._transaction.respond(self._response(status))
        self.close()

    def _left(self) -> None:
        if self._acceptance is None:
            self._transaction.respond(self._response(487))
        self.close()

    def _cancelled(self) -> None:
        if self._acceptance is None:
            self._refuse(487)

    def _change(self, transaction: ServerTransaction, request: Request) -> None:
        """A re-INVITE: hold, or another address (RFC 3264 section 8)."""
        try:
            self._answer, stream = self._negotiation.answer(request.body)
        except NotAcceptable:
            transaction.respond(request.response(488))
            return
        self._dialog.update(request)
        self._connect(stream)
        self.acknowledged()
        response = self._response(200, self._answer, request)
        self._acceptance = Acceptance(self._carrier.layer.timers, transaction, response, self.hang_up)

    def _connect(self, stream: Stream) -> None:
        self._port.connect(
            Remote(
                host=stream.host,
                port=stream.port,
                payload_type=stream.codecs[0].value,
                telephone_event=stream.telephone_event,
                send=stream.may_be_sent_to,
                receive=stream.sends,
            )
        )

    def _response(self, status: int, body: bytes = b"", request: Request | None = None) -> Response:
        headers = [("Contact", f"<sip:{HOST}:{self._carrier.port}>"), ("Allow", ", ".join(METHODS))]
        return (request or self._transaction.request).response(
            status, to_tag=self.tag, headers=headers, body=body, content_type=SDP if body else None
        )


class Carrier:
    """The transaction user of a layer of its own; give that the datagrams that arrive."""

    def __init__(
        self,
        clock: IReactorTime,
        random: Random,
        send: Callable[[bytes, Hop], None],
        media: Media,
        sentence: Sentence,
        port: int,
    ) -> None:
        self.clock = clock
        self.random = random
        self.media = media
        self.sentence = sentence
        self.port = port
        self.calls: dict[tuple[str, str], CarrierCall] = {}
        self.layer = TransactionLayer(clock, random, send, lambda _: (HOST, port))
        self.layer.user = self

    def close(self) -> None:
        """End every call."""
        for call in list(self.calls.values()):
            call.hang_up()
        self.layer.close()

    def request_received(self, transaction: ServerTransaction, request: Request, source: Hop) -> None:
        """See TransactionUser."""
        refused = refusal(request, METHODS)
        if request.to.tag is not None:
            call = self.calls.get((request.call_id, request.to.tag))
            if call is None:
                transaction.respond(request.response(481))
            else:
                call.request_received(transaction, request)
        elif refused is not None:
            transaction.respond(request.response(refused.status, refused.reason, headers=refused.headers))
        elif request.method == "INVITE":
            self._invited(transaction, request)
        else:
            transaction.respond(request.response(200 if request.method == "OPTIONS" else 481))

    def ack_received(self, ack: Request, source: Hop) -> None:
        """See TransactionUser."""
        call = self.calls.get((ack.call_id, ack.to.tag or ""))
        if call is not None:
            call.acknowledged()

    def _invited(self, transaction: ServerTransaction, request: Request) -> None:
        dialled = request.uri.user or ""
        log.info("the test carrier is asked for {number}", number=dialled)
        status = REFUSED_AT_ONCE.get(dialled[-3:])
        if status is not None:
            transaction.respond(request.response(status))
            return
        try:
            call = CarrierCall(self, transaction)
        except (NotAcceptable, NoPortsLeft) as hindrance:
            transaction.respond(request.response(488 if isinstance(hindrance, NotAcceptable) else 503))
            return
        self.calls[request.call_id, call.tag] = call
        call.ring()


def sentences(say: Callable[..., Sequence[Sound]], language: str, emergency: Collection[str]) -> Sentence:
    """What the carrier says in this language; `say` finds the recordings (see Voice)."""
    usual, help_ = say(language, "demo-carrier"), say(language, "demo-emergency")
    return lambda number: help_ if number in emergency else usual
