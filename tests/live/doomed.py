"""
Calls under way when something dies: who makes them, where death comes in, and what the books must say afterwards.

The daemon is killed by SIPp itself, at the message that a test names.  Around it other calls stand in other states.
"""

import contextlib
import itertools
import os
import re
import signal
import socket
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from minitelecom.commands.calls import plain
from minitelecom.store.call_records import CallRecord
from minitelecom.store.database import DatabaseAway
from tests.live import scenarios
from tests.live.bill import BY_THE_SECOND, check_bill
from tests.live.books import Books
from tests.live.programs import Program, free_port, wait_until
from tests.live.scenarios import Calling, answers, called, description, is_cancelled, receive, rings
from tests.live.shop import HOST, Card, RunningShop, running_shop
from tests.live.sipp import Message, Sipp

TELEPHONES_HOST, CARRIERS_HOST = "127.0.0.2", "127.0.0.3"
SECRET = "secret"
CENTS = 10_000
MANY = 1000
LANGUAGE_KEY = "2"
LAST_ANSWER_MS = 300  # that a daemon which is being killed may take

RINGS, ANSWERS, HELP = "00310015550", "00310025550", "112"
"""What is dialled for a carrier that only rings, and for those that answer at once."""

FAULT = re.compile(r"^\S+ \S+ (error|critical) |^Traceback", re.MULTILINE)


# --- what SIPp does ---------------------------------------------------------------------------------------------------


def seen(status: int, deed: str, **attributes: str) -> str:
    """A response, and what is done when it is seen."""
    written = "".join(f' {name}="{value}"' for name, value in attributes.items())
    action = f"<action>{deed}</action>" if deed else ""
    return f'<recv response="{status}"{written}>{action}</recv>'


def execute(command: str) -> str:
    return f'<exec command="{command}"/>'


class DoomedCalling(Calling):
    """A telephone in whose call a deed is done at a message."""

    def rings(self, deed: str = "") -> str:
        return "\n".join([receive(100, optional="true"), seen(180, deed)])

    def answered(self, deed: str = "") -> str:
        self._last += 1
        ack = self._request("ACK", "[next_url]", self._last, self._sequence, "[routes]")
        return "\n".join([self.progress(), seen(200, deed, rrs="true"), scenarios.send(ack)])

    def cancelled(self, deed: str = "") -> str:
        return super().cancelled().replace(receive(180), seen(180, deed))

    def keys(self, keys: str, deed: str = "") -> str:
        """Keys by INFO; the deed is done when the last is answered."""
        steps = self.info_keys(keys)
        if deed:
            before, _, after = steps.rpartition(receive(200))
            steps = before + seen(200, deed) + after
        return steps

    def bye(self, *, sent: str = "", answered: str = "") -> str:
        steps = self.request("BYE")
        message, _, _ = steps.rpartition(receive(200))
        if sent:
            message = message.replace("</send>", f"<action>{sent}</action></send>")
        return "\n".join([message, seen(200, answered)])

    def last_words(self, deed: str) -> str:
        """BYE; who is killed when it is sent may have answered or not."""
        perhaps = receive(200, timeout=f"{LAST_ANSWER_MS}", ontimeout="end")
        return self.bye(sent=deed).removesuffix(seen(200, "")) + perhaps


# --- who lives here -----------------------------------------------------------------------------------------------------


