"""
A far end: a telephone or a carrier, over our own transaction layer and dialogs but none of the exchange's code.

It does what a story tells it to, and remembers what it heard.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from twisted.internet.task import Clock

from minitelecom.sip import digest
from minitelecom.sip.acceptance import Acceptance
from minitelecom.sip.client_user import Failure
from minitelecom.sip.dialog import Dialog
from minitelecom.sip.hop import Hop
from minitelecom.sip.message import Request, Response
from minitelecom.sip.streams import Streams
from minitelecom.sip.transaction_layer import ClientTransaction, ServerTransaction, TransactionLayer
from tests.world.network import Network

SDP = (
    "v=0\r\no=- 1 1 IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\n"
    "m=audio {port} RTP/AVP 8 0 101\r\na=rtpmap:101 telephone-event/8000\r\na=ptime:20\r\n"
)


def bracketed(host: str) -> str:
    """A host as it stands in a URI."""
    return f"[{host}]" if ":" in host else host


@dataclass
class Behaviour:
    """What a party does when it is called: after so many seconds ring, then answer with a status; then talk and hang up."""

    ring_after: float | None = 0.1
    answer_after: float | None = 1.0
    status: int = 200
    early_media: bool = False
    talk_seconds: float | None = None
    headers: tuple[tuple[str, str], ...] = ()


class Talk:
    """One dialog of a party, in either direction."""

    def __init__(self, party: "Party") -> None:
        self.party = party
        self.dialog: Dialog | None = None
        self.statuses: list[int] = []
        self.challenges: list[str] = []
        self.response: Response | None = None
        self.request: Request | None = None
        self.answered_at: float | None = None
        self.ended_at: float | None = None
        self.ended_by_far_end = False
        self.server: ServerTransaction | None = None
        self.client: ClientTransaction | None = None
        self.failure: Failure | None = None
        self.on_final: Callable[[Talk], None] = lambda talk: None
        self.heard: list[Request] = []  # within the dialog
        self._acceptance: Acceptance | None = None
        self._sequence = 1
        self._credentials: list[tuple[str, str]] = []

    @property
    def talking(self) -> bool:
        return self.answered_at is not None and self.ended_at is None

    @property
    def final(self) -> int | None:
        return next((status for status in self.statuses if status >= 200 and status not in (401, 407)), None)

    # Calling.

    def invite(
        self, number: str, *, body: bool = True, headers: tuple[tuple[str, str], ...] = (), to: str | None = None
    ) -> "Talk":
        party = self.party
        self._number, self._body, self._headers = number, body, headers
        self._to = to or number
        self._call_id, self._tag = party.layer.tag(), party.layer.tag()
        self._send_invite()
        return self

    def _send_invite(self) -> None:
        party = self.party
        uri = f"{party.scheme}:{self._number}@{party.exchange_host}"
        lines = [
            ("From", f"<sip:{party.name}@{bracketed(party.host)}>;tag={self._tag}"),
            ("To", f"<sip:{self._to}@{party.exchange_host}>"),
            ("Call-ID", self._call_id),
            ("CSeq", f"{self._sequence} INVITE"),
            ("Contact", f"<sip:{party.name}@{bracketed(party.host)}:{party.port}>"),
            ("Max-Forwards", "70"),
            *self._credentials,
            *self._headers,
        ]
        body = party.description() if self._body else b""
        request = Request.create("INVITE", uri, lines, body, "application/sdp" if body else None)
        self.client = party.layer.request(request, party.exchange, self)

    def response_received(self, response: Response, source: Hop) -> None:
        self.statuses.append(response.status)
        self.response = response
        if response.status < 200:
            return
        self.challenges += response.get_all("Proxy-Authenticate")
        if response.status == 407 and not self._credentials:
            self._credentials = [
                self.party.answer_challenge(response, "INVITE", f"sip:{self._number}@{bracketed(source.host)}")
            ]
            self._sequence += 1
            self._send_invite()
            return
        if response.status < 300:
            assert self.client is not None
            repeated = self.dialog is not None
            if not repeated:
                self.dialog = Dialog.as_uac(self.client.request, response)
            assert self.dialog is not None
            answer = b"" if self._body else self.party.description()
            ack = self.dialog.ack(self._sequence, (), answer, "application/sdp" if answer else None)
            self.party.layer.send_ack(ack, self.party.exchange)
            if repeated:
                return
            self.answered_at = self.party.clock.seconds()
            self.party.dialogs[self.dialog.call_id, self._tag] = self
        self.on_final(self)

    def request_failed(self, cause: Failure) -> None:
        self.failure = cause
        self.on_final(self)

    def cancel(self) -> None:
        assert self.client is not None
        self.client.cancel()

    def press(self, keys: str, seconds_apart: float = 0.2) -> None:
        """Keys by INFO, one after another."""
        for place, key in enumerate(keys):
            self.party.clock.callLater(place * seconds_apart, self._press, key)

    def _press(self, key: str) -> None:
        if self.dialog is None or self.ended_at is not None:
            return
        body = f"Signal={key}\r\nDuration=160\r\n".encode()
        self.send("INFO", body, "application/dtmf-relay")

    def send(
        self,
        method: str,
        body: bytes = b"",
        content_type: str | None = None,
        headers: tuple[tuple[str, str], ...] = (),
    ) -> "Answer":
        assert self.dialog is not None
        answer = Answer()
        self.party.layer.request(self.dialog.request(method, headers, body, content_type), self.party.exchange, answer)
        return answer

    def refer(self, to: str, *headers: tuple[str, str]) -> "Answer":
        """Transfer whoever is at the other end (RFC 3515); with credentials when asked."""
        assert self.dialog is not None
        return Referring(self, [("Refer-To", to), *self.party.contact(), *headers])

    @property
    def replaces(self) -> str:
        """What another INVITE has to say to take the place of this end of the dialog (RFC 3891)."""
        assert self.dialog is not None
        return f"{self.dialog.call_id};to-tag={self.dialog.remote_tag};from-tag={self.dialog.local_tag}"

    @property
    def told(self) -> list[str]:
        """What the notifications of a transfer said, in their order."""
        return [request.body.decode().strip() for request in self.heard if request.method == "NOTIFY"]

    def re_invite(self, body: bytes) -> "Answer":
        """Another description of the session; its 200 is acknowledged."""
        assert self.dialog is not None
        answer = Answer(self)
        self.party.layer.request(
            self.dialog.request("INVITE", self.party.contact(), body, "application/sdp"), self.party.exchange, answer
        )
        return answer

    def hang_up(self) -> None:
        if self.talking:
            self.ended_at = self.party.clock.seconds()
            self.send("BYE")

    # Being called.

    def invited(self, transaction: ServerTransaction, behaviour: Behaviour) -> None:
        self.server = transaction
        self.request = transaction.request
        self._tag = self.party.layer.tag()
        transaction.on_cancel = self._cancelled
        clock = self.party.clock
        if behaviour.ring_after is not None:
            clock.callLater(behaviour.ring_after, self._ring, behaviour)
        if behaviour.answer_after is not None:
            clock.callLater(behaviour.answer_after, self._answer, behaviour)

    def _cancelled(self) -> None:
        assert self.server is not None
        self.ended_at = self.party.clock.seconds()
        self.server.respond(self.server.request.response(487, to_tag=self._tag))

    def _ring(self, behaviour: Behaviour) -> None:
        assert self.server is not None
        if self.server.answered:
            return
        body = self.party.description() if behaviour.early_media else b""
        status = 183 if behaviour.early_media else 180
        self.server.respond(
            self.server.request.response(
                status, to_tag=self._tag, headers=self.party.contact(), body=body, content_type="application/sdp"
            )
        )

    def _answer(self, behaviour: Behaviour) -> None:
        assert self.server is not None
        if self.server.answered:
            return
        request = self.server.request
        if behaviour.status >= 300:
            self.server.respond(request.response(behaviour.status, to_tag=self._tag, headers=behaviour.headers))
            return
        self.dialog = Dialog.as_uas(request, self._tag)
        self.party.dialogs[self.dialog.call_id, self._tag] = self
        response = request.response(
            200,
            to_tag=self._tag,
            headers=self.party.contact(),
            body=self.party.description(),
            content_type="application/sdp",
        )
        self.answered_at = self.party.clock.seconds()
        self._acceptance = Acceptance(self.party.layer.timers, self.server, response, self._unacknowledged)
        if behaviour.talk_seconds is not None:
            self.party.clock.callLater(behaviour.talk_seconds, self.hang_up)

    def _unacknowledged(self) -> None:
        self.hang_up()

    def acknowledged(self) -> None:
        if self._acceptance is not None:
            self._acceptance.acknowledged()

    def request_received(self, transaction: ServerTransaction, request: Request) -> None:
        self.heard.append(request)
        transaction.respond(request.response(200))
        if request.method == "BYE" and self.ended_at is None:
            self.ended_at = self.party.clock.seconds()
            self.ended_by_far_end = True
            self.acknowledged()


@dataclass
class Answer:
    """What came back to one request; of a re-INVITE's talk, to acknowledge it."""

    talk: Talk | None = None
    statuses: list[int] = field(default_factory=list)
    response: Response | None = None
    failure: Failure | None = None

    def response_received(self, response: Response, source: Hop) -> None:
        self.statuses.append(response.status)
        self.response = response
        if self.talk is not None and response.status // 100 == 2:
            assert self.talk.dialog is not None
            self.talk.party.layer.send_ack(self.talk.dialog.ack(response.cseq.number), self.talk.party.exchange)

    def request_failed(self, cause: Failure) -> None:
        self.failure = cause


