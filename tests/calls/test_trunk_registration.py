"""A carrier that wants to be registered at: we register, refresh, answer its challenge, and take its calls."""

from datetime import datetime
from itertools import pairwise

from minitelecom.config import Access, Config, Emergency
from minitelecom.sip.hop import Hop
from minitelecom.sip.message import Request
from minitelecom.sip.transaction_layer import ServerTransaction
from minitelecom.store.synchronous import SynchronousDatabase, run
from tests.calls.story import settle
from tests.world.house import House
from tests.world.party import Party


class Registrar(Party):
    """A carrier that challenges each REGISTER once and grants a hundred seconds."""

    def request_received(self, transaction: ServerTransaction, request: Request, source: Hop) -> None:
        if request.method != "REGISTER":
            super().request_received(transaction, request, source)
            return
        if request.get("Authorization") is None:
            challenge = ("WWW-Authenticate", 'Digest realm="carrier", nonce="abc"')
            transaction.respond(request.response(401, headers=(challenge,)))
            return
        self.registered.append((self.clock.seconds(), request))
        contact = f"{request.get('Contact')};expires=100"
        transaction.respond(request.response(200, headers=(("Contact", contact),)))

    @property
    def registered(self) -> list[tuple[float, Request]]:
        return self.__dict__.setdefault("_registered", [])


def test_we_register_and_refresh_before_the_time_is_over(database: SynchronousDatabase) -> None:
    house = House(database)
    carrier = Registrar(house.clock, house.random, house.network, house.carrier.exchange, "far", "10.0.0.90")
    house.trunk("far", "sip:10.0.0.90", register=True, username="shop", password="secret")
    house.open()
    house.pass_(200)
    times = [at for at, _ in carrier.registered]
    assert [round(later - earlier) for earlier, later in pairwise(times)] == [60, 60, 60]
    assert {request.call_id for _, request in carrier.registered} == {carrier.registered[0][1].call_id}
    house.exchange.stop()
    house.pass_(2)
    assert carrier.registered[-1][1].expires == 0


def test_a_carrier_out_of_order_is_asked_again(database: SynchronousDatabase) -> None:
    house = House(database)
    house.trunk("far", "sip:10.0.0.90", register=True, username="shop", password="secret")
    house.open()
    house.pass_(20)
    carrier = Registrar(house.clock, house.random, house.network, house.carrier.exchange, "far", "10.0.0.90")
    house.pass_(60)
    assert carrier.registered


def test_a_carrier_that_wants_longer_registrations(database: SynchronousDatabase) -> None:
    """423 says how long (RFC 3261 10.2.8); we ask for that at once, and from then on."""

    class Patient(Registrar):
        def request_received(self, transaction: ServerTransaction, request: Request, source: Hop) -> None:
            if request.method == "REGISTER" and 0 < (request.expires or 0) < 1800:
                transaction.respond(request.response(423, headers=(("Min-Expires", "1800"),)))
            else:
                super().request_received(transaction, request, source)

    house = House(database)
    carrier = Patient(house.clock, house.random, house.network, house.carrier.exchange, "far", "10.0.0.90")
    house.trunk("far", "sip:10.0.0.90", register=True, username="shop", password="secret")
    house.open()
    house.pass_(100)
    assert [request.expires for _, request in carrier.registered] == [1800, 1800]
    assert carrier.registered[0][0] < 1


def test_a_carrier_that_never_agrees_is_asked_ever_more_seldom(database: SynchronousDatabase) -> None:
    class Stubborn(Registrar):
        def request_received(self, transaction: ServerTransaction, request: Request, source: Hop) -> None:
            self.registered.append((self.clock.seconds(), request))
            transaction.respond(request.response(423, headers=(("Min-Expires", str((request.expires or 0) + 1)),)))

    house = House(database)
    carrier = Stubborn(house.clock, house.random, house.network, house.carrier.exchange, "far", "10.0.0.90")
    house.trunk("far", "sip:10.0.0.90", register=True, username="shop", password="secret")
    house.open()
    house.pass_(600, step=0.5)
    assert len(carrier.registered) < 20


