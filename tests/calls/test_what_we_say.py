"""
Every message that the house writes, to each kind of telephone and to a carrier, reads back as what was meant: whatever names come in,
and whatever is answered.
"""

from dataclasses import dataclass, field

import pytest

from minitelecom.calls.profiles import PROFILES
from minitelecom.calls.switch import address
from minitelecom.sip import sdp
from minitelecom.sip.event import Event, SubscriptionState
from minitelecom.sip.headers import NameAddr, Via
from minitelecom.sip.hop import Hop
from minitelecom.sip.message import Request, Response, parse
from minitelecom.sip.offer_answer import description_in
from minitelecom.sip.refer import FRAGMENT, status_of
from minitelecom.sip.transaction_layer import LARGEST_DATAGRAM
from minitelecom.store import numbers
from minitelecom.store.numbers import Number
from minitelecom.store.synchronous import run
from tests.calls.scene import DESCRIPTION, WrittenCaller, tail
from tests.calls.story import LONDON, settle
from tests.calls.test_profiles import configure
from tests.world.house import CARRIER, EXCHANGE, House
from tests.world.party import Behaviour, Party

NAMES = (
    "4420",
    "anonymous",
    "Жоро",
    "a;b=c",
    'q"uote',
    "a<b>",
    "a b",
    "%41%ff",
    "x" * 200,
    "a,b",
    "+359888123456",
    "a:b?c&d",
)
STATUSES = (180, 183, 302, 401, 404, 407, 420, 422, 486, 488, 491, 500, 503, 603)


@dataclass
class Said:
    """What the house has sent."""

    messages: list[bytes] = field(default_factory=list)

    def __call__(self, data: bytes, hop: Hop, *, sent: bool) -> None:
        if sent:
            self.messages.append(data)

    def read_back(self) -> set[str]:
        """Checked; by method, and status where it is an answer."""
        return {read_back(data) for data in self.messages}


def read_back(data: bytes) -> str:
    message = parse(data)
    assert message.encode() == data
    assert message.get("Content-Length") == str(len(message.body))
    assert len(data) <= LARGEST_DATAGRAM
    for via in message.vias:
        assert Via.parse(str(via)) == via
    for one in (message.from_, message.to, *message.contacts, *message.routes, *message.record_routes):
        assert NameAddr.parse(str(one)) == one
    for name in ("P-Asserted-Identity", "Diversion", "Refer-To"):
        for value in message.get_all(name):
            assert str(NameAddr.parse(value)) == value
    description = description_in(message)
    if description:
        assert sdp.parse(description).encode() == description
    if message.content_type == FRAGMENT.partition(";")[0]:
        assert status_of(message.body) is not None
    for value in message.get_all("Event"):
        assert str(Event.parse(value)) == value
    for value in message.get_all("Subscription-State"):
        assert str(SubscriptionState.parse(value)) == value
    return f"{message.status} {message.cseq.method}" if isinstance(message, Response) else told(message)


def told(request: Request) -> str:
    assert request.uri.is_sip
    assert str(request.uri) == request.raw_uri
    return request.method


