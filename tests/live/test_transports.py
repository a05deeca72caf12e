"""Real telephones and carriers over TCP, TLS and IPv6, with sound."""

import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.baresip import Baresip
from tests.live.conftest import FAULT
from tests.live.house import (
    ABSENT,
    CARRIERS_HOST,
    LEVEL_WITHIN,
    TELEPHONES_HOST,
    House,
    Party,
    hear_each_other,
    lived_in,
)
from tests.live.linphone import Linphone
from tests.live.programs import wait_until
from tests.live.scenarios import Calling, answers, called, description, pause, registration, rings, scenario
from tests.live.shop import RunningShop, running_shop
from tests.live.sounds import RATE, amplitude, decibels

pytestmark = pytest.mark.live

BARESIP_HOST = "127.0.0.6"
NUMBER = "318885550"
TALK_SECONDS = 1.5


@pytest.fixture(scope="module")
def shop() -> Iterator[RunningShop]:
    with running_shop(everywhere=True) as shop:
        card = shop.card(1000, "now")
        shop.telephone("201", "secret", card)
        shop.command("device", "add", "203", "--address", "[::1]", "--account", card.number)
        yield shop
        shop.stop()


@pytest.fixture
def house(shop: RunningShop) -> Iterator[House]:
    before = len(shop.log)
    with tempfile.TemporaryDirectory(prefix="story-", dir=shop.folder) as folder, lived_in(shop, Path(folder)) as house:
        yield house
        sys.stdout.write(f"{house}\n")  # pytest shows it where the story failed
    logged = shop.log[before:]
    sys.stdout.write(logged)
    assert not FAULT.search(logged), logged


def carrier(house: House, host: str = CARRIERS_HOST, *, tcp: bool = False) -> Party:
    """Who is reached by the trunk of this story."""
    ear = house.ear(host)
    sipp = house.sipp("carrier", called(rings(), pause(0.2), answers(description(ear.port))), host, tcp=tcp)
    place = f"[{host}]" if ":" in host else host
    uri = f"sip:{place}:{sipp.port}{';transport=tcp' if tcp else ''}"
    house.shop.command("trunk", "add", "story", "--uri", uri, "--match", "31")
    party = Party(sipp, ear)
    party.ready = ("ACK", False)
    return party


def caller(house: House, host: str = TELEPHONES_HOST, *, tcp: bool = False) -> Party:
    """A telephone that calls it, talks for some seconds and hangs up."""
    ear = house.ear(host)
    known = ("203", None) if ":" in host else ("201", "secret")
    calling = Calling(*known, f"00{NUMBER}", description(ear.port))
    steps = (calling.invite(), calling.answered(), pause(2 * TALK_SECONDS), calling.request("BYE"))
    return Party(house.sipp("telephone", scenario("telephone", *steps), host, tcp=tcp), ear)


def registered(shop: RunningShop, name: str) -> bool:
    (device,) = [device for device in shop.answer("device", "list") if device["name"] == name]
    return bool(device["registered"])


def talk(shop: RunningShop, telephone: Party, far: Party) -> None:
    telephone.answered()
    far.answered()
    hear_each_other(telephone.ear, far.ear, TALK_SECONDS)
    telephone.sipp.finish()
    far.sipp.finish()
    (record,) = shop.ended(called_number=NUMBER, session=shop.calls(called_number=NUMBER)[-1]["session"])
    assert (record["cause"], record["ended_by"]) == ("normal", "caller")


def test_sipp_calls_sipp_over_tcp(shop: RunningShop, house: House) -> None:
    far = carrier(house, tcp=True)
    talk(shop, caller(house, tcp=True), far)
    assert far.sipp.find("INVITE")[0].text.count("SIP/2.0/TCP") == 1


def test_sipp_registers_over_tcp(shop: RunningShop, house: House) -> None:
    house.sipp("register", registration("201", "secret", 600), TELEPHONES_HOST, tcp=True).finish()
    assert registered(shop, "201")


def test_a_telephone_of_ipv6_and_a_carrier_of_ipv4(shop: RunningShop, house: House) -> None:
    far = carrier(house)
    talk(shop, caller(house, "::1"), far)


def test_a_telephone_and_a_carrier_of_ipv6(shop: RunningShop, house: House) -> None:
    far = carrier(house, "::1", tcp=True)
    talk(shop, caller(house, "::1"), far)
    assert "c=IN IP6 ::1" in far.sipp.find("INVITE")[0].text


@pytest.mark.parametrize("transport", ["tcp", "tls"])
def test_baresip_registers_calls_and_is_rung(shop: RunningShop, house: House, transport: str) -> None:
    name = f"202{transport}"
    shop.telephone(name, "secret", shop.card(500, "now"))
    folder = shop.folder / f"baresip-{transport}"
    telephone = Baresip(folder, shop, name, "secret", host=BARESIP_HOST, hertz=700, transport=transport)
    try:
        wait_until(lambda: shop.status()["connections"], "a heartbeat that counts the connection")
        far = carrier(house)
        telephone.dial(f"00{NUMBER}")
        far.answered()
        far.ear.say(1100)
        time.sleep(0.3)
        since = time.monotonic()
        time.sleep(TALK_SECONDS)
        telephone.hang_up()
        far.sipp.finish()
        assert abs(far.ear.level(700, since, TALK_SECONDS)) <= LEVEL_WITHIN
        heard = telephone.heard()[-int(TALK_SECONDS * RATE) :]
        assert abs(decibels(amplitude(heard, 1100))) <= LEVEL_WITHIN
        assert decibels(amplitude(heard, 700)) <= ABSENT

        ear = house.ear(TELEPHONES_HOST)
        calling = Calling("201", "secret", name, description(ear.port))
        steps = (calling.invite(), calling.answered(), pause(TALK_SECONDS), calling.request("BYE"))
        ringing = Party(house.sipp("telephone", scenario("telephone", *steps), TELEPHONES_HOST), ear)
        ringing.answered()
        since = time.monotonic() + 0.3
        ringing.ear.say(None)
        ringing.sipp.finish()
        assert abs(ear.level(700, since, 1)) <= LEVEL_WITHIN
    finally:
        telephone.close()


def test_linphone_registers_and_calls_over_tcp(shop: RunningShop, house: House) -> None:
    shop.telephone("204", "secret", shop.card(500, "now"))
    folder = shop.folder / "linphone"
    folder.mkdir()
    telephone = Linphone(folder, shop, "204", "secret", hertz=700)
    try:
        wait_until(lambda: registered(shop, "204"), "the registration of linphone", 20)
        far = carrier(house)
        telephone.dial(f"00{NUMBER}")
        far.answered()
        far.ear.say(1100)
        time.sleep(1)  # until its sound is on its way
        since = time.monotonic()
        time.sleep(TALK_SECONDS)
        telephone.hang_up()
        far.sipp.finish()
        assert abs(far.ear.level(700, since, TALK_SECONDS)) <= LEVEL_WITHIN
        assert far.ear.level(1100, since, TALK_SECONDS) <= ABSENT
        heard = telephone.heard()[-int(TALK_SECONDS * RATE) :]
        assert abs(decibels(amplitude(heard, 1100))) <= LEVEL_WITHIN
        assert decibels(amplitude(heard, 700)) <= ABSENT
    finally:
        telephone.close()
