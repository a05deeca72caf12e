"""The end of a promise, by the second: warnings, the cut, and a recharge that moves both."""

from twisted.internet.task import Clock

from minitelecom.calls.credit import Credit


class Promised:
    """A call of so many seconds, from its answer on."""

    def __init__(self, seconds: int) -> None:
        self.clock = Clock()
        self.told: list[tuple[float, int | None]] = []
        self.credit = Credit(self.clock, seconds, self._tell, self._tell)

    def _tell(self, left: int | None = None) -> None:
        self.told.append((self.clock.seconds(), left))

    def passes(self, seconds: int) -> None:
        self.clock.pump([1.0] * seconds)


def test_a_minute_and_a_quarter_before_the_end_there_is_a_warning() -> None:
    call = Promised(100)
    call.passes(200)
    assert call.told == [(40, 60), (85, 15), (100, None)]


def test_nobody_is_warned_at_the_very_answer() -> None:
    for seconds, told in ((60, [(45, 15), (60, None)]), (61, [(1, 60), (46, 15), (61, None)]), (15, [(15, None)])):
        call = Promised(seconds)
        call.passes(100)
        assert call.told == told


def test_a_recharge_moves_what_is_still_to_come() -> None:
    call = Promised(100)
    call.passes(90)
    call.credit.enlarge(200)
    call.passes(200)
    assert call.told == [(40, 60), (85, 15), (140, 60), (185, 15), (200, None)]


def test_the_same_promise_again_warns_nobody_twice() -> None:
    call = Promised(100)
    call.passes(40)
    call.credit.enlarge(100)
    call.passes(100)
    assert call.told == [(40, 60), (85, 15), (100, None)]


def test_a_call_that_is_over_hears_nothing_more() -> None:
    call = Promised(100)
    call.passes(50)
    call.credit.stop()
    call.credit.stop()
    call.passes(100)
    assert call.told == [(40, 60)]
    assert call.clock.getDelayedCalls() == []
