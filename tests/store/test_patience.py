"""Pauses between attempts to reach a database."""

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from minitelecom.store.link import LONGEST_DELAY_SECONDS, Patience


class Trying:
    """Somebody who tries again after each pause; when he did."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.patience = Patience(self.clock)
        self.tries: list[float] = []
        Deferred.fromCoroutine(self._try())

    async def _try(self) -> None:
        while len(self.tries) < 100:
            self.tries.append(round(self.clock.seconds(), 3))
            await self.patience.pause()


def test_pauses_grow_to_a_limit():
    trying = Trying()
    trying.clock.pump([0.01] * 1000)
    assert trying.tries[:5] == pytest.approx([0.0, 0.1, 0.3, 0.7, 1.5], abs=0.05)
    assert trying.tries[-1] - trying.tries[-2] == pytest.approx(LONGEST_DELAY_SECONDS, abs=0.05)


def test_whoever_knows_that_it_is_back_need_not_wait():
    trying = Trying()
    trying.clock.pump([0.1] * 50)
    before = len(trying.tries)
    trying.patience.lose()
    assert len(trying.tries) == before + 1
    trying.clock.advance(0.11)
    assert len(trying.tries) == before + 2


def test_nothing_is_lost_where_nobody_waits():
    clock = Clock()
    Patience(clock).lose()
    assert not clock.getDelayedCalls()
