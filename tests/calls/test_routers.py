"""The telephones of the trade behind routers: private addresses in every line, and ports that change."""

import pytest

from minitelecom.config import Access, Config, Emergency, Sip
from minitelecom.store.synchronous import SynchronousDatabase
from tests.calls.story import LONDON, settle
from tests.world.faults import Fault
from tests.world.house import House
from tests.world.old_models import HT801, MODELS, ATA186v2, ATA186v3
from tests.world.old_telephones import OldTelephone, State
from tests.world.party import Behaviour
from tests.world.wire import parameter

Model = type[OldTelephone]
every_model = pytest.mark.parametrize("model", MODELS)

EXTERNAL = "198.51.100.1"
PUBLIC = "203.0.113.7"


@pytest.fixture
def shop(database: SynchronousDatabase) -> House:
    """A shop that is itself behind a router, with telephones elsewhere."""
    config = Config(
        sip=Sip(external=EXTERNAL),
        access={"35921234567": Access(language="en")},
        emergency=Emergency(numbers=("112",), trunk="carrier"),
    )
    return House(database, config=config)


def far(shop: House, model: Model, *faults: Fault, name: str = "101", port: int = 40001) -> OldTelephone:
    telephone = model(shop, name, "192.168.1.5", behind=(PUBLIC, port), faults=frozenset(faults))
    telephone.register()
    shop.pass_(1)
    assert telephone.registered
    return telephone


def test_a_registered_telephone_far_away_is_helped_without_a_question(shop: House) -> None:
    shop.telephone("101", "10.0.0.200")
    shop.open()
    shop.carrier.usual = Behaviour(answer_after=2)
    telephone = far(shop, HT801)
    call = telephone.dial("112")
    shop.pass_(4)
    assert call.state is State.TALKING
    assert 407 not in telephone.wire.statuses("INVITE")
    telephone.hang_up()
    settle(shop)


@every_model
@pytest.mark.parametrize("faults", [(), (Fault.MINDS_RECEIVED,)], ids=["none", "minds received"])
def test_it_calls_from_behind_a_router(shop: House, model: Model, faults: tuple[Fault, ...]) -> None:
    shop.telephone("101", "10.0.0.200", shop.card("1.00"))
    shop.open()
    shop.carrier.usual = Behaviour(ring_after=0.8, answer_after=2)
    telephone = far(shop, model, *faults)
    call = telephone.dial(LONDON)
    shop.pass_(8)
    assert call.state is State.TALKING
    assert call.way.host == EXTERNAL
    assert f"c=IN IP4 {EXTERNAL}" in call.theirs
    leg_port = next(port for port in shop.media.open_ports if f"m=audio {port.number} " in call.theirs)
    assert leg_port.remote is not None
    assert leg_port.remote.host == PUBLIC
    telephone.hang_up()
    shop.pass_(1)
    assert telephone.wire.statuses("BYE") == [200]
    settle(shop)


@every_model
def test_it_is_called_behind_a_router(shop: House, model: Model) -> None:
    """Everything goes to where it was last heard, never to the private address it writes."""
    shop.telephone("101", "10.0.0.200")
    caller = shop.telephone("102", "10.0.0.102")
    shop.open()
    telephone = far(shop, model)
    talk = caller.call("101")
    shop.pass_(3)
    assert talk.talking
    talk.hang_up()
    shop.pass_(1)
    assert telephone.calls[0].ended_by_far_end
    settle(shop)


@every_model
def test_its_router_gives_it_another_port(shop: House, model: Model) -> None:
    """It registers again from there in the middle of a call, and hears when the other side hangs up."""
    shop.telephone("101", "10.0.0.200")
    caller = shop.telephone("102", "10.0.0.102")
    shop.open()
    telephone = far(shop, model)
    talk = caller.call("101")
    shop.pass_(3)
    telephone.wire.unplug()
    telephone.wire.plug_in(PUBLIC, 41000)
    telephone.register()
    shop.pass_(1)
    assert len(shop.exchange.directory.contacts("101", shop.now())) == 1
    talk.hang_up()
    shop.pass_(1)
    assert telephone.calls[0].ended_by_far_end
    again = caller.call("101")
    shop.pass_(3)
    assert again.talking
    again.hang_up()
    settle(shop)


def test_two_telephones_behind_one_router_with_one_address(shop: House) -> None:
    """Both believe to be 192.168.1.5:5060, in two rooms; their router tells them apart by port."""
    for name in ("101", "102"):
        shop.telephone(name, "10.0.0.200", shop.card("1.00"))
    shop.open()
    shop.carrier.usual = Behaviour(answer_after=1)
    first, second = far(shop, ATA186v2), far(shop, ATA186v2, name="102", port=40002)
    call = first.dial("102")
    shop.pass_(3)
    assert call.state is State.TALKING
    assert second.calls[0].state is State.TALKING
    assert second.calls[0].invite is not None
    assert parameter(second.calls[0].invite["from"], "tag")
    first.hang_up()
    shop.pass_(1)
    assert second.calls[0].ended_by_far_end
    settle(shop)


@pytest.mark.parametrize("model", [ATA186v2, ATA186v3, HT801])
def test_a_router_keeps_its_way_open(shop: House, model: Model) -> None:
    """An OPTIONS now and then, which the telephone may answer as it likes."""
    shop.telephone("101", "10.0.0.200")
    shop.open()
    telephone = far(shop, model)
    shop.pass_(60, step=0.5)
    assert len(telephone.wire.requests("OPTIONS")) >= 2
    settle(shop, 48)  # not just after the next one
