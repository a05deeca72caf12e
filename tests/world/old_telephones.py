"""
The telephones of the trade as they really speak: HT286, BudgeTone 100, ATA 186 (v2 and v3) and HT801.

Each writes its own bytes and reads ours as text: nothing of our SIP is in here.  What tells the models apart stands in
old_models; Fault names the bad habits that a story may switch on.
"""

from dataclasses import dataclass, field
from email.utils import formatdate
from enum import Enum, auto
from hashlib import md5

from minitelecom.sip.hop import Hop
from tests.world.house import EXCHANGE, House
from tests.world.wire import Repetition, Text, Wire, address, hop_of, parameter


class Fault(Enum):
    """What a telephone does that it should not."""

    ACK_TO_ANOTHER_URI = auto()
    ACK_OF_REFUSAL_IS_LOST = auto()  # early dial of a BT100 sends it to port 0
    CREDENTIALS_IN_ACK = auto()
    CONTENT_LENGTH_TOO_LONG = auto()
    MINDS_RECEIVED = auto()  # gives up, and calls anew from the address that our Via parameter told it
    SHOUTS_ITS_DIGEST = auto()  # scheme in capitals, algorithm in quotes
    DATES_ITS_EXPIRY = auto()
    ASKS_FOR_MESSAGES = auto()  # and registers anew when there are none
    CLEARS_OLD_BINDINGS = auto()  # a REGISTER with Contact * before the first


class State(Enum):
    CALLING = auto()
    RINGING = auto()
    TALKING = auto()
    OVER = auto()


@dataclass(eq=False)
class Call:
    """One call of a telephone, made or taken."""

    call_id: str
    local: str
    remote: str
    target: str
    sequence: int
    state: State = State.CALLING
    way: Hop = EXCHANGE
    statuses: list[int] = field(default_factory=list)
    ended_by_far_end: bool = False
    theirs: str = ""  # how the far end described its sound
    credentials: str = ""
    starts_anew: bool = False
    invite: Text | None = None
    ack: bytes = b""
    ack_sequence: int = 0
    last_response: bytes = b""


