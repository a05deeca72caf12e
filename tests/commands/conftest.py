"""A shop with a configuration and a database, and the command line to it, run in this process."""

import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from minitelecom.commands import line


@dataclass
class Told:
    status: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        assert self.status == 0, self.err
        return json.loads(self.out)


Minitelecom = Callable[..., Told]


@pytest.fixture
def config_file(tmp_path: Path, database_url: str) -> Path:
    path = tmp_path / "minitelecom.toml"
    path.write_text(
        f'data = "data"\ndatabase = "{database_url}"\nlanguage = "en"\n'
        '[sip]\nlisten = ["udp:127.0.0.1:45060"]\n[web]\nlisten = "127.0.0.1:48080"\n'
    )
    return path


@pytest.fixture
def minitelecom(config_file: Path, capsys: pytest.CaptureFixture[str]) -> Minitelecom:
    """Give a command; what came of it."""

    def give(*words: object, stdin: str = "", config: Path | None = config_file) -> Told:
        capsys.readouterr()
        options = [] if config is None else ["--config", str(config)]
        status = line.main([*map(str, words), *options], stdin=io.StringIO(stdin))
        told = capsys.readouterr()
        return Told(status, told.out, told.err)

    return give


@pytest.fixture
def card(minitelecom: Minitelecom) -> dict[str, Any]:
    """A card with 15.00, in use."""
    made = minitelecom("card", "add", "--count", 1, "--amount", 1500, "--activate", "now", "--json").data
    assert isinstance(made, list)
    return dict(made[0])
