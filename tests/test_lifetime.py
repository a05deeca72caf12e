"""How a program lives and ends: in order at the first signal, at once at a later one, and alone on its data."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from minitelecom.lifetime import RunsAlready, only_one

PROGRAM = """
import sys
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from minitelecom.lifetime import Lifetime

class Told:
    async def start(self):
        if "fails" in sys.argv:
            raise OSError("cannot start")
    async def stop(self):
        print("stopping", flush=True)
        if "stubborn" in sys.argv:
            await Deferred()
        print("stopped", flush=True)

print("ready", flush=True) if "fails" in sys.argv else None
try:
    status = Lifetime(reactor, Told(), lambda: print("ready", flush=True)).spend()
except OSError as error:
    sys.exit(f"{error}")
sys.exit(status)
"""

PATIENCE_SECONDS = 20


@pytest.fixture
def program() -> Iterator[subprocess.Popen[str]]:
    started = []

    def start(*words: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
            process.communicate()


def rest(process: subprocess.Popen[str]) -> tuple[str, str]:
    """What it says until its end, on both outputs (`communicate` forgets what readline has read ahead)."""
    said = process.stdout.read(), process.stderr.read()
    process.wait(PATIENCE_SECONDS)
    return said


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_in_good_order(program, number):
    process = program()
    process.send_signal(number)
    assert rest(process) == ("stopping\nstopped\n", "")
    assert process.returncode == 0


def test_a_signal_that_arrives_twice_is_one(program):
    process = program()
    process.send_signal(signal.SIGTERM)
    process.send_signal(signal.SIGINT)
    assert rest(process)[0] == "stopping\nstopped\n"
    assert process.returncode == 0


def test_a_second_signal_ends_it_at_once(program):
    process = program("stubborn")
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(0.1)
            break
        except subprocess.TimeoutExpired:
            continue
    assert process.returncode == 1
    assert rest(process)[0] == "stopping\n"


def test_a_start_that_fails_is_put_away_and_told(program):
    process = program("fails")
    assert rest(process) == ("stopping\nstopped\n", "cannot start\n")
    assert process.returncode == 1


def test_only_one_runs_on_the_same_data(tmp_path):
    lock = only_one(tmp_path / "data")
    with pytest.raises(RunsAlready, match=r"a daemon runs on .*/data already \(process \d+\)"):
        only_one(tmp_path / "data")
    only_one(tmp_path / "other")
    os.close(lock)
    only_one(tmp_path / "data")
