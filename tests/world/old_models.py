"""Five models, by what their templates say (fact sheet, B5): the same telephone, but for what it writes."""

from typing import Any

from tests.world.old_telephones import Call, OldTelephone, State
from tests.world.wire import Text, parameter

LETTERS = str.maketrans("0123456789", "ABCDEFGHIJ")


class HT286(OldTelephone):
    """An adapter of 2004: private address without port, no rport, rtpmaps with a third field."""

    user_agent = "Grandstream HT286 1.0.8.32"
    restart_event = "sys-control"

    def first_sequence(self) -> int:
        return self.house.random.getrandbits(16)

    def via(self) -> str:
        return f"SIP/2.0/UDP {self.host};branch=z9hG4bKBRANCH"

    def tag(self) -> str:
        return f"{self.house.random.getrandbits(64):016x}"

    def call_id(self) -> str:
        return f"{self.tag()}@{self.host}"

    def contact(self) -> str:
        return f"<sip:{self.name}@{self.host}>"

    def lines_of_invite(self) -> str:
        allow = "INVITE, ACK, CANCEL, BYE, NOTIFY, REFER, OPTIONS, INFO, SUBSCRIBE".replace(" ", "")
        return f"Supported: replaces\nMax-Forwards: 70\nAllow: {allow}\n"

    def description(self) -> str:
        return (
            f"v=0\no={self.name} 8000 0 IN IP4 {self.host}\ns=SIP Call\nc=IN IP4 {self.host}\nt=0 0\n"
            f"m=audio {self.rtp_port} RTP/AVP 8 0 4 18 99\na=sendrecv\na=rtpmap:8 PCMA/8000/3\na=rtpmap:0 PCMU/8000/3\n"
            "a=rtpmap:4 G723/8000/3\na=rtpmap:18 G729/8000/3\na=rtpmap:99 iLBC/8000/3\na=fmtp:99 mode=20\na=ptime:20\n"
        )


class BT100(HT286):
    """The telephone of the same family; its keep-alives are datagrams of no length."""

    user_agent = "Grandstream BT100 1.0.5.11"
    keep_alive_seconds = 10.0


class ATA186v2(OldTelephone):
    """No branch, no port, no From tag when it registers, nothing that RFC 3261 brought."""

    user_agent = "Cisco ATA v2.12 ata186 (0928a)"
    agent_header = "Server"
    rtp_port = 16384
    keep_alive = b"\0"
    hold_line = "c=IN IP4 0.0.0.0"

    def first_sequence(self) -> int:
        return 0

    def via(self) -> str:
        return f"SIP/2.0/UDP {self.host}"

    def tag(self) -> str:
        return str(self.house.random.getrandbits(31))

    def tag_of_register(self) -> str:
        return ""

    def call_id(self) -> str:
        return f"{self.house.random.getrandbits(31)}@{self.host}"

    def contact(self) -> str:
        return f"<sip:{self.name}@{self.host};user=phone;transport=udp>"

    def expiry(self, seconds: int) -> tuple[str, str]:
        return f";expires={seconds}", ""

    def lines_of_invite(self) -> str:
        return "Expires: 300\n"

    def content(self, body: str, kind: str) -> str:
        typed = f"Content-Type: {kind}\n" if body else ""
        return f"Content-Length: {self._length(body)}\n{typed}"

    def description(self) -> str:
        return (
            f"v=0\no={self.name} 206154 206154 IN IP4 {self.host}\ns=ATA186 Call\nc=IN IP4 {self.host}\nt=0 0\n"
            f"m=audio {self.rtp_port} RTP/AVP 0 8 18 101\na=rtpmap:0 PCMU/8000/1\na=rtpmap:8 PCMA/8000/1\n"
            "a=rtpmap:18 G729/8000/1\na=rtpmap:101 telephone-event/8000\na=fmtp:101 0-15\n"
        )


