"""A shop with its site, an operator and an administrator, over a real database and under a clock of the test's."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

import pytest
from argon2 import PasswordHasher
from twisted.internet.task import Clock

from minitelecom.calls.live import LiveCall, LiveCalls
from minitelecom.config import Config
from minitelecom.money import Money
from minitelecom.rating.rate import Rate
from minitelecom.store import call_records, cards, operators, processes
from minitelecom.store.secrets import Secrets
from minitelecom.store.synchronous import SynchronousDatabase, run
from minitelecom.web.bounds import BoundedSite
from minitelecom.web.site import make_site
from tests.web.browsing import Browser

BEGIN = datetime(2026, 5, 31, 9, 0, tzinfo=UTC)
PASSWORD = "correct horse"
HASH = PasswordHasher(time_cost=1, memory_cost=64).hash(PASSWORD)  # a cheap one: the hash says how it was made
BULGARIA = Rate("359", "Bulgaria", "EUR", Decimal("0.12"), 60, 1, Decimal("0.05"))


async def at_once(function: Callable, *arguments: object) -> object:
    """Passwords are checked here and now, not in a thread."""
    return function(*arguments)


@dataclass
class World:
    database: SynchronousDatabase
    clock: Clock
    live: LiveCalls
    secrets: Secrets
    site: BoundedSite

    def now(self) -> datetime:
        return BEGIN + timedelta(seconds=self.clock.seconds())

    def browser(self, **how: str) -> Browser:
        return Browser(self.site, **how)

    def logged_in(self, name: str = "olga", **how: str) -> Browser:
        browser = self.browser(**how)
        browser.open("/login")
        reply = browser.submit("/login", name=name, password=PASSWORD)
        assert reply.status == 200, reply.text
        return browser

    def new_cards(self, count: int = 1, minor: int = 1500, activation: str = "now") -> list[cards.NewCard]:
        amount = Money.from_minor(minor, "EUR")
        random = Random(count)
        return run(
            cards.add_group(
                self.database,
                count,
                amount,
                activation,
                "boris",
                self.now(),
                self.secrets,
                random,
                zone=ZoneInfo("Europe/Sofia"),
            )
        )[1]

    def card(self, number: str) -> cards.Card:
        found = run(cards.find(self.database, number, self.now()))
        assert found is not None
        return found

    def call(
        self, number: str | None, called: str, started: datetime, seconds: int = 90, cause: str = "normal"
    ) -> None:
        """A call that was made, talked and paid for."""
        database = self.database
        process = run(processes.start(database, f"test {called} {started}", 1, started))
        beginning = call_records.Beginning(
            process_id=process,
            session=f"s{called}",
            started=started,
            account_id=None if number is None else self.card(number).account_id,
            device=None if number else "cabin1",
            calling_number="35929876543",
            called_number=called,
            destination="Bulgaria",
            trunk="carrier",
            rate=BULGARIA,
            ceiling=Money(Decimal("1.25"), "EUR"),
            first=Decimal("0.17"),
            step=Decimal("0.002"),
        )
        begun = run(call_records.begin(database, beginning))
        run(call_records.answered(database, begun.id, started, started + timedelta(seconds=5), 600, "carrier"))
        cost = Money(Decimal("0.23") if number else Decimal(0), "EUR")
        ended = started + timedelta(seconds=5 + seconds)
        run(
            call_records.ended(
                database, call_records.Ending(begun.id, started, ended, seconds, cost, cause, 200, "caller")
            )
        )

    def audit(self) -> list[tuple[str, str, str]]:
        return run(self.database.query("SELECT who, what, subject FROM audit ORDER BY id"))


def live_call(world: World, key: str = "one", **changes: object) -> LiveCall:
    """A card holder who has just arrived."""
    values: dict[str, object] = {
        "id": key,
        "session": key,
        "account": None,
        "device": "cabin1",
        "calling_number": "35929876543",
        "called_number": None,
        "destination": None,
        "step": "user-number",
        "since": world.now(),
    }
    return LiveCall(**(values | changes))


@pytest.fixture
def world(database: SynchronousDatabase, tmp_path: Path) -> World:
    clock, live = Clock(), LiveCalls()
    secrets = Secrets.from_file(tmp_path / "key")
    for name, role in (("olga", "operator"), ("adam", "administrator")):
        run(operators.add(database, name, role, HASH, BEGIN))
    world = World(database, clock, live, secrets, None)
    world.site = make_site(database, Config(language="bg"), live, world.now, secrets, clock, at_once)
    return world
