"""A call that goes out by a carrier and comes in again ends, though the carrier makes a new call of it each time."""

from minitelecom.calls.loops import MOST_ALIKE
from minitelecom.sip.hop import Hop
from minitelecom.sip.message import Request
from minitelecom.sip.transaction_layer import ServerTransaction
from minitelecom.store import numbers
from minitelecom.store.numbers import Number
from minitelecom.store.synchronous import run
from tests.calls.story import settle
from tests.world.house import EXCHANGE, House
from tests.world.party import Behaviour, Party, Talk

CABIN = "35925550101"
FREEPHONE = "0080012345"  # nothing is reserved for it, so that money does not end the loop first


class Circle(Party):
    """A carrier whose exchange leads every call from us back to the cabin, as a call of its own."""

    back: list[Talk]

    def request_received(self, transaction: ServerTransaction, request: Request, source: Hop) -> None:
        super().request_received(transaction, request, source)
        if request.method == "INVITE" and request.to.tag is None:
            self.back.append(self.call(CABIN))


def test_a_telephone_that_forwards_to_itself_by_a_carrier(house: House) -> None:
    cabin = house.telephone("cabin1", "10.0.0.11", house.card("1.00"))
    circle = Circle(house.clock, house.random, house.network, EXCHANGE, "359888100200", "10.0.0.77")
    circle.back = []
    circle.usual = Behaviour(ring_after=0.1, answer_after=None)
    house.trunk("circle", "sip:10.0.0.77", match="800")
    run(numbers.add(house.database, Number(CABIN, device="cabin1"), "story", house.now()))
    house.open()
    cabin.register()
    house.pass_(1)
    cabin.usual = Behaviour(answer_after=0.2, status=302, headers=(("Contact", f"<sip:{FREEPHONE}@{EXCHANGE.host}>"),))
    first = circle.call(CABIN)
    house.pass_(10)
    assert [talk.final for talk in circle.back] == [None, None, None, None, 482]
    assert [record.cause for record in house.records()].count("failed") == 1
    first.cancel()
    house.pass_(1)
    for talk in circle.back[:-1]:
        talk.cancel()
    settle(house)
    cabin.usual = Behaviour(answer_after=0.2)
    again = circle.call(CABIN)  # when all that is over, the number may be called again
    house.pass_(1)
    assert again.talking
    again.hang_up()
    settle(house)


def test_an_office_behind_one_number_may_have_any_number_of_talks_with_us(house: House) -> None:
    """A loop is of calls that nobody answers; who talks goes round nowhere."""
    till = house.telephone("till", "10.0.0.11")
    till.usual = Behaviour(answer_after=0.5)
    run(numbers.add(house.database, Number(CABIN, device="till"), "story", house.now()))
    house.open()
    till.register()
    house.pass_(1)
    house.carrier.name = "359888100200"
    talks = []
    for _ in range(2 * MOST_ALIKE):
        talks.append(house.carrier.call(CABIN))
        house.pass_(2)
    assert all(talk.talking for talk in talks)
    for talk in talks:
        talk.hang_up()
    settle(house)
