"""What /proc tells about a process (proc(5)): CPU time, memory, children, datagrams that found no room."""

import os
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
PROC = Path("/proc")

# Fields of /proc/PID/stat counted behind the name in brackets, which may itself hold blanks.
PARENT = 1
USER, SYSTEM, CHILDREN_USER, CHILDREN_SYSTEM = 11, 12, 13, 14


def _fields(pid: int) -> list[str]:
    return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()


def cpu_seconds(pid: int, *, ended_children: bool = False) -> float:
    """User and system time so far."""
    fields = _fields(pid)
    counted = (USER, SYSTEM, CHILDREN_USER, CHILDREN_SYSTEM) if ended_children else (USER, SYSTEM)
    return sum(int(fields[field]) for field in counted) / TICKS


def family(pid: int) -> list[int]:
    """A process and its children."""
    found = [pid]
    for folder in PROC.iterdir():
        if folder.name.isdecimal():
            try:
                if int(_fields(int(folder.name))[PARENT]) == pid:
                    found.append(int(folder.name))
            except (FileNotFoundError, ProcessLookupError):
                continue
    return found


def family_cpu_seconds(pid: int) -> float:
    """The same of a process and all its children, those that have ended included."""
    parent, *children = family(pid)
    total = cpu_seconds(parent, ended_children=True)
    for child in children:
        try:
            total += cpu_seconds(child)
        except (FileNotFoundError, ProcessLookupError):
            continue
    return total


def resident_bytes(pid: int) -> int:
    """The memory a process holds (VmRSS)."""
    for line in (PROC / str(pid) / "status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise ValueError(f"process {pid} has no VmRSS")


def datagrams_dropped(port: int) -> int:
    """Datagrams that came to a UDP port of this machine while its buffer was full."""
    dropped = 0
    for line in Path("/proc/net/udp").read_text().splitlines()[1:]:
        fields = line.split()
        if int(fields[1].partition(":")[2], 16) == port:
            dropped += int(fields[-1])
    return dropped