class Referring(Answer):
    """A REFER within a talk."""

    def __init__(self, talk: Talk, lines: list[tuple[str, str]]) -> None:
        super().__init__()
        self._talk, self._lines, self._asked = talk, lines, False
        self._send(())

    def _send(self, headers: tuple[tuple[str, str], ...]) -> None:
        talk = self._talk
        assert talk.dialog is not None
        talk.party.layer.request(talk.dialog.request("REFER", (*self._lines, *headers)), talk.party.exchange, self)

    def response_received(self, response: Response, source: Hop) -> None:
        super().response_received(response, source)
        if response.status == 407 and not self._asked:
            self._asked = True
            dialog = self._talk.dialog
            assert dialog is not None
            self._send((self._talk.party.answer_challenge(response, "REFER", str(dialog.remote_target)),))


class Party:
    """A host with SIP."""

    def __init__(
        self,
        clock: Clock,
        random: Random,
        network: Network,
        exchange: Hop,
        name: str,
        host: str,
        port: int = 5060,
        password: str = "",
        streams: Streams | None = None,
    ) -> None:
        """``streams``: its connections; then it speaks TCP, and listens there, too."""
        self.clock = clock
        self.exchange = exchange if streams is None else exchange._replace(transport="tcp")
        self.streams = streams
        self.scheme = "sip"  # of the URIs it calls
        self.name = name
        self.host = host
        self.port = port
        self.password = password
        self.network = network
        self.behaviours: dict[str, Behaviour] = {}
        self.usual = Behaviour()
        self.calls: list[Talk] = []
        self.asked: list[Request] = []  # of us, outside any talk
        self.dialogs: dict[tuple[str, str], Talk] = {}
        send = network.attach(host, port, self._received) if streams is None else streams.send
        self.layer = TransactionLayer(clock, random, send, lambda hop: (host, port))
        self.layer.user = self
        if streams is not None:
            streams.receiver, streams.needed = self.layer, lambda hop: True
            streams.listen("tcp", host, port)

    def _received(self, data: bytes, source: Hop) -> None:
        self.layer.datagram_received(data, source)

    @property
    def exchange_host(self) -> str:
        """As it stands in a URI."""
        return bracketed(self.exchange.host)

    def contact(self) -> list[tuple[str, str]]:
        transport = "" if self.streams is None else ";transport=tcp"
        return [("Contact", f"<sip:{self.name}@{bracketed(self.host)}:{self.port}{transport}>")]

    def description(self) -> bytes:
        return SDP.format(host=self.host, port=40000).replace("IP4", "IP6" if ":" in self.host else "IP4").encode()

    def answer_challenge(self, response: Response, method: str, uri: str) -> tuple[str, str]:
        name, answer = (
            ("WWW-Authenticate", "Authorization")
            if response.status == 401
            else ("Proxy-Authenticate", "Proxy-Authorization")
        )
        challenge = digest.strongest(response.get_all(name))
        assert challenge is not None
        return answer, str(digest.respond(challenge, self.name, self.password, method, uri, cnonce="0a4f113b"))

    def register(self, expires: int = 3600) -> "Registering":
        return Registering(self, expires).send()

    def call(
        self, number: str, *, body: bool = True, headers: tuple[tuple[str, str], ...] = (), to: str | None = None
    ) -> Talk:
        return self.new_talk().invite(number, body=body, headers=headers, to=to)

    def new_talk(self) -> Talk:
        talk = Talk(self)
        self.calls.append(talk)
        return talk

    def behaviour(self, number: str) -> Behaviour:
        """What this party does when it is called by that number."""
        return self.behaviours.get(number, self.usual)

    def ask(self, method: str, lines: list[tuple[str, str]]) -> "Answer":
        """A request outside any talk, with credentials when asked."""
        return Asking(self, method, lines).send()

    # TransactionUser.

    def request_received(self, transaction: ServerTransaction, request: Request, source: Hop) -> None:
        if request.to.tag is not None:
            talk = self.dialogs.get((request.call_id, request.to.tag))
            if talk is None:
                self.asked.append(request)
                transaction.respond(request.response(200 if request.method == "NOTIFY" else 481))
            else:
                talk.request_received(transaction, request)
        elif request.method == "INVITE":
            self.new_talk().invited(transaction, self.behaviour(request.uri.user or ""))
        else:
            self.asked.append(request)
            transaction.respond(request.response(200))

    def ack_received(self, ack: Request, source: Hop) -> None:
        talk = self.dialogs.get((ack.call_id, ack.to.tag or ""))
        if talk is not None:
            talk.acknowledged()


