"""What happens one past each limit: ports, time, patience; and when the house closes."""

from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater

from minitelecom.store import processes
from minitelecom.store.synchronous import SynchronousDatabase, run
from tests.calls.scene import DESCRIPTION, ON_HOLD, Scene, WrittenCaller
from tests.calls.story import LONDON, settle, subscriber, visitor
from tests.world.house import CARRIER, EXCHANGE, House
from tests.world.party import Behaviour


class Slow:
    """A database whose statements take their time, by the clock of the house."""

    def __init__(self, database: SynchronousDatabase) -> None:
        self._database = database
        self.wait: Callable[[], Deferred[None]] | None = None

    async def query(self, sql: str, parameters: tuple[object, ...] = ()) -> object:
        if self.wait is not None:
            await self.wait()
        return await self._database.query(sql, parameters)

    def __getattr__(self, name: str) -> object:
        return getattr(self._database, name)


def slow_house(database: SynchronousDatabase, seconds: float) -> tuple[House, Slow]:
    slow = Slow(database)
    house = House(slow)  # type: ignore[arg-type]
    slow.wait = None
    house.gateway("gateway", "10.0.0.50", house.card("15.00"))
    house.open()
    slow.wait = lambda: deferLater(house.clock, seconds)
    return house, slow


def test_an_invite_is_repeated_while_the_database_takes_its_time(database: SynchronousDatabase) -> None:
    """One call, however often it is asked for; 100 says that we are at it."""
    house, slow = slow_house(database, 6)
    house.carrier.usual = Behaviour(answer_after=0.5)
    gateway = WrittenCaller(house.network, EXCHANGE, "10.0.0.50")
    for _ in range(5):
        gateway.ask(number=LONDON, body=DESCRIPTION)
        house.pass_(1)
    assert gateway.statuses() == [100]
    house.pass_(8)
    assert gateway.statuses() == [100, 180, 200]
    assert len(house.carrier.calls) == 1
    gateway.ask("ACK", LONDON)
    gateway.ask("BYE", LONDON, sequence=2)
    house.pass_(30)
    slow.wait = None
    settle(house)
    assert len(house.records()) == 1


def test_a_caller_who_gives_up_while_the_database_takes_its_time(database: SynchronousDatabase) -> None:
    """Nobody is rung, and what was reserved meanwhile is given back."""
    house, slow = slow_house(database, 5)
    gateway = WrittenCaller(house.network, EXCHANGE, "10.0.0.50")
    gateway.ask(number=LONDON, body=DESCRIPTION)
    house.pass_(1)
    gateway.ask("CANCEL", LONDON, to_tag="")
    house.pass_(0.1)
    assert gateway.statuses()[-1] == 487
    gateway.ask("ACK", LONDON)
    house.pass_(20)
    slow.wait = None
    assert house.carrier.calls == []
    assert [record.cause for record in house.records()] == ["cancelled"]
    settle(house)


def test_a_call_answered_and_ended_before_its_answer_is_written(database: SynchronousDatabase) -> None:
    """The three statements keep their order, however long the second takes."""
    house, slow = slow_house(database, 0)
    house.carrier.usual = Behaviour(answer_after=0.5, talk_seconds=3)
    gateway = WrittenCaller(house.network, EXCHANGE, "10.0.0.50")
    gateway.ask(number=LONDON, body=DESCRIPTION)
    house.pass_(0.4)
    slow.wait = lambda: deferLater(house.clock, 8)
    house.pass_(1)
    gateway.ask("ACK", LONDON)
    house.pass_(20)
    slow.wait = None
    record = house.records()[0]
    assert (record.cause, record.billed_seconds) == ("normal", 3)
    settle(house)


def test_one_port_for_two_contacts(house: House) -> None:
    """The telephone that can be rung is rung, and nothing of the other is left."""
    house.telephone("101", "10.0.0.11")
    caller = house.telephone("102", "10.0.0.12")
    for host in ("10.0.0.21", "10.0.0.22", "10.0.0.23"):
        house.party("101", host, password="secret-101")
    house.open()
    ringing = [house.party("101", host, password="secret-101") for host in ("10.0.0.21", "10.0.0.22")]
    for party in ringing:
        party.register()
    house.pass_(1)
    house.media.most = 2
    talk = caller.call("101")
    house.pass_(3)
    assert talk.talking
    assert sum(bool(party.calls) for party in ringing) == 1
    talk.hang_up()
    settle(house)


def test_help_finds_ports_when_there_are_none_for_others(house: House) -> None:
    telephone = house.telephone("101", "10.0.0.11")
    house.open()
    house.carrier.usual = Behaviour(answer_after=1)
    house.media.most = 0
    refused = telephone.call("100")
    help_ = telephone.call("112")
    house.pass_(3)
    assert refused.final == 503
    assert help_.talking
    help_.hang_up()
    settle(house)


