"""
Killed with -9: the daemon when SIPp sees a named message, PostgreSQL, both, and commands.

Afterwards the books are right, nothing is held, nobody pays for more than he talked or than is proven, and the next
call works.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from minitelecom.store.call_records import CallRecord
from tests.live.doomed import (
    ANSWERS,
    RINGS,
    DoomedCalling,
    Figures,
    Town,
    answer_of,
    close_all,
    execute,
    killed_by_signal_9,
)
from tests.live.programs import wait_until
from tests.live.scenarios import END, pause
from tests.live.sipp import Message, Sipp

pytestmark = pytest.mark.live

KILLS = 20
LONG_TALK_SECONDS, SHORT_TALK_SECONDS = 2.2, 1.1
"""With and without a heartbeat in it, for certain."""
DELAYS = (0, 0, 5, 10, 20)
"""Milliseconds from the message to the death, in turn: the statements it stands for take that long."""


# --- the daemon, at a message -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Trigger:
    """Who kills, whom he calls, what he does until then, and the message he sees or sends last."""

    dialled: str
    steps: Callable[[DoomedCalling, Town, int, str], list[str]]
    last: Callable[[Sipp], Message]


def in_dialogue(calling: DoomedCalling, town: Town, number: int, deed: str) -> list[str]:
    """At the 200 to the INVITE, to one of the keys, or, five times, to the # that begins a call."""
    keys = town.guest_keys[: len(town.guest_keys) * number * 4 // (KILLS * 3)]
    if not keys:
        return [calling.answered(deed), END]
    return [calling.answered(), calling.keys(keys, deed), END]


def at_ringing(calling: DoomedCalling, town: Town, number: int, deed: str) -> list[str]:
    return [calling.rings(deed), END]


def at_answer(calling: DoomedCalling, town: Town, number: int, deed: str) -> list[str]:
    return [calling.answered(deed), END]


def at_talk(calling: DoomedCalling, town: Town, number: int, deed: str) -> list[str]:
    """At the answer to a key pressed while both talk, after no time or up to two seconds."""
    return [calling.answered(), pause(number % 5 * LONG_TALK_SECONDS / 4), calling.keys("5", deed), END]


def at_bye(calling: DoomedCalling, town: Town, number: int, deed: str) -> list[str]:
    """When it is sent, and in every other call when it is answered."""
    bye = calling.last_words(deed) if number % 2 else calling.bye(answered=deed)
    return [calling.answered(), pause(number % 3 * SHORT_TALK_SECONDS / 2), bye, END]


def last_received(sipp: Sipp) -> Message:
    return [message for message in sipp.messages if not message.sent][-1]


TRIGGERS = {
    "dialogue": Trigger("100", in_dialogue, last_received),
    "ringing": Trigger(RINGS, at_ringing, lambda sipp: sipp.find("SIP/2.0 180")[0]),
    "answered": Trigger(ANSWERS, at_answer, answer_of),
    "talking": Trigger(ANSWERS, at_talk, last_received),
    "BYE": Trigger(ANSWERS, at_bye, lambda sipp: sipp.find("BYE", sent=True)[0]),
}


@pytest.mark.timeout(900)
@pytest.mark.parametrize("message", TRIGGERS)
def test_the_daemon_is_killed_at_a_message(town: Town, figures: Figures, message: str) -> None:
    with town.carriers():
        for number in range(KILLS):
            kill_once(town, figures, message, number)
    assert figures.kills[message] == KILLS
    town.check_by_command()


def test_both_are_killed_at_once(town: Town, figures: Figures) -> None:
    """The daemon, and PostgreSQL with all its children."""
    with town.carriers():
        for number, message in enumerate(TRIGGERS):
            kill_once(town, figures, message, number, and_postgresql=True)
    town.check_by_command()


def test_the_daemon_is_killed_while_it_puts_the_last_death_in_order(town: Town, figures: Figures) -> None:
    """When it closes the calls of the dead: in the middle of the money, and of the record."""
    with town.carriers():
        for table in ("movements", "movement_lines", "call_records"):
            talkers = [town.talker(), town.talker("101")]
            process = town.books.process().id
            wait_until(lambda: proven_to_talk(town, 2), "two calls that cost something")
            town.shop.kill()
            death = datetime.now(UTC)
            close_all(talkers)
            with town.books.nobody_writes(table):
                starting = town.shop.begin()
                wait_until(lambda: town.books.somebody_waits, f"the recovery at {table}")
                starting.kill()
            town.live_again(figures)
            for device in ("101", "103"):
                (record,) = town.books.records(process_id=process, device=device)
                assert record.answered is not None
                assert record.cause == "interrupted"
                assert 1 <= (record.billed_seconds or 0) <= (death - record.answered).total_seconds() + 1
    town.check_by_command()


def proven_to_talk(town: Town, calls: int) -> bool:
    """Whether so many calls have been answered for a second at the last heartbeat."""
    since = town.books.process().heartbeat - timedelta(seconds=1)
    answered = [record.answered for name in ("101", "103") for record in town.books.open(name)]
    return len([instant for instant in answered if instant is not None and instant <= since]) == calls


def test_who_talked_when_it_died_learns_that_the_call_is_over(town: Town, figures: Figures) -> None:
    """RFC 3261 12.2.2: 481 to a request of a call that nobody knows any more."""
    with town.carriers():
        talker = town.talker()
        town.shop.kill()
        town.live_again(figures)
        talker.go_on()
        talker.wait_for("SIP/2.0 481", method="BYE")


def kill_once(town: Town, figures: Figures, message: str, number: int, *, and_postgresql: bool = False) -> None:
    """One death, with other calls under way; the next life puts everything in order."""
    daemon = town.shop.daemon
    assert daemon is not None
    process = town.books.process().id
    around = town.talker_and_ringer() if message == "dialogue" else town.everybody()
    talker = around[0]
    trigger = TRIGGERS[message]
    calling = doomed_telephone(town, trigger.dialled)
    postmaster = town.shop.postgresql
    victims = f"{daemon.pid} {postmaster} $(pgrep -P {postmaster})" if and_postgresql else f"{daemon.pid}"
    deed = execute(f"sleep 0.{DELAYS[number % len(DELAYS)]:03}; kill -9 {victims}")
    doomed = town.plays(message, calling.invite(), *trigger.steps(calling, town, number, deed))
    killed_by_signal_9(daemon)
    death = datetime.now(UTC)
    doomed.finish()
    last = trigger.last(doomed).instant
    close_all(around)
    figures.kills[message] += 1
    town.live_again(figures)
    records = town.books.records(process_id=process)
    callers = {"103": talker, "101": doomed}
    for record in records:
        check_charge(town, record, callers.get(record.device or ""), death)
    talked = next(record for record in records if record.device == "103")
    figures.unbilled.append((last - answer_of(talker).instant).total_seconds() - (talked.billed_seconds or 0))


def doomed_telephone(town: Town, dialled: str) -> DoomedCalling:
    """A guest in the card dialogue, else a telephone that pays itself."""
    if dialled == "100":
        return town.calling("104", dialled)
    town.telephone("101")
    return town.calling("101", dialled)


def check_charge(town: Town, record: CallRecord, caller: Sipp | None, death: datetime) -> None:
    """Not more than is proven, and not more than was talked; each within a second."""
    assert record.cost is not None
    assert record.billed_seconds is not None
    if record.answered is None or record.device == "109":
        assert record.device == "109" or record.cost.is_zero, record
        return
    if record.cause == "interrupted":
        proven = (town.books.heartbeat(record.process_id) - record.answered).total_seconds()
        assert record.billed_seconds <= max(proven, 0) + 1, record
    else:
        assert record.cause == "normal", record
    assert caller is not None, record
    talked = (death - answer_of(caller).instant).total_seconds()
    assert record.billed_seconds <= talked + 1, record
