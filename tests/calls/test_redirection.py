"""Called parties that answer "elsewhere": whom that may reach, and who pays."""

from decimal import Decimal

import pytest

from minitelecom.calls.redirection import MOST_LEVELS, MOST_TARGETS, Course, stays_with_carrier
from minitelecom.sip.uri import Uri
from minitelecom.store import devices, numbers
from minitelecom.store.devices import Settings
from minitelecom.store.numbers import Number
from minitelecom.store.synchronous import run
from tests.calls.story import BERLIN, LONDON, settle
from tests.calls.test_carriers import attempts
from tests.world.house import CARRIER, HeldCard, House
from tests.world.party import Behaviour, Party

NUMBER = LONDON.removeprefix("00")
OTHER = BERLIN.removeprefix("00")


def elsewhere(*contacts: str, status: int = 302) -> Behaviour:
    return Behaviour(answer_after=0.5, status=status, headers=tuple(("Contact", contact) for contact in contacts))


def answers(seconds: float | None = 60) -> Behaviour:
    return Behaviour(answer_after=1, talk_seconds=seconds)


def told(house: House) -> list[tuple[str, str | None, str | None, str | None, int | None, str]]:
    """Of each record who was called, by which telephone, who pays, how it ended, how long, and what it costs."""
    return [
        (one.called_number, one.device, one.account, one.cause, one.billed_seconds, str(one.cost))
        for one in house.records()
    ]


class Carriers:
    """A carrier with machines at other addresses."""

    def __init__(self, house: House, uri: str = f"sip:{CARRIER}", **trunk: object) -> None:
        self.house = house
        self.card = house.card("1.00")
        self.telephone = house.telephone("101", "10.0.0.11", self.card)
        if uri != f"sip:{CARRIER}" or trunk:
            house.trunk("carrier", uri, **trunk)
        house.open()
        self.second = house.party("second", "10.0.0.98")
        self.second.usual = answers()

    def call(self, *contacts: str, status: int = 302) -> "Carriers":
        self.house.carrier.usual = elsewhere(*contacts, status=status)
        self.talk = self.telephone.call(LONDON)
        self.house.pass_(5)
        return self

    @property
    def costs(self) -> tuple[object, ...]:
        self.house.pass_(70)
        settle(self.house)
        [record] = self.house.records()
        return record.cause, record.billed_seconds, record.sip_status, str(record.cost)


# A carrier.


def test_a_carrier_moves_a_call_to_another_of_its_machines_at_the_same_price(house: House) -> None:
    house.names = {"sip.carrier.example": CARRIER, "gw2.carrier.example": "10.0.0.98"}
    scene = Carriers(house, "sip:sip.carrier.example").call(f"<sip:{NUMBER}@gw2.carrier.example>")
    assert scene.talk.talking
    assert [call.request.raw_uri for call in scene.second.calls if call.request] == [
        f"sip:{NUMBER}@gw2.carrier.example"
    ]
    assert scene.costs == ("normal", 60, None, "0.06 EUR")


@pytest.mark.parametrize("status", [300, 301])
def test_by_every_kind_of_elsewhere_and_to_another_port(house: House, status: int) -> None:
    scene = Carriers(house)
    port = house.party("port", CARRIER, 5070)
    port.usual = answers()
    scene.call(f"<sip:+{NUMBER}@{CARRIER}:5070>", status=status)
    assert scene.talk.talking
    assert scene.costs == ("normal", 60, None, "0.06 EUR")


@pytest.mark.parametrize(
    "contact",
    [
        f"<sip:{OTHER}@{CARRIER}>",  # dearer, at the price of London
        f"<sip:{NUMBER}@10.0.0.98>",  # another carrier
        f"<sip:{NUMBER}@{CARRIER}>",  # itself
        f"<tel:+{NUMBER}>",
        f"<sips:{NUMBER}@10.0.0.98>",
    ],
)
def test_a_carrier_leads_nowhere_else(house: House, contact: str) -> None:
    scene = Carriers(house).call(contact)
    assert scene.talk.final == 603
    assert scene.second.calls == []
    assert len(house.carrier.calls) == 1
    assert scene.costs == ("rejected", 0, 302, "0.00 EUR")
    assert house.reserved(scene.card) == 0


def test_a_machine_that_wants_tls_is_called_by_tls(house: House) -> None:
    """Which this house does not speak; so it is tried, and out of reach."""
    scene = Carriers(house).call(f"<sips:{NUMBER}@{CARRIER}:5061>")
    assert scene.talk.final == 500
    assert [(one.trunk, one.cause) for one in attempts(house)] == [("carrier", "rejected"), ("carrier", "failed")]
    assert len(house.carrier.calls) == 1
    assert house.reserved(scene.card) == 0
    settle(house)