@dataclass
class Figures:
    """What is told at the end of a test."""

    kills: Counter[str] = field(default_factory=Counter)
    unbilled: list[float] = field(default_factory=list)
    """Seconds talked but not charged, of calls that died while both talked."""
    starts: list[float] = field(default_factory=list)
    served: list[float] = field(default_factory=list)
    """Seconds from a start to the answer of the next call."""
    revived: list[float] = field(default_factory=list)
    stops: list[float] = field(default_factory=list)

    def __str__(self) -> str:
        told = [f"{count} kills at {message}" for message, count in self.kills.items()]
        for name, seconds in (
            ("talked and not charged", self.unbilled),
            ("start to ready", self.starts),
            ("start to next call over", self.served),
            ("PostgreSQL away", self.revived),
            ("SIGTERM to the end", self.stops),
        ):
            if seconds:
                middle = sorted(seconds)[len(seconds) // 2]
                told.append(f"{name}: {min(seconds):.2f} … {middle:.2f} … {max(seconds):.2f} s")
        return "; ".join(told)


@dataclass(frozen=True)
class Standing:
    """A call that will stand in a state, and how to wait until it does."""

    sipp: Sipp
    wait: Callable[[], object]


class Town:
    """A shop, a carrier that rings and one that answers, and a telephone for each part to be played."""

    _serial = itertools.count(1)

    def __init__(self, shop: RunningShop, folder: Path, leaving: contextlib.ExitStack) -> None:
        self.shop = shop
        self.books = shop.books
        self._folder = folder
        self._leaving = leaving
        self._sipps: list[Sipp] = []
        leaving.callback(close_all, self._sipps)
        self._sinks = {host: self.sink(host) for host in (TELEPHONES_HOST, CARRIERS_HOST)}
        self._ports = {dialled: free_port(CARRIERS_HOST) for dialled in (RINGS, ANSWERS, HELP)}
        self.cards: dict[str, Card] = {}
        """Of telephones that pay themselves, and of guests."""
        for name, dialled in (("rings", RINGS), ("answers", ANSWERS), ("help", HELP)):
            shop.trunk(name, CARRIERS_HOST, self._ports[dialled], "--match", dialled.removeprefix("00")[:5])
        self.guest = self.guest_with_a_card("104")

    def sink(self, host: str) -> int:
        """Where the switch's sound goes: nobody listens."""
        sink = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sink.bind((host, 0))
        self._leaving.callback(sink.close)
        return int(sink.getsockname()[1])

    def sipp(self, name: str, scenario: str, host: str, **more: int) -> Sipp:
        unique = f"{name}-{next(self._serial)}"
        target = f"{HOST}:{self.shop.sip_port}"
        sipp = Sipp(self._folder, unique, scenario, host=host, target=target, **more)
        self._sipps.append(sipp)
        return sipp

    @contextlib.contextmanager
    def carriers(self) -> Iterator[dict[str, Sipp]]:
        """All of them, by what is dialled, for as long as a test lasts."""
        answering = called(rings(), answers(description(self._sinks[CARRIERS_HOST])))
        scenarios_of = {RINGS: called(rings(), is_cancelled()), ANSWERS: answering, HELP: answering}
        at_work = {
            dialled: self.sipp(f"carrier-{dialled}", played, CARRIERS_HOST, port=self._ports[dialled], calls=MANY)
            for dialled, played in scenarios_of.items()
        }
        try:
            yield at_work
        finally:
            close_all(at_work.values())

    def telephone(self, name: str, cents: int = CENTS) -> Card:
        """A telephone that pays with a card of its own."""
        if name not in self.cards:
            self.cards[name] = self.shop.card(cents)
            self.shop.telephone(name, SECRET, self.cards[name])
        return self.cards[name]

    def guest_with_a_card(self, name: str) -> Card:
        """A telephone for the card dialogue, and a card to try there."""
        if name not in self.cards:
            self.cards[name] = self.shop.card(CENTS)
            self.shop.telephone(name, SECRET)
        return self.cards[name]

    def calling(self, name: str, dialled: str) -> DoomedCalling:
        secret = None if dialled == HELP else SECRET
        return DoomedCalling(name, secret, dialled, description(self._sinks[TELEPHONES_HOST]))

    def plays(self, name: str, *steps: str) -> Sipp:
        return self.sipp(name, scenarios.scenario(name, *steps), TELEPHONES_HOST)

    # Calls that stand in a state until they are told to go on: then their caller ends them.

    @property
    def guest_keys(self) -> str:
        """From the choice of a language to a number that only rings."""
        return f"{LANGUAGE_KEY}{self.guest.number}{self.guest.password}{RINGS}#"

    def listener(self) -> Sipp:
        """A guest in the card dialogue who is being told how long he can talk."""
        return self.all_stand(self._listener())[0]

    def ringer(self) -> Sipp:
        return self.all_stand(self._ringer())[0]

    def talker(self, name: str = "103") -> Sipp:
        return self.all_stand(self._talker(name))[0]

    def everybody(self) -> list[Sipp]:
        """One of each; they begin at once."""
        return self.all_stand(self._talker("103"), self._ringer(), self._listener())

    def talker_and_ringer(self) -> list[Sipp]:
        return self.all_stand(self._talker("103"), self._ringer())

    def all_stand(self, *standing: Standing) -> list[Sipp]:
        for one in standing:
            one.wait()
        return [one.sipp for one in standing]

    def _listener(self) -> Standing:
        calling = self.calling("104", "100")
        keys = calling.keys(self.guest_keys)
        sipp = self.plays("listener", calling.invite(), calling.answered(), keys, calling.talk())
        return Standing(sipp, lambda: wait_until(lambda: self.books.open("104"), "a promise to the guest"))

    def _ringer(self) -> Standing:
        self.telephone("102")
        calling = self.calling("102", RINGS)
        sipp = self.plays("ringer", calling.invite(), calling.cancelled())
        return Standing(sipp, lambda: sipp.wait_for("SIP/2.0 180"))

    def _talker(self, name: str) -> Standing:
        self.telephone(name)
        calling = self.calling(name, ANSWERS)
        sipp = self.plays("talker", calling.invite(), calling.answered(), calling.talk())
        return Standing(sipp, lambda: sipp.wait_for("ACK", sent=True, method="ACK", count=2))

    def at_rest(self) -> None:
        """Nobody of an earlier story is here any more; where it left calls, or nobody to serve them, all begins anew."""
        close_all(self._sipps)
        self._sipps.clear()
        daemon = self.shop.daemon
        with contextlib.suppress(DatabaseAway):
            if daemon is not None and daemon.runs and not [one for one in self.books.records() if one.ended is None]:
                return
        if daemon is not None and daemon.runs:
            self.shop.kill()
        self.shop.start()

    def live_again(self, figures: Figures) -> None:
        """Start the daemon; the books are right at once, and the next call works."""
        self.shop.daemon = None
        began = time.monotonic()
        self.shop.start()
        figures.starts.append(time.monotonic() - began)
        self.books.check()
        self.books.nothing_is_held()
        self.next_call()
        figures.served.append(time.monotonic() - began)
        self.books.check()
        self.books.nothing_is_held()

    def next_call(self) -> None:
        """The next call is served and billed to the digit."""
        card = self.telephone("109")
        before = self.books.costs(card.number)
        calling = self.calling("109", ANSWERS)
        sipp = self.plays("next", calling.invite(), calling.answered(), calling.bye())
        sipp.finish()
        cost = self.check_bill("109", sipp, ("normal", "caller"))
        assert self.books.costs(card.number) == before + cost

    def check_bill(self, device: str, caller: Sipp, end: tuple[str, str]) -> Decimal:
        """The latest record of a telephone against what its SIPp saw, to the digit; what it cost."""
        record = wait_for_end(self.books, device)
        assert (record.cause, record.ended_by) == end, record
        bye = caller.find("BYE")[0]
        return check_bill(dict(plain(record, ())), BY_THE_SECOND, answer_of(caller).instant, bye.instant)

    def check_balances(self) -> None:
        for card in self.cards.values():
            shown = self.shop.shown(card)
            assert Decimal(shown["reserved"]) == 0, shown
            assert Decimal(shown["balance"]) == Decimal(CENTS) / 100 - self.books.costs(card.number), shown

    def check_by_command(self) -> None:
        """What an operator sees."""
        done = self.shop.attempt("doctor", "--json")
        assert (done.returncode, self.shop.faults()) == (0, []), done.stdout
        wait_until(lambda: self.shop.status()["reservations"] == 0, "status without reservations")
        self.check_balances()


def wait_for_end(books: Books, device: str) -> CallRecord:
    """The latest record of a telephone, when it is closed."""
    wait_until(lambda: not books.open(device), f"the end of {device}'s record")
    return books.records(device=device)[-1]


def answer_of(sipp: Sipp) -> Message:
    return sipp.find("SIP/2.0 200", sent=False, method="INVITE")[0]


def close_all(sipps: Iterable[Sipp]) -> None:
    for sipp in sipps:
        sipp.close()


def killed_by_signal_9(daemon: Program) -> None:
    assert daemon.wait() == -9


def kill_all_of_postgresql(postmaster: int) -> None:
    """The server and every child of it, at once."""
    children = [int(path.parent.name) for path in Path("/proc").glob("[0-9]*/stat") if parent_of(path) == postmaster]
    for pid in (postmaster, *children):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def parent_of(stat: Path) -> int:
    """proc(5): the fourth field."""
    try:
        return int(stat.read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


@contextlib.contextmanager
def lived_in_town() -> Iterator[Town]:
    """A shop of its own, since it will die; its log tells of no fault of the program."""
    with (
        running_shop() as shop,
        tempfile.TemporaryDirectory(prefix="town-", dir=shop.folder) as folder,
        contextlib.ExitStack() as leaving,
    ):
        yield Town(shop, Path(folder), leaving)
        fault = FAULT.search(shop.log)
        assert fault is None, shop.log[fault.start() :][:5000]
