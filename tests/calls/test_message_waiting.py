"""Telephones that ask whether messages wait for them: RFC 3842 over RFC 6665, message by message."""

from dataclasses import dataclass, field

import pytest

from minitelecom.calls.subscription import MOST_OF_ONE
from minitelecom.sip.message_summary import Messages
from tests.calls.story import settle
from tests.world.house import EXCHANGE, House
from tests.world.wire import Text, Wire, parameter


@dataclass
class Subscriber(Wire):
    """A telephone that is known by its address, and takes what it is told."""

    takes: int | None = 200
    told: list[Text] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.on_text = self._take

    def _take(self, text: Text) -> None:
        if text.is_response or text.method != "NOTIFY":
            return
        if text.sequence not in [known.sequence for known in self.told if known["call-id"] == text["call-id"]]:
            self.told.append(text)
        if self.takes is not None:
            lines = "".join(f"{name}: {text[name]}\n" for name in ("via", "from", "to", "call-id", "cseq"))
            self.send(f"SIP/2.0 {self.takes} Whatever\n{lines}Content-Length: 0\n\n", text.source)

    def subscribe(
        self, sequence: int = 1, *, expires: int | None = 600, event: str = "message-summary", call_id: str = "mwi"
    ) -> None:
        answers = [text for text in self.heard if text.is_response and text["call-id"] == call_id]
        tag = parameter(answers[-1]["to"], "tag") if answers else None
        asked = "" if expires is None else f"Expires: {expires}\n"
        self.send(
            f"SUBSCRIBE sip:101@10.0.0.1 SIP/2.0\nVia: SIP/2.0/UDP {self.host}:{self.port};branch=z9hG4bK-{call_id}-{sequence}\n"
            f"Max-Forwards: 70\nFrom: <sip:101@10.0.0.1>;tag=near\n"
            f"To: <sip:101@10.0.0.1>{f';tag={tag}' if tag else ''}\nCall-ID: {call_id}\nCSeq: {sequence} SUBSCRIBE\n"
            f"Contact: <sip:101@{self.host}:{self.port}>\nEvent: {event}\n{asked}Content-Length: 0\n\n"
        )


def subscriber(house: House) -> Subscriber:
    house.gateway("101", "10.0.0.11")
    house.open()
    return Subscriber(house.network, EXCHANGE, "10.0.0.11")


def test_whoever_subscribes_is_told_at_once_and_again_when_he_refreshes(house: House) -> None:
    telephone = subscriber(house)
    telephone.subscribe()
    house.pass_(1)
    accepted = telephone.last(200)
    assert (accepted["expires"], len(telephone.told)) == ("600", 1)
    [told] = telephone.told
    assert (told["event"], told["subscription-state"]) == ("message-summary", "active;expires=600")
    assert told["content-type"] == "application/simple-message-summary"
    assert told.body == "Messages-Waiting: no\r\nMessage-Account: sip:101@10.0.0.1\r\nVoice-Message: 0/0\r\n"
    assert (told["call-id"], parameter(told["to"], "tag")) == ("mwi", "near")
    assert parameter(told["from"], "tag") == parameter(accepted["to"], "tag")
    assert told.request_uri == "sip:101@10.0.0.11:5060"
    house.pass_(300, step=1)
    telephone.subscribe(2)
    house.pass_(1)
    assert [text["subscription-state"] for text in telephone.told] == ["active;expires=600"] * 2
    assert telephone.told[1].sequence > told.sequence
    assert len(house.exchange.subscriptions) == 1
    house.pass_(500, step=1)
    assert len(telephone.told) == 2
    house.pass_(101, step=1)
    assert telephone.told[2]["subscription-state"] == "terminated;reason=timeout"
    assert len(house.exchange.subscriptions) == 0
    settle(house)


def test_who_is_told_no_more_because_he_said_so(house: House) -> None:
    telephone = subscriber(house)
    telephone.subscribe(expires=None)
    house.pass_(1)
    assert telephone.last(200)["expires"] == "3600"
    telephone.subscribe(2, expires=0)
    house.pass_(1)
    assert telephone.last(200)["expires"] == "0"
    assert telephone.told[-1]["subscription-state"] == "terminated;reason=timeout"
    assert len(house.exchange.subscriptions) == 0
    telephone.subscribe(3)
    house.pass_(1)
    assert telephone.statuses("SUBSCRIBE")[-1] == 481
    settle(house)