class OldTelephone:
    """What all of them do.  ``behind``: the address that a router shows of it; it knows only its own."""

    user_agent = ""
    agent_header = "User-Agent"
    rtp_port = 5004
    keep_alive = b""
    keep_alive_seconds = 20.0
    hold_line = "a=sendonly"

    def __init__(
        self,
        house: House,
        name: str,
        host: str,
        *,
        behind: tuple[str, int] | None = None,
        faults: frozenset[Fault] = frozenset(),
    ) -> None:
        self.house = house
        self.name = name
        self.host = host
        self.faults = faults
        self.registrar = EXCHANGE if behind is None else Hop("udp", house.config.sip.external, 5060)
        self.wire = Wire(house.network, self.registrar, *(behind or (host, 5060)), on_text=self._heard)
        self.calls: list[Call] = []
        self.registered = False
        self.answers_after: float | None = 1.0
        self._sequence = self.first_sequence()
        self._registration = self.call_id()
        self._repetitions: dict[tuple[str, str, int], Repetition] = {}
        self._challenged = False
        self._expires = 300

    # What tells the models apart (old_models).

    def first_sequence(self) -> int:
        raise NotImplementedError

    def via(self) -> str:
        raise NotImplementedError

    def tag(self) -> str:
        raise NotImplementedError

    def tag_of_register(self) -> str:
        return f";tag={self.tag()}"

    def call_id(self) -> str:
        raise NotImplementedError

    def contact(self) -> str:
        raise NotImplementedError

    def description(self) -> str:
        raise NotImplementedError

    def expiry(self, seconds: int) -> tuple[str, str]:
        """How long a registration is to last: a parameter of the Contact, and a header line."""
        return "", f"Expires: {seconds}\n"

    def lines_of_invite(self) -> str:
        return "Max-Forwards: 70\n"

    def content(self, body: str, kind: str) -> str:
        """The last header lines."""
        typed = f"Content-Type: {kind}\n" if body else ""
        return f"{typed}Content-Length: {self._length(body)}\n"

    # Registration.

    def register(self, seconds: int = 300) -> None:
        self._challenged, self._expires = False, seconds
        self._register()

    def _register(self, credentials: str = "") -> None:
        in_contact, line = self.expiry(self._expires)
        contact = self.contact() + in_contact
        if Fault.DATES_ITS_EXPIRY in self.faults:
            end = formatdate(self.house.now().timestamp() + self._expires, usegmt=True)
            contact, line = self.contact(), f"Expires: {end}\n"
        if Fault.CLEARS_OLD_BINDINGS in self.faults:
            contact, line = "*", "Expires: 0\n"
        ours = f"<sip:{self.name}@{self.registrar.host}>"
        parties = f"From: {ours}{self.tag_of_register()}\nTo: {ours}\nContact: {contact}\n"
        self._sequence += 1
        self._send(
            "REGISTER", f"sip:{self.registrar.host}", self._registration, self._sequence, parties + line + credentials
        )

    def _register_answered(self, text: Text) -> None:
        if text.status in (401, 407) and not self._challenged:
            self._challenged = True
            name = "Authorization" if text.status == 401 else "Proxy-Authorization"
            self._register(f"{name}: {self._digest(text, 'REGISTER', f'sip:{self.registrar.host}')}\n")
        elif text.status == 200 and Fault.CLEARS_OLD_BINDINGS in self.faults:
            self.faults -= {Fault.CLEARS_OLD_BINDINGS}
            self.register(self._expires)
        elif text.status == 200:
            self.registered = self._expires > 0
            if Fault.ASKS_FOR_MESSAGES in self.faults:
                self._ask_for_messages()

    def _ask_for_messages(self) -> None:
        self.faults -= {Fault.ASKS_FOR_MESSAGES}
        self.registered = False
        uri = f"sip:{self.name}@{self.registrar.host}"
        lines = f"From: <{uri}>;tag={self.tag()}\nTo: <{uri}>\nEvent: message-summary\nExpires: 300\n"
        self._sequence += 1
        self._send("SUBSCRIBE", uri, self.call_id(), self._sequence, lines)

    # Calling.

    def dial(self, number: str) -> Call:
        uri = f"sip:{number}@{self.registrar.host}"
        ours = f"<sip:{self.name}@{self.registrar.host}>;tag={self.tag()}"
        call = Call(self.call_id(), ours, f"<{uri}>", uri, self.first_sequence(), way=self.registrar)
        self.calls.append(call)
        self._invite(call, self.description())
        return call

    def _invite(self, call: Call, body: str) -> None:
        self._ask(call, "INVITE", self.lines_of_invite() + call.credentials, body)

    def _ask(self, call: Call, method: str, lines: str = "", body: str = "", kind: str = "application/sdp") -> None:
        call.sequence += 1
        self._send(method, call.target, call.call_id, call.sequence, self._parties(call) + lines, body, kind, call.way)

    def _parties(self, call: Call, to: str | None = None) -> str:
        return f"From: {call.local}\nTo: {to or call.remote}\nContact: {self.contact()}\n"

    def _invite_answered(self, call: Call, text: Text) -> None:
        if text.status >= 200 and text.sequence == call.ack_sequence:
            self.wire.send(call.ack, call.way)
            return
        call.statuses.append(text.status)
        if text.status < 200:
            self._mind_received(call, text)
            return
        if text.status < 300:
            call.state, call.remote, call.theirs = State.TALKING, text["to"], text.body
            call.target, call.way = address(text["contact"]), hop_of(address(text["contact"]))
        self._acknowledge(call, text)
        if text.status in (401, 407) and not call.credentials:
            name = "Authorization" if text.status == 401 else "Proxy-Authorization"
            call.credentials = f"{name}: {self._digest(text, 'INVITE', call.target)}\n"
            self._invite(call, self.description())
        elif call.starts_anew:
            call.starts_anew = False
            self._invite(call, self.description())
        elif text.status >= 300 and call.state is State.CALLING:
            call.state = State.OVER

    def _mind_received(self, call: Call, text: Text) -> None:
        received = parameter(text["via"], "received")
        if Fault.MINDS_RECEIVED in self.faults and received not in (None, self.host):
            assert received is not None
            self.faults -= {Fault.MINDS_RECEIVED}
            self._cancel(call)
            self.host, call.starts_anew = received, True

    def _acknowledge(self, call: Call, text: Text) -> None:
        uri = f"sip:{self.registrar.host}" if Fault.ACK_TO_ANOTHER_URI in self.faults else call.target
        lines = call.credentials if Fault.CREDENTIALS_IN_ACK in self.faults else ""
        message = self._write("ACK", uri, call.call_id, text.sequence, self._parties(call, text["to"]) + lines)
        call.ack, call.ack_sequence = message, text.sequence
        if text.status < 300 or Fault.ACK_OF_REFUSAL_IS_LOST not in self.faults:
            self.wire.send(message, call.way)

    def _cancel(self, call: Call) -> None:
        self._send("CANCEL", call.target, call.call_id, call.sequence, self._parties(call))

    # Within a call.

    def press(self, keys: str, *, separator: str = "=", seconds_apart: float = 0.2) -> None:
        """Keys by INFO: ``Signal=5``, or ``Signal: 5``."""
        for place, key in enumerate(keys):
            body = f"Signal{separator}{key}\nDuration{separator}160\n"
            self.house.clock.callLater(
                place * seconds_apart, self._ask, self.calls[-1], "INFO", "", body, "application/dtmf-relay"
            )

    def press_by_event(self, keys: str, seconds_apart: float = 0.2) -> None:
        """Keys by telephone-event: the media of stories carries no packets, so its port's user is told."""
        number = int(self.calls[-1].theirs.partition("m=audio ")[2].split()[0])
        user = next(port.user for port in self.house.media.open_ports if port.number == number)
        for place, key in enumerate(keys):
            self.house.clock.callLater(place * seconds_apart, user.key_pressed, key)

    def hold(self) -> None:
        """By a direction, or by an address of zeros."""
        body = self.description()
        if self.hold_line.startswith("c="):
            body = body.replace(f"c=IN IP4 {self.host}", self.hold_line)
        else:
            body = body.replace("a=sendrecv\n", "") + f"{self.hold_line}\n"
        self._invite(self.calls[-1], body)

    def resume(self) -> None:
        self._invite(self.calls[-1], self.description())

    def hang_up(self) -> None:
        call = self.calls[-1]
        if call.state is State.TALKING:
            call.state = State.OVER
            self._ask(call, "BYE")
        elif call.state is State.CALLING:
            self._cancel(call)

    # Being called.

    def _called(self, text: Text) -> None:
        if (again := self._call_of(text)) is not None:
            self.wire.send(again.last_response)
            return
        busy = any(call.state is not State.OVER for call in self.calls)
        target = address(text["contact"])
        ours = f"{text['to']};tag={self.tag()}"
        call = Call(text["call-id"], ours, text["from"], target, self.first_sequence(), State.RINGING, hop_of(target))
        call.invite, call.theirs = text, text.body
        self.calls.append(call)
        if busy:
            call.state = State.OVER
            self._reply(text, "486 Busy Here", call)
            return
        self._reply(text, "180 Ringing", call)
        if self.answers_after is not None:
            self.house.clock.callLater(self.answers_after, self._lift, call)

    def _lift(self, call: Call) -> None:
        if call.state is State.RINGING and call.invite is not None:
            call.state = State.TALKING
            key = ("200", call.call_id, 0)
            self._reply(call.invite, "200 OK", call, self.description())
            self._repetitions[key] = Repetition(self.house.clock, lambda: self.wire.send(call.last_response))

    def _left(self, call: Call, text: Text) -> None:
        self._reply(text, "200 OK")
        self._stop("200", call.call_id, 0)
        if text.method == "CANCEL" and call.state is State.RINGING and call.invite is not None:
            self._reply(call.invite, "487 Request Terminated", call)
        call.state, call.ended_by_far_end = State.OVER, True

    def _reply(self, text: Text, status: str, call: Call | None = None, body: str = "") -> None:
        vias = "".join(f"Via: {via}\n" for via in text.all("via"))
        answer = (
            f"SIP/2.0 {status}\n{vias}From: {text['from']}\nTo: {call.local if call else text['to']}\n"
            f"Call-ID: {text['call-id']}\nCSeq: {text['cseq']}\nContact: {self.contact()}\n"
            f"{self.agent_header}: {self.user_agent}\n{self.content(body, 'application/sdp')}\n{body}"
        ).replace("\n", "\r\n")
        if call is not None:
            call.last_response = answer.encode()
        self.wire.send(answer.encode())

    # The wire.

    def keep_alive_forever(self) -> None:
        self.wire.send(self.keep_alive)
        self.house.clock.callLater(self.keep_alive_seconds, self.keep_alive_forever)

    def _call_of(self, text: Text) -> Call | None:
        return next((call for call in self.calls if call.call_id == text["call-id"]), None)

    def _heard(self, text: Text) -> None:
        call = self._call_of(text)
        if text.is_response:
            self._stop(text.method, text["call-id"], text.sequence)
            if text.method == "REGISTER":
                self._register_answered(text)
            elif text.method == "SUBSCRIBE":
                self.register(self._expires)
            elif text.method == "INVITE" and call is not None:
                self._invite_answered(call, text)
        elif text.method == "INVITE":
            self._called(text)
        elif text.method == "ACK":
            self._stop("200", text["call-id"], 0)
        elif text.method in ("BYE", "CANCEL") and call is not None:
            self._left(call, text)
        elif text.method in ("OPTIONS", "NOTIFY"):
            self._reply(text, "200 OK")
        else:
            self._reply(text, "481 Call Leg/Transaction Does Not Exist")

    def _write(
        self, method: str, uri: str, call_id: str, sequence: int, lines: str, body: str = "", kind: str = ""
    ) -> bytes:
        return (
            f"{method} {uri} SIP/2.0\nVia: {self.via_of(method, call_id, sequence)}\n{lines}Call-ID: {call_id}\n"
            f"CSeq: {sequence} {method}\nUser-Agent: {self.user_agent}\n{self.content(body, kind)}\n{body}"
        ).replace("\n", "\r\n").encode()  # fmt: skip

    def via_of(self, method: str, call_id: str, sequence: int) -> str:
        """CANCEL and the ACK of a refusal are on the branch of their INVITE; so is, with these, every ACK."""
        kind = "INVITE" if method in ("ACK", "CANCEL") else method
        branch = md5(f"{kind} {call_id} {sequence}".encode()).hexdigest()[:16]
        return self.via().replace("BRANCH", branch)

    def _send(
        self,
        method: str,
        uri: str,
        call_id: str,
        sequence: int,
        lines: str,
        body: str = "",
        kind: str = "",
        way: Hop | None = None,
    ) -> None:
        data = self._write(method, uri, call_id, sequence, lines, body, kind)
        key = (method, call_id, sequence)
        self._repetitions[key] = Repetition(self.house.clock, lambda: self.wire.send(data, way or self.registrar))

    def _stop(self, method: str, call_id: str, sequence: int) -> None:
        repetition = self._repetitions.pop((method, call_id, sequence), None)
        if repetition is not None:
            repetition.stop()

    def _length(self, body: str) -> int:
        length = len(body) + body.count("\n")
        return length + (Fault.CONTENT_LENGTH_TOO_LONG in self.faults and length > 0)

    def _digest(self, text: Text, method: str, uri: str) -> str:
        """RFC 2069's answer: no cnonce, no count."""
        challenge = text["www-authenticate"] or text["proxy-authenticate"]
        realm, nonce = parameter(challenge, "realm"), parameter(challenge, "nonce")
        secret = hexed(f"{self.name}:{realm}:secret-{self.name}")
        answer = hexed(f"{secret}:{nonce}:{hexed(f'{method}:{uri}')}")
        scheme, algorithm = (
            ("DIGEST", ', algorithm="MD5"') if Fault.SHOUTS_ITS_DIGEST in self.faults else ("Digest", "")
        )
        return (
            f'{scheme} username="{self.name}", realm="{realm}", nonce="{nonce}", uri="{uri}", response="{answer}"'
            f"{algorithm}"
        )


def hexed(text: str) -> str:
    return md5(text.encode()).hexdigest()
