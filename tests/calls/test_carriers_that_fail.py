"""Carriers that are full, silent, or not there; and what their refusals mean."""

from collections.abc import Callable

import pytest

from minitelecom.sip.hop import Hop
from minitelecom.sip.message import Request
from minitelecom.sip.transaction_layer import ServerTransaction
from minitelecom.store import processes
from minitelecom.store.synchronous import run
from tests.calls.scene import DESCRIPTION, WrittenCarrier
from tests.calls.story import LONDON, settle
from tests.calls.test_carriers import attempts
from tests.world.house import EXCHANGE, House
from tests.world.party import Behaviour, Party, Talk

FIRST, SECOND = "10.0.1.1", "10.0.1.2"
Two = Callable[..., tuple[Party, Party]]


@pytest.fixture
def two(house: House) -> Two:
    """The first carrier has what is particular about its trunk, the second answers; the usual one has other numbers."""

    def make(**first: object) -> tuple[Party, Party]:
        house.trunk("carrier", "sip:10.0.0.99", match="49")
        house.trunk("first", f"sip:{FIRST}", match="44", priority=1, **first)
        house.trunk("second", f"sip:{SECOND}", match="44", priority=2)
        return house.party("first", FIRST), house.party("second", SECOND)

    return make


@pytest.fixture
def dial(house: House) -> Callable[[], Talk]:
    """Another telephone, with money, calls London."""
    telephones = [house.telephone(f"70{n}", f"10.0.0.{20 + n}", house.card("5.00")) for n in range(4)]
    return lambda: telephones.pop().call(LONDON)


@pytest.fixture
def helpless(house: House) -> Party:
    """A telephone of the shop without any money."""
    return house.telephone("101", "10.0.0.11")


Dial = Callable[[], Talk]


def tried(house: House) -> list[tuple[str, str | None]]:
    return [(one.trunk, one.cause) for one in attempts(house)]


# How many.


def test_a_carrier_takes_no_more_calls_than_it_can(house: House, two: Two, dial: Dial) -> None:
    """Counted from the calls there are: what has ended makes room at once."""
    first, second = two(capacity=2)
    house.open()
    talks = []
    for _ in range(3):
        talks.append(dial())
        house.pass_(2)
    assert all(talk.talking for talk in talks)
    assert (len(first.calls), len(second.calls)) == (2, 1)
    assert house.exchange.trunk_states()["first"]["calls"] == 2
    talks[0].hang_up()
    house.pass_(1)
    talks.append(dial())
    house.pass_(2)
    assert len(first.calls) == 3
    for talk in talks:
        talk.hang_up()
    settle(house)
    assert house.exchange.trunk_states()["first"]["calls"] == 0


def test_calls_that_come_from_a_carrier_count_too(house: House, two: Two, dial: Dial) -> None:
    first, second = two(capacity=1)
    house.open()
    delivered = first.call("35921234567")
    house.pass_(2)
    assert delivered.talking
    talk = dial()
    house.pass_(2)
    assert second.calls[0].talking
    for each in (talk, delivered):
        each.hang_up()
    settle(house)


def test_the_last_line_is_given_to_one_of_two_who_dial_at_once(house: House, two: Two, dial: Dial) -> None:
    first, second = two(capacity=1)
    house.open()
    talks = [dial(), dial()]
    house.pass_(2)
    assert all(talk.talking for talk in talks)
    assert (len(first.calls), len(second.calls)) == (1, 1)
    for talk in talks:
        talk.hang_up()
    settle(house)


def test_calls_by_another_process_count_as_long_as_it_lives(house: House, two: Two, dial: Dial) -> None:
    first, second = two(capacity=1)
    house.open()
    other = run(processes.start(house.database, "another", 2, house.now()))
    run(processes.beat(house.database, other, house.now(), {"trunks": {"first": {"calls": 1}, "second": {"calls": 0}}}))
    run(house.exchange.look_elsewhere())
    talks = [dial()]
    house.pass_(11)
    assert (len(first.calls), len(second.calls)) == (0, 1)
    run(house.exchange.look_elsewhere())
    talks.append(dial())
    house.pass_(2)
    assert len(first.calls) == 1, "the other has been silent for too long"
    for talk in talks:
        talk.hang_up()
    house.pass_(1)
    run(processes.beat(house.database, house.process_id, house.now(), {}))
    settle(house)


def test_when_all_are_full_the_record_says_so(house: House, two: Two, dial: Dial) -> None:
    two(capacity=1)
    house.trunk("second", f"sip:{SECOND}", match="44", enabled=False)
    house.open()
    talk = dial()
    house.pass_(2)
    late = dial()
    house.pass_(2)
    assert late.final == 503  # there is such a number, and in a while a way to it (RFC 3261 21.5.4)
    assert (house.records()[-1].cause, tried(house)) == ("no-route", [("first", "full")])
    talk.hang_up()
    settle(house)


def test_a_call_for_help_is_put_through_a_full_carrier(house: House, two: Two, dial: Dial, helpless: Party) -> None:
    first, _ = two(capacity=1)
    house.trunk("carrier", "sip:10.0.0.99", match="49", enabled=False)
    house.open()
    talk = dial()
    house.pass_(2)
    house.network.detach("10.0.0.99", 5060)
    help_ = helpless.call("112")
    house.pass_(40)
    assert help_.talking
    assert len(first.calls) == 2
    for each in (talk, help_):
        each.hang_up()
    settle(house)


# How long.


def test_a_carrier_that_neither_rings_nor_answers_gives_way(house: House, two: Two, dial: Dial) -> None:
    first, second = two(progress_seconds=6)
    first.usual = Behaviour(ring_after=None, answer_after=None)
    house.open()
    talk = dial()
    house.pass_(6)
    assert not second.calls
    house.pass_(2)
    assert talk.talking
    assert first.calls[0].ended_at is not None, "it has been told by CANCEL"
    assert tried(house)[0] == ("first", "failed")
    talk.hang_up()
    settle(house)


def test_a_carrier_that_does_not_even_say_100(house: House, two: Two, dial: Dial) -> None:
    """What is cancelled before any response is given up without one (RFC 3261 9.1)."""
    _, second = two(progress_seconds=6)
    house.network.detach(FIRST, 5060)
    house.open()
    talk = dial()
    house.pass_(8)
    assert talk.talking
    assert second.calls[0].talking
    talk.hang_up()
    settle(house)


def test_one_that_answers_after_all_is_thanked_and_left(house: House, two: Two, dial: Dial) -> None:
    """Its 200 crosses our CANCEL: ACK and BYE, and nobody pays for it."""
    two(progress_seconds=6)
    house.trunk("first", f"sip:{FIRST}:5070", match="44", priority=1, progress_seconds=6)
    late = WrittenCarrier(house.network, EXCHANGE, FIRST, 5070)
    house.open()
    talk = dial()
    house.pass_(7)
    assert talk.talking or talk.statuses
    late.answer()
    house.pass_(1)
    assert len(late.requests("ACK")) == 1
    bye = late.requests("BYE")[0]
    late.respond(200, bye)
    assert talk.talking
    talk.hang_up()
    house.pass_(1)
    assert [(one.trunk, one.cause) for one in attempts(house)] == [("first", "failed"), ("second", "normal")]
    settle(house)


@pytest.mark.parametrize("progress", [180, 183])
def test_whoever_rings_may_ring_as_long_as_everybody(house: House, two: Two, dial: Dial, progress: int) -> None:
    two(progress_seconds=6)
    house.trunk("first", f"sip:{FIRST}:5070", match="44", priority=1, progress_seconds=6)
    carrier = WrittenCarrier(house.network, EXCHANGE, FIRST, 5070)
    house.open()
    talk = dial()
    house.pass_(5)
    carrier.respond(progress, body=DESCRIPTION if progress == 183 else "")
    house.pass_(30)
    assert not carrier.requests("CANCEL")
    carrier.answer()
    house.pass_(1)
    assert talk.talking
    talk.hang_up()
    house.pass_(1)
    carrier.respond(200, carrier.requests("BYE")[0])
    settle(house)


# What they say.


def test_a_carriers_own_codes_say_whether_the_next_is_tried(house: House, two: Two, dial: Dial) -> None:
    first, second = two(codes="404=next 503=stop 5xx=busy")
    house.open()
    first.usual = Behaviour(status=404)
    talk = dial()
    house.pass_(5)
    assert talk.talking
    assert tried(house)[0] == ("first", "rejected")
    talk.hang_up()
    for status, final in ((503, 500), (500, 486)):
        first.usual = Behaviour(status=status)
        talk = dial()
        house.pass_(5)
        assert talk.final == final
        assert len(second.calls) == 1
    assert house.records()[-1].cause == "busy"
    assert house.records()[-2].cause == "failed"
    settle(house)


def test_what_says_something_of_the_number_is_what_the_caller_hears(house: House, two: Two, dial: Dial) -> None:
    """No such number, says the first; the second is out of order."""
    first, second = two(codes="404=next")
    first.usual, second.usual = Behaviour(status=404), Behaviour(status=503)
    house.open()
    talk = dial()
    house.pass_(5)
    assert talk.final == 404
    assert house.records()[-1].cause == "rejected"
    assert tried(house) == [("first", "rejected"), ("second", "failed")]
    settle(house)


