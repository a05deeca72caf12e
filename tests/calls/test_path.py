"""Telephones behind a proxy that adds a Path (RFC 3327), and telephones that come again from elsewhere (RFC 5626)."""

import pytest

from minitelecom.sip.hop import Hop
from minitelecom.store.synchronous import run
from tests.calls.story import LONDON, settle
from tests.calls.test_profiles import configure
from tests.calls.test_telephones import registered
from tests.world.house import EXCHANGE, House
from tests.world.old_models import HT801
from tests.world.party import Behaviour, Party
from tests.world.proxy import Proxy

PROXY = Hop("udp", "10.0.0.80", 5060)


@pytest.fixture
def proxy(house: House) -> Proxy:
    house.open()
    return Proxy(house.network, EXCHANGE, PROXY.host)


def behind(house: House, name: str, host: str, **account: object) -> Party:
    """A telephone whose world ends at the proxy."""
    house.telephone(name, "10.0.0.200", **account)  # type: ignore[arg-type]
    run(house.exchange.read("devices"))
    telephone = Party(house.clock, house.random, house.network, PROXY, name, host, 5060, f"secret-{name}")
    return registered(house, telephone)


def test_a_telephone_is_called_by_the_way_its_registration_came(house: House, proxy: Proxy) -> None:
    telephone = behind(house, "101", "10.0.0.11")
    caller = house.telephone("102", "10.0.0.12")
    run(house.exchange.read("devices"))
    (binding,) = house.exchange.directory.contacts("101", house.now())
    assert binding.path == ("<sip:10.0.0.80:5060;lr;received=sip:10.0.0.11:5060>",)
    talk = caller.call("101")
    house.pass_(3)
    assert talk.talking
    invite = proxy.wire.requests("INVITE")[0]
    assert invite.all("route") == list(binding.path)
    assert invite.source == EXCHANGE
    talk.hang_up()
    house.pass_(1)
    assert telephone.calls[0].ended_by_far_end
    assert proxy.wire.requests("BYE")[0].all("route") == ["<sip:10.0.0.80:5060;lr>"]
    settle(house)


def test_a_proxy_that_does_not_record_itself_is_passed_once(house: House, proxy: Proxy) -> None:
    """The INVITE goes by the Path; what follows goes to the Contact, as RFC 3261 12.2.1.1 has it."""
    proxy.records = False
    telephone = behind(house, "101", "10.0.0.11")
    caller = house.telephone("102", "10.0.0.12")
    run(house.exchange.read("devices"))
    talk = caller.call("101")
    house.pass_(3)
    assert talk.talking
    talk.hang_up()
    house.pass_(1)
    assert telephone.calls[0].ended_by_far_end
    assert [text.method for text in proxy.wire.heard if text.method in ("ACK", "BYE")] == []
    settle(house)


def test_many_telephones_come_from_one_address_and_are_told_apart_by_name(house: House, proxy: Proxy) -> None:
    """They call each other and the world, and each pays for itself."""
    house.carrier.usual = Behaviour(answer_after=1)
    cards = [house.card("1.00"), house.card("1.00")]
    first, second = (
        behind(house, name, f"10.0.0.{name}", account=card) for name, card in zip(("101", "102"), cards, strict=True)
    )
    inside, outside = first.call("102"), second.call(LONDON)
    house.pass_(4)
    assert inside.talking
    assert outside.talking
    for talk in (inside, outside):
        talk.hang_up()
    house.pass_(1)
    assert {(record.device, record.account) for record in house.records()} == {("101", None), ("102", cards[1].number)}
    settle(house)


def test_a_proxy_keeps_its_own_ways_open(house: House, proxy: Proxy) -> None:
    behind(house, "101", "10.0.0.11")
    house.pass_(60, step=0.5)
    assert proxy.wire.requests("OPTIONS") == []
    settle(house)


def test_a_registration_is_found_again_after_a_restart(house: House, proxy: Proxy) -> None:
    behind(house, "101", "10.0.0.11")
    before = house.exchange.directory.contacts("101", house.now())
    run(house.exchange.directory.read_bindings())
    assert house.exchange.directory.contacts("101", house.now()) == before
    assert before[0].path
    settle(house)


def test_a_telephone_that_comes_again_from_elsewhere_has_left_the_first_place(house: House) -> None:
    """Its router was changed; an HT801 says which telephone it is, and is called once."""
    house.telephone("101", "10.0.0.200")
    caller = house.telephone("102", "10.0.0.12")
    house.open()
    for host in ("10.0.0.11", "10.0.0.21"):
        telephone = HT801(house, "101", host)
        telephone.register()
        house.pass_(1)
    (binding,) = house.exchange.directory.contacts("101", house.now())
    assert (binding.contact, binding.reg_id) == ("sip:101@10.0.0.21:5060", 1)
    assert "urn:uuid" in binding.instance
    talk = caller.call("101")
    house.pass_(3)
    assert len(telephone.calls) == 1
    talk.hang_up()
    settle(house)


