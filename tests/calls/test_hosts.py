"""Carriers known by name: found, remembered, recognised; and no call waits long for a name server."""

from minitelecom.sip.hop import Hop
from minitelecom.sip.uri import Uri
from minitelecom.store.synchronous import run
from tests.calls.scene import DESCRIPTION, WrittenCaller
from tests.calls.story import LONDON, settle, subscriber
from tests.world.house import EXCHANGE, House
from tests.world.party import Behaviour

SBC = "10.0.0.90"


def named(house: House) -> None:
    house.names["sbc.example.net"] = SBC
    house.trunk("named", "sip:sbc.example.net", match="4420", priority=-1)


def test_a_call_goes_to_where_the_name_leads(house: House) -> None:
    named(house)
    sbc = house.party("sbc", SBC)
    _, telephone = subscriber(house, "15.00")
    talk = telephone.call(LONDON)
    house.pass_(2)
    assert sbc.calls[0].talking
    talk.hang_up()
    settle(house)


def test_a_carrier_is_recognised_by_where_its_name_leads(house: House) -> None:
    """It delivers a caller before we ever called it."""
    named(house)
    house.open()
    sbc = WrittenCaller(house.network, EXCHANGE, SBC)
    sbc.ask(body=DESCRIPTION)
    house.pass_(0.1)
    assert sbc.statuses() == [200]
    sbc.ask("ACK")
    sbc.ask("BYE", sequence=2)
    settle(house)


def test_a_carrier_that_is_found_late_is_a_stranger_no_more(house: House) -> None:
    """Its name server was away when we began: from the moment when it tells, the carrier's messages are not counted."""
    named(house)
    house.name_server = False
    house.open()
    house.pass_(15)
    house.name_server = True
    run(house.exchange.switch.hosts.locate(Uri.parse("sip:sbc.example.net")))
    source = Hop("udp", SBC, 5060)
    assert all(house.exchange.defence.admits(b"SIP/2.0 200 OK\r\n\r\n", source) for _ in range(1000))


def test_a_name_server_that_is_away_is_not_needed_twice(house: House) -> None:
    """Where the carrier was an hour ago it probably still is."""
    named(house)
    sbc = house.party("sbc", SBC)
    sbc.usual = Behaviour(answer_after=0.1, talk_seconds=5)
    _, telephone = subscriber(house, "15.00")
    house.pass_(3600)
    house.name_server = False
    for _ in range(2):
        telephone.call(LONDON)
        house.pass_(4)
    assert len(sbc.calls) == 2
    assert len(house.asked_names) == 2
    settle(house)


def test_a_name_that_nobody_knows_delays_the_next_carrier_once(house: House) -> None:
    house.trunk("lost", "sip:lost.example.net", match="4420", priority=-1)
    house.trunk("lost-too", "sip:lost.example.org", match="4420", priority=-1)
    telephone = house.telephone("101", "10.0.0.11", house.card("15.00"))
    house.name_server = False
    house.open()
    house.carrier.usual = Behaviour(answer_after=0.1, talk_seconds=1)
    telephone.call(LONDON)
    house.pass_(2.5)
    assert house.carrier.calls[0].talking
    telephone.call(LONDON)
    house.pass_(0.5)
    assert len(house.carrier.calls) == 2
    settle(house)


def test_help_does_not_wait_for_a_name_server(house: House) -> None:
    for name in ("one", "two", "three"):
        house.trunk(name, f"sip:{name}.example.net", priority=-1)
    stranger = house.party("new", "10.0.0.77")
    house.name_server = False
    house.open()
    talk = stranger.call("112")
    house.pass_(2.5)
    assert house.carrier.calls[0].request is not None
    house.pass_(2)
    assert talk.talking
    talk.hang_up()
    settle(house)
