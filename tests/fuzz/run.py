"""
Coverage-guided fuzzing: `python -m tests.fuzz.run TARGET [libFuzzer's options]`; `make fuzz` runs every target.

It begins with the corpus in the repository and adds nothing to it: what is found on the way stays in build/fuzz/, and an
input that breaks a law is written there as crash-….  Put that one into the corpus, where tests/fuzz/test_corpus.py fails on it
until it is mended.
"""

import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["minitelecom.sip"]):
    from tests.fuzz.targets import TARGETS

CORPUS = Path(__file__).parent / "corpus"
FOUND = Path("build") / "fuzz"


def main(target: str, *options: str) -> None:
    """Until the time is over or a law is broken."""
    found = FOUND / target
    found.mkdir(parents=True, exist_ok=True)
    asked = [f"-artifact_prefix={found}/", "-max_len=4096", *options]
    folders = [] if any(option.startswith("-merge") for option in options) else [str(found), str(CORPUS / target)]
    atheris.Setup([sys.argv[0], *asked, *folders], TARGETS[target])
    atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
