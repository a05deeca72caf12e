"""The telephones of the trade, with their habits and their faults: what should work works, and nothing is left over."""

from collections.abc import Callable

import pytest

from minitelecom.store.synchronous import SynchronousDatabase
from tests.calls.story import LONDON, settle
from tests.world.faults import Fault
from tests.world.house import HeldCard, House
from tests.world.old_models import BT100, HT286, MODELS
from tests.world.old_telephones import OldTelephone, State
from tests.world.party import Behaviour

Model = type[OldTelephone]
every_model = pytest.mark.parametrize("model", MODELS)


def connected(house: House, model: Model, *faults: Fault, card: HeldCard | None = None) -> OldTelephone:
    """Telephone 101 of the shop, registered."""
    house.telephone("101", "10.0.0.200", card)
    house.open()
    house.carrier.usual = Behaviour(answer_after=1)
    telephone = model(house, "101", "10.0.0.11", faults=frozenset(faults))
    telephone.register()
    house.pass_(1)
    assert telephone.registered
    return telephone


@every_model
def test_it_registers_again_and_leaves(house: House, model: Model) -> None:
    telephone = connected(house, model)
    assert telephone.wire.statuses("REGISTER") == [401, 200]
    house.pass_(120)
    telephone.register()
    house.pass_(1)
    assert house.exchange.counters()["registered"] == 1
    assert len(house.exchange.directory.contacts("101", house.now())) == 1
    telephone.register(0)
    house.pass_(1)
    assert house.exchange.counters()["registered"] == 0
    settle(house)


@every_model
@pytest.mark.parametrize("fault", [Fault.SHOUTS_ITS_DIGEST, Fault.DATES_ITS_EXPIRY, Fault.CLEARS_OLD_BINDINGS])
def test_it_registers_in_its_own_way(house: House, model: Model, fault: Fault) -> None:
    connected(house, model, fault)
    binding = house.exchange.directory.contacts("101", house.now())[0]
    assert 290 <= (binding.expires - house.now()).total_seconds() <= 300
    settle(house)


@every_model
def test_it_registers_for_half_a_minute(house: House, model: Model) -> None:
    """To keep its router open, as HT801s do; 423 means nothing to a telephone of 2003."""
    telephone = connected(house, model)
    telephone.register(30)
    house.pass_(1)
    assert telephone.wire.statuses("REGISTER")[-1] == 200
    house.pass_(30)
    assert house.exchange.counters()["registered"] == 0
    settle(house)


PRESS: dict[str, Callable[[OldTelephone, str], None]] = {
    "INFO": lambda telephone, keys: telephone.press(keys),
    "INFO with colons": lambda telephone, keys: telephone.press(keys, separator=": "),
    "telephone-event": lambda telephone, keys: telephone.press_by_event(keys),
}
WAYS = [
    *((model, way) for model in (HT286, BT100) for way in ("INFO", "INFO with colons")),
    *((model, "telephone-event") for model in MODELS),
]


@pytest.mark.parametrize(("model", "way"), WAYS)
def test_a_card_holder_rings_in_keys_in_talks_and_is_billed(house: House, model: Model, way: str) -> None:
    card = house.card("1.00")
    telephone = connected(house, model)
    press = PRESS[way]
    call = telephone.dial("100")
    house.pass_(1)
    assert call.statuses == [407, 200]
    press(telephone, "2")
    house.pass_(3)
    press(telephone, card.number)
    house.pass_(5)
    press(telephone, card.password)
    house.pass_(20)
    press(telephone, LONDON + "#")
    house.pass_(30)
    assert house.carrier.calls[0].talking
    telephone.hang_up()
    house.pass_(1)
    record = house.records()[0]
    assert (record.account, record.cause, record.ended_by) == (card.number, "normal", "caller")
    assert record.cost is not None
    assert house.balance(card) == 1 - record.cost.amount
    settle(house)


OUTGOING = [
    (),
    (Fault.ACK_TO_ANOTHER_URI,),
    (Fault.CREDENTIALS_IN_ACK,),
    (Fault.CONTENT_LENGTH_TOO_LONG,),
    (Fault.SHOUTS_ITS_DIGEST,),
    (Fault.ACK_OF_REFUSAL_IS_LOST,),
    (Fault.ACK_TO_ANOTHER_URI, Fault.CREDENTIALS_IN_ACK, Fault.CONTENT_LENGTH_TOO_LONG, Fault.SHOUTS_ITS_DIGEST),
]


@every_model
@pytest.mark.parametrize("faults", OUTGOING, ids=lambda faults: "+".join(fault.name for fault in faults) or "none")
def test_it_calls_out_on_its_account(house: House, model: Model, faults: tuple[Fault, ...]) -> None:
    """The 200 is acknowledged at once, however the ACK is written: it comes once."""
    card = house.card("1.00")
    telephone = connected(house, model, *faults, card=card)
    call = telephone.dial(LONDON)
    house.pass_(12.5)
    assert call.state is State.TALKING
    assert [text.status for text in telephone.wire.heard if text.method == "INVITE"].count(200) == 1
    telephone.hang_up()
    house.pass_(0.5)
    assert telephone.wire.statuses("BYE") == [200]
    assert (house.records()[0].cause, house.records()[0].ended_by) == ("normal", "caller")
    settle(house)