class Asking(Answer):
    """A request to the exchange itself."""

    def __init__(self, party: Party, method: str, lines: list[tuple[str, str]]) -> None:
        super().__init__()
        self._party, self._method, self._lines = party, method, lines
        self._call_id, self._tag = party.layer.tag(), party.layer.tag()
        self._sequence = 0

    def send(self, headers: tuple[tuple[str, str], ...] = ()) -> "Asking":
        party = self._party
        self._sequence += 1
        uri = f"sip:{party.name}@{party.exchange_host}"
        lines = [
            ("From", f"<{uri}>;tag={self._tag}"),
            ("To", f"<{uri}>"),
            ("Call-ID", self._call_id),
            ("CSeq", f"{self._sequence} {self._method}"),
            ("Max-Forwards", "70"),
            *party.contact(),
            *self._lines,
            *headers,
        ]
        party.layer.request(Request.create(self._method, uri, lines), party.exchange, self)
        return self

    def response_received(self, response: Response, source: Hop) -> None:
        super().response_received(response, source)
        if response.status == 407 and self._sequence == 1:
            uri = f"sip:{self._party.name}@{self._party.exchange_host}"
            self.send((self._party.answer_challenge(response, self._method, uri),))


class Registering(Answer):
    """A REGISTER, with credentials when asked."""

    def __init__(self, party: Party, expires: int) -> None:
        super().__init__()
        self._party = party
        self._expires = expires
        self._call_id, self._tag = party.layer.tag(), party.layer.tag()
        self._sequence = 0

    def send(self, headers: tuple[tuple[str, str], ...] = ()) -> "Registering":
        party = self._party
        self._sequence += 1
        address = f"<sip:{party.name}@{party.exchange_host}>"
        lines = [
            ("From", f"{address};tag={self._tag}"),
            ("To", address),
            ("Call-ID", self._call_id),
            ("CSeq", f"{self._sequence} REGISTER"),
            ("Max-Forwards", "70"),
            ("Expires", str(self._expires)),
            *party.contact(),
            *headers,
        ]
        party.layer.request(Request.create("REGISTER", f"sip:{party.exchange_host}", lines), party.exchange, self)
        return self

    def response_received(self, response: Response, source: Hop) -> None:
        super().response_received(response, source)
        if response.status == 401 and self._sequence == 1:
            self.send((self._party.answer_challenge(response, "REGISTER", f"sip:{self._party.exchange_host}"),))
