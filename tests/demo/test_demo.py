"""The demo as a newcomer has it: one command, then a call; and what signals and other programs do to it."""

import json
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, build_opener

import pytest

PROGRAM = Path(sys.executable).parent / "minitelecom"
READY_SECONDS = 60
PATIENCE_SECONDS = 120  # for whatever must come: no measure of speed

pytestmark = pytest.mark.live


class Demo:
    """A demo in a folder, as often as it is started."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.process: subprocess.Popen[str]
        self.lines: list[str] = []

    def starts(self) -> "Demo":
        """Until it has said its eight lines."""
        began = time.monotonic()
        self.process = subprocess.Popen(
            [PROGRAM, "demo", "--data", self.folder], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        self.lines = [self.process.stdout.readline().rstrip("\n") for _ in range(8)]
        if not all(self.lines):
            pytest.fail(self.process.communicate()[1])
        assert time.monotonic() - began < READY_SECONDS
        return self

    def is_told(self, number: int) -> int:
        self.process.send_signal(number)
        self.process.communicate(timeout=PATIENCE_SECONDS)
        return self.process.returncode

    def asks(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [PROGRAM, *words, "--config", self.folder / "minitelecom.toml"],
            capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False,
        )  # fmt: skip


@pytest.fixture
def demo(data_folder: Path) -> Iterator[Demo]:
    demo = Demo(data_folder / "demo")
    yield demo
    if demo.process.poll() is None:
        demo.is_told(signal.SIGTERM)


def log_in(demo: Demo) -> str:
    """The first page behind the log-in, with the password that was printed."""
    site, password = re.search(r"(http://\S+/) as admin, password (\w+)", "\n".join(demo.lines)).groups()
    site = f"http://127.0.0.1:{site.rstrip('/').rpartition(':')[2]}"
    browser = build_opener(HTTPCookieProcessor())
    with browser.open(f"{site}/login", timeout=PATIENCE_SECONDS) as page:
        token, *_ = re.findall(r'name="csrf" value="([^"]+)"', page.read().decode())
    form = urlencode({"csrf": token, "next": "/", "name": "admin", "password": password})
    with browser.open(f"{site}/login", form.encode(), timeout=PATIENCE_SECONDS) as page:
        return str(page.read().decode())


def test_it_opens_answers_and_closes_in_good_order(demo):
    demo.starts()
    status = json.loads(demo.asks("status", "--json").stdout)
    assert status["legs"] == status["registered"] == 0
    report = demo.asks("doctor")
    assert report.returncode == 0, report.stdout
    assert "emergency: 112: by test-carrier" in report.stdout
    assert "Add Users" in log_in(demo)
    assert demo.is_told(signal.SIGTERM) == 0
    assert demo.asks("status", "--json").returncode == 1


def test_a_second_start_keeps_what_is_there_also_after_kill_9(demo):
    first = demo.starts().lines
    demo.process.kill()
    demo.process.communicate()
    assert demo.starts().lines == first
    assert demo.asks("doctor").returncode == 0
    assert demo.is_told(signal.SIGINT) == 0


def test_two_daemons_on_one_shop_are_refused(demo):
    demo.starts()
    for words in (["demo", "--data", str(demo.folder)], ["run", "--config", str(demo.folder / "minitelecom.toml")]):
        told = subprocess.run([PROGRAM, *words], capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False)
        assert told.returncode == 1
        assert f"minitelecom: a daemon runs on {demo.folder} already (process {demo.process.pid})" in told.stderr
    assert demo.asks("status").returncode == 0, "the first one is not disturbed"


def test_a_taken_port_is_named(demo):
    demo.starts()
    assert demo.is_told(signal.SIGTERM) == 0
    settings = (demo.folder / "minitelecom.toml").read_text()
    port = int(settings.rpartition('"udp:0.0.0.0:')[2].partition('"')[0])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("0.0.0.0", port))
        told = demo.asks("run")
    assert told.returncode == 1
    line = told.stderr.splitlines()[-1]
    assert line.startswith(f"minitelecom: cannot listen on 0.0.0.0:{port} ([sip] listen): Address already in use")
    assert "Traceback" not in told.stderr
