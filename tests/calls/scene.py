"""A call whose far end a story writes by hand, word for word: for what no well-behaved party would do."""

from dataclasses import dataclass

from tests.calls.story import LONDON, settle
from tests.world.house import CARRIER, EXCHANGE, HeldCard, House
from tests.world.party import Party, Talk
from tests.world.wire import Text, Wire, address, parameter

ACCESS = "35921234567"
DESCRIPTION = (
    "v=0\no=- 1 1 IN IP4 10.0.0.99\ns=-\nc=IN IP4 10.0.0.99\nt=0 0\nm=audio 40000 RTP/AVP 8 101\n"
    "a=rtpmap:101 telephone-event/8000\n"
)
ON_HOLD = DESCRIPTION + "a=inactive\n"
VIDEO = DESCRIPTION.replace("audio", "video")


def tail(lines: str, body: str) -> str:
    """The end of a message: further header lines, and the body with what belongs to it."""
    kind = "Content-Type: application/sdp\n" if body and "Content-Type" not in lines else ""
    return f"{lines}{kind}Content-Length: {len(body) + body.count(chr(10))}\n\n{body}"


class WrittenCarrier(Wire):
    """Called by us."""

    @property
    def invite(self) -> Text:
        return self.requests("INVITE")[-1]

    def respond(
        self, status: int, request: Text | None = None, *, tag: str = "far", lines: str = "", body: str = ""
    ) -> None:
        """Answer a request of ours; without another, our last INVITE."""
        request = request or self.invite
        vias = "".join(f"Via: {via}\n" for via in request.all("via"))
        to = request["to"] if parameter(request["to"], "tag") else f"{request['to']};tag={tag}"
        self.send(
            f"SIP/2.0 {status} Whatever\n{vias}From: {request['from']}\nTo: {to}\nCall-ID: {request['call-id']}\n"
            f"CSeq: {request['cseq']}\nContact: <sip:far@{self.host}:{self.port}>\n{tail(lines, body)}"
        )

    def answer(self, *, tag: str = "far", body: str = DESCRIPTION) -> None:
        self.respond(200, tag=tag, body=body)

    def ask(self, method: str, *, sequence: int = 1, tag: str = "far", lines: str = "", body: str = "") -> None:
        """A request of its own within the dialog of our last INVITE."""
        invite = self.invite
        branch = f"z9hG4bK-{'INVITE' if method == 'CANCEL' else method}-{sequence}"
        self.send(
            f"{method} {address(invite['contact'])} SIP/2.0\n"
            f"Via: SIP/2.0/UDP {self.host}:{self.port};branch={branch}\nMax-Forwards: 70\n"
            f"From: {invite['to']};tag={tag}\nTo: {invite['from']}\nCall-ID: {invite['call-id']}\n"
            f"CSeq: {sequence} {method}\nContact: <sip:far@{self.host}:{self.port}>\n{tail(lines, body)}"
        )


class WrittenCaller(Wire):
    """Calls us; where it stands a carrier's address, nobody asks it for a password."""

    def ask(
        self,
        method: str = "INVITE",
        number: str = ACCESS,
        *,
        sequence: int = 1,
        to_tag: str | None = None,
        call_id: str = "delivered",
        lines: str = "",
        body: str = "",
    ) -> None:
        """A request; ``to_tag`` None: with the tag of our last response, if there was one."""
        if to_tag is None:
            answers = [text for text in self.heard if text.is_response and text["call-id"] == call_id]
            to_tag = parameter(answers[-1]["to"], "tag") if answers else ""
        branch = f"z9hG4bK-{call_id}-{'INVITE' if method == 'CANCEL' else method}-{sequence}"
        self.send(
            f"{method} sip:{number}@10.0.0.1 SIP/2.0\nVia: SIP/2.0/UDP {self.host}:{self.port};branch={branch}\n"
            f"Max-Forwards: 70\nFrom: <sip:4420@{self.host}>;tag=near\n"
            f"To: <sip:{number}@10.0.0.1>{f';tag={to_tag}' if to_tag else ''}\nCall-ID: {call_id}\n"
            f"CSeq: {sequence} {method}\nContact: <sip:4420@{self.host}:{self.port}>\n{tail(lines, body)}"
        )


@dataclass
class Scene:
    """A telephone that has called London on its account, and the carrier that has just been sent the INVITE."""

    house: House
    card: HeldCard
    telephone: Party
    carrier: WrittenCarrier
    talk: Talk

    @classmethod
    def begin(cls, house: House, **trunk: object) -> "Scene":
        """``trunk``: what is particular about the carrier's trunk."""
        card = house.card("1.00")
        telephone = house.telephone("101", "10.0.0.11", card)
        if trunk:
            house.trunk("written", f"sip:{CARRIER}:5061", match="4420", **trunk)
        carrier = WrittenCarrier(house.network, EXCHANGE, CARRIER, 5061 if trunk else 5060)
        house.open()
        talk = telephone.call(LONDON)
        house.pass_(0.2)
        return cls(house, card, telephone, carrier, talk)

    def ring(self) -> "Scene":
        self.carrier.respond(180)
        self.house.pass_(1)
        return self

    def connect(self) -> "Scene":
        self.carrier.answer()
        self.house.pass_(1)
        assert self.talk.talking
        return self

    def settle(self) -> None:
        """Nobody may be left in a call; forty seconds later nothing is left over."""
        for bye in self.carrier.requests("BYE"):
            self.carrier.respond(200, bye)
        settle(self.house)
        assert self.house.reserved(self.card) == 0
        assert all(record.ended is not None for record in self.house.records())
