"""What a page may cost: 30 ms of CPU and 100 KB, with full lists; and the reactor gets its turn on the way."""

from datetime import timedelta
from pathlib import Path
from time import process_time
from zoneinfo import ZoneInfo

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from minitelecom.web.languages import read_languages
from minitelecom.web.pages.calls import ROWS
from minitelecom.web.rendering import Renderer, StaticFiles
from tests.ladder import conversation
from tests.web.conftest import World, live_call

SECONDS = 0.030
ROUNDS = 10


@pytest.fixture
def busy(world: World) -> World:
    numbers = [card.number for card in world.new_cards(60)]
    for minute in range(ROWS):
        world.call(numbers[0], f"35988800{minute:04}", world.now() - timedelta(minutes=minute), seconds=1)
    for number in range(60):
        world.live.enter(live_call(world, f"call{number}", account=numbers[number]))
    return world


def test_a_full_page_is_small_and_quick(busy: World) -> None:
    browser = busy.logged_in("adam")
    number = next(link for link in browser.open("/users").links if link.startswith("/recharge?number="))
    spent = {}
    call = f"/calls/{conversation.call(busy.database)}"
    for path in ("/login", "/users/add", "/groups/1", "/users", number, "/calls", call, "/online"):
        assert len(browser.request("GET", path).body) < 100_000
        begun = process_time()
        for _ in range(ROUNDS):
            browser.request("GET", path)
        spent[path] = (process_time() - begun) / ROUNDS
    print({path: f"{seconds * 1000:.1f} ms" for path, seconds in spent.items()})  # noqa: T201
    assert {path for path, seconds in spent.items() if seconds > SECONDS} == set()


class TickingClock(Clock):
    """Each look at it takes a millisecond, as a busy machine would."""

    turns = 0

    def callLater(self, delay: float, *what: object) -> object:
        self.turns += 1
        return super().callLater(delay, *what)

    def seconds(self) -> float:
        self.rightNow += 0.001
        return self.rightNow


def test_a_long_page_is_written_in_slices(tmp_path: Path) -> None:
    (tmp_path / "long.html").write_text("{% for row in rows %}<p>{{ row }}</p>{% endfor %}")
    languages, clock = read_languages(ZoneInfo("Europe/Sofia"), "en"), TickingClock()
    renderer = Renderer(languages, StaticFiles(), clock, tmp_path)
    page = Deferred.fromCoroutine(renderer.render(languages["en"], "long.html", {"rows": range(1000)}))
    while not page.called:
        clock.advance(0)
    assert clock.turns > 10
    assert page.result.count(b"<p>") == 1000