@pytest.mark.parametrize("profile", [*PROFILES])
def test_to_each_kind_of_telephone(house: House, profile: str) -> None:
    card = house.card("9.00")
    first, second = house.telephone("101", "10.0.0.11", card), house.telephone("102", "10.0.0.12", card)
    house.trunk("carrier", f"sip:{CARRIER}", asserts=True, diversion=True, trusted=True)
    house.open()
    house.exchange.layer.saw = said = Said()
    for telephone in (first, second):
        configure(house, telephone.name, profile=profile)
        telephone.register()
        telephone.usual = Behaviour(answer_after=1)
    house.carrier.usual = Behaviour(answer_after=1, early_media=True)
    house.pass_(1)
    first.ask("SUBSCRIBE", [("Event", "message-summary"), ("Expires", "600")])
    first.ask("SUBSCRIBE", [("Event", "presence")])
    first.ask("OPTIONS", [])
    for method in ("DANCE", "PUBLISH", "REFER", "NOTIFY"):
        first.ask(method, [])
    house.pass_(2)
    talk_and_transfer(house, first, second)
    for status in STATUSES:
        second.usual = Behaviour(answer_after=0.2, status=status, headers=(("Contact", f"<sip:{LONDON}@10.0.0.1>"),))
        first.call("102").on_final = lambda talk: talk.hang_up()
        house.pass_(4)
        for talk in (*first.calls, *house.carrier.calls):
            talk.hang_up()
        house.pass_(1)
    first.register(0)
    house.pass_(1)
    settle(house)
    found = said.read_back()
    assert {"INVITE", "ACK", "BYE", "CANCEL", "NOTIFY", "INFO"} <= found
    assert {"200 REGISTER", "200 INVITE", "200 BYE", "200 SUBSCRIBE", "202 REFER", "200 OPTIONS", "501 DANCE"} <= found
    assert {f"{status} INVITE" for status in (100, 180, 183, 407, 404, 486, 500, 603)} <= found
    assert any(status in found for status in ("401 REGISTER", "407 REGISTER"))


def talk_and_transfer(house: House, first: Party, second: Party) -> None:
    """A talk with a hold, keys, an empty refresh, and a transfer; a call that is given up."""
    info = second.contact
    second.contact = lambda: [*info(), ("Allow", "INVITE, INFO")]  # type: ignore[method-assign]
    described = second.description
    second.description = lambda: described().replace(b" 101", b"").replace(b"a=rtpmap:101", b"a=x")  # type: ignore[method-assign]
    talk = first.call("102")
    house.pass_(3)
    talk.press("1#")
    talk.re_invite(first.description() + b"a=sendonly\r\n")
    house.pass_(3)
    talk.send("OPTIONS")
    talk.send("MESSAGE")
    talk.refer("<mailto:nobody@example>")
    talk.refer(f"<sip:{LONDON}@10.0.0.1>")
    house.pass_(5)
    for one in (*first.calls, *second.calls):
        one.hang_up()
    second.usual = Behaviour(answer_after=None)
    given_up = first.call("102")
    house.pass_(2)
    given_up.cancel()
    house.pass_(2)


@pytest.mark.parametrize("hiding", ["", "Privacy: id\n"])
def test_whatever_name_a_caller_has(house: House, hiding: str) -> None:
    """A carrier delivers him to a telephone, which sends him on to the world."""
    house.trunk("carrier", f"sip:{CARRIER}", asserts=True, diversion=True, trusted=not hiding)
    telephone = house.telephone("101", "10.0.0.11", house.card("9.00"))
    run(numbers.add(house.database, Number("35929999999", device="101"), "story", house.now()))
    house.open()
    telephone.register()
    house.pass_(1)
    house.exchange.layer.saw = said = Said()
    telephone.usual = Behaviour(answer_after=0.2, status=302, headers=(("Contact", f"<sip:{LONDON}@10.0.0.1>"),))
    house.carrier.usual = Behaviour(answer_after=0.2, status=404)
    caller = WrittenCaller(house.network, EXCHANGE, CARRIER, 5070)
    for place, name in enumerate(NAMES):
        who = NameAddr(name, address(name, CARRIER, 5070))
        caller.send(
            f"INVITE sip:35929999999@10.0.0.1 SIP/2.0\nVia: SIP/2.0/UDP {CARRIER}:5070;branch=z9hG4bK{place}\nMax-Forwards: 70\n"
            f"From: {who};tag=near\nTo: <sip:35929999999@10.0.0.1>\nCall-ID: c{place}\nCSeq: 1 INVITE\n"
            f"Contact: <{who.uri}>\n{tail(hiding, DESCRIPTION)}"
        )
        house.pass_(2)
        caller.ask("ACK", "35929999999", call_id=f"c{place}")
    assert caller.statuses().count(404) == len(NAMES)
    assert {"INVITE", "ACK", "404 INVITE"} <= said.read_back()
    assert len(telephone.calls) == len(house.carrier.calls) == len(NAMES)
    settle(house)
