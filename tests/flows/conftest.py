"""The house in which the flows of the RFCs are played."""

from collections.abc import Iterator

import pytest

from minitelecom.store.synchronous import SynchronousDatabase
from tests.calls.story import settle
from tests.flows.ladder import FlowHouse, check_laws
from tests.world.house import HeldCard
from tests.world.party import Party

ALICE, BOB = "10.0.0.11", "10.0.0.21"


@pytest.fixture
def house(database: SynchronousDatabase) -> Iterator[FlowHouse]:
    """Afterwards nothing is left over, and nobody broke a law on the way."""
    house = FlowHouse(database)
    yield house
    settle(house)
    check_laws(house.network.all_passed)


@pytest.fixture
def card(house: FlowHouse) -> HeldCard:
    return house.card("15.00")


@pytest.fixture
def alice(house: FlowHouse, card: HeldCard) -> Party:
    """A telephone with a password and an account."""
    return house.telephone("alice", ALICE, card)


@pytest.fixture
def bob(house: FlowHouse, alice: Party) -> Party:
    """Another telephone of the shop, registered; the flow begins."""
    bob = house.telephone("bob", BOB)
    house.open()
    assert bob.register().statuses == []
    house.pass_(1)
    house.forget()
    return bob
