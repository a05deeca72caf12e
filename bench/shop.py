"""A shop for one workload: its own folder, database and daemon, sample prices, telephones with cards, a carrier."""

import io
import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stdout
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from minitelecom.commands import line

HOME = Path(__file__).resolve().parent.parent
COMMAND = HOME / ".venv" / "bin" / "minitelecom"
PRICES = HOME / "etc" / "prices-sample.csv"

TELEPHONES = 50
BALANCE = 100_000_000  # a million: no call of a workload ends for want of money
START_SECONDS = 60
STOP_SECONDS = 60

CONFIG = """\
data = "{data}"
currency = "EUR"
[sip]
listen = ["udp:127.0.0.1:{sip}"]
[rtp]
ports = "20000-31999"
[web]
listen = "127.0.0.1:{web}"
[calls]
silence_seconds = 3600
"""


def free_port(kind: socket.SocketKind = socket.SOCK_DGRAM) -> int:
    """A port that nobody has at this moment."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def silence() -> Iterator[int]:
    """A port that takes the sound of everybody, and its RTCP on the next, and says nothing."""
    while True:
        with ExitStack() as stack:
            pair = [stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) for _ in range(2)]
            port = free_port() & ~1
            try:
                for number, member in enumerate(pair):
                    member.bind(("127.0.0.1", port + number))
            except OSError:
                continue
            yield port
            return


class Shop:
    """Everything in it is gone when the block ends."""

    def __init__(self) -> None:
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self.folder = Path(
                stack.enter_context(tempfile.TemporaryDirectory(prefix="minitelecom-bench-", dir="/var/tmp"))
            )
            self.folder.chmod(0o755)  # the database runs as another user
            self.sip_port, self.carrier_port = free_port(), free_port()
            self._config = self.folder / "minitelecom.toml"
            web = free_port(socket.SOCK_STREAM)
            self._config.write_text(CONFIG.format(data=self.folder / "data", sip=self.sip_port, web=web))
            self._daemon = stack.enter_context(self._running())
            self._furnish()
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    @property
    def daemon_pid(self) -> int:
        return self._daemon.pid

    @property
    def postgres_pid(self) -> int:
        """The postmaster."""
        return int((self.folder / "data" / "postgresql" / "postmaster.pid").read_text().split()[0])

    @property
    def log(self) -> str:
        """What the daemon has written so far."""
        return (self.folder / "daemon.log").read_text()

    def command(self, *words: str) -> str:
        """One command of the shop's command line, in this process: fifty of them would take their time to start."""
        answer = io.TextIOWrapper(io.BytesIO(), "utf-8")
        with redirect_stdout(answer):
            status = line.main([*words, "--config", str(self._config)])
        answer.seek(0)
        if status:
            sys.exit(f"minitelecom {' '.join(words)}: {answer.read()}")
        return answer.read()

    def ask(self, *words: str) -> Any:
        """A command that answers in JSON."""
        return json.loads(self.command(*words, "--json"))

    def stop(self) -> None:
        """End the daemon in good order."""
        self._daemon.terminate()
        self._daemon.wait(STOP_SECONDS)

    @contextmanager
    def _running(self) -> Iterator[subprocess.Popen[bytes]]:
        """The daemon, once it has said that it is ready, as it would tell systemd."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ready:
            ready.bind(str(self.folder / "ready"))
            ready.settimeout(START_SECONDS)
            environment = {**os.environ, "NOTIFY_SOCKET": str(self.folder / "ready")}
            with (self.folder / "daemon.log").open("wb") as log:
                daemon = subprocess.Popen(
                    [COMMAND, "run", "--config", self._config], env=environment, stdout=log, stderr=log
                )
            try:
                while ready.recv(100) != b"READY=1":
                    pass
            except TimeoutError:
                daemon.kill()
                sys.exit(f"the daemon does not start:\n{self.log}")
        try:
            yield daemon
        finally:
            if daemon.poll() is None:
                self.stop()

    def _furnish(self) -> None:
        self.command("prices", "import", str(PRICES))
        self.command("trunk", "add", "carrier", "--uri", f"sip:127.0.0.1:{self.carrier_port}")
        cards = self.ask("card", "add", "--count", str(TELEPHONES), "--amount", str(BALANCE), "--activate", "now")
        self.telephones = [(f"127.0.1.{number}", f"telephone-{number}") for number in range(1, TELEPHONES + 1)]
        for (address, name), card in zip(self.telephones, cards, strict=True):
            self.command("device", "add", name, "--address", address, "--account", card["number"])
