"""The house around the code: what setup, the news and the entry scripts promise."""

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = (
    "python3-venv postgresql espeak-ng sip-tester baresip linphone-cli sox tshark chromium chromium-driver kamailio nftables"
    " iproute2 sipsak gcc libc6-dev python3-dev"
)


@pytest.fixture
def machine(tmp_path):
    """A bare machine: a PATH of its own, in which every program but bash only notes how it was called."""

    class Machine:
        log = tmp_path / "log"
        path = tmp_path / "bin"

        def has(self, name, script="exit 0"):
            self.path.mkdir(exist_ok=True)
            program = self.path / name
            program.write_text(f'#!{shutil.which("bash")}\necho {name} "$@" >>{self.log}\n{script}\n')
            program.chmod(0o755)

        def setup(self, *purposes):
            bash = shutil.which("bash")
            environment = {"PATH": str(self.path)}
            return subprocess.run(
                [bash, ROOT / "scripts" / "setup-apt", *purposes],
                env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False,
            )  # fmt: skip

        def called(self):
            return self.log.read_text().splitlines() if self.log.exists() else []

    machine = Machine()
    for name in ("mkdir", "ln", "tee", "apt-get"):
        machine.has(name)
    machine.has("dpkg-query", "exit 1")
    return machine


def test_setup_installs_what_is_missing_as_root(machine):
    machine.has("id", "echo 0")
    assert machine.setup("run", "test").returncode == 0
    clusters, install = (i for i, call in enumerate(machine.called()) if call.startswith(("tee", "apt-get")))
    assert clusters < install, "no main cluster: said before PostgreSQL comes"
    assert machine.called()[install] == f"apt-get install -y --no-install-recommends {PACKAGES}"


def test_setup_uses_sudo_where_it_asks_no_password(machine):
    machine.has("id", "echo 1000")
    machine.has("sudo", 'shift; shift; [ $# = 0 ] || "$@"')
    assert machine.setup("run").returncode == 0
    assert "sudo -n -- apt-get install -y --no-install-recommends python3-venv postgresql espeak-ng" in machine.called()


@pytest.mark.parametrize("sudo", [None, "exit 1"])
def test_setup_of_a_plain_user_says_the_line_and_goes_on(machine, sudo):
    machine.has("id", "echo 1000")
    if sudo:
        machine.has("sudo", sudo)
    told = machine.setup("run", "test")
    assert told.returncode == 0
    assert told.stdout.splitlines()[-1].endswith(f"&& apt-get install -y --no-install-recommends {PACKAGES}")
    assert not [call for call in machine.called() if call.startswith("apt-get")]


def test_setup_goes_on_when_the_network_is_away(machine):
    machine.has("id", "echo 0")
    machine.has("apt-get", "exit 100")
    told = machine.setup("run")
    assert told.returncode == 0
    assert "apt-get install" in told.stdout.splitlines()[-1]


def test_setup_is_silent_when_nothing_is_missing(machine):
    machine.has("dpkg-query", "echo -n install ok installed")
    told = machine.setup("run", "test")
    assert (told.returncode, told.stdout, told.stderr) == (0, "", "")
    assert not [call for call in machine.called() if not call.startswith("dpkg-query")]


def test_continuous_integration_calls_make_and_nothing_else():
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert script.read_text().splitlines()[-1] == "make setup check test"


def test_the_readme_begins_with_the_line_a_bare_machine_needs():
    readme = (ROOT / "README.md").read_text()
    for line in ("apt-get install -y make git python3-venv", "make run", "make test"):
        assert re.search(rf"^ +{line}$", readme, re.MULTILINE), line
    assert readme.index("apt-get") < readme.index("make run")


def test_news_are_named_so_that_towncrier_finds_them():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["towncrier"]
    kinds = "|".join(kind["directory"] for kind in settings["type"])
    for path in (ROOT / settings["directory"]).iterdir():
        assert path.name == ".gitignore" or re.fullmatch(rf"(\d+|\+[\w-]+)\.({kinds})(\.\d+)?\.md", path.name), (
            path.name
        )


def test_the_service_is_what_systemd_and_the_daemon_agree_on():
    unit = (ROOT / "etc" / "minitelecom.service").read_text().splitlines()
    for line in ("Type=notify", "KillMode=mixed", "LimitNOFILE=65536"):
        assert line in unit
    assert [line for line in unit if line.startswith("WatchdogSec=")]
