"""Telephones and carriers that speak SIP over TCP."""

from minitelecom.store.synchronous import run
from tests.calls.story import LONDON, settle
from tests.world.house import House
from tests.world.party import Behaviour, Party
from tests.world.wire import Text


def registered(house: House, telephone: Party) -> Party:
    registering = telephone.register()
    house.pass_(1)
    assert registering.statuses == [401, 200]
    return telephone


def tcp_telephone(house: House, name: str, host: str, *, account: bool = False) -> Party:
    return house.telephone(name, host, house.card("15.00") if account else None, transport="tcp")


def test_a_telephone_calls_out_and_every_address_of_ours_says_tcp(house: House) -> None:
    telephone = tcp_telephone(house, "101", "10.0.0.11", account=True)
    house.open()
    house.carrier.usual = Behaviour(answer_after=1)
    talk = registered(house, telephone).call(LONDON)
    house.pass_(4)
    assert talk.talking
    assert talk.dialog is not None
    assert str(talk.dialog.remote_target).endswith("@10.0.0.1:5060;transport=tcp")
    house.carrier.calls[0].hang_up()
    house.pass_(1)
    assert not talk.talking
    assert len(house.streams.opened) == 1, "all of it by one connection"
    settle(house)


def test_who_calls_by_a_sips_uri_is_given_one(house: House) -> None:
    telephone = tcp_telephone(house, "101", "10.0.0.11", account=True)
    house.open()
    house.carrier.usual = Behaviour(answer_after=1)
    registered(house, telephone)
    telephone.scheme = "sips"
    talk = telephone.call(LONDON)
    house.pass_(4)
    assert talk.talking
    assert talk.dialog is not None
    assert str(talk.dialog.remote_target) == f"sips:{LONDON}@10.0.0.1:5060"
    talk.hang_up()
    settle(house)


def test_a_telephone_is_rung_by_the_connection_it_registered_over(house: House) -> None:
    called, caller = tcp_telephone(house, "101", "10.0.0.11"), house.telephone("102", "10.0.0.12")
    house.open()
    registered(house, called)
    called.usual = Behaviour(answer_after=1)
    talk = caller.call("101")
    house.pass_(3)
    assert talk.talking
    request = called.calls[0].request
    assert request is not None
    assert (request.via.transport, request.contacts[0].uri.parameters) == ("TCP", {"transport": "tcp"})
    talk.hang_up()
    house.pass_(1)
    assert called.calls[0].ended_by_far_end
    assert len(house.streams.opened) == 1
    settle(house)


def test_nothing_is_said_twice_over_a_connection(house: House) -> None:
    """Not by us: a reliable transport repeats nothing but the 2xx (RFC 3261 13.3.1.4)."""
    called, caller = tcp_telephone(house, "101", "10.0.0.11"), house.telephone("102", "10.0.0.12")
    house.open()
    registered(house, called)
    called.usual = Behaviour(ring_after=5, answer_after=10)
    talk = caller.call("101")
    house.pass_(12)
    assert talk.talking
    assert called.layer.counts.repeated == 0
    talk.hang_up()
    settle(house)
    assert house.exchange.layer.counts.retransmitted == 0


def test_a_telephone_whose_connection_broke_is_reached_at_its_contact(house: House) -> None:
    called, caller = tcp_telephone(house, "101", "10.0.0.11"), house.telephone("102", "10.0.0.12")
    house.open()
    registered(house, called)
    house.streams.opened[0].abortConnection()
    house.pass_(1)
    talk = caller.call("101")
    house.pass_(3)
    assert talk.talking
    talk.hang_up()
    settle(house)


def test_behind_a_router_nobody_waits_for_a_telephone_whose_connection_broke(house: House) -> None:
    called, caller = tcp_telephone(house, "101", "10.0.0.11"), house.telephone("102", "10.0.0.12")
    called.host = "192.168.7.7"  # as it writes of itself
    house.open()
    registered(house, called)
    talk = caller.call("101")
    house.pass_(2)
    assert talk.talking, "by its connection, whatever it writes"
    talk.hang_up()
    house.pass_(1)
    house.streams.opened[0].abortConnection()
    house.pass_(1)
    talk = caller.call("101")
    house.pass_(0.5)
    assert talk.statuses[-1] >= 400
    settle(house)


