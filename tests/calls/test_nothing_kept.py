"""
Whoever has called is gone at once: nothing of a call that is over waits for the collector of cycles.

A collection is heard by everybody who talks, so it comes seldom; what only it can take away fills the memory until then.
"""

import gc
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from minitelecom.calls.call import Call
from minitelecom.calls.leg import Leg
from minitelecom.calls.records import CallRecord
from minitelecom.calls.visitor import Visitor
from tests.calls.story import BERLIN, LONDON, settle, visit
from tests.world.house import HeldCard, House
from tests.world.party import Behaviour, Party, Talk


class Shop:
    """Three telephones, the first with an account; all have been answered once, so that what is remembered is."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.card: HeldCard = house.card("15.00")
        self.first = house.telephone("101", "10.0.0.11", self.card)
        self.second = house.telephone("102", "10.0.0.12")
        self.third = house.telephone("103", "10.0.0.13")
        house.trunk("wired", "sip:10.0.0.98;transport=tcp", match="359")  # where nobody listens
        house.open()
        for telephone in (self.first, self.second, self.third):
            telephone.register()
        self.answer_after(1)
        house.pass_(1)

    def answer_after(self, seconds: float, status: int = 200) -> None:
        for party in (self.house.carrier, self.first, self.second, self.third):
            party.usual = Behaviour(answer_after=seconds, status=status)

    def talk(self, caller: Party, number: str) -> Talk:
        talk = caller.call(number)
        self.house.pass_(2)
        assert talk.talking
        return talk

    @contextmanager
    def uncollected(self) -> Iterator[None]:
        """What happens in the block, and is then over, leaves nothing; and nothing is collected meanwhile."""
        gc.collect()
        before = kinds(of_calls())
        gc.disable()
        try:
            yield
            settle(self.house, seconds=150)
            assert kinds(of_calls()) - before == Counter()
            gc.set_debug(gc.DEBUG_SAVEALL)
            gc.collect()
            assert kinds(gc.garbage) == Counter()
        finally:
            gc.set_debug(0)
            gc.garbage.clear()
            gc.enable()


def kinds(objects: Iterable[object]) -> Counter[str]:
    """How many there are of each kind of ours."""
    return Counter(type(one).__qualname__ for one in objects if type(one).__module__.startswith("minitelecom."))


def of_calls() -> list[object]:
    """What belongs to a call and to nothing else; other stories may have left some of theirs."""
    return [one for one in gc.get_objects() if isinstance(one, Leg | Call | CallRecord | Visitor)]


@pytest.fixture
def shop(house: House) -> Shop:
    return Shop(house)


def answered(shop: Shop) -> None:
    talk = shop.talk(shop.first, LONDON)
    shop.house.pass_(10)
    talk.hang_up()


def answered_for_long(shop: Shop) -> None:
    """The transactions of the INVITE end long before."""
    talk = shop.talk(shop.first, LONDON)
    shop.house.pass_(100)
    shop.house.carrier.calls[-1].hang_up()
    shop.house.pass_(1)
    assert not talk.talking


def refused(shop: Shop) -> None:
    shop.answer_after(1, status=486)
    talk = shop.first.call(LONDON)
    shop.house.pass_(2)
    assert talk.final == 486


def cancelled(shop: Shop) -> None:
    shop.answer_after(60)
    talk = shop.first.call(LONDON)
    shop.house.pass_(3)
    talk.cancel()
    shop.house.pass_(1)
    assert talk.final == 487


def never_answered(shop: Shop) -> None:
    shop.answer_after(600)
    talk = shop.first.call(LONDON)
    shop.house.pass_(100)
    assert talk.final == 480


def without_price(shop: Shop) -> None:
    talk = shop.first.call("0099912345")
    shop.house.pass_(2)
    assert talk.final is not None
    assert talk.final >= 400


def unreached(shop: Shop) -> None:
    """By the first carrier; the second connects the call."""
    talk = shop.first.call("0035921234567")
    shop.house.pass_(40)
    assert talk.talking
    assert len(shop.house.carrier.calls) == 1
    talk.hang_up()


def by_card(shop: Shop) -> None:
    talk = visit(shop.house, shop.second, shop.card)
    talk.press(f"{LONDON}#")
    shop.house.pass_(20)
    assert shop.house.carrier.calls[-1].talking
    shop.house.carrier.calls[-1].hang_up()
    shop.house.pass_(10)
    talk.hang_up()


def by_card_until_the_money_ends(shop: Shop) -> None:
    card = shop.house.card("0.10")
    talk = visit(shop.house, shop.second, card)
    talk.press(f"{LONDON}#")
    shop.house.pass_(200)
    assert not shop.house.carrier.calls[-1].talking
    talk.hang_up()


def inside(shop: Shop) -> None:
    shop.talk(shop.first, "102").hang_up()


def held(shop: Shop) -> None:
    talk = shop.talk(shop.first, "102")
    answer = talk.re_invite(talk.party.description() + b"a=sendonly\r\n")
    shop.house.pass_(70)  # it is asked whether it is there
    assert answer.statuses[-1] == 200
    shop.second.calls[-1].hang_up()


def transferred(shop: Shop) -> None:
    talk = shop.talk(shop.first, LONDON)
    talk.refer("<sip:103@10.0.0.1>")
    shop.house.pass_(5)
    assert not talk.talking
    shop.third.calls[-1].hang_up()


def transferred_in_vain(shop: Shop) -> None:
    talk = shop.talk(shop.first, LONDON)
    shop.answer_after(1, status=486)
    talk.refer("<sip:103@10.0.0.1>")
    shop.house.pass_(5)
    assert talk.talking
    talk.hang_up()


def joined(shop: Shop) -> None:
    one = shop.talk(shop.first, LONDON)
    other = shop.talk(shop.first, BERLIN)
    one.refer(f"<sip:{BERLIN}@10.0.0.1?Replaces={other.replaces.replace(';', '%3B').replace('=', '%3D')}>")
    shop.house.pass_(5)
    assert not one.talking
    assert not other.talking
    for end in shop.house.carrier.calls[-2:]:
        end.hang_up()


STORIES = (
    answered,
    answered_for_long,
    refused,
    cancelled,
    never_answered,
    without_price,
    unreached,
    by_card,
    by_card_until_the_money_ends,
    inside,
    held,
    transferred,
    transferred_in_vain,
    joined,
)


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_a_call_that_is_over_is_gone(shop: Shop, story: Callable[[Shop], None]) -> None:
    with shop.uncollected():
        story(shop)


@given(
    number=some.sampled_from([LONDON, "102", "100", "999"]),
    ring_after=some.sampled_from([None, 0.1, 1.0]),
    answer_after=some.sampled_from([None, 0.05, 2.0]),
    status=some.sampled_from([200, 302, 404, 486, 503, 603]),
    cancel_after=some.sampled_from([0.01, 0.15, 1.0, 2.05, 4.0]),
    hang_up_after=some.sampled_from([0.01, 3.0, 40.0]),
    early_media=some.booleans(),
    far_end_hangs_up=some.booleans(),
)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_finished_call_leaves_no_cycle(
    shop: Shop,
    number: str,
    ring_after: float | None,
    answer_after: float | None,
    status: int,
    cancel_after: float,
    hang_up_after: float,
    early_media: bool,
    far_end_hangs_up: bool,
) -> None:
    house = shop.house
    for party in (house.carrier, shop.second):
        party.usual = Behaviour(ring_after, answer_after, status, early_media)
    with shop.uncollected():
        talk = shop.first.call(number)
        house.pass_(cancel_after, step=0.01)
        if talk.final is None:
            talk.cancel()
        house.pass_(hang_up_after)
        for end in (house.carrier.calls[-1:] + shop.second.calls[-1:]) if far_end_hangs_up else []:
            end.hang_up()
        talk.hang_up()
