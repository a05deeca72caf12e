"""
Random stories of money: whatever happens in whatever order, the books are right and a plain model says the same.

What to try (the rules of the machine) and what must hold (the invariant, the proof at the end) are kept apart.
"""

from decimal import Decimal

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from minitelecom.rating.cost import cost
from minitelecom.rating.rate import Rate
from minitelecom.store import processes
from minitelecom.store.cards import NewCard
from minitelecom.store.synchronous import SynchronousDatabase, run
from tests.store.shop import LONGEST, Call, Shop

RATES = st.builds(
    Rate,
    prefix=st.just("359"),
    destination=st.just("Bulgaria"),
    currency=st.just("EUR"),
    sell=st.decimals(0, 2, places=6),
    initial=st.sampled_from([1, 6, 30, 60]),
    increment=st.sampled_from([1, 6, 60]),
    connection_fee=st.sampled_from([Decimal(0), Decimal(0), Decimal("0.05")]),
)
AMOUNTS = st.decimals("0.000001", 20, places=6)


class Books(RuleBasedStateMachine):
    """Two cards, any number of calls."""

    shared: SynchronousDatabase
    cards = Bundle("cards")
    calls = Bundle("calls")

    def __init__(self) -> None:
        super().__init__()
        self.rollback = self.shared.rolled_back()
        self.rollback.__enter__()
        self.shop = Shop(self.shared)
        self.two = self.shop.cards_of("3.00", 2)
        self.balances = dict.fromkeys((card.number for card in self.two), Decimal(3))
        self.held = dict.fromkeys((card.number for card in self.two), Decimal(0))
        self.keys = 0

    def teardown(self) -> None:
        """At the end of each story the books are proved."""
        faults = self.shop.faults()
        self.rollback.__exit__(None, None, None)
        assert faults == []

    def card(self, number: int) -> NewCard:
        return self.two[number]

    @rule(number=st.integers(0, 1), amount=AMOUNTS, twice=st.booleans())
    def recharge(self, number: int, amount: Decimal, twice: bool) -> None:
        card = self.card(number)
        self.keys += 1
        for _ in range(1 + twice):
            self.shop.recharge(card, str(amount), f"k{self.keys}")
        self.balances[card.number] += amount

    @rule(target=calls, number=st.integers(0, 1), rate=RATES)
    def dial(self, number: int, rate: Rate) -> object:
        card = self.card(number)
        available = self.balances[card.number] - self.held[card.number]
        call = self.shop.dial(card, rate)
        assert call.begun.reserved.amount <= available
        if call.begun.refusal is not None:
            assert cost(rate, 1).amount > available
            return multiple()
        assert rate.is_free or cost(rate, call.promised).amount <= call.begun.reserved.amount
        assert rate.is_free or call.promised == LONGEST or cost(rate, call.promised + 1).amount > available
        self.held[card.number] += call.begun.reserved.amount
        return card, call, call.begun.reserved.amount

    @rule(call=calls, seconds=st.floats(0, 3))
    def answer(self, call: tuple[NewCard, Call, Decimal], seconds: float) -> None:
        self.shop.later(seconds)
        call[1].answer()

    @rule(ending=consumes(calls), share=st.floats(0, 1))
    def end(self, ending: tuple[NewCard, Call, Decimal], share: float) -> None:
        card, call, _ = ending
        record = call.record
        seconds = int(call.promised * share) if record.answered else 0
        ended = call.end(seconds)
        if record.ended is None:
            self.balances[card.number] -= ended.cost.amount
            self.held[card.number] -= record.reserved.amount if record.reserved else 0

    @rule(ending=calls)
    def enlarge(self, ending: tuple[NewCard, Call, Decimal]) -> None:
        card, call, _ = ending
        before = call.record.reserved
        after = call.enlarge()
        if before is not None and after is not None:
            assert after >= before
            self.held[card.number] += after.amount - before.amount

    @rule(seconds=st.floats(0, 100))
    def crash(self, seconds: float) -> None:
        """The process dies some time after its last beat, and starts again."""
        run(processes.beat(self.shop.database, self.shop.process, self.shop.now, {}))
        self.shop.later(seconds)
        self.shop.process = run(processes.start(self.shop.database, "shop", 2, self.shop.now))
        run(processes.recover(self.shop.database, self.shop.now))
        for card in self.two:
            self.held[card.number] = Decimal(0)
            spent = self.balances[card.number] - self.shop.look(card).balance.amount
            assert spent >= 0
            self.balances[card.number] -= spent

    @invariant()
    def the_model_agrees(self) -> None:
        for card in self.two:
            seen = self.shop.look(card)
            assert (seen.balance.amount, seen.reserved.amount) == (self.balances[card.number], self.held[card.number])


@pytest.mark.timeout(120)
def test_random_stories(_shared: SynchronousDatabase) -> None:
    Books.shared = _shared
    run_state_machine_as_test(
        Books,
        settings=settings(
            max_examples=30, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