def preferring(house: House, *places: tuple[str, str]) -> list[Party]:
    """Telephone 101 at several places, each with its preference; whoever is rung answers after nine seconds."""
    house.telephone("101", "10.0.0.200")
    found = []
    for host, q in places:
        party = house.party("101", host, password="secret-101")
        party.contact = lambda host=host, q=q: [("Contact", f"<sip:101@{host}:5060>;q={q}")]  # type: ignore[method-assign]
        found.append(party)
    return found


def test_the_preferred_place_rings_first_and_then_the_next(house: House) -> None:
    desk, shelf, cellar = preferring(house, ("10.0.0.21", "1"), ("10.0.0.22", "0.5"), ("10.0.0.23", "0.5"))
    caller = house.telephone("102", "10.0.0.12")
    house.open()
    for party in (shelf, desk, cellar):
        registered(house, party).usual = Behaviour(answer_after=None)
    shelf.usual = Behaviour(answer_after=9)
    talk = caller.call("101")
    house.pass_(19)
    assert [len(party.calls) for party in (desk, shelf, cellar)] == [1, 0, 0]
    house.pass_(5)
    assert desk.calls[0].ended_at is not None
    assert [len(party.calls) for party in (shelf, cellar)] == [1, 1]
    house.pass_(6)
    assert talk.talking
    assert shelf.calls[0].talking
    talk.hang_up()
    settle(house)
    assert [record.cause for record in house.records()] == ["normal"]


@pytest.mark.parametrize(("status", "next_rings"), [(486, True), (480, True), (603, False)])
def test_busy_here_is_not_busy_everywhere(house: House, status: int, next_rings: bool) -> None:
    """RFC 3261 16.7: only a 6xx speaks for the person."""
    desk, shelf = preferring(house, ("10.0.0.21", "1"), ("10.0.0.22", "0.5"))
    caller = house.telephone("102", "10.0.0.12")
    house.open()
    for party in (desk, shelf):
        registered(house, party)
    desk.usual = Behaviour(status=status)
    talk = caller.call("101")
    house.pass_(5)
    assert talk.talking is next_rings
    assert talk.final == (200 if next_rings else 603)
    if next_rings:
        talk.hang_up()
    settle(house)


@pytest.mark.parametrize(
    ("first", "second", "final"),
    [(486, 404, 404), (404, 503, 404), (503, 486, 486), (484, 486, 484), (503, 500, 500), (401, 480, 480)],
)
def test_of_several_refusals_the_caller_hears_the_best(house: House, first: int, second: int, final: int) -> None:
    """RFC 3261 16.7.6: the lowest class, and what helps him to dial better; what was meant for us, he does not hear."""
    places = preferring(house, ("10.0.0.21", "1"), ("10.0.0.22", "1"))
    caller = house.telephone("102", "10.0.0.12")
    house.open()
    for party, status, seconds in zip(places, (first, second), (1.0, 2.0), strict=True):
        registered(house, party).usual = Behaviour(answer_after=seconds, status=status)
    talk = caller.call("101")
    house.pass_(5)
    assert talk.final == final
    settle(house)


def test_a_refusal_for_everybody_stops_the_others_at_once(house: House) -> None:
    """RFC 3261 16.7.5."""
    places = preferring(house, ("10.0.0.21", "1"), ("10.0.0.22", "1"))
    caller = house.telephone("102", "10.0.0.12")
    house.open()
    for party in places:
        registered(house, party).usual = Behaviour(answer_after=None)
    places[0].usual = Behaviour(answer_after=2, status=603)
    talk = caller.call("101")
    house.pass_(3)
    assert talk.final == 603
    assert places[1].calls[0].ended_at is not None
    settle(house)
    assert [(record.cause, record.sip_status) for record in house.records()] == [("rejected", 603)]


@pytest.mark.parametrize(("ring", "rung"), [("together", [1, 1]), ("latest", [1, 0])])
def test_how_a_telephone_rings_is_settled_by_its_administrator(house: House, ring: str, rung: list[int]) -> None:
    desk, shelf = preferring(house, ("10.0.0.21", "0.5"), ("10.0.0.22", "1"))
    caller = house.telephone("102", "10.0.0.12")
    house.open()
    configure(house, "101", ring=ring)
    for party in (shelf, desk):
        registered(house, party).usual = Behaviour(answer_after=None)
        house.pass_(10)
    talk = caller.call("101")
    house.pass_(3)
    assert [len(party.calls) for party in (desk, shelf)] == rung
    talk.cancel()
    settle(house)


def test_a_telephone_may_be_told_to_have_one_place(house: House) -> None:
    desk, shelf = preferring(house, ("10.0.0.21", "1"), ("10.0.0.22", "1"))
    house.open()
    configure(house, "101", most_contacts=1)
    for party in (desk, shelf):
        registered(house, party)
    assert [one.contact for one in house.exchange.directory.contacts("101", house.now())] == ["sip:101@10.0.0.22:5060"]
    settle(house)
