"""The live feed: a snapshot, then numbered changes, at most five a second, and nothing while nobody watches."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from twisted.internet.task import Clock

from minitelecom.calls.live import LiveCall, LiveCalls
from minitelecom.web.feed import Delta, LiveFeed
from tests.web.conftest import World, live_call


@dataclass
class Watcher:
    """A viewer that keeps what it is told, as a browser does."""

    number: int = -1
    steps: dict[str, str] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)

    def show(self, number: int, calls: Sequence[LiveCall]) -> None:
        self.number = number
        self.steps = {call.id: call.step for call in calls}
        self.told.append("snapshot")

    def change(self, delta: Delta) -> None:
        assert delta.number == self.number + 1, "a gap"
        self.number = delta.number
        self.steps.update((call.id, call.step) for call in delta.changed)
        for key in delta.gone:
            del self.steps[key]
        self.told.append("delta")


def made(world: World) -> tuple[LiveCalls, Clock, LiveFeed]:
    return world.live, world.clock, LiveFeed(world.live, world.clock)


def test_a_watcher_sees_who_is_there_and_who_comes_and_goes(world: World) -> None:
    live, clock, feed = made(world)
    live.enter(live_call(world, "one"))
    watcher = Watcher()
    leave = feed.watch(watcher)
    assert watcher.steps == {"one": "user-number"}
    live.enter(live_call(world, "two"))
    live.change("one", step="talking")
    clock.advance(0.2)
    assert watcher.steps == {"one": "talking", "two": "user-number"}
    live.leave("one")
    clock.advance(0.2)
    assert watcher.steps == {"two": "user-number"}
    assert watcher.told == ["snapshot", "delta", "delta"]
    leave()
    live.leave("two")
    assert not clock.getDelayedCalls()


def test_a_burst_becomes_five_messages_a_second(world: World) -> None:
    live, clock, feed = made(world)
    watcher = Watcher()
    leave = feed.watch(watcher)
    for number in range(1000):
        live.enter(live_call(world, f"call{number}"))
        live.change(f"call{number}", step=f"step{number}")
        clock.advance(0.001)
    clock.advance(0.2)
    assert watcher.told.count("delta") <= 6
    assert watcher.steps == {f"call{number}": f"step{number}" for number in range(1000)}
    leave()


def test_who_came_and_went_between_two_messages_is_not_told_of(world: World) -> None:
    live, clock, feed = made(world)
    watcher = Watcher()
    leave = feed.watch(watcher)
    live.enter(live_call(world))
    clock.advance(0.2)
    live.enter(live_call(world, "brief"))
    live.leave("brief")
    clock.advance(1)
    assert watcher.told == ["snapshot", "delta"]
    leave()


def test_a_later_watcher_begins_where_the_others_are(world: World) -> None:
    live, clock, feed = made(world)
    early, late = Watcher(), Watcher()
    leave = feed.watch(early)
    live.enter(live_call(world, "one"))
    clock.advance(0.2)
    live.enter(live_call(world, "two"))
    leave_too = feed.watch(late)
    assert late.number == early.number
    clock.advance(0.2)
    assert late.steps == early.steps == {"one": "user-number", "two": "user-number"}
    leave()
    live.leave("one")
    clock.advance(0.2)
    assert late.steps == {"two": "user-number"}
    leave_too()
    assert feed.viewers == 0


def test_watching_again_after_a_pause_shows_the_present(world: World) -> None:
    live, clock, feed = made(world)
    feed.watch(Watcher())()
    live.enter(live_call(world, "one"))
    watcher = Watcher()
    leave = feed.watch(watcher)
    assert watcher.steps == {"one": "user-number"}
    leave()
    leave()
    clock.advance(1)
    assert watcher.told == ["snapshot"]
