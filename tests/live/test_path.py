"""A telephone behind a proxy: Kamailio adds a Path (RFC 3327), and baresip knows nobody but Kamailio."""

from collections.abc import Iterator

import pytest

from tests.live.baresip import Baresip
from tests.live.edge_proxy import EdgeProxy
from tests.live.house import House
from tests.live.scenarios import Calling, answers, pause, rings
from tests.live.shop import RunningShop

pytestmark = pytest.mark.live

PROXY_HOST, TELEPHONE_HOST = "127.0.0.8", "127.0.0.9"


@pytest.fixture(scope="module")
def proxy(shop: RunningShop) -> Iterator[EdgeProxy]:
    proxy = EdgeProxy(shop.folder / "kamailio", shop, PROXY_HOST)
    try:
        yield proxy
    finally:
        proxy.close()


@pytest.fixture(scope="module")
def telephone(shop: RunningShop, proxy: EdgeProxy) -> Iterator[Baresip]:
    shop.telephone("130", "secret", shop.card(500, "now"))
    by = f"{proxy.host}:{proxy.port}"
    telephone = Baresip(shop.folder / "behind", shop, "130", "secret", host=TELEPHONE_HOST, hertz=700, proxy=by)
    try:
        yield telephone
    finally:
        telephone.close()


def test_its_registration_says_by_whom_it_is_reached(shop: RunningShop, proxy: EdgeProxy, telephone: Baresip) -> None:
    (place,) = shop.answer("device", "show", "130")["registrations"]
    assert place["source"] == f"udp:{proxy.host}:{proxy.port}"
    (path,) = place["path"]
    assert path.startswith(f"<sip:{proxy.host}:{proxy.port};lr;received=sip:{TELEPHONE_HOST}:")


def test_it_is_called_and_both_hear_each_other(shop: RunningShop, house: House, telephone: Baresip) -> None:
    shop.telephone("112255", "secret")
    caller = house.telephone("130", "112255", "secret", Calling.answered, Calling.talk)
    caller.answered()
    caller.ear.say(1100)
    caller.ear.hears(700, 1100)
    telephone.hears(1100)
    caller.sipp.go_on()
    caller.sipp.finish()
    telephone.waits_for("terminated")
    (record,) = shop.ended(called_number="130")
    assert (record["cause"], record["device"], record["ended_by"]) == ("normal", "112255", "caller")


def test_it_calls_out_on_its_account_and_hangs_up(shop: RunningShop, house: House, telephone: Baresip) -> None:
    carrier = house.carrier(rings(), pause(0.2), answers)
    telephone.dial(carrier.dialled)
    carrier.answered()
    carrier.ear.say(1100)
    carrier.ear.hears(700, 1100)
    telephone.hears(1100)
    telephone.hang_up()
    carrier.sipp.finish()
    (record,) = shop.ended(called_number=carrier.number)
    assert (record["device"], record["ended_by"], record["cause"]) == ("130", "caller", "normal")
    assert float(record["cost"]) > 0
    assert not shop.faults()
