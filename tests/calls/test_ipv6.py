"""Telephones and carriers that speak IPv6, with others that don't (RFC 5118: how the addresses are written)."""

from dataclasses import replace

import pytest

from minitelecom.config import Access, Config, Emergency, Sip
from minitelecom.config_values import Endpoint
from minitelecom.sip.locating import Kind, Question
from minitelecom.store.synchronous import SynchronousDatabase
from tests.calls.story import LONDON, settle, subscriber
from tests.world.house import House
from tests.world.party import Behaviour

TELEPHONE, CARRIER_IPV6 = "2001:db8::11", "2001:db8::99"


@pytest.fixture
def house(database: SynchronousDatabase) -> House:
    """A house on both networks; the external address is of the old one."""
    listen = (Endpoint("udp", "0.0.0.0", 5060), Endpoint("udp", "::", 5060), Endpoint("tcp", "0.0.0.0", 5060))
    config = Config(
        sip=replace(Sip(), listen=listen, external="198.51.100.1"),
        access={"35921234567": Access(language="en")},
        emergency=Emergency(numbers=("112",), trunk="carrier"),
    )
    return House(database, config=config)


def test_a_telephone_of_ipv6_calls_a_carrier_of_ipv4(house: House) -> None:
    telephone = house.telephone("101", TELEPHONE, house.card("15.00"))
    house.open()
    house.carrier.usual = Behaviour(answer_after=1)
    registering = telephone.register()
    house.pass_(1)
    assert registering.statuses == [401, 200]
    assert f"[{TELEPHONE}]:5060" in (registering.response.get("Contact") if registering.response else "")
    talk = telephone.call(LONDON)
    house.pass_(3)
    assert talk.talking
    assert talk.dialog is not None
    assert talk.dialog.remote_target.hostport == "[2001:db8::1]:5060"
    assert talk.response is not None
    assert b"c=IN IP6 2001:db8::1\r\n" in talk.response.body
    there = house.carrier.calls[0].request
    assert there is not None
    assert b"c=IN IP4 10.0.0.1\r\n" in there.body
    remotes = {port.remote.host for port in house.media.open_ports if port.remote}
    assert remotes == {TELEPHONE, "10.0.0.99"}
    assert sorted(port.ipv6 for port in house.media.open_ports) == [False, True]
    house.carrier.calls[0].hang_up()
    house.pass_(1)
    assert not talk.talking
    settle(house)


def test_a_telephone_of_ipv6_is_rung(house: House) -> None:
    called = house.telephone("101", TELEPHONE)
    caller = house.telephone("102", "10.0.0.12")
    house.open()
    called.register()
    house.pass_(1)
    called.usual = Behaviour(answer_after=1)
    talk = caller.call("101")
    house.pass_(3)
    assert talk.talking
    invite = called.calls[0].request
    assert invite is not None
    assert (invite.via.host, invite.contacts[0].uri.host) == ("[2001:db8::1]", "[2001:db8::1]")
    assert invite.raw_uri == f"sip:101@[{TELEPHONE}]:5060"
    talk.hang_up()
    house.pass_(1)
    assert called.calls[0].ended_by_far_end
    settle(house)


@pytest.mark.parametrize("uri", [f"sip:[{CARRIER_IPV6}]", f"sip:[{CARRIER_IPV6}]:5060", "sip:carrier.example"])
def test_a_carrier_of_ipv6(house: House, uri: str) -> None:
    house.zone[Question(Kind.AAAA, "carrier.example")] = [CARRIER_IPV6]
    house.trunk("new", uri, match="4420", priority=-1)
    carrier = house.party("new", CARRIER_IPV6)
    carrier.usual = Behaviour(answer_after=0.5)
    _, telephone = subscriber(house, "15.00")
    house.pass_(1)
    talk = telephone.call(LONDON)
    house.pass_(2)
    assert talk.talking
    assert carrier.calls[0].request is not None
    assert carrier.calls[0].request.raw_uri == f"sip:442071234567@{uri.removeprefix('sip:')}"
    delivered = carrier.call("35921234567")
    house.pass_(1)
    assert delivered.talking, "it is known by its address, and asked for no password"
    for call in (talk, delivered):
        call.hang_up()
    settle(house)


@pytest.mark.parametrize("address", [f"[{TELEPHONE}]", f"[{TELEPHONE}]:5060"])
def test_a_gateway_of_ipv6_is_known_and_rung_by_its_address(house: House, address: str) -> None:
    house.gateway("gateway", address, house.card("15.00"))
    gateway, caller = house.party("gateway", TELEPHONE), house.telephone("102", "10.0.0.12")
    house.open()
    gateway.usual = Behaviour(answer_after=0.5)
    talk, ringing = gateway.call(LONDON), caller.call("gateway")
    house.pass_(3)
    assert talk.statuses[0] != 407
    assert talk.talking
    assert ringing.talking
    for call in (talk, ringing):
        call.hang_up()
    settle(house)
