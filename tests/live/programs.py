"""
Programs that a test starts: each writes what it says into a file, is ended by its number alone, and cannot outlive us.
"""

import os
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

PATIENCE_SECONDS = 30.0
"""How long what must come is waited for: no measure of speed, but of how busy a machine may be that runs the tests."""
STALL_SECONDS = 2.0
"""What is measured in seconds of the world may be so much late: a machine may stand still for a moment."""
STEP_SECONDS = 0.02


def wait_until(reached: Callable[[], object], what: str, seconds: float = PATIENCE_SECONDS) -> None:
    """Wait for something outside this process, and fail with its name."""
    deadline = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < deadline, f"{what}: not within {seconds:g} s"
        time.sleep(STEP_SECONDS)


def free_port(host: str = "127.0.0.1", kind: socket.SocketKind = socket.SOCK_DGRAM) -> int:
    """A port that nobody uses now."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, kind) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


class Program:
    """One running program; `orphaned` is the signal it gets when the test run dies before it (prctl(2))."""

    def __init__(
        self,
        command: Sequence[object],
        output: Path,
        *,
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
        orphaned: str = "KILL",
    ) -> None:
        self.output = output
        with output.open("ab") as file:
            self._process = subprocess.Popen(
                ["setpriv", "--pdeathsig", orphaned, "--", *map(str, command)],
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                cwd=folder,
                env=None if environment is None else {**os.environ, **environment},
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def runs(self) -> bool:
        return self._process.poll() is None

    @property
    def said(self) -> str:
        return self.output.read_text("utf-8", "replace")

    def wait(self, seconds: float = PATIENCE_SECONDS) -> int:
        """Its exit status, when it ends by itself."""
        return self._process.wait(seconds)

    def signal(self, number: int) -> None:
        self._process.send_signal(number)

    def kill(self) -> None:
        """kill -9."""
        self._process.kill()
        self._process.wait()

    def stop(self, seconds: float = PATIENCE_SECONDS) -> int:
        """End it in good order, else at once."""
        self._process.terminate()
        try:
            return self.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise
