"""
PostgreSQL is killed with -9 while calls stand in every state.

The daemon starts it again within seconds; calls go on meanwhile, what they come to is written afterwards, and nothing
stays held.  While it is away a new call is refused politely, and 112 goes through.
"""

import contextlib
import fcntl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.live.doomed import (
    ANSWERS,
    HELP,
    RINGS,
    DoomedCalling,
    Figures,
    Town,
    execute,
    kill_all_of_postgresql,
    wait_for_end,
)
from tests.live.house import lived_in
from tests.live.programs import wait_until
from tests.live.scenarios import END, Calling, baton
from tests.live.shop import RunningShop
from tests.live.sipp import Sipp

pytestmark = pytest.mark.live

KILLS = 10
STAYS_AWAY_TIMES = 3


@dataclass(frozen=True)
class Trigger:
    """Whom the one calls at whose message PostgreSQL dies, what he does until the end, and what his record says then."""

    dialled: str
    steps: Callable[[DoomedCalling, Town, str], list[str]]
    end: tuple[str, str] | None
    """Cause and side; None: it depends on what was committed."""


TRIGGERS = {
    "the last key of a number": Trigger(
        "100",
        lambda calling, town, deed: [calling.answered(), calling.keys(town.guest_keys, deed), calling.talk()],
        None,
    ),
    "ringing": Trigger(RINGS, lambda calling, town, deed: [calling.cancelled(deed)], ("cancelled", "caller")),
    "answered": Trigger(
        ANSWERS, lambda calling, town, deed: [calling.answered(deed), calling.talk()], ("normal", "caller")
    ),
    "BYE sent": Trigger(
        ANSWERS, lambda calling, town, deed: [calling.answered(), calling.bye(sent=deed), END], ("normal", "caller")
    ),
    "BYE answered": Trigger(
        ANSWERS, lambda calling, town, deed: [calling.answered(), calling.bye(answered=deed), END], ("normal", "caller")
    ),
}


@pytest.mark.timeout(900)
def test_postgresql_is_killed_while_calls_run(town: Town, figures: Figures) -> None:
    """Alone, and in every other death with all its children."""
    process = town.books.process().id
    with town.carriers():
        for number in range(KILLS):
            message = list(TRIGGERS)[number % len(TRIGGERS)]
            kill_once(town, figures, message, with_children=number // len(TRIGGERS) % 2 == 1)
    assert town.books.process().id == process
    town.check_by_command()


def kill_once(town: Town, figures: Figures, message: str, *, with_children: bool) -> None:
    trigger = TRIGGERS[message]
    around = {"103": town.talker(), "102": town.ringer()}
    if trigger.dialled != "100":
        around["104"] = town.listener()
    name = "104" if trigger.dialled == "100" else "101"
    town.telephone("101")
    calling = town.calling(name, trigger.dialled)
    postmaster = town.shop.postgresql
    assert postmaster is not None
    deed = execute(f"kill -9 {postmaster}" + (f" $(pgrep -P {postmaster})" if with_children else ""))
    doomed = town.plays(message.replace(" ", "-"), calling.invite(), *trigger.steps(calling, town, deed))
    wait_until(lambda: town.shop.postgresql != postmaster, "the death of PostgreSQL")
    figures.kills[message] += 1
    figures.revived.append(seconds_until_alive(town))

    town.next_call()
    for sipp in (*around.values(), doomed):
        end(sipp)
    town.check_bill("103", around["103"], ("normal", "caller"))
    ringer = wait_for_end(town.books, "102")
    assert (ringer.cause, ringer.ended_by, ringer.answered) == ("cancelled", "caller", None)
    guest = wait_for_end(town.books, "104")
    assert (guest.cause, guest.answered) in (("cancelled", None), ("failed", None)), guest
    if trigger.end is not None and trigger.dialled == ANSWERS:
        town.check_bill("101", doomed, trigger.end)
    elif trigger.end is not None:
        assert (ringing := wait_for_end(town.books, "101")).answered is None
        assert (ringing.cause, ringing.ended_by) == trigger.end
    town.books.check()
    town.books.nothing_is_held()


def end(sipp: Sipp) -> None:
    """Whoever is still in a call leaves it."""
    if sipp.program.runs:
        sipp.go_on()
    sipp.finish()


def seconds_until_alive(town: Town) -> float:
    """Until the daemon proves its life to a living PostgreSQL again."""
    died, began = datetime.now(UTC), time.monotonic()

    def proven() -> bool:
        return town.books.reachable and town.books.process().heartbeat > died

    wait_until(proven, "a heartbeat of the daemon")
    return time.monotonic() - began


# --- as long as it is away ----------------------------------------------------------------------------------------------


@contextlib.contextmanager
def kept_away(shop: RunningShop) -> Iterator[None]:
    """Killed, and nobody can start it: we hold the lock under which servers are started."""
    postmaster = shop.postgresql
    assert postmaster is not None
    with (shop.folder / "data" / "postgresql.lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        kill_all_of_postgresql(postmaster)
        yield


def test_while_postgresql_is_away(town: Town, figures: Figures, tmp_path: Path) -> None:
    """A new call hears 503, the card dialogue says so, a call that runs goes on, and 112 is reached."""
    with town.carriers():
        for number in range(STAYS_AWAY_TIMES):
            folder = tmp_path / str(number)
            folder.mkdir()
            stay_away_once(town, figures, folder)
    town.check_by_command()


def stay_away_once(town: Town, figures: Figures, folder: Path) -> None:
    town.telephone("101")
    before = len(town.books.records(called_number=HELP))
    signing_in = f"{town.guest.number}{town.guest.password}"
    with lived_in(town.shop, folder) as house:
        talker = town.talker()
        early = house.telephone(
            "100", "104", "secret", Calling.answered, keys("2"), waits, keys(signing_in), Calling.talk
        )
        late = house.telephone(
            "100", "104", "secret", Calling.answered, keys(f"2{signing_in}"), waits, keys(f"{RINGS}#"), Calling.talk
        )
        late.sipp.wait_for("SIP/2.0 200", method="INFO", count=1 + len(signing_in))
        late.hears("your-balance-is")
        early.sipp.wait_for("SIP/2.0 200", method="INFO")
        with kept_away(town.shop):
            refused = town.calling("101", ANSWERS)
            town.plays("refused", refused.invite(), refused.refused(503)).finish()
            early.sipp.go_on()
            late.sipp.go_on()
            help_ = town.calling("101", HELP)
            helped = town.plays("helped", help_.invite(), help_.answered(), help_.talk())
            helped.wait_for("ACK", sent=True)
            for guest in (early, late):
                guest.hears("service-unavailable")
                guest.sipp.finish()
            brief = town.plays("brief", help_.invite(), help_.answered(), help_.bye())
            brief.finish()
            talker.go_on()
            talker.finish()
        figures.revived.append(seconds_until_alive(town))
        town.next_call()
        end(helped)
    town.check_bill("103", talker, ("normal", "caller"))
    wait_for_end(town.books, "101")
    helps = town.books.records(called_number=HELP)
    assert len(helps) == before + 2
    for record in helps[-2:]:
        assert (record.cause, record.trunk, record.answered is not None) == ("normal", "help", True)
    town.books.check()
    town.books.nothing_is_held()


def keys(text: str) -> Callable[[Calling], str]:
    return lambda calling: calling.info_keys(text)


def waits(_: Calling) -> str:
    return baton()
