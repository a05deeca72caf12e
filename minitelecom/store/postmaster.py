"""
What the kernel and `postmaster.pid` say about the processes of one cluster.

PostgreSQL trusts a living process number in its lock file; after a kill -9, in a container where numbers are small or
dead processes stay as zombies, that number often means somebody else. So a process counts as ours only if it is
alive, a postgres, and its working folder is the cluster: a postmaster and its children never leave it.
"""

import os
import signal
from pathlib import Path
from typing import NamedTuple

PROCESSES = Path("/proc")
PROGRAMS = ("postgres", "postmaster")
PID_FILE = "postmaster.pid"
SOCKET_LINE, STATE_LINE = 4, 7  # pid, data folder, start, port, socket folder, address, shared memory, state


class Postmaster(NamedTuple):
    """A live server: its process, where its socket is (None before it has said so), and whether it has come up."""

    pid: int
    socket_folder: Path | None
    ready: bool


class Mark(NamedTuple):
    """A process of ours, told from a later one with the same number by when it began (in kernel ticks)."""

    pid: int
    began: int

    @classmethod
    def own(cls) -> "Mark":
        return cls(os.getpid(), _stat(os.getpid())[1])

    @classmethod
    def parse(cls, application_name: str) -> "Mark | None":
        match application_name.split("."):
            case ["minitelecom", pid, began] if pid.isdecimal() and began.isdecimal():
                return cls(int(pid), int(began))
        return None

    def __str__(self) -> str:
        return f"minitelecom.{self.pid}.{self.began}"

    @property
    def alive(self) -> bool:
        state, began = _stat(self.pid)
        if state == "X":
            return _hidden(self.pid)
        return state != "Z" and began == self.began


def _stat(pid: int) -> tuple[str, int]:
    """State letter and start of a process; ("X", 0) when there is none. proc(5): fields after the name in brackets."""
    try:
        fields = (PROCESSES / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return "X", 0
    return fields[0], int(fields[19])


def _hidden(pid: int) -> bool:
    """Whether there is such a process after all, in a /proc that shows us only our own (hidepid)."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _works_in(pid: int, cluster: Path) -> bool:
    process = PROCESSES / str(pid)
    try:
        program = (process / "comm").read_text().strip()
        return program in PROGRAMS and _stat(pid)[0] not in "ZX" and (process / "cwd").readlink() == cluster
    except OSError:
        return False


def live_postmaster(cluster: Path) -> Postmaster | None:
    """The running server of this cluster, believed only if the process really works there."""
    try:
        lines = (cluster / PID_FILE).read_text().splitlines()
    except OSError:
        return None
    if not lines or not lines[0].isdecimal() or not _works_in(int(lines[0]), cluster):
        return None
    folder = lines[SOCKET_LINE] if len(lines) > SOCKET_LINE else ""
    ready = len(lines) > STATE_LINE and lines[STATE_LINE].strip() == "ready"
    return Postmaster(int(lines[0]), Path(folder) if folder else None, ready)


def orphans(cluster: Path) -> list[int]:
    """Processes that still work in the cluster; with no postmaster alive they keep its shared memory busy."""
    numbers = [int(entry.name) for entry in PROCESSES.iterdir() if entry.name.isdecimal()]
    return [pid for pid in numbers if pid != os.getpid() and _works_in(pid, cluster)]


def tell(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return
