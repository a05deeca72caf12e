"""
Makes .venv and installs the project into it, with its development tools; does nothing when nothing changed. Compiled
modules that are older than their sources are taken away.

What counts as a change: the Python, the place of the checkout, setup.py, the [build-system] and [project] tables of
pyproject.toml, and whether the system has PostgreSQL (if it has none, the `postgres` extra brings it).
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import compile_sip

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STAMP = VENV / "installed"


def has_postgresql() -> bool:
    """Whether the system brings PostgreSQL's server; Debian keeps it out of PATH."""
    return shutil.which("postgres") is not None or any(Path("/usr/lib/postgresql").glob("*/bin/postgres"))


def extras() -> list[str]:
    return ["dev"] if has_postgresql() else ["dev", "postgres"]


def fingerprint() -> str:
    """Everything that what is installed follows from."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    what = {
        "python": [sys.executable, sys.version],
        "root": str(ROOT),
        "setup": (ROOT / "setup.py").read_text(),
        "build": project["build-system"],
        "project": project["project"],
        "extras": extras(),
    }
    return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()


def install() -> None:
    """Into the environment that is there, unless it was made in another place or by another Python."""
    python, made_by = VENV / "bin" / "python", VENV / "made-by"
    us = f"{sys.executable}\n{sys.version}\n{VENV}\n"
    if not python.exists() or not made_by.exists() or made_by.read_text() != us:
        subprocess.run([sys.executable, "-m", "venv", "--clear", VENV], check=True)
        made_by.write_text(us)
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "--use-pep517"]
    subprocess.run([*pip, "--editable", f"{ROOT}[{','.join(extras())}]"], check=True)


def main() -> None:
    """One at a time: `make run` and `make test` may be started together."""
    folder = os.open(ROOT, os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_EX)
    if compile_sip.are_stale():
        compile_sip.take_away()
        print("The SIP core has changed since it was compiled: it runs from its source until the next `make compiled`")
    wanted = fingerprint()
    if STAMP.exists() and STAMP.read_text() == wanted:
        return
    print(f"Installing MiniTelecom into {VENV}", flush=True)
    try:
        install()
    except subprocess.CalledProcessError as error:
        sys.exit(f"The installation stopped: {' '.join(map(str, error.cmd))} ended with {error.returncode}")
    STAMP.write_text(wanted)


if __name__ == "__main__":
    main()