@every_model
def test_the_far_end_hangs_up(house: House, model: Model) -> None:
    telephone = connected(house, model, card=house.card("1.00"))
    house.carrier.usual = Behaviour(answer_after=1, talk_seconds=5)
    call = telephone.dial(LONDON)
    house.pass_(10)
    assert call.ended_by_far_end
    assert [text.method for text in telephone.wire.requests("BYE")] == ["BYE"]
    settle(house)


@every_model
def test_it_gives_up_while_it_rings(house: House, model: Model) -> None:
    telephone = connected(house, model, card=house.card("1.00"))
    house.carrier.usual = Behaviour(answer_after=None)
    call = telephone.dial(LONDON)
    house.pass_(3)
    telephone.hang_up()
    house.pass_(1)
    assert call.statuses[-1] == 487
    assert call.state is State.OVER
    assert telephone.wire.statuses("CANCEL") == [200]
    assert house.records()[0].cause == "cancelled"
    settle(house)


@every_model
@pytest.mark.parametrize("fault", [None, Fault.ACK_OF_REFUSAL_IS_LOST])
def test_it_is_refused(house: House, model: Model, fault: Fault | None) -> None:
    """Where the ACK never comes, we repeat the refusal for 32 seconds and no longer."""
    telephone = connected(house, model, *([fault] if fault else []), card=house.card("1.00"))
    house.carrier.usual = Behaviour(status=486)
    call = telephone.dial(LONDON)
    house.pass_(3)
    assert call.statuses[-1] == 486
    assert call.state is State.OVER
    settle(house)


@every_model
def test_it_is_called_and_hangs_up(house: House, model: Model) -> None:
    caller = house.telephone("102", "10.0.0.102")
    telephone = connected(house, model)
    talk = caller.call("101")
    house.pass_(3)
    assert talk.talking
    call = telephone.calls[0]
    assert call.state is State.TALKING
    house.pass_(5)
    telephone.hang_up()
    house.pass_(1)
    assert talk.ended_by_far_end
    settle(house)


@every_model
def test_it_is_called_and_the_caller_hangs_up_or_gives_up(house: House, model: Model) -> None:
    caller = house.telephone("102", "10.0.0.102")
    telephone = connected(house, model)
    talk = caller.call("101")
    house.pass_(3)
    talk.hang_up()
    house.pass_(1)
    assert telephone.calls[0].ended_by_far_end
    telephone.answers_after = None
    talk = caller.call("101")
    house.pass_(3)
    talk.cancel()
    house.pass_(1)
    assert telephone.calls[1].ended_by_far_end
    assert talk.final == 487
    settle(house)


@every_model
def test_it_is_talking_and_called_a_second_time(house: House, model: Model) -> None:
    """Each call has a Call-ID of its own: nobody who takes two for one answers the wrong one."""
    callers = [house.telephone(name, f"10.0.0.{name}") for name in ("102", "103")]
    telephone = connected(house, model)
    first = callers[0].call("101")
    house.pass_(3)
    second = callers[1].call("101")
    house.pass_(3)
    assert first.talking
    assert second.final == 486
    assert len({call.call_id for call in telephone.calls}) == 2
    first.hang_up()
    settle(house)


@every_model
def test_it_holds_and_takes_up_again(house: House, model: Model) -> None:
    telephone = connected(house, model, card=house.card("1.00"))
    call = telephone.dial(LONDON)
    house.pass_(5)
    port = house.media.every_port[0]
    telephone.hold()
    house.pass_(1)
    assert "a=recvonly" in call.theirs
    assert port.remote is not None
    assert not port.remote.send
    house.pass_(65)
    telephone.resume()
    house.pass_(1)
    assert "a=sendrecv" in call.theirs
    assert port.remote.send
    versions = [text.body.split("o=- ")[1].split()[1] for text in telephone.wire.heard if text.body]
    assert sorted(set(versions), key=int) == versions
    telephone.hang_up()
    house.pass_(0.5)
    assert house.records()[0].cause == "normal"
    settle(house)


@every_model
def test_it_talks_for_an_hour_with_keep_alives(house: House, model: Model) -> None:
    """Empty datagrams, single bytes, line ends: nothing answers them, nothing counts them."""
    telephone = connected(house, model, card=house.card("15.00"))
    telephone.keep_alive_forever()
    call = telephone.dial("00800123456")
    house.pass_(1800, step=1)
    assert call.state is State.TALKING
    telephone.hang_up()
    house.pass_(1)
    assert house.exchange.layer.counts.malformed == 0
    settle(house)


@every_model
@pytest.mark.parametrize("seed", range(4))
def test_it_gets_through_a_bad_network(database: SynchronousDatabase, model: Model, seed: int) -> None:
    """One datagram in six is lost, one in six comes twice, all of them late: it takes longer, and ends as it should."""
    house = House(database, seed=seed, loss=0.16, duplication=0.16, shortest=0.001, longest=0.3)
    house.telephone("101", "10.0.0.200", house.card("1.00"))
    house.open()
    house.carrier.usual = Behaviour(answer_after=1)
    telephone = model(house, "101", "10.0.0.11")
    telephone.register()
    house.pass_(25)
    assert telephone.registered
    call = telephone.dial(LONDON)
    house.pass_(40)
    assert call.state is State.TALKING
    telephone.hang_up()
    house.pass_(20)
    assert not house.carrier.calls[0].talking
    settle(house, 80)
    assert [record.cause for record in house.records()] == ["normal"]
