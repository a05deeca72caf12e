"""The house that call stories happen in."""

import pytest

from minitelecom.store.synchronous import SynchronousDatabase
from tests.calls.scene import Scene, WrittenCaller
from tests.world.house import CARRIER, EXCHANGE, House
from tests.world.party import Behaviour


@pytest.fixture
def house(database: SynchronousDatabase) -> House:
    return House(database)


@pytest.fixture
def scene(house: House) -> Scene:
    """A telephone that has called London, and a carrier written by hand."""
    return Scene.begin(house)


@pytest.fixture
def caller(house: House) -> WrittenCaller:
    """Delivered by the carrier to the card dialogue."""
    house.open()
    return WrittenCaller(house.network, EXCHANGE, CARRIER)


@pytest.fixture
def gateway(house: House) -> WrittenCaller:
    """A telephone known by its address, with an account; the carrier answers after a second."""
    gateway = WrittenCaller(house.network, EXCHANGE, "10.0.0.50")
    house.gateway("gateway", "10.0.0.50", house.card("1.00"))
    house.open()
    house.carrier.usual = Behaviour(answer_after=1)
    return gateway
