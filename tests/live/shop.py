"""A shop that runs: its own folder, ports and database, the daemon as a process, and the commands an operator gives."""

import contextlib
import io
import json
import os
import random
import signal
import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

from minitelecom.commands import line
from minitelecom.store.private_server import PrivateServer
from tests.conftest import reachable_folder
from tests.live.books import Books
from tests.live.programs import PATIENCE_SECONDS, Program, free_port, wait_until
from tests.world.certificates import Authority

MINITELECOM = Path(sys.executable).with_name("minitelecom")
RTP_PORTS = 200
AT_REST = ("legs", "dialogs", "transactions", "rtp_ports", "reservations", "timers", "calls")

HOST = "127.0.0.1"
ACCESS = "35921234567"
RINGING_SECONDS = 10

# What the daemon reads anew when it is told of a change, and how long that may take it.
READ_ANEW = ("device", "trunk", "number", "prices", "exchange")
CHANGES = ("add", "set", "import", "remove")
NOTICE = timedelta(seconds=0.2)

CONFIGURATION = """\
data = "{folder}/data"
currency = "EUR"
[sip]
listen = {listen}
{files}
[rtp]
ports = "{first}-{last}"
[web]
listen = "{host}:{web}"
[calls]
ringing_seconds = {ringing}
[access."{access}"]
language = "en"
[emergency]
trunk = "help"
"""

# One destination for each way of counting.
PRICES = """\
prefix,destination,buy,sell,initial,increment,connection_fee
31,by the second,0.01,0.2,1,1,0
32,by the minute with a fee,0.02,0.12,60,60,0.05
33,odd steps,0.003,0.0777,7,11,0.011
34,an eighth of a euro a second,1.5,7.5,1,1,0
35,free,0,0,1,1,0
"""


@dataclass(frozen=True)
class Card:
    """A card as its buyer has it."""

    number: str
    password: str


@dataclass(frozen=True)
class Told:
    """What came of a command."""

    returncode: int
    stdout: str
    stderr: str