def test_a_connection_that_breaks_while_it_rings_leaves_the_caller_free_to_give_up(house: House) -> None:
    called, caller = tcp_telephone(house, "101", "10.0.0.11"), house.telephone("102", "10.0.0.12")
    house.open()
    registered(house, called)
    called.usual = Behaviour(ring_after=0.1, answer_after=60)
    talk = caller.call("101")
    house.pass_(2)
    assert 180 in talk.statuses
    house.streams.opened[0].abortConnection()
    house.pass_(1)
    talk.cancel()
    settle(house)
    assert talk.final == 487


def test_a_connection_that_breaks_while_it_rings_is_opened_by_the_answer(house: House) -> None:
    """RFC 3261 18.2.2: at the address it came from, and the port of its Via; the talk can be had, and ended, by that one."""
    telephone = tcp_telephone(house, "101", "10.0.0.11", account=True)
    house.open()
    house.carrier.usual = Behaviour(answer_after=5, talk_seconds=20)
    talk = registered(house, telephone).call(LONDON)
    house.pass_(2)
    house.streams.opened[0].abortConnection()
    house.pass_(6)
    assert talk.talking
    assert [end.host for end in house.streams.opened[:2]] == ["10.0.0.1", "10.0.0.11"]
    house.pass_(20)
    assert talk.ended_by_far_end
    settle(house)


def test_a_telephone_in_a_talk_whose_connection_broke_is_parted_from_at_its_contact(house: House) -> None:
    telephone = tcp_telephone(house, "101", "10.0.0.11", account=True)
    house.open()
    house.carrier.usual = Behaviour(answer_after=1, talk_seconds=10)
    talk = registered(house, telephone).call(LONDON)
    house.pass_(4)
    house.streams.opened[0].abortConnection()
    house.pass_(10)
    assert talk.ended_by_far_end
    settle(house)


def test_nobody_is_waited_for_where_an_answer_finds_nobody(house: House) -> None:
    """The telephone has been switched off; the call ends as one that is never acknowledged."""
    telephone = tcp_telephone(house, "101", "10.0.0.11", account=True)
    house.open()
    house.carrier.usual = Behaviour(answer_after=5)
    talk = registered(house, telephone).call(LONDON)
    house.pass_(2)
    assert telephone.streams is not None
    run(telephone.streams.close())
    house.pass_(50)
    assert talk.final is None
    assert house.carrier.calls[0].ended_by_far_end
    settle(house)


def test_a_request_that_cannot_be_framed_is_answered(house: House) -> None:
    house.open()
    heard: list[bytes] = []
    stranger = tcp_telephone(house, "101", "10.0.0.11")
    assert stranger.streams is not None
    stranger.streams.receiver = Listening(heard)
    stranger.streams.send(
        b"OPTIONS sip:10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP 10.0.0.11;branch=z9hG4bKx\r\nFrom: <sip:a@b>;tag=1\r\n"
        b"To: <sip:10.0.0.1>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\n\r\n",
        stranger.exchange,
    )
    house.pass_(1)
    (answer,) = [Text.read(data, stranger.exchange) for data in heard]
    assert answer.start == "SIP/2.0 400 Missing Content-Length"
    assert house.streams.opened[0].closed
    settle(house)


class Listening:
    """Hears what comes by a connection."""

    def __init__(self, heard: list[bytes]) -> None:
        self._heard = heard

    def datagram_received(self, data: bytes, source: object) -> None:
        self._heard.append(data)

    def stream_broken(self, broken: object, source: object) -> None:
        raise AssertionError(broken)

    def connection_lost(self, hop: object) -> None: ...


def test_a_carrier_whose_connection_broke_hears_at_its_contact_that_the_call_is_over(house: House) -> None:
    carrier = house.party("one", "10.0.0.91", transport="tcp")
    house.trunk("tcp", "sip:10.0.0.91;transport=tcp", match="4420")
    house.open()
    talk = carrier.call("35921234567")
    house.pass_(1)
    assert talk.talking
    house.streams.opened[0].abortConnection()
    house.pass_(1)
    for leg in list(house.exchange.switch.legs.values()):
        leg.dismiss()
    house.pass_(1)
    assert talk.ended_by_far_end
    assert [end.host for end in house.streams.opened] == ["10.0.0.1", "10.0.0.91"]
    settle(house)
