"""What another process changed while the database was away is read when it is back."""

from decimal import Decimal

import pytest
from twisted.internet.defer import Deferred

from minitelecom.rating.rate import Rate
from minitelecom.store import prices
from minitelecom.store.synchronous import SynchronousDatabase, run
from tests.calls.test_lost_answers import Breaking
from tests.calls.test_telephones import Away
from tests.world.house import BEGINNING, House

ANTARCTICA = Rate("672", "Antarctica", "EUR", Decimal(2))


@pytest.mark.parametrize("what", ["prices", "devices", "trunks"])
def test_it_is_read_however_long_the_database_is_away(database: SynchronousDatabase, what: str) -> None:
    """The connection for notices may be back before the others are."""
    away = Away(database)
    house = House(away)  # type: ignore[arg-type]
    house.open()
    run(prices.replace(database, [ANTARCTICA], "general", "another process", BEGINNING))
    house.telephone("105", "10.0.0.15")
    house.trunk("second", "sip:10.0.0.98")
    away.away = True
    reading = Deferred.fromCoroutine(house.exchange.read(what))
    house.pass_(20)
    assert not reading.called
    away.away = False
    house.pass_(2)
    assert reading.called
    known = house.exchange.directory
    assert (known.prices.find("672") is not None) is (what == "prices")
    assert ("105" in known.devices) is (what == "devices")
    assert ("second" in {trunk.name for trunk in known.trunks}) is (what == "trunks")


def test_the_latest_reading_holds(database: SynchronousDatabase) -> None:
    """An answer that took its time does not put back what has changed since."""
    slow = Breaking(database)
    house = House(slow)  # type: ignore[arg-type]
    house.open()
    slow.word, slow.late = "FROM trunks", Deferred()
    first = Deferred.fromCoroutine(house.exchange.read("trunks"))
    house.trunk("second", "sip:10.0.0.98")
    second = Deferred.fromCoroutine(house.exchange.read("trunks"))
    slow.late.callback(None)
    house.pass_(1)
    assert first.called
    assert second.called
    assert {trunk.name for trunk in house.exchange.directory.trunks} == {"carrier", "second"}


def test_what_changes_while_the_exchange_starts_is_known(database: SynchronousDatabase) -> None:
    """The notice may come before the first reading, which knows nothing of the change, has had its answer."""
    slow = Breaking(database)
    house = House(slow)  # type: ignore[arg-type]
    house.build()
    slow.word, slow.late = "FROM trunks", Deferred()
    starting = Deferred.fromCoroutine(house.exchange.start())
    house.trunk("second", "sip:10.0.0.98")
    told = Deferred.fromCoroutine(house.exchange.read("trunks"))
    slow.late.callback(None)
    house.pass_(1)
    assert starting.called
    assert told.called
    assert {trunk.name for trunk in house.exchange.directory.trunks} == {"carrier", "second"}