class RunningShop:
    """Start it, stop it, kill it, ask it."""

    def __init__(self, folder: Path, host: str = HOST, *, everywhere: bool = False) -> None:
        """``everywhere``: on every transport, and IPv6, too."""
        self.folder = folder
        self.host = host
        self.configuration = folder / "minitelecom.toml"
        self.sip_port, self.tls_port = free_port(host), free_port(host, socket.SOCK_STREAM)
        listen, files = [f"udp:{host}:{self.sip_port}"], ""
        if everywhere:
            own = Authority(folder).identity(host)
            files = f'certificate = "{own.certificate}"\nkey = "{own.key}"\nauthorities = "{folder}/authority.pem"'
            listen += [f"tcp:{host}:{self.sip_port}", f"tls:{host}:{self.tls_port}"]
            listen += [f"udp:[::1]:{self.sip_port}", f"tcp:[::1]:{self.sip_port}"]
        self.daemon: Program | None = None
        first = free_ports_in_a_row(RTP_PORTS)
        self.configuration.write_text(
            CONFIGURATION.format(
                folder=folder,
                host=host,
                listen=json.dumps(listen),
                files=files,
                first=first,
                last=first + RTP_PORTS - 1,
                web=free_port(host, socket.SOCK_STREAM),
                ringing=RINGING_SECONDS,
                access=ACCESS,
            )
        )

    # The daemon.

    def start(self) -> None:
        """Start the daemon and wait until it says that it is ready, as systemd would."""
        path = self.folder / "notify"
        path.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
            told.bind(str(path))
            told.settimeout(0.1)
            command = [MINITELECOM, "run", "--config", self.configuration]
            environment = {"NOTIFY_SOCKET": str(path)}
            self.daemon = Program(command, self.folder / "daemon.log", environment=environment, orphaned="TERM")
            deadline = time.monotonic() + PATIENCE_SECONDS
            while True:
                with contextlib.suppress(TimeoutError):
                    if told.recv(4096).startswith(b"READY=1"):
                        return
                assert self.daemon.runs, f"the daemon ended:\n{self.log}"
                assert time.monotonic() < deadline, f"the daemon is not ready:\n{self.log}"

    def begin(self, environment: dict[str, str] | None = None) -> Program:
        """Start a daemon, and wait for nothing."""
        command = [MINITELECOM, "run", "--config", self.configuration]
        return Program(command, self.folder / "daemon.log", environment=environment)

    def stop(self) -> None:
        """End the daemon in good order."""
        assert self.daemon is not None
        status = self.daemon.stop()
        self.daemon = None
        assert status == 0, self.log

    def kill(self) -> None:
        """kill -9 of the daemon; its PostgreSQL lives on."""
        assert self.daemon is not None
        self.daemon.kill()
        self.daemon = None

    def kill_postgresql(self) -> None:
        """kill -9 of the postmaster; its children notice and leave."""
        pid = self.postgresql
        assert pid is not None
        os.kill(pid, signal.SIGKILL)

    @property
    def postgresql(self) -> int | None:
        """The number of the private PostgreSQL's process."""
        return PrivateServer(self.folder / "data").pid

    @property
    def log(self) -> str:
        return (self.folder / "daemon.log").read_text("utf-8", "replace")

    def close(self) -> None:
        """Leave nothing behind, however the tests went."""
        if self.daemon is not None and self.daemon.runs:
            self.daemon.kill()
        if (self.folder / "data" / "postgresql").exists():
            server = PrivateServer(self.folder / "data")
            server.ensure()
            server.release()  # the last user of a server stops it, and removes what it leaves elsewhere

    @cached_property
    def books(self) -> Books:
        return Books(self.folder / "data")

    # The command line, in this process: to start a program for each command would take most of a story's time.

    def command(self, *words: object, entered: str | None = None) -> str:
        """What a command prints; it must succeed, and the daemon knows what it has changed."""
        said = self._command(*words, entered=entered)
        if words[0] in READ_ANEW and words[1] in CHANGES and self.daemon is not None and self.daemon.runs:
            told = datetime.now(UTC) + NOTICE
            wait_until(lambda: self.books.process().heartbeat > told, "a heartbeat after the change")
        return said

    def _command(self, *words: object, entered: str | None = None) -> str:
        done = self.attempt(*words, entered=entered)
        assert done.returncode == 0, f"{' '.join(map(str, words))}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    def attempt(self, *words: object, entered: str | None = None) -> Told:
        arguments = [*map(str, words), "--config", str(self.configuration)]
        screens = [io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2)]
        with contextlib.redirect_stdout(screens[0]), contextlib.redirect_stderr(screens[1]):
            status = line.main(arguments, stdin=io.StringIO(entered))
        for screen in screens:
            screen.seek(0)
        return Told(status, *(screen.read() for screen in screens))

    def answer(self, *words: object) -> Any:
        return json.loads(self.command(*words, "--json"))

    def prices(self, text: str = PRICES) -> None:
        path = self.folder / "prices.csv"
        path.write_text(text)
        self.command("prices", "import", path)

    def card(self, cents: int, activate: str = "first-use") -> Card:
        """A new card with so much on it."""
        return self.cards(1, cents, activate)[0]

    def cards(self, count: int, cents: int, activate: str = "first-use") -> list[Card]:
        made = self.answer("card", "add", "--count", count, "--amount", cents, "--activate", activate)
        return [Card(card["number"], card["password"]) for card in made]

    def shown(self, card: Card) -> dict[str, Any]:
        shown: dict[str, Any] = self.answer("card", "show", card.number)
        return shown

    def balance(self, card: Card) -> Decimal:
        return Decimal(self.shown(card)["balance"])

    def recharge(self, card: Card, cents: int) -> None:
        self.command("card", "recharge", card.number, "--amount", cents)

    def telephone(self, name: str, password: str, card: Card | None = None) -> None:
        account = ("--account", card.number) if card else ()
        self._command("device", "add", name, "--password-stdin", *account, entered=password + "\n")
        self.command("device", "set", name, "--property", "algorithms=md5")  # SIPp can answer nothing else

    def trunk(self, name: str, host: str, port: int, *options: object) -> None:
        self.command("trunk", "add", name, "--uri", f"sip:{host}:{port}", *options)

    def calls(self, **wanted: object) -> list[dict[str, Any]]:
        """The records, oldest first, of which these fields have these values."""
        return [
            record for record in self.answer("calls") if all(record[name] == value for name, value in wanted.items())
        ]

    def ended(self, count: int = 1, **wanted: object) -> list[dict[str, Any]]:
        """The same, once so many of them are closed."""

        def closed() -> bool:
            found = self.books.records(**wanted)
            return len(found) == count and all(record.ended is not None for record in found)

        wait_until(closed, f"{count} closed records with {wanted}")
        return self.calls(**wanted)

    def status(self) -> dict[str, int]:
        counted: dict[str, int] = self.answer("status")
        return counted

    def alive(self) -> dict[str, int]:
        """What `status` still counts of calls."""
        counted = self.status()
        return {name: counted[name] for name in AT_REST if counted[name]}

    def faults(self) -> list[Any]:
        """What `doctor` finds wrong with the books."""
        done = self.attempt("doctor", "--json")
        found: list[Any] = json.loads(done.stdout)["faults"]
        assert done.returncode in (0, 1), done.stderr
        assert (done.returncode == 0) or found or '"fault"' in done.stdout
        return found


def free_ports_in_a_row(count: int) -> int:
    """The first of so many UDP ports that nobody uses, below those that the system gives out itself."""
    for _ in range(100):
        first = random.randrange(16384, 32000 - count, 2)
        if all(is_free(port) for port in range(first, first + count)):
            return first
    raise AssertionError("no ports for sound are free")


def is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind(("", port))
        except OSError:
            return False
    return True


@contextlib.contextmanager
def running_shop(host: str = HOST, *, everywhere: bool = False) -> Iterator[RunningShop]:
    """A shop with prices, ready for calls; gone afterwards."""
    with reachable_folder() as folder:
        shop = RunningShop(folder, host, everywhere=everywhere)
        try:
            shop.start()
            shop.prices()
            yield shop
        finally:
            shop.close()
