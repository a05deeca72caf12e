"""
Another B2BUA at the same work: `python bench/sippy.py [seconds] [calls a second]`.

The sippy B2BUA of PyPI passes on what the telephones send to the carrier: no account, no record, no sound, no limit.  Ours
reserves, records and settles each call.  One after the other they get the same calls from the same SIPp; what is compared is
the CPU of the process that speaks SIP.  Sippy sends from several threads, so that a 180 sometimes comes behind its 200:
SIPp counts that as a failure.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import peers
from figures import Figure, show
from processes import cpu_seconds
from shop import HOME, TELEPHONES, Shop, free_port, silence
from yardstick import Yardstick

VERSION = "2.5.0"
ENVIRONMENT = HOME / "build" / f"sippy-{VERSION}"
CALL_SECONDS = 1.0
START_SECONDS = 10.0
STEP_SECONDS = 0.05


class Measured(NamedTuple):
    """CPU of one call, what SIPp counted, and how fast the machine was meanwhile."""

    milliseconds: float
    called: peers.Counted
    yardstick: float


def main(seconds: int = 20, rate: int = 50) -> int:
    """Measure both and print; the exit status tells whether every call was right."""
    load = peers.Load(seconds * rate, rate, CALL_SECONDS)
    program = installed()
    with Shop() as shop:
        ours = measured(shop.daemon_pid, shop.sip_port, shop.carrier_port, shop.folder, shop.telephones, load)
    with tempfile.TemporaryDirectory(prefix="minitelecom-bench-", dir="/var/tmp") as folder:
        carrier = free_port()
        telephones = [(f"127.0.1.{number}", f"telephone-{number}") for number in range(1, TELEPHONES + 1)]
        with running(program, Path(folder), carrier) as (pid, port):
            theirs = measured(pid, port, carrier, Path(folder), telephones, load)
    show(
        f"Beside sippy {VERSION}: {rate} calls a second for {seconds} s",
        [
            Figure("ours, billed: CPU a call", ours.milliseconds, "ms"),
            Figure("yardstick meanwhile", ours.yardstick, "ms"),
            Figure("sippy, unbilled: CPU a call", theirs.milliseconds, "ms"),
            Figure("yardstick meanwhile", theirs.yardstick, "ms"),
            Figure("ours / sippy, by the yardstick", in_yards(ours) / in_yards(theirs), ""),
            Figure("failures and retransmissions: ours", sum(ours.called[1:]), "", 0),
            Figure("failures and retransmissions: sippy", sum(theirs.called[1:]), ""),
        ],
    )
    return 0 if ours.called.successes == load.calls else 1


def in_yards(measured: Measured) -> float:
    return measured.milliseconds / measured.yardstick


def measured(
    pid: int, port: int, carrier_port: int, folder: Path, telephones: list[tuple[str, str]], load: peers.Load
) -> Measured:
    """The process ``pid`` speaks SIP at ``port``, and passes calls on to the carrier."""
    with silence() as media:
        before = cpu_seconds(pid)
        carrier = peers.carrier(folder, carrier_port, media)
        callers = peers.callers(folder, free_port(), media, port, telephones, load, scenario(folder))
        with Yardstick() as yardstick:
            called = callers.wait()
        used = cpu_seconds(pid) - before
        carrier.end()
    return Measured(1000 * used / load.calls, called, yardstick.milliseconds)


def scenario(folder: Path) -> Path:
    """
    The telephones', in what SIPp and sippy make of each other's words: sippy's Contact has a name before its address, which
    SIPp takes for a part of it; and SIPp does not know its port when it writes its first Via, so that it has to ask for rport.
    """
    text = (peers.SCENARIOS / "caller.xml").read_text()
    written = folder / "caller.xml"
    written.write_text(
        text.replace("[next_url]", "sip:[remote_ip]:[remote_port]").replace("[branch]", "[branch];rport")
    )
    return written


def installed() -> Path:
    """The program, in an environment of its own, which is made the first time."""
    program = ENVIRONMENT / "bin" / "b2bua_simple"
    if not program.exists():
        subprocess.run([sys.executable, "-m", "venv", ENVIRONMENT], check=True)
        command = [ENVIRONMENT / "bin" / "pip", "install", "--quiet", f"sippy=={VERSION}"]
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    return program


@contextmanager
def running(program: Path, folder: Path, carrier: int) -> Iterator[tuple[int, int]]:
    """Its process number and its port, once it listens; what it says goes nowhere."""
    port = free_port()
    command = [program, "-f", "-l", "127.0.0.1", "-p", str(port), "-n", f"127.0.0.1:{carrier}", "-L", folder / "log"]
    with (folder / "screen").open("wb") as screen:
        process = subprocess.Popen(
            command, cwd=folder, env={**os.environ, "SIPLOG_BEND": "none"}, stdout=screen, stderr=screen
        )
    try:
        until = time.monotonic() + START_SECONDS
        while not listens(port):
            if process.poll() is not None or time.monotonic() > until:
                sys.exit(f"sippy does not start:\n{(folder / 'screen').read_text()}")
            time.sleep(STEP_SECONDS)
        yield process.pid, port
    finally:
        process.terminate()
        process.wait()


def listens(port: int) -> bool:
    lines = Path("/proc/net/udp").read_text().splitlines()[1:]
    return any(int(line.split()[1].partition(":")[2], 16) == port for line in lines)


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
