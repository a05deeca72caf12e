"""The SIP core compiled by mypyc answers the same questions as its source: the same tests are put to both."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ASK = (
    "import minitelecom.sip.message as message, pytest, sys;"
    "assert not message.__file__.endswith('.py'), message.__file__;"
    "sys.exit(pytest.main(sys.argv[1:]))"
)
QUESTIONS = (
    "tests/sip",
    "tests/torture/test_rfc4475.py",
    "tests/torture/test_rfc5118.py",
    "tests/calls/test_card_call.py",
)


@pytest.mark.timeout(900)
def test_the_compiled_core_passes_the_tests_of_its_source(tmp_path: Path) -> None:
    built = subprocess.run(
        [sys.executable, ROOT / "scripts" / "compile_sip.py", tmp_path / "lib"],
        check=False,
        capture_output=True,
        text=True,
    )
    assert built.returncode == 0, built.stderr
    assert [path.name for path in (tmp_path / "lib").iterdir()] == ["minitelecom"]  # an editable install finds no more
    (tmp_path / "lib" / "prompts").symlink_to(ROOT / "prompts")
    asked = subprocess.run(
        [sys.executable, "-P", "-c", ASK, "-q", "--ignore", __file__, *QUESTIONS],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(tmp_path / "lib")},
        check=False,
        capture_output=True,
        text=True,
    )
    assert asked.returncode == 0, asked.stdout[-10_000:]
