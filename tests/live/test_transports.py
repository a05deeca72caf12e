"""Real telephones and carriers over TCP, TLS and IPv6, with sound."""

from collections.abc import Iterator

import pytest

from tests.live.baresip import Baresip
from tests.live.house import (
    CARRIERS_HOST,
    TELEPHONES_HOST,
    House,
    Party,
    hear_each_other,
)
from tests.live.linphone import Linphone
from tests.live.programs import wait_until
from tests.live.scenarios import Calling, answers, called, description, pause, registration, rings, scenario
from tests.live.shop import RunningShop, running_shop

pytestmark = pytest.mark.live

BARESIP_HOST = "127.0.0.6"
NUMBER = "318885550"
TALK_SECONDS = 1.5


@pytest.fixture(scope="module")
def shop() -> Iterator[RunningShop]:
    with running_shop(everywhere=True) as shop:
        card = shop.card(1000, "now")
        shop.telephone("201", "secret", card)
        yield shop
        shop.stop()


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
    """A telephone that calls it."""
    ear = house.ear(host)
    calling = Calling("201", "secret", f"00{NUMBER}", description(ear.port))
    steps = (calling.invite(), calling.answered(), calling.talk())
    return Party(house.sipp("telephone", scenario("telephone", *steps), host, tcp=tcp), ear)


def registered(shop: RunningShop, name: str) -> bool:
    (device,) = [device for device in shop.answer("device", "list") if device["name"] == name]
    return bool(device["registered"])


def check_talk(shop: RunningShop, telephone: Party, far: Party) -> None:
    telephone.answered()
    far.answered()
    hear_each_other(telephone.ear, far.ear, TALK_SECONDS)
    far.sipp.go_on()
    far.sipp.finish()
    telephone.sipp.finish()
    (record,) = shop.ended(called_number=NUMBER, session=shop.calls(called_number=NUMBER)[-1]["session"])
    assert (record["cause"], record["ended_by"]) == ("normal", "callee")


def test_sipp_calls_sipp_over_tcp(shop: RunningShop, house: House) -> None:
    far = carrier(house, tcp=True)
    check_talk(shop, caller(house, tcp=True), far)
    assert far.sipp.find("INVITE")[0].text.count("SIP/2.0/TCP") == 1


def test_sipp_registers_over_tcp(shop: RunningShop, house: House) -> None:
    house.sipp("register", registration("201", "secret", 600), TELEPHONES_HOST, tcp=True).finish()
    assert registered(shop, "201")


def test_a_telephone_of_ipv6_and_a_carrier_of_ipv4(shop: RunningShop, house: House) -> None:
    far = carrier(house)
    telephone = caller(house, "::1")
    check_talk(shop, telephone, far)
    assert "c=IN IP4 127.0.0.1" in far.sipp.find("INVITE")[0].text
    assert "c=IN IP6 ::1" in telephone.sipp.find("SIP/2.0 200", method="INVITE")[0].text


def test_a_telephone_and_a_carrier_of_ipv6(shop: RunningShop, house: House) -> None:
    far = carrier(house, "::1", tcp=True)
    check_talk(shop, caller(house, "::1"), far)
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
        far.ear.hears(700, 1100)
        telephone.hears(1100)
        telephone.hang_up()
        far.sipp.finish()

        ringing = house.telephone(name, "201", "secret", Calling.answered, Calling.talk)
        ringing.answered()
        ringing.ear.hears(700, 1100)
        ringing.sipp.go_on()
        ringing.sipp.finish()
    finally:
        telephone.close()


def test_linphone_registers_and_calls_over_tcp(shop: RunningShop, house: House) -> None:
    shop.telephone("204", "secret", shop.card(500, "now"))
    folder = shop.folder / "linphone"
    folder.mkdir()
    telephone = Linphone(folder, shop, "204", "secret", hertz=700)
    try:
        wait_until(lambda: registered(shop, "204"), "the registration of linphone")
        far = carrier(house)
        telephone.dial(f"00{NUMBER}")
        far.answered()
        far.ear.say(1100)
        far.ear.hears(700, 1100)
        telephone.hears(1100)
        telephone.hang_up()
        far.sipp.finish()
    finally:
        telephone.close()