class ATA186v3(ATA186v2):
    """As v2, with a port and a branch."""

    user_agent = "Cisco ATA 186  v3.1.0 atasip (040211A)"

    def via(self) -> str:
        return f"SIP/2.0/UDP {self.host}:5060;branch=z9hG4bKBRANCH"

    def tag_of_register(self) -> str:
        return f";tag={self.tag()}"

    def contact(self) -> str:
        return f"<sip:{self.name}@{self.host}:5060;user=phone;transport=udp>"


class HT801(OldTelephone):
    """An adapter of today: rport, an instance, and numbers that never begin anew."""

    user_agent = "Grandstream HT801 1.0.49.2 000b82123456"
    keep_alive = b"\r\n\r\n"
    _counted = 0

    def __init__(self, *place: Any, **habits: Any) -> None:
        self._answers: dict[str, int] = {}
        super().__init__(*place, **habits)

    def first_sequence(self) -> int:
        type(self)._counted += 10
        return type(self)._counted

    def via(self) -> str:
        branch = "z9hG4bKBRANCH"
        return f"SIP/2.0/UDP {self.host}:5060;branch={branch};rport"

    def tag(self) -> str:
        return str(self.house.random.getrandbits(31))

    def call_id(self) -> str:
        number = self.house.random.getrandbits(31)
        return f"{number}-5060-{self.first_sequence()}@{self.host.translate(LETTERS)}"

    def contact(self) -> str:
        instance = '"<urn:uuid:00000000-0000-1000-8000-000B82123456>"'
        return f"<sip:{self.name}@{self.host}:5060>;reg-id=1;+sip.instance={instance}"

    def expiry(self, seconds: int) -> tuple[str, str]:
        return f";expires={seconds}", f"Expires:   {seconds}\n"

    def content(self, body: str, kind: str) -> str:
        typed = f"Content-Type: {kind}\n" if body else ""
        return f"{typed}Content-Length:   {self._length(body)}\n"

    def session_agreed(self, call: Call, text: Text) -> None:
        """RFC 4028: it re-invites at half the time, where that has fallen to it."""
        agreed = text["session-expires"]
        if parameter(agreed, "refresher") == "uac":
            self.house.clock.callLater(int(agreed.partition(";")[0]) / 2, self._refresh, call, call.sequence)

    def _refresh(self, call: Call, sequence: int) -> None:
        if call.state is State.TALKING and call.sequence == sequence:  # nothing else has refreshed it since
            self._invite(call, self.description())

    def _digest(self, challenge: str, method: str, uri: str) -> str:
        """With qop where that is offered; in its own order, and without quotes where there might be some."""
        if "auth" not in (parameter(challenge, "qop") or ""):
            return super()._digest(challenge, method, uri)
        realm, nonce = parameter(challenge, "realm") or "", parameter(challenge, "nonce") or ""
        self._answers[nonce] = count = self._answers.get(nonce, 0) + 1
        cnonce = self.tag()
        answer = self._response(realm, nonce, method, uri, f"{count:08x}:{cnonce}:auth:")
        return (
            f'Digest username="{self.name}", realm="{realm}", nonce="{nonce}", uri="{uri}", response="{answer}", '
            f'algorithm=MD5, cnonce="{cnonce}", qop=auth, nc={count:08x}'
        )

    def lines_of_invite(self) -> str:
        return (
            "Supported: replaces, path, timer, eventlist\nMax-Forwards: 70\nMAC: 000B82123456\n"
            "Accept: application/sdp, application/dtmf-relay\n"
        )

    def description(self) -> str:
        return (
            f"v=0\no={self.name} 8000 8000 IN IP4 {self.host}\ns=SIP Call\nc=IN IP4 {self.host}\nt=0 0\n"
            f"m=audio {self.rtp_port} RTP/AVP 8 0 18 101\na=sendrecv\na=rtpmap:8 PCMA/8000\na=rtpmap:0 PCMU/8000\n"
            "a=rtpmap:18 G729/8000\na=rtpmap:101 telephone-event/8000\na=fmtp:101 0-15\na=ptime:20\n"
        )


MODELS: tuple[type[OldTelephone], ...] = (HT286, BT100, ATA186v2, ATA186v3, HT801)
