"""
The telephones of the trade as they really speak: HT286, BudgeTone 100, ATA 186 (v2 and v3) and HT801.

Each writes its own bytes and reads ours as text: nothing of our SIP is in here.  What tells the models apart stands in
old_models, and their bad habits, that a story may switch on, in faults.
"""

from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

from minitelecom.sip.hop import Hop
from tests.world.faults import Fault, written
from tests.world.house import EXCHANGE
from tests.world.old_subscribers import OldSubscriber
from tests.world.wire import Repetition, Text, address, hop_of, parameter


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
    challenge: Text | None = None
    starts_anew: bool = False
    invite: Text | None = None
    ack: bytes = b""
    ack_sequence: int = 0
    last_response: bytes = b""


class OldTelephone(OldSubscriber):
    """What all of them do in calls."""

    def __init__(self, *place: Any, **habits: Any) -> None:
        super().__init__(*place, **habits)
        self.calls: list[Call] = []
        self.answers_after: float | None = 1.0

    # Calling.

    def dial(self, number: str) -> Call:
        uri = f"sip:{number}@{self.registrar.host}"
        ours = f"<sip:{self.name}@{self.registrar.host}>;tag={self.tag()}"
        call = Call(self.call_id(), ours, f"<{uri}>", uri, self._begins_at(), way=self.registrar)
        self.calls.append(call)
        self._invite(call, self.description())
        return call

    def _invite(self, call: Call, body: str) -> None:
        if call.challenge is not None:
            call.credentials = self._credentials(call.challenge, "INVITE", call.target)
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
            self.session_agreed(call, text)
        self._acknowledge(call, text)
        if text.status in (401, 407) and call.challenge is None:
            call.challenge = text
            self._invite(call, self.description())
        elif call.starts_anew:
            call.starts_anew = False
            self._invite(call, self.description())
        elif text.status >= 300 and call.state is State.CALLING:
            call.state = State.OVER

    def session_agreed(self, call: Call, text: Text) -> None:
        """An adapter of today refreshes its session."""

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
            self.house.clock.callLater(place * seconds_apart, self.tell, body)

    def tell(self, body: str) -> None:
        """By INFO, in the call it has."""
        self._ask(self.calls[-1], "INFO", "", body, "application/dtmf-relay")

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
        again = self._call_of(text)
        if again is not None and again.state is State.TALKING and parameter(text["to"], "tag"):
            again.theirs = text.body
            self._reply(text, "200 OK", again, self.description())  # a session refreshed, or changed
            return
        if again is not None and again.invite is not None and again.invite["via"] != text["via"]:
            if Fault.ANSWERS_THE_LAST_OF_ONE_CALL_ID in self.faults:
                again.invite = text  # it rings for the first, and will answer this one
            return
        if again is not None:
            self.wire.send(again.last_response)
            return
        if not text.body:
            self._stumble()
        busy = any(call.state is not State.OVER for call in self.calls)
        target = address(text["contact"])
        ours = f"{text['to']};tag={self.tag()}"
        call = Call(text["call-id"], ours, text["from"], target, self._begins_at(), State.RINGING, hop_of(target))
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
        )
        data = written(answer, self.faults).replace("\n", "\r\n").encode()
        if call is not None:
            call.last_response = data
        self.wire.send(data)

    def _stumble(self) -> None:
        self.stumbled = self.stumbled or Fault.STUMBLES_OVER_NEW_METHODS in self.faults

    def _notified(self, text: Text) -> None:
        """By the server itself: to fetch the configuration anew."""
        if Fault.REFUSES_NOTIFY in self.faults and "authorization" not in text:
            self._reply(text, '401 Unauthorized\nWWW-Authenticate: Digest realm="telephone", nonce="its own"')
        elif text["event"] == "message-summary":
            self._reply(text, "200 OK")
        elif text["event"].partition(";")[0] == self.restart_event and self._may_restart_it(text):
            self.fetches += 1
            self._reply(text, "200 OK")
        else:
            self._reply(text, "489 Bad Event")

    def _may_restart_it(self, text: Text) -> bool:
        if Fault.REFUSES_NOTIFY not in self.faults:
            return True
        answer = text["authorization"]
        uri = answer.partition('uri="')[2].partition('"')[0]  # it may have parameters of its own
        right = self._response("telephone", "its own", "NOTIFY", uri)
        return parameter(answer, "response") == right

    # The wire.

    def _call_of(self, text: Text) -> Call | None:
        return next((call for call in self.calls if call.call_id == text["call-id"]), None)

    def heard(self, text: Text) -> None:
        call = self._call_of(text)
        if "100rel" in text["require"]:
            self._stumble()
        if self.stumbled:
            return
        if text.is_response:
            self._stop(text.method, text["call-id"], text.sequence)
            if text.method == "REGISTER":
                self._register_answered(text)
            elif text.method == "SUBSCRIBE":
                self._subscribe_answered(text)
            elif text.method == "INVITE" and call is not None:
                self._invite_answered(call, text)
        elif text.method == "INVITE":
            self._called(text)
        elif text.method == "ACK":
            self._stop("200", text["call-id"], 0)
        elif text.method in ("BYE", "CANCEL") and call is not None:
            self._left(call, text)
        elif text.method == "OPTIONS":
            self._reply(text, "200 OK")
        elif text.method == "NOTIFY":
            self._notified(text)
        else:
            self._stumble()
            self._reply(text, "481 Call Leg/Transaction Does Not Exist")
