"""
A telephone of the trade as it registers, and the words all its messages are made of: what tells the models apart
(old_models), what it does wrong (faults), how it shows its password (RFC 2069).
"""

from email.utils import formatdate
from hashlib import md5

from minitelecom.sip.hop import Hop
from tests.world.faults import Fault, written
from tests.world.house import EXCHANGE, House
from tests.world.wire import Repetition, Text, Wire, parameter


class OldSubscriber:
    """One that registers and asks.  ``behind``: the address that a router shows of it; it knows only its own."""

    user_agent = ""
    agent_header = "User-Agent"
    rtp_port = 5004
    keep_alive = b""
    keep_alive_seconds = 20.0
    hold_line = "a=sendonly"
    mac = "000b82123456"
    restart_event = "check-sync"

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
        self.wire = Wire(house.network, self.registrar, *(behind or (host, 5060)), on_text=self.heard)
        self.registered = False
        self.stumbled = False  # over what it never heard of; it says nothing more then
        self.fetches = 0  # of its configuration, since it was told to
        self._sequence = self._begins_at()
        self._old_credentials = ""
        self._registration = self.call_id()
        self._repetitions: dict[tuple[str, str, int], Repetition] = {}
        self._challenged = False
        self._expires = 300
        self._event = ""

    def _begins_at(self) -> int:
        return 2**31 - 2 if Fault.COUNTS_NEAR_THE_SIGN in self.faults else self.first_sequence()

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
        self._register(self._old_credentials)

    def register_with(self, challenge: str) -> None:
        """Answer a challenge of before, once more."""
        uri = f"sip:{self.registrar.host}"
        self._register(f"Authorization: {self._digest(challenge, 'REGISTER', uri)}\n")

    def _register(self, credentials: str = "") -> None:
        in_contact, line = self.expiry(self._expires)
        contact = self.contact() + in_contact
        if Fault.SAYS_ACTION_PROXY in self.faults:
            contact += ";action=proxy"
        if Fault.REGISTERS_TWICE in self.faults:
            contact += f", <sip:{self.name}.2@{self.host}>{in_contact}"
        if Fault.DATES_ITS_CONTACT in self.faults:
            end = formatdate(self.house.now().timestamp() + self._expires, usegmt=True)
            contact, line = f'{self.contact()};expires="{end}"', ""
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
            credentials = self._credentials(text, "REGISTER", f"sip:{self.registrar.host}")
            if Fault.SENDS_OLD_CREDENTIALS in self.faults:
                self._old_credentials = credentials
            self._register(credentials)
        elif text.status == 200 and Fault.CLEARS_OLD_BINDINGS in self.faults:
            self.faults -= {Fault.CLEARS_OLD_BINDINGS}
            self.register(self._expires)
        elif text.status == 200:
            self.registered = self._expires > 0

    def ask_for(self, event: str, credentials: str = "") -> None:
        """Subscribe to an event; where there is none, early firmware forgets that it is registered, and begins anew."""
        self._event = event
        uri = f"sip:{self.name}@{self.registrar.host}"
        lines = (
            f"From: <{uri}>;tag={self.tag()}\nTo: <{uri}>\nContact: {self.contact()}\nEvent: {event}\nExpires: 300\n"
        )
        self._sequence += 1
        self._send("SUBSCRIBE", uri, self.call_id(), self._sequence, lines + credentials)

    def _subscribe_answered(self, text: Text) -> None:
        if text.status in (401, 407):
            uri = f"sip:{self.name}@{self.registrar.host}"
            self.ask_for(self._event, self._credentials(text, "SUBSCRIBE", uri))
        elif text.status >= 300 and Fault.FORGETS_WITHOUT_MESSAGES in self.faults:
            self.registered = False
            self.register(self._expires)

    # The wire.

    def heard(self, text: Text) -> None:
        raise NotImplementedError

    def keep_alive_forever(self) -> None:
        self.wire.send(self.keep_alive)
        self.house.clock.callLater(self.keep_alive_seconds, self.keep_alive_forever)

    def _write(
        self, method: str, uri: str, call_id: str, sequence: int, lines: str, body: str = "", kind: str = ""
    ) -> bytes:
        message = (
            f"{method} {uri} SIP/2.0\nVia: {self.via_of(method, call_id, sequence)}\n{lines}Call-ID: {call_id}\n"
            f"CSeq: {sequence} {method}\nUser-Agent: {self.user_agent}\n{self.content(body, kind)}\n{body}"
        )
        return written(message, self.faults).replace("\n", "\r\n").encode()

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

    def _credentials(self, text: Text, method: str, uri: str) -> str:
        """The header line that answers a challenge."""
        name = "Authorization" if text.status == 401 else "Proxy-Authorization"
        challenge = text["www-authenticate"] or text["proxy-authenticate"]
        if Fault.STUMBLES_OVER_QOP in self.faults and parameter(challenge, "qop") is not None:
            self.stumbled = True
        return f"{name}: {self._digest(challenge, method, uri)}\n"

    def _digest(self, challenge: str, method: str, uri: str) -> str:
        """RFC 2069's answer: no cnonce, no count."""
        realm, nonce = parameter(challenge, "realm") or "", parameter(challenge, "nonce") or ""
        answer = self._response(realm, nonce, method, uri)
        scheme, algorithm = (
            ("DIGEST", ', algorithm="MD5"') if Fault.SHOUTS_ITS_DIGEST in self.faults else ("Digest", "")
        )
        return (
            f'{scheme} username="{self.name}", realm="{realm}", nonce="{nonce}", uri="{uri}", response="{answer}"'
            f"{algorithm}"
        )

    def _response(self, realm: str, nonce: str, method: str, uri: str, counted: str = "") -> str:
        secret = hexed(f"{self.name}:{realm}:secret-{self.name}")
        return hexed(f"{secret}:{nonce}:{counted}{hexed(f'{method}:{uri}')}")


def hexed(text: str) -> str:
    return md5(text.encode()).hexdigest()
