"""Many timers of one length behind one delayed call."""

import pytest
from twisted.internet.task import Clock

from minitelecom.sip.timers import Timers


def timers_and_clock() -> tuple[Timers, Clock]:
    clock = Clock()
    return Timers(clock, (0.5, 32.0)), clock


def test_timers_of_one_length_share_one_delayed_call_and_fire_at_their_own_instants():
    timers, clock = timers_and_clock()
    heard = []
    for name in "abc":
        timers.start(0.5, lambda name: heard.append((name, round(clock.seconds(), 3))), name)
        clock.advance(0.1)
    assert len(clock.getDelayedCalls()) == 1
    assert timers.active == 3
    clock.pump([0.01] * 100)
    assert heard == [("a", 0.5), ("b", 0.6), ("c", 0.7)]
    assert (timers.active, clock.getDelayedCalls()) == (0, [])


def test_a_stopped_timer_stays_silent():
    timers, clock = timers_and_clock()
    heard = []
    first, second, odd = (timers.start(seconds, heard.append, seconds) for seconds in (0.5, 32.0, 7.0))
    for timed in (first, odd, odd):
        timed.stop()
    assert (timers.active, first.active, second.active) == (1, False, True)
    clock.advance(40)
    assert heard == [32.0]
    second.stop()
    assert timers.active == 0


def test_stopped_timers_do_not_pile_up_while_others_come_and_go():
    timers, clock = timers_and_clock()
    for _ in range(1000):
        timers.start(32.0, print).stop()
        clock.advance(0.01)
    assert len(timers._fixed[32.0]._queue) == 1


def test_another_length_has_a_delayed_call_of_its_own():
    timers, clock = timers_and_clock()
    heard = []
    timers.start(3.0, heard.append, 3)
    assert timers.active == 1
    clock.advance(3)
    assert (heard, timers.active) == ([3], 0)


def test_one_who_fails_when_told_does_not_keep_the_others_waiting():
    timers, clock = timers_and_clock()
    heard = []

    def fail(_: object) -> None:
        raise ZeroDivisionError

    timers.start(0.5, fail)
    timers.start(0.5, heard.append, "second")
    with pytest.raises(ZeroDivisionError):
        clock.advance(0.5)
    clock.advance(0)
    assert heard == ["second"]


def test_whoever_is_told_may_start_another():
    timers, clock = timers_and_clock()
    heard = []

    def again(_: object) -> None:
        heard.append(clock.seconds())
        timers.start(0.5, again)

    timers.start(0.5, again)
    clock.pump([0.5] * 4)
    assert heard == [0.5, 1.0, 1.5, 2.0]
    timers.close()
    assert (timers.active, clock.getDelayedCalls()) == (0, [])


def test_whoever_starts_another_when_told_does_not_keep_the_others_waiting():
    timers, clock = timers_and_clock()
    heard = []
    timers.start(32.0, lambda _: timers.start(32.0, heard.append, "third"))
    clock.advance(8)
    timers.start(32.0, lambda _: heard.append(("second", clock.seconds())))
    clock.pump([1.0] * 40)
    assert heard == [("second", 40.0)]
    clock.advance(16)
    assert heard == [("second", 40.0), "third"]
    assert clock.getDelayedCalls() == []


def test_instants_that_are_sums_of_floats_do_not_spin():
    timers, clock = timers_and_clock()
    heard = []
    for step in range(200):
        clock.advance(0.1 + step * 1e-7)
        timers.start(0.5, heard.append, step)
    clock.advance(1)
    assert heard == list(range(200))
