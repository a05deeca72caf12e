"""`status`: what the running daemon counts, read from its last heartbeat."""

import socket
from argparse import Namespace
from datetime import datetime
from pathlib import Path

from minitelecom.commands.arguments import Nouns, Parser, add_command
from minitelecom.commands.errors import Mistake
from minitelecom.commands.output import local_time, say_facts, say_json
from minitelecom.commands.shop import config_of, now, opened
from minitelecom.config import Config
from minitelecom.store import processes
from minitelecom.store.private_server import PrivateServer
from minitelecom.store.processes import DEAD_AFTER, Process

COUNTERS = (
    "legs",
    "dialogs",
    "transactions",
    "rtp_ports",
    "reservations",
    "timers",
    "calls",
    "registered",
    "connections",
    "uptime_seconds",
)


def add_to(nouns: "Nouns[Parser]") -> None:
    """The words of this noun."""
    parser = add_command(nouns, "status", _status, "what the running daemon counts; without one, exit status 1")
    parser.add_argument("--json", action="store_true")


def is_alive(process: Process, instant: datetime) -> bool:
    """Whether this process still runs: it says so by its heartbeat, and on our own machine the system says so, too."""
    if process.stopped is not None or instant - process.heartbeat > DEAD_AFTER:
        return False
    elsewhere = process.name.partition(":")[0] != socket.gethostname()
    return elsewhere or _exists(process.pid)


def _exists(pid: int) -> bool:
    """A process that has ended may still be in the list, as a zombie (proc(5))."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def why_not(process: Process | None, instant: datetime, config: Config) -> str | None:
    """Why there is no daemon to ask; None when there is one."""
    if process is None:
        return "no daemon has run here yet: start it with minitelecom run"
    when = local_time(process.heartbeat, config.zone)
    if process.stopped is not None:
        return f"no daemon runs: the last one stopped at {local_time(process.stopped, config.zone)}"
    if not is_alive(process, instant):
        return (
            f"no daemon runs: the last one (process {process.pid}) died after {when};"
            " the next start closes its calls and charges them up to then"
        )
    return None


def _status(arguments: Namespace) -> int:
    config = config_of(arguments)
    if config.database is None and PrivateServer(config.data).pid is None:
        raise Mistake(f"no daemon runs: nor does its database in {config.data}")
    with opened(config) as shop:
        process = shop.do(processes.latest(shop.database))
    reason = why_not(process, now(), config)
    if reason is not None or process is None:
        raise Mistake(str(reason))
    if not process.counters:
        raise Mistake(f"the daemon (process {process.pid}) is starting: ask again in a moment")
    counted = {name: process.counters.get(name) for name in COUNTERS}
    if arguments.json:
        return say_json(counted)
    return say_facts(
        [
            ("daemon", f"process {process.pid} on {process.name}"),
            ("started", local_time(process.started, config.zone)),
            ("heartbeat", local_time(process.heartbeat, config.zone)),
            *((name.replace("_", " "), count) for name, count in counted.items()),
        ]
    )
