"""The house that call stories happen in."""

import pytest

from minitelecom.store.synchronous import SynchronousDatabase
from tests.world.house import House


@pytest.fixture
def house(database: SynchronousDatabase) -> House:
    return House(database)