def test_unless_the_administrator_says_that_it_may(house: House) -> None:
    scene = Carriers(house, redirects=True, username="shop", password="secret")
    scene.call(f"<sip:{OTHER}@10.0.0.98>")
    assert scene.talk.talking
    assert scene.costs == ("normal", 60, None, "0.06 EUR")


def test_the_best_machine_first_and_then_the_next(house: House) -> None:
    scene = Carriers(house, redirects=True)
    scene.second.usual = Behaviour(answer_after=0.1, status=503)
    third = house.party("third", "10.0.0.97")
    third.usual = answers(10)
    scene.call(f"<sip:{NUMBER}@10.0.0.97>;q=0.1", f"<sip:{NUMBER}@10.0.0.98>;q=0.9")
    assert len(scene.second.calls) == 1
    assert scene.talk.talking
    assert scene.costs == ("normal", 10, None, "0.01 EUR")


def test_machines_that_send_a_call_round_end_it(house: House) -> None:
    scene = Carriers(house, redirects=True)
    scene.second.usual = elsewhere(f"<sip:{NUMBER}@{CARRIER}>", f"<sip:{NUMBER}@10.0.0.98>")
    scene.call(f"<sip:{NUMBER}@10.0.0.98>")
    assert scene.talk.final == 603
    assert (len(scene.second.calls), len(house.carrier.calls)) == (1, 1)
    assert scene.costs == ("rejected", 0, 302, "0.00 EUR")


def test_who_hangs_up_while_a_machine_is_looked_for_is_called_no_more(house: House) -> None:
    house.names = {"sip.carrier.example": CARRIER}
    scene = Carriers(house, "sip:sip.carrier.example")
    house.name_server = False
    house.carrier.usual = elsewhere(f"<sip:{NUMBER}@gw2.carrier.example>")
    talk = scene.telephone.call(LONDON)
    house.pass_(1)
    assert "gw2.carrier.example" in house.asked_names
    talk.cancel()
    house.pass_(30)
    assert talk.final == 487
    assert scene.costs == ("cancelled", 0, 487, "0.00 EUR")


@pytest.mark.parametrize(
    ("contact", "carrier", "stays"),
    [
        ("sip:49@sip.carrier.example", "sip:sip.carrier.example", True),
        ("sip:+49@SIP.carrier.example:5080", "sip:sip.carrier.example", True),
        ("sip:49@carrier.example", "sip:sip.carrier.example", True),
        ("sip:49@a.b.carrier.example", "sip:sip.carrier.example", True),
        ("sip:49@notcarrier.example", "sip:sip.carrier.example", False),
        ("sip:49@other.example", "sip:carrier.example", False),
        ("sip:49@10.0.0.2", "sip:10.0.0.1", False),
        ("sip:49@[::1]", "sip:[::1]", True),
        ("sip:50@sip.carrier.example", "sip:sip.carrier.example", False),
        ("sip:sip.carrier.example", "sip:sip.carrier.example", False),
    ],
)
def test_what_belongs_to_a_carrier(contact: str, carrier: str, stays: bool) -> None:
    assert stays_with_carrier(Uri.parse(contact), Uri.parse("sip:49@x"), Uri.parse(carrier)) is stays


def test_a_course_ends() -> None:
    course = Course()
    course.begin("a")
    assert course.follow("a", ["b", "a", "b", "c"]) == ["b", "c"]
    assert course.follow("b", ["d", "c"]) == ["d"]
    assert MOST_LEVELS == 2
    assert course.follow("d", ["e"]) == []
    assert len(course.follow("a", "fghijk")) == MOST_TARGETS - 3
    assert course.follow("c", ["z"]) == []


# A telephone of the shop.


def shop(house: House, euros: str | None = "1.00") -> tuple[Party, Party, HeldCard | None]:
    """102 calls 101, which has an account; both are registered."""
    card = None if euros is None else house.card(euros)
    forwarder = house.telephone("101", "10.0.0.11", card)
    caller = house.telephone("102", "10.0.0.12")
    house.telephone("103", "10.0.0.13")
    house.open()
    forwarder.register()
    house.pass_(1)
    return caller, forwarder, card


def test_the_telephone_that_forwards_pays_for_the_call_outside(house: House) -> None:
    caller, forwarder, card = shop(house)
    assert card is not None
    forwarder.usual = elsewhere(f"<sip:{LONDON}@10.0.0.1>")
    house.carrier.usual = answers()
    talk = caller.call("101")
    house.pass_(5)
    assert talk.talking
    assert house.reserved(card) > 0
    house.pass_(60)
    settle(house)
    assert told(house) == [
        ("101", "102", None, "rejected", 0, "0.00 EUR"),
        (NUMBER, "101", card.number, "normal", 60, "0.06 EUR"),
    ]
    assert house.balance(card) == Decimal("0.94")
    assert [one.calling_number for one in house.records()] == ["102", "102"]


