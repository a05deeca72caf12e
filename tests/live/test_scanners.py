"""Those that knock at every registrar of the internet: sipvicious and sipsak find no account, and are banned."""

import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from minitelecom.calls.suspects import MOST_NAMES_FAILED
from tests.live.house import House
from tests.live.programs import Program, wait_until
from tests.live.shop import HOST, RunningShop

pytestmark = pytest.mark.live

SVWAR, SVCRACK = (Path(sys.executable).with_name(f"sipvicious_{name}") for name in ("svwar", "svcrack"))


@pytest.fixture(autouse=True)
def forgiven(shop: RunningShop) -> Iterator[None]:
    """The scanners send from where others do in other stories."""
    yield
    shop.attempt("ban", "release", HOST)


def ban(shop: RunningShop) -> str | None:
    """What the scanners' host is banned for."""
    return next((one["reason"] for one in shop.answer("ban", "list") if one["address"] == HOST), None)


def scan(shop: RunningShop, folder: Path, *command: object) -> str:
    """What a tool of sipvicious has to say by its end."""
    program = Program([*command, "-p", shop.sip_port, HOST], folder / "said", environment={"HOME": str(folder)})
    program.wait()
    return program.said


def test_sipvicious_finds_no_telephone(house: House, tmp_path: Path) -> None:
    """101 is among the names it tries."""
    said = scan(house.shop, tmp_path, SVWAR, "-e", "95-110", "--force", "--maximumtime=3", "-m", "REGISTER")
    assert "101" not in said
    wait_until(lambda: ban(house.shop) == "scanner", "the ban")


def test_sipvicious_cracks_no_password(house: House, tmp_path: Path) -> None:
    said = scan(house.shop, tmp_path, SVCRACK, "-u", "101", "-r", "100-200", "--maximumtime=3")
    assert "secret" not in said
    wait_until(lambda: ban(house.shop) == "scanner", "the ban")


def test_sipsak_cannot_tell_one_name_from_another(house: House, tmp_path: Path) -> None:
    """It does not call itself a scanner, so it is known by what it does."""
    shop = house.shop
    sipsak = shutil.which("sipsak")
    assert sipsak is not None
    heard: list[list[str]] = []
    for number in range(MOST_NAMES_FAILED + 1):
        name = "101" if number == 0 else f"guess{number}"
        address = f"sip:{name}@{HOST}:{shop.sip_port}"
        repeats_after = 10 if number == MOST_NAMES_FAILED else 4000  # milliseconds; it gives up after 64 times that
        command = [sipsak, f"--timer-t1={repeats_after}", "-U", "-vv", "-s", address, "-a", "guess"]
        program = Program(command, tmp_path / name)
        program.wait()
        heard.append(re.findall(r"^SIP/2\.0 (\d+)", program.said, re.MULTILINE))
    assert heard == [heard[0]] * MOST_NAMES_FAILED + [[]]
    assert "200" not in heard[0]
    wait_until(lambda: ban(shop) == "many-names", "the ban")
