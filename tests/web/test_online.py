"""View Online Users: the page, and its stream of server-sent events."""

import json
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from minitelecom.rating.cost import cost
from minitelecom.rating.rate import Rate
from minitelecom.store import operators
from minitelecom.store.database import DatabaseAway
from minitelecom.store.synchronous import run
from minitelecom.web.events import MOST_STREAMS, SECONDS_BETWEEN_CHECKS
from minitelecom.web.running import STEPS, money_digits, rate_data
from tests.web.browsing import Wire
from tests.web.conftest import BULGARIA, World, live_call


def events(wire: Wire) -> list[tuple[str, dict]]:
    """What has come so far; chunk sizes of HTTP are passed over."""
    found = []
    lines = wire.value().decode().split("\r\n\r\n", 1)[1].splitlines()
    for name, data in pairwise(lines):
        if name.startswith("event: "):
            found.append((name.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
    return found


def talking(world: World, key: str = "one", **changes: object):
    values = {"step": "talking", "answered": world.now(), "rate": BULGARIA, "promised_seconds": 600}
    about = {"account": "1234567897", "called_number": "359888123456", "destination": "Bulgaria"}
    return live_call(world, key, **(values | about | changes))


def test_the_page_shows_everyone_with_seconds_and_money(world: World) -> None:
    world.live.enter(talking(world))
    world.live.enter(live_call(world, "two"))
    world.clock.advance(90)
    text = world.logged_in().open("/online").text
    assert "Connected now: 2" in text
    assert "1234567897 35929876543 359888123456 Bulgaria talking 12:00:00 1:30 €0.230" in text
    assert "– 35929876543 – keying in the user number 12:00:00 – –" in text
    assert "въвежда номера на потребителя" in world.logged_in(language="bg").open("/online").text


def test_nobody_there_is_said(world: World) -> None:
    assert "Connected now: 0" in world.logged_in().open("/online").text


def test_the_stream_begins_with_a_snapshot_and_goes_on_with_numbered_changes(world: World) -> None:
    browser = world.logged_in()
    world.live.enter(live_call(world, "one"))
    wire = browser.send("GET", "/online/events")
    assert b"Content-Type: text/event-stream" in wire.value()
    world.live.change("one", step="number")
    world.clock.advance(0.2)
    world.live.enter(talking(world, "two"))
    world.clock.advance(0.2)
    world.live.leave("one")
    world.clock.advance(0.2)
    told = events(wire)
    assert [(name, data["number"]) for name, data in told] == [
        ("snapshot", 0),
        ("delta", 1),
        ("delta", 2),
        ("delta", 3),
    ]
    assert [row["step"] for row in told[0][1]["rows"]] == ["keying in the user number"]
    assert [row["step"] for row in told[1][1]["rows"]] == ["choosing a number"]
    row = told[2][1]["rows"][0]
    assert (row["account"], row["called"], row["destination"]) == ("1234567897", "359888123456", "Bulgaria")
    assert row["running"]["rate"]["sell"] == "120000"
    assert told[3][1]["gone"] == ["one"]
    wire.gone()


def test_a_browser_that_does_not_read_gets_a_new_snapshot_when_it_does(world: World) -> None:
    wire = world.logged_in().send("GET", "/online/events")
    wire.producer.pauseProducing()
    for number in range(20):
        world.live.enter(live_call(world, f"call{number}"))
        world.clock.advance(1)
    assert len(events(wire)) == 1
    wire.producer.resumeProducing()
    name, data = events(wire)[-1]
    assert (name, len(data["rows"])) == ("snapshot", 20)
    world.live.leave("call0")
    world.clock.advance(1)
    assert events(wire)[-1][1]["number"] == data["number"] + 1
    wire.gone()


EVIL = '"><script>alert(1)</script>\n\nevent: snapshot\ndata: {}\n\n'


def test_what_a_telephone_or_a_carrier_calls_itself_is_only_text(world: World) -> None:
    world.live.enter(talking(world, calling_number=EVIL, called_number=EVIL, destination=EVIL, step=EVIL, account=EVIL))
    world.live.enter(live_call(world, "two", calling_number="not text: \udcff"))
    browser = world.logged_in()
    body = browser.open("/online").body
    assert b"<script>alert" not in body
    assert body.count(b"&lt;script&gt;alert") >= 4
    wire = browser.send("GET", "/online/events")
    assert [name for name, _ in events(wire)] == ["snapshot"]
    assert events(wire)[0][1]["rows"][0]["destination"] == EVIL
    wire.gone()


def test_the_stream_ends_with_its_session_and_leaves_nothing_behind(world: World) -> None:
    browser = world.logged_in()
    wire = browser.send("GET", "/online/events")
    world.clock.advance(SECONDS_BETWEEN_CHECKS)
    assert b": still here" in wire.value()
    browser.open("/users")
    browser.submit("/logout")
    world.clock.advance(SECONDS_BETWEEN_CHECKS)
    assert wire.disconnecting
    world.live.enter(live_call(world))
    world.clock.advance(5)
    assert world.live.snapshot()[0] == 1


def test_an_operator_shut_out_sees_no_more(world: World) -> None:
    wire = world.logged_in().send("GET", "/online/events")
    run(operators.set_enabled(world.database, "olga", enabled=False, by="adam", instant=world.now()))
    world.clock.advance(SECONDS_BETWEEN_CHECKS)
    assert wire.disconnecting


def test_the_live_page_needs_no_database(world: World, logged_failures: list) -> None:
    """Calls go on while it is away, and so does what shows them; the session is looked at when it is back."""
    wire = world.logged_in().send("GET", "/online/events")

    async def away(*_: object) -> list:
        raise DatabaseAway("server closed the connection")

    world.database.query, kept = away, world.database.query
    world.clock.advance(SECONDS_BETWEEN_CHECKS)
    world.live.enter(live_call(world))
    world.clock.advance(1)
    world.database.query = kept
    assert [name for name, _ in events(wire)] == ["snapshot", "delta"]
    assert logged_failures == []
    run(operators.set_enabled(world.database, "olga", enabled=False, by="adam", instant=world.now()))
    world.clock.advance(SECONDS_BETWEEN_CHECKS)
    assert wire.disconnecting


def test_there_is_a_limit_on_streams(world: World) -> None:
    browser = world.logged_in(address="127.0.0.1")
    wires = [browser.send("GET", "/online/events") for _ in range(MOST_STREAMS)]
    assert browser.request("GET", "/online/events").status == 503
    for wire in wires:
        wire.gone()
    wire = browser.send("GET", "/online/events")
    assert len(events(wire)) == 1
    wire.gone()


def test_asking_for_the_head_of_the_stream_does_not_hang(world: World) -> None:
    browser = world.logged_in()
    assert b"HTTP/1.1 200" in browser.send("HEAD", "/online/events").value()


def test_seconds_stop_at_what_was_promised(world: World) -> None:
    world.live.enter(talking(world, promised_seconds=60))
    world.clock.advance(timedelta(minutes=5).total_seconds())
    assert "1:00 €0.170" in world.logged_in().open("/online").text


@given(
    sell=st.decimals(0, 1000, places=6),
    fee=st.decimals(0, 10, places=6),
    initial=st.integers(1, 600),
    increment=st.integers(1, 600),
    seconds=st.integers(0, 40_000),
)
def test_the_browsers_arithmetic_on_millionths_is_that_of_rating(
    sell: Decimal, fee: Decimal, initial: int, increment: int, seconds: int
) -> None:
    """The same steps as static/page.js takes; tests/browser holds the script itself against rating.cost."""
    rate = Rate("359", "Bulgaria", "EUR", sell, initial, increment, fee)
    data = rate_data(rate)
    billed = 0 if seconds <= 0 else initial + -(-max(0, seconds - initial) // increment) * increment
    millionths = (int(data["fee"]) * 60 + int(data["sell"]) * billed + 30) // 60 if billed else 0
    exact = cost(rate, seconds).amount
    assert Decimal(millionths).scaleb(-6) == exact
    assert -int(exact.normalize().as_tuple().exponent) <= money_digits(rate), "no digit is cut off"


def test_every_step_of_the_dialogues_has_a_name() -> None:
    from minitelecom.ivr.caller import Step

    assert {str(step) for step in Step} <= set(STEPS)
