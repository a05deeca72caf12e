"""SIPp as the shop's telephones and as its carrier; both count what went wrong."""

import csv
import signal
import subprocess
from pathlib import Path
from typing import NamedTuple

SCENARIOS = Path(__file__).parent / "sipp"
DIALLED = "00442071234567"  # London, as the shop's telephones dial it
LONGEST_SECONDS = 600
END_SECONDS = 10


class Counted(NamedTuple):
    """What SIPp counted by its end."""

    successes: int
    failures: int
    retransmissions: int


class Sipp:
    """One SIPp, from its start to its end."""

    def __init__(self, folder: Path, scenario: Path, port: int, arguments: list[str]) -> None:
        name = f"{scenario.stem}-{port}"
        self._statistics = folder / f"{name}.csv"
        command = ["sipp", "-sf", str(scenario), "-nostdin", "-i", "127.0.0.1", "-p", str(port)]
        command += ["-trace_stat", "-stf", str(self._statistics), "-fd", "1", "-timeout", str(LONGEST_SECONDS)]
        command += ["-max_socket", "1000"]
        command += ["-trace_err", "-error_file", str(folder / f"{name}-errors.log")]
        with (folder / f"{name}.log").open("wb") as screen:
            self._process = subprocess.Popen([*command, *arguments], cwd=folder, stdout=screen, stderr=screen)

    def wait(self) -> Counted:
        """Until its calls are over."""
        self._process.wait(LONGEST_SECONDS + END_SECONDS)
        return self.counted()

    def end(self) -> Counted:
        """Told to finish; then, if it does not, killed."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGUSR1)
            try:
                self._process.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        return self.counted()

    def counted(self) -> Counted:
        """The last line of its statistics so far."""
        if not self._statistics.exists():
            return Counted(0, 0, 0)
        with self._statistics.open(newline="") as file:
            last = list(csv.DictReader(file, delimiter=";"))[-1]
        return Counted(int(last["SuccessfulCall(C)"]), int(last["FailedCall(C)"]), int(last["Retransmissions(C)"]))


def carrier(folder: Path, port: int, media: int) -> Sipp:
    """Answers whatever comes to the port; its sound belongs to the port ``media``."""
    return Sipp(folder, SCENARIOS / "carrier.xml", port, ["-key", "media", str(media)])


class Load(NamedTuple):
    """How many calls, how fast one after the other, how long each."""

    calls: int
    rate: int
    seconds: float


def callers(
    folder: Path,
    port: int,
    media: int,
    daemon: int,
    telephones: list[tuple[str, str]],
    load: Load,
    scenario: Path = SCENARIOS / "caller.xml",
) -> Sipp:
    """The shop's telephones, (address, name) each, calling in turn by way of the daemon."""
    lines = folder / "telephones.csv"
    lines.write_text("SEQUENTIAL\n" + "".join(f"{address};{name}\n" for address, name in telephones))
    arguments = [f"127.0.0.1:{daemon}", "-t", "ui", "-inf", str(lines), "-ip_field", "0", "-s", DIALLED]
    arguments += ["-key", "media", str(media), "-m", str(load.calls), "-r", str(load.rate)]
    arguments += ["-d", str(round(load.seconds * 1000)), "-l", str(load.calls)]
    return Sipp(folder, scenario, port, arguments)