@pytest.mark.parametrize("status", [404, 603])
def test_a_call_for_help_is_tried_everywhere_whatever_they_say(
    house: House, two: Two, helpless: Party, status: int
) -> None:
    """Not even a 6xx, which speaks for whoever is called, speaks for 112."""
    first, second = two(codes="4xx=stop")
    first.usual = house.carrier.usual = Behaviour(status=status)
    house.open()
    talk = helpless.call("112")
    house.pass_(10)
    assert talk.talking
    assert second.calls[0].talking
    talk.hang_up()
    settle(house)


# Whether they are there.


class Asked(Party):
    """A carrier that is asked whether it is there; it may be silent, or say that it is out of service."""

    status: int | None = 200
    questions = 0

    def request_received(self, transaction: ServerTransaction, request: Request, source: Hop) -> None:
        if request.method != "OPTIONS":
            super().request_received(transaction, request, source)
            return
        self.questions += 1
        if self.status is not None:
            transaction.respond(request.response(self.status))


@pytest.fixture
def asked(house: House, two: Two) -> Asked:
    """It is asked each twenty seconds."""
    two(check_seconds=20)
    return Asked(house.clock, house.random, house.network, EXCHANGE, "first", FIRST)


def up(house: House) -> object:
    return house.exchange.trunk_states()["first"]["up"]


def test_a_carrier_that_is_down_is_tried_last_until_it_answers(house: House, asked: Asked, dial: Dial) -> None:
    house.open()
    house.pass_(1)
    assert (asked.questions, up(house)) == (1, True)
    asked.status = None
    house.pass_(60)
    assert up(house) is False
    assert house.exchange.trunk_states()["first"]["health_failure"] == "no response"
    talk = dial()
    house.pass_(2)
    talk.hang_up()
    house.pass_(1)
    assert tried(house) == [("second", "normal")]
    asked.status = 404
    house.pass_(20)
    assert up(house) is True, "any answer says that it is there"
    talk = dial()
    house.pass_(2)
    talk.hang_up()
    house.pass_(1)
    assert tried(house) == [("first", "normal")]
    settle_with_questions(house)


def test_a_carrier_that_is_down_is_better_than_none(house: House, asked: Asked, dial: Dial) -> None:
    asked.status = None
    house.trunk("second", f"sip:{SECOND}", match="44", enabled=False)
    house.open()
    house.pass_(30)
    assert up(house) is False
    talk = dial()
    house.pass_(2)
    assert talk.talking
    talk.hang_up()
    settle_with_questions(house)


def test_a_carrier_may_say_itself_that_it_is_out_of_service(house: House, asked: Asked) -> None:
    asked.status = 503
    house.open()
    house.pass_(1)
    assert up(house) is False
    assert house.exchange.trunk_states()["first"]["health_failure"] == "503 Service Unavailable"


def test_a_carrier_whose_name_leads_nowhere_is_down(house: House) -> None:
    house.trunk("first", "sip:nowhere.example", check_seconds=20)
    house.open()
    house.pass_(50)
    assert up(house) is False
    assert house.exchange.trunk_states()["first"]["health_failure"] == "nowhere.example cannot be found"


def test_an_old_question_that_nobody_answers_says_nothing_of_now(house: House, asked: Asked) -> None:
    """The first is missed at twenty seconds, the second answered; at thirty-two the first is given up."""
    asked.status = None
    house.open()
    house.pass_(19.5)
    asked.status = 200
    house.pass_(1)
    assert up(house) is True
    house.pass_(15)
    assert up(house) is True


def test_nobody_is_asked_any_more_when_nobody_wants_to_know(house: House, asked: Asked) -> None:
    house.open()
    house.pass_(1)
    house.trunk("first", f"sip:{FIRST}", match="44", priority=1)
    run(house.exchange.read("trunks"))
    house.pass_(100)
    assert (asked.questions, up(house)) == (1, None)


def settle_with_questions(house: House) -> None:
    """Whoever is asked for ever leaves an open question: the exchange stops first."""
    house.exchange.stop()
    settle(house)


# What the caller hears meanwhile.


def test_the_sound_of_a_carrier_that_failed_is_taken_away(house: House, two: Two, dial: Dial) -> None:
    """An announcement and a refusal; then the next one's own early sound, and its talk."""
    first, second = two()
    first.usual = Behaviour(early_media=True, status=503, answer_after=3)
    second.usual = Behaviour(ring_after=2, early_media=True, answer_after=4)
    house.open()
    talk = dial()
    house.pass_(2)
    caller, announcement = house.media.every_port[:2]
    assert caller.partner is announcement
    house.pass_(2)
    assert (caller.partner, announcement.closed) == (None, True)
    house.pass_(2)
    assert caller.partner is house.media.every_port[2]
    house.pass_(2)
    assert talk.talking
    assert caller.partner is house.media.every_port[2]
    talk.hang_up()
    settle(house)
