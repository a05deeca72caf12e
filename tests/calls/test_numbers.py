"""Calls from the public network to the telephones of the shop, by the numbers that a carrier delivers."""

import pytest

from minitelecom.config import Access, Config, Numbers
from minitelecom.store import numbers
from minitelecom.store.numbers import Number
from minitelecom.store.synchronous import run
from tests.calls.story import settle
from tests.calls.test_profiles import configure
from tests.calls.test_telephones import Away, registered
from tests.world.house import House
from tests.world.party import Behaviour, Party, Talk

CABIN = "35929999999"


def lead(house: House, number: str, **to: str) -> None:
    """As `number add` does it; the numbers are read anew."""
    run(numbers.add(house.database, Number(number, **to), "story", house.now()))
    run(house.exchange.read("numbers"))


@pytest.fixture
def cabin(house: House) -> Party:
    """A telephone that is registered, and rung by a number; it answers after two seconds."""
    cabin = house.telephone("cabin1", "10.0.0.11")
    house.open()
    lead(house, CABIN, device="cabin1")
    registered(house, cabin).usual = Behaviour(answer_after=2)
    return cabin


def deliver(
    house: House, number: str = CABIN, caller: str = "359888100200", headers: tuple[tuple[str, str], ...] = ()
) -> Talk:
    """Somebody calls a number of ours; his carrier brings it."""
    house.carrier.name = caller
    return house.carrier.call(number, headers=headers)


def test_a_telephone_is_called_from_the_world_and_sees_who_calls(house: House, cabin: Party) -> None:
    talk = deliver(house)
    house.pass_(1)
    assert 180 in talk.statuses
    house.pass_(5)
    assert talk.talking
    rung = cabin.calls[0].request
    assert rung is not None
    assert rung.from_.uri.user == "359888100200"
    cabin.calls[0].hang_up()
    house.pass_(1)
    (record,) = house.records()
    assert (record.calling_number, record.called_number, record.destination) == ("359888100200", CABIN, "cabin1")
    assert (record.trunk, record.device, record.account) == ("carrier", None, None)
    assert (record.cause, record.ended_by, str(record.cost)) == ("normal", "callee", "0.00 EUR")
    settle(house)


@pytest.mark.parametrize("privacy", ["id", "header;user"])
def test_a_caller_who_is_hidden_is_not_shown(house: House, cabin: Party, privacy: str) -> None:
    """The telephone sees nobody; the shop's record keeps what the carrier said."""
    talk = deliver(house, headers=(("Privacy", privacy),))
    house.pass_(3)
    rung = cabin.calls[0].request
    assert rung is not None
    assert "359888100200" not in rung.encode().decode()
    assert (rung.from_.display, rung.from_.uri.host) == ("Anonymous", "anonymous.invalid")
    talk.hang_up()
    settle(house)
    assert house.records()[0].calling_number == "359888100200"


@pytest.mark.parametrize("delivered", [CABIN, f"+{CABIN}", f"00{CABIN}", "029999999"])
def test_a_number_is_known_however_the_carrier_writes_it(house: House, cabin: Party, delivered: str) -> None:
    talk = deliver(house, delivered)
    house.pass_(4)
    assert talk.talking
    talk.hang_up()
    settle(house)


@pytest.mark.parametrize(
    ("behaviour", "status", "cause"),
    [
        (Behaviour(status=486), 486, "busy"),
        (Behaviour(status=480), 480, "no-answer"),
        (Behaviour(status=603), 603, "rejected"),
        (Behaviour(answer_after=None), 480, "no-answer"),
    ],
    ids=["busy", "do not disturb", "declined", "nobody answers"],
)
def test_what_the_caller_hears_when_nobody_talks_to_him(
    house: House, cabin: Party, behaviour: Behaviour, status: int, cause: str
) -> None:
    cabin.usual = behaviour
    talk = deliver(house)
    house.pass_(95, step=0.25)
    assert talk.final == status
    assert [record.cause for record in house.records()] == [cause]
    settle(house)


def test_a_telephone_that_is_not_registered_does_not_answer(house: House, cabin: Party) -> None:
    cabin.register(0)
    house.pass_(1)
    talk = deliver(house)
    house.pass_(1)
    assert talk.final == 480
    assert [record.cause for record in house.records()] == ["no-answer"]
    settle(house)


def test_a_telephone_that_has_gone_without_a_word_does_not_answer_either(house: House, cabin: Party) -> None:
    house.network.detach(cabin.host, cabin.port)
    talk = deliver(house)
    house.pass_(40, step=0.25)
    assert talk.final == 480
    assert [record.cause for record in house.records()] == ["failed"]
    settle(house)


def test_a_cabin_with_its_one_call_is_busy_for_the_world(house: House, cabin: Party) -> None:
    configure(house, "cabin1", most_calls=1)
    first = deliver(house)
    house.pass_(4)
    second = deliver(house, caller="359888300400")
    house.pass_(1)
    assert (first.talking, second.final, len(cabin.calls)) == (True, 486, 1)
    assert [record.cause for record in house.records()] == [None, "busy"]
    first.hang_up()
    settle(house)


def test_the_caller_gives_up(house: House, cabin: Party) -> None:
    cabin.usual = Behaviour(answer_after=None)
    talk = deliver(house)
    house.pass_(3)
    talk.cancel()
    house.pass_(1)
    assert talk.final == 487
    assert cabin.calls[0].ended_at is not None
    assert [record.cause for record in house.records()] == ["cancelled"]
    settle(house)


def test_a_number_that_leads_nowhere_is_on_record(house: House, cabin: Party) -> None:
    talk = deliver(house, "35925555555")
    house.pass_(1)
    assert talk.final == 404
    assert [(record.called_number, record.cause, record.trunk) for record in house.records()] == [
        ("35925555555", "no-route", "carrier")
    ]
    settle(house)


def test_a_number_is_led_elsewhere_while_the_shop_is_open(house: House, cabin: Party) -> None:
    lead(house, CABIN, dialogue="card", language="en")
    talk = deliver(house)
    house.pass_(1)
    assert talk.talking
    assert cabin.calls == []
    talk.hang_up()
    run(numbers.remove(house.database, CABIN, "story", house.now()))
    run(house.exchange.read("numbers"))
    again = deliver(house)
    house.pass_(1)
    assert again.final == 404
    settle(house)


def test_what_is_said_while_running_comes_before_the_configuration(house: House) -> None:
    house.config = Config(access={CABIN: Access()}, numbers=Numbers())
    cabin = house.telephone("cabin1", "10.0.0.11")
    house.open()
    registered(house, cabin)
    lead(house, CABIN, device="cabin1")
    talk = deliver(house)
    house.pass_(4)
    assert cabin.calls[0].talking
    talk.hang_up()
    settle(house)


def test_nobody_rings_without_a_record(database: object) -> None:
    """While the database is away a carrier is asked to come again; what was wanted is on record when it is back."""
    away = Away(database)
    house = House(away)  # type: ignore[arg-type]
    cabin = house.telephone("cabin1", "10.0.0.11")
    house.open()
    lead(house, CABIN, device="cabin1")
    registered(house, cabin)
    away.away = True
    talk = deliver(house)
    house.pass_(5)
    assert (talk.final, cabin.calls) == (503, [])
    assert talk.response is not None
    assert talk.response.get("Retry-After") == "10"
    away.away = False
    house.pass_(3)
    assert [(record.called_number, record.cause) for record in house.records()] == [(CABIN, "failed")]
    settle(house)
