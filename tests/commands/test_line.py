"""The command line as a shell sees it: exit statuses, one line for an error, and the private database behind it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from minitelecom.store.migrations import Migration, migrate, migrations
from minitelecom.store.private_server import PrivateServer

PROGRAM = Path(sys.executable).parent / "minitelecom"


@pytest.fixture
def shell(data_folder):
    """The program as its users have it, with a private database."""
    config = data_folder / "minitelecom.toml"
    config.write_text('data = "data"\nlanguage = "en"\n')

    def give(*words: str, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [PROGRAM, *words],
            input=stdin, capture_output=True, text=True, timeout=120, check=False,
            env={**os.environ, "MINITELECOM_CONFIG": str(config), **environment},
        )  # fmt: skip

    give.data = data_folder / "data"  # type: ignore[attr-defined]
    give.config = config  # type: ignore[attr-defined]
    return give


def test_the_private_server_is_started_for_a_command_and_stopped_after_it(shell):
    told = shell("card", "add", "--count", "1", "--amount", "1500", "--activate", "now", "--json")
    assert (told.returncode, told.stderr) == (0, "")
    (card,) = json.loads(told.stdout)
    assert PrivateServer(shell.data).pid is None
    told = shell("card", "show", card["number"], "--json")
    assert json.loads(told.stdout)["balance"] == "15.00"
    assert PrivateServer(shell.data).pid is None


def test_a_server_that_somebody_uses_is_used_and_left_running(shell):
    server = PrivateServer(shell.data)
    server.ensure()
    try:
        pid = server.pid
        assert shell("calls", "--json").stdout == "[]\n"
        assert server.pid == pid
    finally:
        server.release()


def test_status_starts_nothing_to_say_that_nothing_runs(shell):
    told = shell("status", "--json")
    assert told.returncode == 1
    assert told.stderr == f"minitelecom: no daemon runs: nor does its database in {shell.data}\n"
    assert not shell.data.exists()


@pytest.mark.parametrize(
    ("words", "status", "line"),
    [
        ((), 2, "the following arguments are required: COMMAND"),
        (("sing",), 2, "invalid choice: 'sing'"),
        (("card",), 2, "the following arguments are required: COMMAND"),
        (("card", "add", "--count", "1"), 2, "the following arguments are required: --amount, --activate"),
        (("card", "show", "12x"), 2, "expected a card's number, not '12x'"),
        (("card", "show", "1", "--js"), 2, "unrecognized arguments: --js"),
        (("user", "add", "olga", "--role", "king"), 2, "invalid choice: 'king' (choose from 'admin', 'operator')"),
        (("device", "add", "101"), 2, "one of the arguments --password-stdin --address is required"),
        (("check-config", "/nowhere.toml"), 1, "/nowhere.toml: the configuration cannot be read"),
    ],
)
def test_a_mistake_is_one_line(shell, words, status, line):
    told = shell(*words)
    assert (told.returncode, told.stdout, told.stderr.count("\n")) == (status, "", 1)
    assert told.stderr.startswith("minitelecom")
    assert line in told.stderr


def test_a_mistake_in_the_configuration_is_one_line_for_every_command(shell):
    shell.config.write_text('data = "data"\ncurency = "EUR"\n')
    for words in (["calls"], ["status"], ["doctor"], ["run"], ["check-config"], ["check-config", str(shell.config)]):
        told = shell(*words)
        assert (told.returncode, told.stdout) == (1, "")
        assert told.stderr == f"minitelecom: {shell.config}:2: curency: no such option; did you mean currency?\n"


def test_a_right_configuration_is_said_to_be_right(shell):
    told = shell("check-config", str(shell.config))
    assert (told.returncode, told.stdout) == (0, f"{shell.config} is right\n")


def test_the_configuration_is_named_before_the_command_or_after_it(shell, tmp_path):
    for words in (("--config", str(tmp_path / "x"), "calls"), ("calls", "--config", str(tmp_path / "x"))):
        assert f"{tmp_path}/x: the configuration cannot be read" in shell(*words).stderr


def test_a_database_of_a_newer_program_is_left_alone(minitelecom, database_url):
    known = migrations()
    migrate(database_url, [*known, Migration(len(known) + 1, "future", "select 1")])
    told = minitelecom("calls")
    assert (told.status, told.err.count("\n")) == (1, 1)
    assert "a newer MiniTelecom has used it" in told.err


@pytest.mark.parametrize(
    ("url", "line"),
    [
        ("postgresql:///shop?host=/nonexistent", "the database cannot be reached: "),
        ("postgresql://shop@127.0.0.1:1/shop", "the database cannot be reached: "),
        ("postgresql://shop@127.0.0.1/shop?colour=red", "the database refuses: invalid"),
    ],
)
def test_a_database_that_cannot_be_used_is_one_line(minitelecom, tmp_path, url, line):
    config = tmp_path / "away.toml"
    config.write_text(f'data = "data"\ndatabase = "{url}"\n')
    for words in (("calls",), ("card", "show", "1"), ("status",)):
        told = minitelecom(*words, config=config)
        assert (told.status, told.out, told.err.count("\n")) == (1, "", 1)
        assert told.err.startswith(f"minitelecom: {line}")


def test_a_reader_who_has_read_enough_is_no_error(shell):
    told = subprocess.run(
        ["bash", "-o", "pipefail", "-c", f"{PROGRAM} card add --count 5000 --amount 0 --activate later | head -1"],
        env={**os.environ, "MINITELECOM_CONFIG": str(shell.config)},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert (told.returncode, told.stderr) == (0, "")
    assert told.stdout.startswith("Number")


def test_help_names_every_command(shell):
    told = shell("--help")
    assert told.returncode == 0
    for word in (
        "run",
        "demo",
        "user",
        "card",
        "device",
        "trunk",
        "prices",
        "exchange",
        "calls",
        "status",
        "doctor",
        "check-config",
    ):
        assert f"\n    {word} " in told.stdout.replace("check-config\n", "check-config \n")