def test_a_call_to_our_own_contact_is_known_by_its_to(database: SynchronousDatabase) -> None:
    config = Config(access={"35921234567": Access(language="en")}, emergency=Emergency(trunk="carrier"))
    house = House(database, config=config)
    house.open()
    talk = house.carrier.call("shop", to="35921234567")
    house.pass_(2)
    assert talk.talking
    talk.hang_up()
    settle(house)


def test_a_registrar_behind_a_proxy(database: SynchronousDatabase) -> None:
    """The registrar's own name leads nowhere: the proxy knows it."""
    house = House(database)
    proxy = Registrar(house.clock, house.random, house.network, house.carrier.exchange, "proxy", "10.0.0.90")
    house.trunk("far", "sip:inside.example", proxy="sip:10.0.0.90", register=True, username="shop", password="secret")
    house.open()
    house.pass_(1)
    request = proxy.registered[0][1]
    assert request.raw_uri == "sip:inside.example"
    assert [str(route) for route in request.routes] == ["<sip:10.0.0.90;lr>"]
    assert request.to.uri.user == "shop"


def registered(house: House) -> dict[str, object]:
    return house.exchange.trunk_states()["far"]


def test_what_the_daemon_tells_of_a_registration(database: SynchronousDatabase) -> None:
    house = House(database)
    house.trunk("far", "sip:10.0.0.90", register=True, username="shop", password="secret")
    house.open()
    house.pass_(40)
    assert (registered(house)["registered_until"], registered(house)["registration_failure"]) == (None, "no response")
    carrier = Registrar(house.clock, house.random, house.network, house.carrier.exchange, "far", "10.0.0.90")
    house.pass_(60)
    until = registered(house)["registered_until"]
    assert isinstance(until, str)
    assert 0 < (datetime.fromisoformat(until) - house.now()).total_seconds() <= 100
    house.network.detach("10.0.0.90", 5060)
    house.pass_(150)
    assert registered(house)["registered_until"] is None
    assert carrier.registered


def test_what_has_nothing_to_do_with_a_registration_leaves_it_alone(database: SynchronousDatabase) -> None:
    """Another password begins a new one in the place of the old; nobody takes back what the new one has just made."""
    house = House(database)
    carrier = Registrar(house.clock, house.random, house.network, house.carrier.exchange, "far", "10.0.0.90")
    far = {"register": True, "username": "shop"}
    house.trunk("far", "sip:10.0.0.90", password="secret", **far)
    house.open()
    house.pass_(1)
    house.trunk("far", "sip:10.0.0.90", password="secret", priority=5, capacity=3, **far)
    run(house.exchange.read("trunks"))
    house.pass_(1)
    assert len(carrier.registered) == 1
    house.trunk("far", "sip:10.0.0.90", password="changed", **far)
    run(house.exchange.read("trunks"))
    house.pass_(1)
    assert [request.expires for _, request in carrier.registered] == [300, 300]
    house.trunk("far", "sip:10.0.0.90", password="changed", register=True, username="shop2")
    run(house.exchange.read("trunks"))
    house.pass_(1)
    assert sorted(request.expires or 0 for _, request in carrier.registered) == [0, 300, 300, 300]


def test_of_several_contacts_ours_says_how_long_we_are_kept(database: SynchronousDatabase) -> None:
    """Another switch registers with the same account, for longer."""

    class Shared(Registrar):
        def request_received(self, transaction: ServerTransaction, request: Request, source: Hop) -> None:
            self.registered.append((self.clock.seconds(), request))
            others = ("Contact", "<sip:shop@10.9.9.9:5060>;expires=3600")
            ours = ("Contact", f"{request.get('Contact')};expires=50")
            transaction.respond(request.response(200, headers=(others, ours)))

    house = House(database)
    carrier = Shared(house.clock, house.random, house.network, house.carrier.exchange, "far", "10.0.0.90")
    house.trunk("far", "sip:10.0.0.90", register=True, username="shop", password="secret")
    house.open()
    house.pass_(65)
    assert len(carrier.registered) == 3
