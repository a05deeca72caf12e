"""
The connection to the database breaks when a statement has been carried out, and nobody is told; or it takes its time.
"""

from decimal import Decimal

from twisted.internet.defer import Deferred

from minitelecom.store.database import DatabaseAway
from minitelecom.store.synchronous import SynchronousDatabase
from tests.calls.story import LONDON, guest, settle, sign_in, subscriber, visitor
from tests.world.house import House
from tests.world.party import Behaviour


class Breaking:
    """A database whose connection breaks after it has carried out the next statement with ``word`` in it."""

    def __init__(self, database: SynchronousDatabase) -> None:
        self._database = database
        self.word = "\0"
        self.late: Deferred[None] | None = None
        """What the answer waits for instead of being lost."""

    async def query(self, sql: str, parameters: tuple[object, ...] = ()) -> object:
        answer = await self._database.query(sql, parameters)
        if self.word in sql:
            self.word = "\0"
            if self.late is None:
                raise DatabaseAway("the connection broke")
            await self.late
        return answer

    def __getattr__(self, name: str) -> object:
        return getattr(self._database, name)


class Hesitating(Breaking):
    """The same, but the statement itself is what waits."""

    async def query(self, sql: str, parameters: tuple[object, ...] = ()) -> object:
        if self.word in sql and self.late is not None:
            self.word = "\0"
            await self.late
        return await self._database.query(sql, parameters)


def test_a_reservation_that_we_do_not_know_of_is_given_back(database: SynchronousDatabase) -> None:
    breaking = Breaking(database)
    house = House(breaking)  # type: ignore[arg-type]
    card, telephone = subscriber(house)
    breaking.word = "begin_call"
    talk = telephone.call(LONDON)
    house.pass_(1)
    assert talk.final == 503
    house.pass_(3)
    assert house.reserved(card) == Decimal(0)
    record = house.records()[0]
    assert (record.cause, record.sip_status, str(record.cost)) == ("failed", 503, "0.00 EUR")
    settle(house)


def test_a_balance_that_cannot_be_read_is_not_said(database: SynchronousDatabase) -> None:
    breaking = Breaking(database)
    house = House(breaking)  # type: ignore[arg-type]
    card, telephone = guest(house)
    house.carrier.usual = Behaviour(talk_seconds=5)
    talk = telephone.call("100")
    breaking.word = "FROM cards"
    sign_in(house, talk, card)
    assert "en/your-balance-is" not in house.heard()
    talk.press(LONDON + "#")
    house.pass_(30)
    assert house.records()[0].cause == "normal"
    assert "en/your-balance-is" in house.heard()
    talk.hang_up()
    settle(house)


def test_a_reason_that_cannot_be_read_is_the_nearest_one(database: SynchronousDatabase) -> None:
    """Not enough credit: whether another call holds it is not known now."""
    breaking = Breaking(database)
    house = House(breaking)  # type: ignore[arg-type]
    _, talk = visitor(house, "0.05")
    breaking.word = "FROM cards"
    talk.press("00493012345678#")
    house.pass_(10)
    assert "en/call-no-credit" in house.heard()
    talk.hang_up()
    settle(house)


def test_a_block_reaches_its_call_when_the_database_is_back(database: SynchronousDatabase) -> None:
    breaking = Breaking(database)
    house = House(breaking)  # type: ignore[arg-type]
    card, telephone = subscriber(house)
    house.carrier.usual = Behaviour(answer_after=1)
    talk = telephone.call(LONDON)
    house.pass_(20)
    breaking.word = "standing"
    house.block(card)
    house.pass_(0.5)
    assert talk.talking
    house.pass_(2)
    assert not talk.talking
    assert house.records()[0].cause == "blocked"
    settle(house)


def test_a_recharge_that_takes_until_the_call_has_ended_disturbs_nobody(database: SynchronousDatabase) -> None:
    slow = Breaking(database)
    house = House(slow)  # type: ignore[arg-type]
    house.carrier.usual = Behaviour(answer_after=1)
    card, talk = visitor(house, "0.10")
    talk.press(LONDON + "#")
    house.pass_(90)
    assert house.heard().count("en/one-minute-left") == 1
    slow.word, slow.late = "enlarge_call", Deferred()
    house.recharge(card, "0.05")
    talk.press("**")
    house.pass_(1)
    slow.late.callback(None)
    house.pass_(10)
    assert house.heard().count("en/one-minute-left") == 1
    talk.hang_up()
    settle(house)


def test_the_balance_said_after_a_call_has_paid_for_it(database: SynchronousDatabase) -> None:
    hesitating = Hesitating(database)
    house = House(hesitating)  # type: ignore[arg-type]
    house.carrier.usual = Behaviour(answer_after=1, talk_seconds=60)
    _, talk = visitor(house)
    talk.press(LONDON + "#")
    hesitating.word, hesitating.late = "end_call", Deferred()
    while not house.carrier.calls or house.carrier.calls[0].ended_at is None:
        house.pass_(0.5)
    said = house.heard().count("en/your-balance-is")
    hesitating.late.callback(None)
    house.pass_(10)
    assert house.heard().count("en/your-balance-is") == said + 1
    assert "en/number-94" in house.heard()
    talk.hang_up()
    settle(house)


def test_nobody_waits_long_for_the_balance(database: SynchronousDatabase) -> None:
    hesitating = Hesitating(database)
    house = House(hesitating)  # type: ignore[arg-type]
    house.carrier.usual = Behaviour(answer_after=1, talk_seconds=5)
    _, talk = visitor(house)
    talk.press(LONDON + "#")
    hesitating.word, hesitating.late = "end_call", Deferred()
    house.pass_(30)
    assert house.heard().count("en/your-balance-is") == 2
    hesitating.late.callback(None)
    talk.hang_up()
    settle(house)