def test_the_credit_of_the_forwarder_ends_the_call(house: House) -> None:
    caller, forwarder, card = shop(house, "0.03")
    assert card is not None
    forwarder.usual = elsewhere(f"<sip:{LONDON}@10.0.0.1>")
    house.carrier.usual = answers(None)
    talk = caller.call("101")
    house.pass_(45)
    assert not talk.talking
    settle(house)
    assert told(house)[1] == (NUMBER, "101", card.number, "credit-exhausted", 30, "0.03 EUR")
    assert house.balance(card) == 0


def test_what_a_telephone_without_account_forwards_outside_is_refused(house: House) -> None:
    caller, forwarder, _ = shop(house, None)
    forwarder.usual = elsewhere(f"<sip:{LONDON}@10.0.0.1>")
    talk = caller.call("101")
    house.pass_(5)
    assert talk.final == 603
    assert house.carrier.calls == []
    settle(house)
    assert [(one.called_number, one.cause) for one in house.records()] == [("101", "rejected"), (NUMBER, "blocked")]


def test_a_telephone_that_may_not_transfer_may_not_forward_either(house: House) -> None:
    caller, forwarder, _ = shop(house)
    device = house.exchange.directory.devices["101"]
    run(devices.configure(house.database, device, Settings(transfer=False), "story", house.now()))
    run(house.exchange.directory.read_devices())
    forwarder.usual = elsewhere(f"<sip:{LONDON}@10.0.0.1>")
    talk = caller.call("101")
    house.pass_(5)
    assert talk.final == 603
    settle(house)
    assert [one.called_number for one in house.records()] == ["101"]


def test_inside_the_best_contact_first_and_then_the_next(house: House) -> None:
    caller, forwarder, _ = shop(house, None)
    third = house.party("103", "10.0.0.13", password="secret-103")
    third.register()
    house.pass_(1)
    third.usual = answers(10)
    forwarder.usual = elsewhere("<sip:103@10.0.0.1>;q=0.5", "<sip:nobody@10.0.0.1>;q=0.9")
    talk = caller.call("101")
    house.pass_(5)
    assert talk.talking
    house.pass_(15)
    settle(house)
    assert [(one.called_number, one.device, one.cause) for one in house.records()] == [
        ("101", "102", "rejected"),
        ("nobody", "101", "no-route"),
        ("103", "101", "normal"),
    ]


def test_telephones_that_forward_to_each_other_end_it(house: House) -> None:
    caller, forwarder, _ = shop(house, None)
    third = house.party("103", "10.0.0.13", password="secret-103")
    third.register()
    house.pass_(1)
    forwarder.usual = elsewhere("<sip:103@10.0.0.1>")
    third.usual = elsewhere("<sip:101@10.0.0.1>", "<sip:103@10.0.0.1>")
    talk = caller.call("101")
    house.pass_(5)
    assert talk.final == 603
    assert (len(forwarder.calls), len(third.calls)) == (1, 1)
    settle(house)


def test_the_caller_gives_up_while_a_forwarded_call_rings(house: House) -> None:
    caller, forwarder, card = shop(house)
    assert card is not None
    forwarder.usual = elsewhere(f"<sip:{LONDON}@10.0.0.1>", f"<sip:{BERLIN}@10.0.0.1>")
    house.carrier.usual = Behaviour(answer_after=None)
    talk = caller.call("101")
    house.pass_(5)
    talk.cancel()
    house.pass_(1)
    assert talk.final == 487
    assert house.carrier.calls[0].ended_at is not None
    settle(house)
    assert [(one.called_number, one.cause) for one in house.records()] == [("101", "rejected"), (NUMBER, "cancelled")]
    assert house.reserved(card) == 0


def test_a_call_that_a_carrier_delivers_is_forwarded_at_the_cost_of_the_telephone(house: House) -> None:
    caller, forwarder, card = shop(house)
    assert card is not None
    del caller
    house.carrier.behaviours[NUMBER] = answers(30)
    forwarder.usual = elsewhere(f"<sip:{LONDON}@10.0.0.1>")
    run(numbers.add(house.database, Number("35929999999", "101"), "story", house.now()))
    run(house.exchange.directory.read_numbers())
    talk = house.carrier.call("35929999999")
    house.pass_(5)
    assert talk.talking
    house.pass_(40)
    settle(house)
    assert told(house)[-1] == (NUMBER, "101", card.number, "normal", 30, "0.03 EUR")
