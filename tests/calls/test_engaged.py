"""One call at a time, where a telephone is told so; counted from the calls there are."""

from tests.calls.story import BERLIN, LONDON, settle, subscriber
from tests.calls.test_profiles import configure
from tests.calls.test_telephones import registered
from tests.world.house import House
from tests.world.party import Behaviour


def test_a_cabin_that_talks_calls_nobody_else(house: House) -> None:
    """Call waiting would make a second, unpaid call possible: 486, on record, and the first goes on."""
    _, cabin = subscriber(house, "5.00")
    configure(house, "101", most_calls=1)
    house.carrier.usual = Behaviour(answer_after=1)
    first = cabin.call(LONDON)
    house.pass_(3)
    second = cabin.call(BERLIN)
    house.pass_(1)
    assert second.final == 486
    assert first.talking
    assert len(house.carrier.calls) == 1
    assert [(record.called_number, record.cause) for record in house.records()] == [
        ("442071234567", None),
        ("493012345678", "blocked"),
    ]
    first.hang_up()
    house.pass_(1)
    third = cabin.call(LONDON)
    house.pass_(3)
    assert third.talking
    third.hang_up()
    settle(house)


def test_while_it_rings_out_it_is_engaged_as_well(house: House) -> None:
    _, cabin = subscriber(house, "5.00")
    configure(house, "101", most_calls=1)
    house.carrier.usual = Behaviour(answer_after=None)
    first = cabin.call(LONDON)
    house.pass_(1)
    assert cabin.call(BERLIN) is not first
    house.pass_(1)
    assert cabin.calls[1].final == 486
    first.cancel()
    house.pass_(1)
    again = cabin.call(LONDON)
    house.pass_(1)
    assert again.final is None
    again.cancel()
    settle(house)


def test_help_is_called_for_however_many_calls_there_are(house: House) -> None:
    _, cabin = subscriber(house, "5.00")
    configure(house, "101", most_calls=1)
    house.carrier.usual = Behaviour(answer_after=1)
    first = cabin.call(LONDON)
    house.pass_(3)
    help_ = cabin.call("112")
    house.pass_(3)
    assert help_.talking
    for talk in (first, help_):
        talk.hang_up()
    settle(house)


def test_a_telephone_with_its_one_call_does_not_ring(house: House) -> None:
    """Whoever calls it hears that it is busy; so it is when it was called, and when it still rings."""
    callers = [house.telephone(name, f"10.0.0.{name}") for name in ("102", "103", "104")]
    cabin = house.telephone("101", "10.0.0.11")
    house.open()
    configure(house, "101", most_calls=1)
    registered(house, cabin)
    cabin.usual = Behaviour(answer_after=10)
    first = callers[0].call("101")
    house.pass_(2)
    for caller in callers[1:]:
        assert not caller.call("101").statuses
    house.pass_(1)
    assert [caller.calls[0].final for caller in callers[1:]] == [486, 486]
    assert len(cabin.calls) == 1
    assert [record.cause for record in house.records()[1:]] == ["busy", "busy"]
    first.cancel()
    house.pass_(1)
    callers[1].call("101")
    house.pass_(2)
    assert 180 in callers[1].calls[1].statuses
    callers[1].calls[1].cancel()
    settle(house)


def test_one_call_that_rings_at_several_places_is_one(house: House) -> None:
    """With two calls at a time, a telephone registered at three places takes a second one."""
    callers = [house.telephone(name, f"10.0.0.{name}") for name in ("102", "103", "104")]
    house.telephone("101", "10.0.0.11")
    house.open()
    configure(house, "101", most_calls=2)
    for host in ("10.0.0.21", "10.0.0.22", "10.0.0.23"):
        registered(house, house.party("101", host, password="secret-101")).usual = Behaviour(answer_after=20)
    talks = [caller.call("101") for caller in callers]
    house.pass_(3)
    assert [180 in talk.statuses for talk in talks] == [True, True, False]
    assert talks[2].final == 486
    for talk in talks[:2]:
        talk.cancel()
    settle(house)


def test_a_telephone_that_vanishes_is_free_again_when_its_call_is(house: House) -> None:
    """No BYE comes when the power fails: the call ends in silence, and nothing keeps the cabin engaged."""
    _, cabin = subscriber(house, "5.00")
    configure(house, "101", most_calls=1)
    house.carrier.usual = Behaviour(answer_after=1)
    cabin.call(LONDON)
    house.pass_(3)
    for port in house.media.open_ports:
        port.mute()
    house.pass_(61, step=0.5)
    again = cabin.call(LONDON)
    house.pass_(3)
    assert again.talking
    again.hang_up()
    settle(house)