def test_a_registered_gateway_that_leads_back_to_us(house: House) -> None:
    """Each round has one hop less to go (RFC 3261 16.3)."""
    house.telephone("loop", "10.0.0.11")
    caller = house.telephone("102", "10.0.0.12")
    gateway = WrittenCaller(house.network, EXCHANGE, "10.0.0.50")
    house.gateway("back", "10.0.0.50")
    house.open()
    loop = house.party("loop", "10.0.0.11", password="secret-loop")
    loop.register()
    house.pass_(1)
    gateway.send(
        "INVITE sip:loop@10.0.0.1 SIP/2.0\nVia: SIP/2.0/UDP 10.0.0.50;branch=z9hG4bKround\nMax-Forwards: 5\n"
        f"From: <sip:a@b>;tag=1\nTo: <sip:loop@10.0.0.1>\nCall-ID: round\nCSeq: 1 INVITE\n"
        f"Contact: <sip:10.0.0.50>\nContent-Type: application/sdp\n\n{DESCRIPTION}"
    )
    house.pass_(0.5)
    assert loop.calls[0].request is not None
    assert loop.calls[0].request.max_forwards == 4
    assert caller.calls == []
    house.pass_(2)
    gateway.ask("BYE", "loop", sequence=2, call_id="round")
    settle(house, 80)


# Patience.


def test_a_far_end_that_holds_may_be_silent(house: House) -> None:
    """It put the caller on hold and plays nothing; the caller listens and says nothing (silence suppression)."""
    scene = Scene.begin(house).connect()
    scene.carrier.ask("INVITE", body=ON_HOLD)
    house.pass_(0.1)
    scene.carrier.ask("ACK")
    scene.carrier.on_text = lambda text: None if text.is_response else scene.carrier.respond(200, text)
    for port in house.media.open_ports:
        port.mute()
    house.pass_(100)
    assert scene.talk.talking
    scene.talk.hang_up()
    scene.settle()


# The house closes.


def test_callers_in_the_dialogue_hear_that_the_house_closes(house: House) -> None:
    """Not only calls: whoever is connected is parted from."""
    _, talk = visitor(house)
    house.exchange.stop()
    house.pass_(1)
    assert talk.ended_by_far_end
    assert len(house.exchange.live) == 0
    settle(house)


def test_a_caller_in_a_call_is_parted_from_when_the_house_closes(house: House) -> None:
    house.carrier.usual = Behaviour(answer_after=1)
    _, talk = visitor(house)
    talk.press(LONDON + "#")
    house.pass_(15)
    assert house.carrier.calls[0].talking
    house.exchange.stop()
    house.pass_(1)
    assert talk.ended_by_far_end
    assert not house.carrier.calls[0].talking
    assert [record.cause for record in house.records()] == ["interrupted"]
    settle(house)


def test_a_telephone_that_rings_when_the_house_closes(house: House) -> None:
    scene = Scene.begin(house).ring()
    house.exchange.stop()
    house.pass_(0.1)
    assert scene.talk.final == 503
    scene.carrier.respond(487)
    scene.settle()
    assert [(record.cause, record.sip_status) for record in house.records()] == [("interrupted", 503)]


# Taken for dead.


def test_no_call_begins_for_a_process_taken_for_dead(house: House) -> None:
    """Until the next heartbeat tells us, in a second at most: nobody is charged by a process that others have buried."""
    card, telephone = subscriber(house)
    run(processes.start(house.database, "story", 2, house.now()))
    talk = telephone.call(LONDON)
    house.pass_(1)
    assert talk.final == 503
    assert house.reserved(card) == 0
    settle(house)


def test_help_from_a_process_taken_for_dead_is_recorded_by_the_next(house: House) -> None:
    stranger = house.party("new", "10.0.0.77")
    house.open()
    house.carrier.usual = Behaviour(answer_after=0.1, talk_seconds=5)
    successor = run(processes.start(house.database, "story", 2, house.now()))
    talk = stranger.call("112")
    house.pass_(1)
    assert talk.talking
    house.exchange.dialling.open.process_id = successor
    house.pass_(10)
    assert [(record.called_number, record.cause) for record in house.records()] == [("112", "normal")]
    settle(house)


def test_four_thousand_legs_are_enough(house: House) -> None:
    """One more is refused; whoever needs help is not."""
    house.open()
    caller = WrittenCaller(house.network, EXCHANGE, CARRIER)
    for leg in range(4000):
        house.exchange.switch.legs[str(leg), "full"] = None  # type: ignore[assignment]
    caller.ask(body=DESCRIPTION)
    house.pass_(0.1)
    assert caller.statuses() == [503]
    assert "retry-after" in caller.last(503)
    caller.ask("ACK")
    house.exchange.switch.legs.clear()
    settle(house)
