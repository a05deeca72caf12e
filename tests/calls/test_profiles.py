"""What is learned from what a telephone calls itself, and what comes of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from minitelecom.calls.profiles import PROFILES, PROPERTIES, learned, profile_of, words_of
from minitelecom.sip.digest import Challenge
from minitelecom.store import devices
from minitelecom.store.devices import Settings
from minitelecom.store.synchronous import run
from tests.calls.story import settle
from tests.world.house import EXCHANGE, House
from tests.world.old_models import ATA186v2
from tests.world.wire import Wire, parameter


@pytest.mark.parametrize(
    ("user_agent", "profile"),
    [
        ("Grandstream HT286 1.0.8.32", "grandstream-legacy"),
        ("Grandstream HT487 1.0.5.18", "grandstream-legacy"),
        ("Grandstream BT100 1.0.5.11", "grandstream-legacy"),
        ("Grandstream 1.0.4.39", "grandstream-legacy"),
        ("Grandstream SIP UA 1.0.4.23", "grandstream-legacy"),
        ("Grandstream HT801 1.0.49.2 000b82123456", "grandstream"),
        ("Grandstream Model HW HT801 V1.1A SW 1.0.17.5 DevId c074ad273a10", "grandstream"),
        ("Cisco ATA v2.10 ata186 (0705a)", "cisco-ata"),
        ("Cisco ATA 186  v3.1.0 atasip (040211A)", "cisco-ata"),
        ("Cisco ATA182 v.1.44", "cisco-ata"),
        ("Cisco-CP7905/1.01-030429A", "cisco-ata"),
        ("Cisco-CP7960G/8.0", "cisco-phone"),
        ("Linksys/PAP2T-3.1.15(LS)", "sipura"),
        ("Cisco/SPA112-1.4.1(002)", "sipura"),
        ("baresip v1.0.0 (x86_64/linux)", "standard"),
        ("baresip v3.5.0 (x86_64/Linux)", "modern"),
        ("LinphoneDesktop/5.2.4 (debian) LinphoneSDK/5.3.47", "modern"),
        ("SIPp", "standard"),
        ("", "standard"),
    ],
)
def test_a_telephone_is_known_by_what_it_calls_itself(user_agent: str, profile: str) -> None:
    assert learned(user_agent).name == profile


settings = some.fixed_dictionaries(
    {}, optional={key: some.sampled_from([*values]) for key, values in PROPERTIES.items()}
)


@given(some.sampled_from([*PROFILES]), settings)
def test_what_is_said_holds_and_the_rest_is_the_profiles(name: str, told: dict[str, str]) -> None:
    words = words_of(profile_of("whoever", name, told))
    assert words == {**words_of(PROFILES[name]), **told}


@given(some.text(), some.dictionaries(some.text(), some.text()))
def test_what_nobody_understands_changes_nothing(user_agent: str, told: dict[str, str]) -> None:
    unknown = {key: word for key, word in told.items() if word not in PROPERTIES.get(key, ())}
    assert profile_of(user_agent, "of tomorrow", unknown) == learned(user_agent)


def configure(house: House, name: str, **told: object) -> None:
    """As `device set` does it; the telephones are read anew."""
    device = run(devices.find(house.database, house.secrets, name))
    assert device is not None
    run(devices.configure(house.database, device, Settings(**told), "story", house.now()))  # type: ignore[arg-type]
    run(house.exchange.read("devices"))


def asked(house: House, agent: str, method: str = "REGISTER") -> tuple[int, Challenge]:
    """How somebody of this kind is asked for his password."""
    wire = Wire(house.network, EXCHANGE, "10.0.0.60")
    wire.send(
        f"{method} sip:101@10.0.0.1 SIP/2.0\nVia: SIP/2.0/UDP 10.0.0.60:5060;branch=z9hG4bK{house.random.random()}\n"
        f"From: <sip:101@10.0.0.1>;tag=1\nTo: <sip:101@10.0.0.1>\nCall-ID: {house.random.random()}\n"
        f"CSeq: 1 {method}\nContact: <sip:101@10.0.0.60>\nUser-Agent: {agent}\n\n"
    )
    house.pass_(0.1)
    (answer,) = wire.heard
    return answer.status, Challenge.parse(answer["www-authenticate"] or answer["proxy-authenticate"])


def test_old_telephones_are_asked_for_no_more_than_they_know(house: House) -> None:
    house.telephone("101", "10.0.0.11")
    house.open()
    for agent, qop in [
        ("Cisco ATA v2.12 ata186 (0928a)", None),
        ("Grandstream BT100 1.0.5.11", None),
        ("Zoiper", "auth"),
    ]:
        status, challenge = asked(house, agent)
        assert (status, challenge.qop) == (401, qop)
        assert asked(house, agent, "INVITE")[0] == 407
    settle(house)


def test_a_telephone_is_asked_as_somebody_said(house: House) -> None:
    house.telephone("101", "10.0.0.11")
    house.open()
    configure(house, "101", profile="cisco-ata", properties={"challenge": "407"})
    status, challenge = asked(house, "whatever")
    assert (status, challenge.qop) == (407, None)
    configure(house, "101")
    assert asked(house, "whatever")[0] == 401
    settle(house)


def test_an_ata_that_is_asked_by_407_registers_as_well(house: House) -> None:
    house.telephone("101", "10.0.0.11")
    house.open()
    configure(house, "101", properties={"challenge": "407"})
    telephone = ATA186v2(house, "101", "10.0.0.12")
    telephone.register()
    house.pass_(1)
    assert telephone.wire.statuses("REGISTER") == [407, 200]
    assert telephone.registered
    settle(house)


OPTIONS = (
    "OPTIONS sip:10.0.0.1 SIP/2.0\nVia: SIP/2.0/UDP {via};branch=z9hG4bK1\nFrom: <sip:101@10.0.0.1>;tag=1\n"
    "To: <sip:10.0.0.1>\nCall-ID: 1\nCSeq: 1 OPTIONS\nUser-Agent: {agent}\n\n"
)


@pytest.mark.parametrize(
    ("told", "received", "rport"),
    [
        ({}, "10.0.0.60", None),
        ({"received": "withheld"}, None, None),
        ({"received": "forced"}, "10.0.0.60", "40001"),
    ],
)
def test_what_a_via_shows_of_a_sender_behind_a_router(
    house: House, told: dict[str, str], received: str | None, rport: str | None
) -> None:
    """It asked for nothing, and is answered where it was heard."""
    house.telephone("101", "10.0.0.11")
    house.open()
    configure(house, "101", properties=told)
    router = Wire(house.network, EXCHANGE, "10.0.0.60", 40001)
    router.send(OPTIONS.format(via="192.168.1.5", agent="x"))
    house.pass_(0.1)
    via = router.heard[0]["via"]
    assert (parameter(via, "received"), parameter(via, "rport")) == (received, rport)
    settle(house)


def test_a_telephone_that_listens_elsewhere_than_it_sends_from(house: House) -> None:
    """A Cisco 7960 is answered at the port of its Via, and called where its Contact says."""
    house.telephone("101", "10.0.0.11")
    house.open()
    ear, mouth = Wire(house.network, EXCHANGE, "10.0.0.60"), Wire(house.network, EXCHANGE, "10.0.0.60", 50123)
    mouth.send(OPTIONS.format(via="10.0.0.60:5060", agent="Cisco-CP7960G/8.0"))
    house.pass_(0.1)
    assert (len(ear.heard), len(mouth.heard)) == (1, 0)
    settle(house)
