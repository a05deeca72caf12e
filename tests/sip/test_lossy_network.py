"""
Whole calls over a network that loses, doubles, delays and reorders; one seed, one call. SEEDS=5000 tries more of them.

Whatever is lost, both sides come to an end, nobody is told anything twice, and nothing is left over.
"""

import os
from random import Random

import pytest

from tests.sip.telephones import Network, Telephone

SEEDS = int(os.environ.get("SEEDS", "500"))


class Call:
    """One call by one seed: how it goes and who ends it is drawn."""

    def __init__(self, seed: int) -> None:
        random = Random(seed)
        self.network = Network(random, loss=random.choice([0.0, 0.1, 0.3, 0.6]), doubled=0.1, slowest=0.8)
        self.alice = Telephone(self.network, "alice", "192.0.2.1")
        self.bob = Telephone(self.network, "bob", "192.0.2.2")
        # Not before 0.4 s: an INVITE repeated for 32 s and a refusal repeated for 32 s must overlap (timers B and H).
        self.bob.script = random.choice([(random.uniform(0.4, 20), 200), (random.uniform(0.4, 20), 486), (0, None)])
        self.ending = random.choice([self.alice, self.bob])
        invite = self.alice.call(self.bob)
        if random.random() < 0.4:
            self.network.clock.callLater(random.uniform(0, 20), invite.cancel)
        self.network.clock.callLater(70, self.end)
        self.network.run()

    def end(self) -> None:
        if self.ending.dialog is not None and self.ending.outcomes != ["unacknowledged"]:
            self.ending.hang_up()


@pytest.mark.parametrize("first", range(0, SEEDS, 50))
def test_calls_come_to_an_end(first):
    for seed in range(first, min(first + 50, SEEDS)):
        call = Call(seed)
        story = (seed, call.alice.outcomes, call.bob.outcomes)
        outcome = [word for word in call.alice.outcomes if not word.startswith("hung up")]
        assert len(outcome) == 1, story
        assert len(call.bob.invites) <= 1, story
        if outcome == ["answered"]:
            assert call.bob.dialog is not None, story
        if call.bob.acknowledged:
            assert (call.bob.acknowledged, outcome) == (1, ["answered"]), story
        assert call.alice.byes + call.bob.byes <= 2, story
        for telephone in (call.alice, call.bob):
            assert (len(telephone.layer), telephone.layer.timers_alive) == (0, 0), story
        assert call.network.clock.getDelayedCalls() == [], story


def test_the_same_seed_is_the_same_call():
    first, second = Call(7), Call(7)
    assert (first.network.ladder, first.alice.outcomes) == (second.network.ladder, second.alice.outcomes)


def test_the_seeds_reach_every_outcome():
    outcomes = {
        word for seed in range(150) for call in [Call(seed)] for word in call.alice.outcomes + call.bob.outcomes
    }
    assert outcomes >= {
        "answered",
        "refused 486",
        "refused 487",
        "failed TIMEOUT",
        "hung up 200",
        "unacknowledged",
    }
