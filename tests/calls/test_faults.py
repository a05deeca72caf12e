"""What telephones of the trade do wrong (fact sheet, B5 and C), and what we do about it: a story for each fault."""

from datetime import UTC, datetime, timedelta

import pytest

from minitelecom.calls.restarting import reset
from minitelecom.config import Config, Emergency, Sip
from minitelecom.store.synchronous import SynchronousDatabase
from tests.calls.story import LONDON, settle
from tests.calls.test_old_telephones import connected, every_model
from tests.calls.test_profiles import configure
from tests.world.faults import Fault
from tests.world.house import House
from tests.world.old_models import BT100, HT286, HT801, ATA186v2, ATA186v3
from tests.world.old_telephones import OldTelephone, State
from tests.world.party import Behaviour
from tests.world.wire import parameter

Model = type[OldTelephone]
legacy = pytest.mark.parametrize("model", [HT286, BT100, ATA186v2, ATA186v3])
grandstream = pytest.mark.parametrize("model", [HT286, BT100])
ata = pytest.mark.parametrize("model", [ATA186v2, ATA186v3])

LARGEST_BYTES = 1300  # of a datagram: some stacks of 2003 have small buffers, and one crashes
METHODS = {"INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "NOTIFY"}  # what an ATA 186 understands


def spoken_to_plainly(telephone: OldTelephone) -> None:
    """No word that came after its time, no description it cannot read, and no message it cannot hold."""
    for text in telephone.wire.heard:
        assert text.is_response or (text.method in METHODS and "require" not in text)
        assert sum(len(name) + len(value) + 4 for name, value in text.headers) + len(text.body) < LARGEST_BYTES
        if text.method == "INVITE" and not text.is_response:
            assert text.body, "an offer always comes with the INVITE"
        if text.body.startswith("v=0"):
            formats = text.body.partition(" RTP/AVP ")[2].splitlines()[0].split()
            assert set(formats) <= {"0", "8", "101"}, "no G.726 in either order of bits, nothing we do not speak"
            assert not text.is_response or len({"0", "8"}.intersection(formats)) == 1


def talk_there_and_back(house: House, telephone: OldTelephone) -> None:
    """It calls London, holds and takes up again, and hangs up; then it is called, and the other side hangs up."""
    house.carrier.usual = Behaviour(answer_after=1)
    call = telephone.dial(LONDON)
    house.pass_(4)
    assert call.state is State.TALKING
    telephone.hold()
    house.pass_(1)
    assert "a=recvonly" in call.theirs
    telephone.resume()
    house.pass_(1)
    assert "a=sendrecv" in call.theirs
    telephone.hang_up()
    house.pass_(1)
    assert not house.carrier.calls[-1].talking
    caller = house.party("102", "10.0.0.102", password="secret-102")
    talk = caller.call("101")
    house.pass_(3)
    assert talk.talking
    assert telephone.calls[-1].state is State.TALKING
    talk.hang_up()
    house.pass_(1)
    assert telephone.calls[-1].ended_by_far_end
    spoken_to_plainly(telephone)
    house.pass_(50 - house.clock.seconds() % 25, step=0.25)
    settle(house, 15)  # between two of our OPTIONS to telephones behind routers


def shop(house: House, model: Model, *faults: Fault) -> OldTelephone:
    """Telephone 101 with an account, registered; and 102, which may ring it."""
    house.telephone("102", "10.0.0.201")
    return connected(house, model, *faults, card=house.card("5.00"))


WRITING = [
    Fault.SHOUTS_ITS_HEADERS,
    Fault.WRITES_COMPACT_FORMS,
    Fault.PUTS_BLANKS_AROUND_VALUES,
    Fault.FOLDS_ITS_LINES,
    Fault.NO_CONTENT_LENGTH,
    Fault.NO_BRANCH,
    Fault.CONTENT_LENGTH_TOO_LONG,
    Fault.SHOUTS_ITS_DIGEST,
    Fault.COUNTS_NEAR_THE_SIGN,
    Fault.ACK_TO_ANOTHER_URI,
    Fault.CREDENTIALS_IN_ACK,
    Fault.SAYS_ACTION_PROXY,
    Fault.STUMBLES_OVER_NEW_METHODS,
]


@every_model
@pytest.mark.parametrize("fault", WRITING, ids=lambda fault: fault.name)
def test_however_it_writes_it_calls_and_is_called(house: House, model: Model, fault: Fault) -> None:
    telephone = shop(house, model, fault)
    assert telephone.wire.statuses("REGISTER") == [401, 200]
    talk_there_and_back(house, telephone)
    assert house.exchange.layer.counts.malformed == 0
    assert not telephone.stumbled
    assert [record.cause for record in house.records()] == ["normal", "normal"]


@every_model
def test_it_writes_as_badly_as_it_can(house: House, model: Model) -> None:
    faults = {*WRITING} - {Fault.NO_CONTENT_LENGTH, Fault.FOLDS_ITS_LINES}  # what has no length is not too long
    telephone = shop(house, model, *faults)
    talk_there_and_back(house, telephone)
    assert not telephone.stumbled
    assert [record.cause for record in house.records()] == ["normal", "normal"]


@every_model
def test_numbers_of_requests_pass_the_sign(house: House, model: Model) -> None:
    """CSeq has 32 bits and no sign (RFC 3261 8.1.1.5): 2147483647 is followed by 2147483648."""
    telephone = shop(house, model, Fault.COUNTS_NEAR_THE_SIGN)
    house.carrier.usual = Behaviour(answer_after=1)
    telephone.dial(LONDON)
    house.pass_(4)
    telephone.press("123")
    house.pass_(2)
    telephone.hang_up()
    house.pass_(1)
    sequences = [text.sequence for text in telephone.wire.heard if text.is_response and text.method != "REGISTER"]
    assert min(sequences) < 2**31 < max(sequences)
    assert telephone.wire.statuses("INFO") == [200]
    assert telephone.wire.statuses("BYE") == [200]
    settle(house)


@every_model
@pytest.mark.parametrize("fault", [Fault.DATES_ITS_CONTACT, Fault.DATES_ITS_EXPIRY])
def test_it_says_a_date_for_how_long_it_stays(house: House, model: Model, fault: Fault) -> None:
    connected(house, model, fault)
    (binding,) = house.exchange.directory.contacts("101", house.now())
    assert 297 <= (binding.expires - house.now()).total_seconds() <= 300
    house.pass_(300, step=1)
    assert house.exchange.counters()["registered"] == 0
    settle(house)


@every_model
def test_it_begins_with_the_password_of_last_time(house: House, model: Model) -> None:
    """A nonce is good for a while, then stale: it is asked anew, and told that the password was right."""
    telephone = connected(house, model, Fault.SENDS_OLD_CREDENTIALS)
    house.pass_(400, step=1)
    telephone.register()
    house.pass_(1)
    assert telephone.registered
    answers = [text for text in telephone.wire.heard if text.method == "REGISTER"]
    assert [text.status for text in answers] == [401, 200, 401, 200]
    assert parameter(answers[2]["www-authenticate"], "stale") == "true"
    settle(house)


@legacy
def test_qop_is_too_much_for_it(house: House, model: Model) -> None:
    """Nobody offers it any: what it calls itself says enough."""
    telephone = connected(house, model, Fault.STUMBLES_OVER_QOP)
    assert all("qop" not in text["www-authenticate"] for text in telephone.wire.heard)
    settle(house)


def test_qop_is_too_much_for_one_that_nobody_knows(house: House) -> None:
    """An administrator can say so."""
    house.telephone("101", "10.0.0.200")
    house.open()
    telephone = ATA186v2(house, "101", "10.0.0.11", faults=frozenset({Fault.STUMBLES_OVER_QOP}))
    telephone.user_agent = "Adapter of a copyist 1.0"
    telephone.register()
    house.pass_(1)
    assert not telephone.registered
    configure(house, "101", properties={"qop": "none", "algorithms": "md5"})
    telephone.stumbled = False
    telephone.register()
    house.pass_(40)
    assert telephone.registered
    settle(house)


def test_an_adapter_of_today_counts_what_it_shows_of_its_password(house: House) -> None:
    """HT801: qop without quotes, and one nonce for many requests, with a growing count (RFC 7616 3.4)."""
    telephone = connected(house, HT801)
    challenge = next(text["www-authenticate"] for text in telephone.wire.heard if text.status == 401)
    assert parameter(challenge, "qop") == "auth"
    for _ in range(3):
        telephone.register_with(challenge)
        house.pass_(1)
    assert telephone.wire.statuses("REGISTER") == [401, 200]
    settle(house)


@grandstream
def test_it_forgets_its_registration_without_messages(house: House, model: Model) -> None:
    """Who asks whether messages wait is told so; for anything else there is nothing, and it begins anew."""
    telephone = connected(house, model, Fault.FORGETS_WITHOUT_MESSAGES)
    telephone.ask_for("message-summary")
    house.pass_(2)
    assert telephone.wire.statuses("SUBSCRIBE")[-1] == 200
    assert telephone.registered
    (told,) = telephone.wire.requests("NOTIFY")
    assert "Voice-Message: 0/0\r\n" in told.body
    assert "(0/0)" not in told.body
    telephone.ask_for("ua-profile")
    house.pass_(2)
    assert telephone.wire.statuses("SUBSCRIBE")[-1] == 489
    assert telephone.registered
    house.pass_(300, step=1)  # until its subscription has ended, too
    settle(house)


@grandstream
def test_it_dials_before_the_number_is_whole(house: House, model: Model) -> None:
    """
    Early dial: each 484 of the carrier is acknowledged to port 0.  We repeat it for half a minute and no longer, the
    attempts are no failures of anybody, and the whole number is connected meanwhile.
    """
    telephone = shop(house, model, Fault.ACK_OF_REFUSAL_IS_LOST)
    for dialled in (LONDON[:6], LONDON[:8]):
        house.carrier.behaviours[dialled.removeprefix("00")] = Behaviour(ring_after=None, answer_after=0.1, status=484)
    house.carrier.usual = Behaviour(answer_after=1)
    calls = []
    for dialled in (LONDON[:6], LONDON[:8], LONDON):
        calls.append(telephone.dial(dialled))
        house.pass_(1)
    house.pass_(3)
    assert [call.statuses[-1] for call in calls] == [484, 484, 200]
    house.pass_(40)
    assert calls[2].state is State.TALKING
    telephone.hang_up()
    settle(house)
    assert [record.cause for record in house.records()] == ["rejected", "rejected", "normal"]


@every_model
def test_it_rings_for_the_first_and_answers_the_last_of_one_call_id(house: House, model: Model) -> None:
    """Registered at two places that are both its own, it is called by legs that have nothing in common."""
    telephone = shop(house, model, Fault.ANSWERS_THE_LAST_OF_ONE_CALL_ID, Fault.REGISTERS_TWICE)
    assert len(house.exchange.directory.contacts("101", house.now())) == 2
    talk = house.party("102", "10.0.0.102", password="secret-102").call("101")
    house.pass_(4)
    assert talk.talking
    invites = telephone.wire.requests("INVITE")
    assert len({text["call-id"] for text in invites}) == 2
    assert [call.state for call in telephone.calls].count(State.TALKING) == 1
    talk.hang_up()
    settle(house)


def test_the_order_that_the_first_grandstreams_obey() -> None:
    """The vector of the fact sheet, A1.5."""
    order = reset("000000000000", "passwd", datetime.fromtimestamp(12345678, UTC))
    assert order.hex() == "0001000000bc614e0ae4c46d9ab8a7b14d3ef6cefb4f9f88"


@every_model
@pytest.mark.parametrize("faults", [(), (Fault.REFUSES_NOTIFY,)], ids=["none", "wants its password"])
def test_it_fetches_its_configuration_when_it_is_told(house: House, model: Model, faults: tuple[Fault, ...]) -> None:
    """By the event of its kind; where it answers 401 (HT801 without P4428), it is shown its own password."""
    telephone = connected(house, model, *faults)
    house.exchange.restarting.restart("101", telephone.mac)
    house.pass_(1)
    assert telephone.fetches == 1
    orders = telephone.wire.requests("NOTIFY")
    assert len(orders) == (2 if faults else 1)
    assert {order["event"] for order in orders} == {telephone.restart_event}
    if telephone.restart_event == "sys-control":
        order = reset(telephone.mac, "secret-101", house.now() - timedelta(seconds=1))
        assert any(data.endswith(b"\r\n\r\n" + order) for data in house.network.carried)
    settle(house)


EXTERNAL = "198.51.100.1"
PUBLIC = "203.0.113.7"


@pytest.fixture
def office(database: SynchronousDatabase) -> House:
    """A shop behind a router, with a telephone behind another one; 102 may ring it."""
    office = House(database, config=Config(sip=Sip(external=EXTERNAL), emergency=Emergency(trunk="carrier")))
    office.telephone("101", "10.0.0.200", office.card("5.00"))
    office.telephone("102", "10.0.0.201")
    office.open()
    return office


def far(office: House, model: Model, *faults: Fault) -> OldTelephone:
    telephone = model(office, "101", "192.168.1.5", behind=(PUBLIC, 40001), faults=frozenset(faults))
    telephone.register()
    office.pass_(1)
    assert telephone.registered
    return telephone


@every_model
def test_it_acknowledges_to_where_we_say_we_are(office: House, model: Model) -> None:
    """
    What it sends within a call goes to our Contact, so nothing it hears from us names a place on our side of the router;
    and nothing of ours goes to the places that it names.
    """
    telephone = far(office, model)
    talk_there_and_back(office, telephone)
    for text in telephone.wire.heard:
        ours = [value for name, value in text.headers if name in ("contact", "record-route")]
        assert "10.0.0.1" not in " ".join([*ours, text.body])
        assert not text.is_response or text["contact"] == "" or EXTERNAL in text["contact"] or text.method == "REGISTER"


@ata
def test_an_ata_does_not_learn_of_its_router(office: House, model: Model) -> None:
    """With ConnectMode bit 22 it would give up its call at the first `received`, and call anew."""
    office.carrier.usual = Behaviour(ring_after=0.8, answer_after=2)
    telephone = far(office, model, Fault.MINDS_RECEIVED)
    talk_there_and_back(office, telephone)
    assert telephone.wire.statuses("CANCEL") == []
    assert all(parameter(text["via"], "received") is None for text in telephone.wire.heard if text.is_response)


@grandstream
def test_another_one_that_minds_received_calls_anew_and_is_connected(office: House, model: Model) -> None:
    """Where it is told all the same, its CANCEL and its second INVITE find their way; or it is told no more."""
    office.carrier.usual = Behaviour(ring_after=0.8, answer_after=2)
    telephone = far(office, model, Fault.MINDS_RECEIVED)
    call = telephone.dial(LONDON)
    office.pass_(8)
    assert call.state is State.TALKING
    assert telephone.wire.statuses("CANCEL") == [200]
    telephone.hang_up()
    office.pass_(1)
    configure(office, "101", properties={"received": "withheld"})
    telephone.wire.heard.clear()
    telephone.host, telephone.faults = "192.168.1.5", frozenset({Fault.MINDS_RECEIVED})
    call = telephone.dial(LONDON)
    office.pass_(8)
    assert call.state is State.TALKING
    assert telephone.wire.statuses("CANCEL") == []
    telephone.hang_up()
    office.pass_(50 - office.clock.seconds() % 25, step=0.25)
    settle(office, 15)


@grandstream
@pytest.mark.parametrize("flash", ["hf", "flash", "16"])
def test_a_flash_of_the_hook_is_no_key(house: House, model: Model, flash: str) -> None:
    """Local to the telephone; told by INFO, it is heard and changes nothing."""
    telephone = connected(house, model)
    telephone.dial("100")
    house.pass_(1)
    telephone.tell(f"Signal={flash}\nDuration=160\n")
    house.pass_(1)
    assert telephone.wire.statuses("INFO") == [200]
    assert telephone.calls[0].state is State.TALKING
    assert "enter-number" not in " ".join(house.heard())
    telephone.hang_up()
    settle(house)
