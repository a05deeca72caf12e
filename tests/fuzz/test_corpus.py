"""What fuzzing found worth keeping, once more: `make fuzz` goes on from there (tests/fuzz/run.py)."""

from pathlib import Path

import pytest

from tests.fuzz.targets import TARGETS

CORPUS = Path(__file__).parent / "corpus"


@pytest.mark.parametrize("target", TARGETS)
def test_the_corpus(target: str) -> None:
    found = sorted((CORPUS / target).iterdir())
    assert found
    for path in found:
        TARGETS[target](path.read_bytes())
