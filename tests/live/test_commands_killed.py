"""
A command killed with -9 in the middle of its work, and the daemon in the middle of a command's: all of it is done or none.

To be in the middle, the command is made to wait: the test holds a lock on a table that it is about to write.
"""

import itertools
from collections.abc import Sequence
from decimal import Decimal

import pytest

from tests.live.books import Books
from tests.live.doomed import Figures, Town, killed_by_signal_9
from tests.live.programs import Program, wait_until
from tests.live.shop import MINITELECOM, PRICES, Card, RunningShop

pytestmark = pytest.mark.live

COUNTED = (
    "accounts", "movements", "movement_lines", "reservations", "card_groups", "cards", "price_versions", "prices", "audit",
)  # fmt: skip
OF_PROCESS = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE %s"
CENTS = 500


class Commands:
    """Commands that run beside the test."""

    _serial = itertools.count(1)

    def __init__(self, shop: RunningShop) -> None:
        self._shop = shop

    def begin(self, *words: object) -> Program:
        output = self._shop.folder / f"command-{next(self._serial)}"
        return Program([MINITELECOM, *map(str, words), "--config", self._shop.configuration], output)


def rows(books: Books) -> dict[str, int]:
    return {table: books.query(f"SELECT count(*) FROM {table}")[0][0] for table in COUNTED}


def difference(before: dict[str, int], after: dict[str, int]) -> dict[str, int]:
    return {table: after[table] - before[table] for table in before if after[table] != before[table]}


def gone(books: Books, pid: int) -> bool:
    """Whether the server has noticed the death of a process, and undone what it left."""
    return not books.query(OF_PROCESS, f"minitelecom.{pid}.%")[0][0]


def kill_in_the_middle(town: Town, words: Sequence[object], table: str) -> dict[str, int]:
    """What a command has changed that was killed when it was about to write into a table."""
    before = rows(town.books)
    with town.books.nobody_writes(table):
        command = Commands(town.shop).begin(*words)
        wait_until(lambda: town.books.somebody_waits, f"{words[0]} {words[1]} at {table}")
        command.kill()
    wait_until(lambda: gone(town.books, command.pid), "the end of its connection")
    return difference(before, rows(town.books))


def check_whole(town: Town, words: Sequence[object], tables: Sequence[str]) -> int:
    """Killed at each table, it has done all or nothing, and hinders nobody; how often it was nothing."""
    before = rows(town.books)
    town.shop.command(*words)
    whole = difference(before, rows(town.books))
    found = [kill_in_the_middle(town, words, table) for table in tables]
    assert all(one in ({}, whole) for one in found), (whole, found)
    before = rows(town.books)
    town.shop.command(*words)
    assert difference(before, rows(town.books)) == whole
    assert not town.shop.faults()
    return found.count({})


def test_card_add(town: Town) -> None:
    words = ["card", "add", "--count", 50, "--amount", CENTS, "--activate", "now"]
    tables = ["card_groups", "accounts", "movements", "audit"]
    assert check_whole(town, words, tables) == len(tables)


def test_card_recharge(town: Town) -> None:
    """One statement: begun, it ends also without the command."""
    card = town.shop.card(CENTS, "now")
    town.shop.recharge(card, CENTS)  # the first of all opens the till's account
    tables = ["accounts", "movements", "audit"]
    nothing = check_whole(town, ["card", "recharge", card.number, "--amount", CENTS], tables)
    assert town.shop.balance(card) == Decimal(CENTS) / 100 * (2 + 2 + len(tables) - nothing)


def test_prices_import(town: Town) -> None:
    path = town.shop.folder / "many.csv"
    path.write_text(PRICES + "".join(f"9{number:05},place {number},,0.5,1,1,0\n" for number in range(20_000)))
    tables = ["price_versions", "prices", "audit"]
    assert check_whole(town, ["prices", "import", path], tables) == len(tables)
    with town.carriers():
        town.next_call()


# --- the daemon, while a command recharges the card of a call -----------------------------------------------------------


def recharge(town: Town, card: Card) -> Program:
    return Commands(town.shop).begin("card", "recharge", card.number, "--amount", CENTS)


def while_it_is_written(town: Town, card: Card, daemon: Program) -> Program:
    with town.books.nobody_writes("movements"):
        command = recharge(town, card)
        wait_until(lambda: town.books.somebody_waits, "the recharge")
        daemon.kill()
    return command


def while_its_call_grows(town: Town, card: Card, daemon: Program) -> Program:
    with town.books.nobody_writes("reservations"):
        command = recharge(town, card)
        wait_until(lambda: town.books.somebody_waits, "the daemon's answer to the recharge")
        daemon.kill()
    return command


def when_it_is_done(town: Town, card: Card, daemon: Program) -> Program:
    command = recharge(town, card)
    assert command.wait() == 0
    daemon.kill()
    return command


@pytest.mark.parametrize("moment", [while_it_is_written, while_its_call_grows, when_it_is_done])
def test_the_daemon_is_killed_during_a_recharge(town: Town, figures: Figures, moment) -> None:
    """The card has the money once, and its call is charged for what is proven."""
    name = f"2{moment.__name__.count('_')}{len(moment.__name__)}"
    card = town.telephone(name, cents=100)
    with town.carriers():
        talker = town.talker(name)
        daemon, process = town.shop.daemon, town.books.process().id
        assert daemon is not None
        assert moment(town, card, daemon).wait() == 0
        killed_by_signal_9(daemon)
        talker.close()
        town.live_again(figures)
    (record,) = town.books.records(process_id=process, device=name)
    assert (record.cause, record.ended_by) == ("interrupted", "switch")
    assert town.shop.balance(card) == Decimal(100 + CENTS) / 100 - town.books.costs(card.number)
    assert not town.shop.faults()