def test_one_look_and_no_subscription(house: House) -> None:
    telephone = subscriber(house)
    telephone.subscribe(expires=0)
    house.pass_(1)
    assert [text["subscription-state"] for text in telephone.told] == ["terminated;reason=timeout"]
    assert "Messages-Waiting: no" in telephone.told[0].body
    assert len(house.exchange.subscriptions) == 0
    settle(house)


@pytest.mark.parametrize("takes", [481, None])
def test_a_telephone_that_does_not_know_its_subscription_has_none(house: House, takes: int | None) -> None:
    telephone = subscriber(house)
    telephone.takes = takes
    telephone.subscribe()
    house.pass_(40)
    assert len(house.exchange.subscriptions) == 0
    settle(house)


def test_a_message_that_comes_is_told(house: House) -> None:
    telephone = subscriber(house)

    class OneMailbox:
        new = 0

        def messages(self, name: str) -> Messages:
            return Messages(self.new if name == "101" else 0, 3)

    mailbox = house.exchange.subscriptions.mailboxes = OneMailbox()
    telephone.subscribe()
    house.pass_(1)
    mailbox.new = 2
    house.exchange.subscriptions.changed("101")
    house.exchange.subscriptions.changed("102")
    house.pass_(1)
    assert [text.body.split("\r\n")[0] for text in telephone.told] == ["Messages-Waiting: no", "Messages-Waiting: yes"]
    assert "Voice-Message: 2/3\r\n" in telephone.told[-1].body
    house.exchange.stop()
    house.pass_(1)
    assert len(house.exchange.subscriptions) == 0
    settle(house)


@pytest.mark.parametrize("event", ["presence", "refer", "message-summary.winfo", ""])
def test_there_is_nothing_else_to_subscribe_to(house: House, event: str) -> None:
    telephone = subscriber(house)
    telephone.subscribe(event=event)
    house.pass_(1)
    assert telephone.last(489)["allow-events"] == "message-summary"
    assert telephone.told == []
    settle(house)


def test_nor_within_a_subscription(house: House) -> None:
    telephone = subscriber(house)
    telephone.subscribe()
    house.pass_(1)
    telephone.subscribe(2, event="presence")
    house.pass_(1)
    assert telephone.statuses("SUBSCRIBE")[-1] == 489
    telephone.subscribe(3, expires=0)
    settle(house)


def test_a_telephone_that_forgets_its_subscriptions_has_only_so_many(house: House) -> None:
    telephone = subscriber(house)
    for place in range(MOST_OF_ONE + 2):
        telephone.subscribe(call_id=f"mwi{place}")
        house.pass_(1)
    assert len(house.exchange.subscriptions) == MOST_OF_ONE
    ended = [text["call-id"] for text in telephone.told if text["subscription-state"].startswith("terminated")]
    assert ended == ["mwi0", "mwi1"]
    house.pass_(700, step=1)
    assert len(house.exchange.subscriptions) == 0
    settle(house)


def test_only_for_telephones_that_say_who_they_are(house: House) -> None:
    house.telephone("101", "10.0.0.21")
    stranger = Subscriber(house.network, EXCHANGE, "10.0.0.66")
    house.open()
    stranger.subscribe()
    house.pass_(1)
    assert stranger.statuses("SUBSCRIBE") == [407]
    assert stranger.told == []
    assert len(house.exchange.subscriptions) == 0
    settle(house)


def test_a_telephone_whose_router_moves_it_is_told_where_it_is(house: House) -> None:
    house.telephone("102", "10.0.0.11")
    house.open()
    before = house.party("102", "10.0.0.12", 7000, password="secret-102")
    before.register()
    house.pass_(1)
    answer = before.ask("SUBSCRIBE", [("Event", "message-summary")])
    house.pass_(1)
    assert answer.statuses == [407, 200]
    moved = house.party("102", "10.0.0.13", 9000, password="secret-102")
    moved.contact = before.contact  # type: ignore[method-assign]
    house.network.detach("10.0.0.12", 7000)
    moved.register()
    house.pass_(1)
    house.exchange.subscriptions.changed("102")
    house.pass_(1)
    assert [request.method for request in moved.asked] == ["NOTIFY"]
    settle(house)
