"""
Compiles the SIP core by mypyc, from the same source that runs without: `compile_sip.py` puts the modules beside their
sources, where Python takes them first; `compile_sip.py FOLDER` makes a copy of the package there that has them.

Needs a C compiler and Python's headers. Modules older than their sources are taken away again by `make setup`.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCES = "minitelecom/sip/*.py"
MODULES = "minitelecom/sip/*.so"


def compiled() -> list[Path]:
    """The modules that stand beside their sources."""
    return list(ROOT.glob(MODULES))


def are_stale() -> bool:
    """Whether a source was changed after it was compiled."""
    made = min((path.stat().st_mtime for path in compiled()), default=None)
    return made is not None and any(source.stat().st_mtime > made for source in ROOT.glob(SOURCES))


def take_away() -> None:
    for path in compiled():
        path.unlink()


def build(into: Path | None) -> int:
    """The exit status of the build; what it says is shown only where it fails."""
    environment = {**os.environ, "MINITELECOM_COMPILED": "1"}
    with tempfile.TemporaryDirectory() as scratch:
        command = [sys.executable, "setup.py", "-q", "build", "--build-base", scratch]
        command += ["--build-lib", str(into)] if into else ["build_ext", "--inplace", "--build-temp", scratch]
        # mypyc leaves its C beside setup.py, under build/, unless told otherwise by where it runs
        said = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if said.returncode:
        print(said.stdout, said.stderr, sep="\n", file=sys.stderr)
    return said.returncode


def main(arguments: list[str]) -> int:
    if arguments:
        return build(Path(arguments[0]).absolute())
    if compiled() and not are_stale():
        return 0
    take_away()
    print("Compiling the SIP core: a minute or two", flush=True)
    return build(None)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
