"""
One shop for all live stories; each story has its own folder, cards, carriers and telephones in it.

A module in which something dies has a town of its own.
"""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.doomed import FAULT, Figures, Town, lived_in_town
from tests.live.house import GATEWAY_HOST, House, lived_in
from tests.live.shop import RunningShop, running_shop


@pytest.fixture(scope="session")
def shop() -> Iterator[RunningShop]:
    with running_shop() as shop:
        shop.trunk("gateway", GATEWAY_HOST, 5060, "--match", "999")
        shop.telephone("101", "secret")
        yield shop
        shop.stop()
        assert shop.postgresql is None, "the private PostgreSQL outlives its last user"


@pytest.fixture
def house(shop: RunningShop) -> Iterator[House]:
    """Nobody of a story stays behind it, and it leaves no fault in the daemon's log."""
    before = len(shop.log)
    with tempfile.TemporaryDirectory(prefix="story-", dir=shop.folder) as folder, lived_in(shop, Path(folder)) as house:
        yield house
        sys.stdout.write(f"{house}\n")  # pytest shows it where the story failed
    logged = shop.log[before:]
    sys.stdout.write(logged)
    assert not FAULT.search(logged), logged


@pytest.fixture(scope="module")
def _town() -> Iterator[Town]:
    with lived_in_town() as town:
        yield town


@pytest.fixture
def town(_town: Town) -> Town:
    """Whatever became of it in the story before, its daemon runs and nobody calls."""
    _town.at_rest()
    return _town


@pytest.fixture
def figures() -> Iterator[Figures]:
    figures = Figures()
    yield figures
    print(figures)  # noqa: T201 - shown by -rP
