"""The shop's telephones: they register, call each other, call out on their account, and call for help."""

import re
from dataclasses import replace
from decimal import Decimal

import pytest

from minitelecom.sip.message import Request
from minitelecom.store import devices
from minitelecom.store.database import DatabaseAway
from minitelecom.store.synchronous import run
from tests.calls.story import BERLIN, LONDON, settle, subscriber
from tests.world.house import EXCHANGE, House
from tests.world.party import Answer, Behaviour, Party


def registered(house: House, telephone: Party) -> Party:
    registering = telephone.register()
    house.pass_(1)
    assert registering.statuses == [401, 200]
    return telephone


def test_a_telephone_registers_and_is_rung_by_another(house: House) -> None:
    house.telephone("101", "10.0.0.11")
    caller = house.telephone("102", "10.0.0.12")
    called = house.party("101", "10.0.0.21", 5070, password="secret-101")
    house.open()
    registered(house, called)
    called.usual = Behaviour(answer_after=2)
    talk = caller.call("101")
    house.pass_(1)
    assert 180 in talk.statuses
    house.pass_(5)
    assert talk.talking
    assert called.calls[0].talking
    called.calls[0].hang_up()
    house.pass_(1)
    assert not talk.talking
    record = house.records()[0]
    assert (record.called_number, record.cause, str(record.cost), record.account) == ("101", "normal", "0.00 EUR", None)
    settle(house)


def test_a_telephone_that_is_nowhere_registered_does_not_answer_its_neighbour(house: House) -> None:
    """There is such a telephone, so 404 would not be true (RFC 3261 21.4.18)."""
    house.telephone("101", "10.0.0.11")
    caller = house.telephone("102", "10.0.0.12")
    house.open()
    talk = caller.call("101")
    house.pass_(1)
    assert talk.final == 480
    assert [record.cause for record in house.records()] == ["no-answer"]
    settle(house)


def test_every_contact_of_a_telephone_rings_and_the_first_to_answer_has_the_call(house: House) -> None:
    house.telephone("101", "10.0.0.11")
    caller = house.telephone("102", "10.0.0.12")
    desk = house.party("101", "10.0.0.21", password="secret-101")
    shelf = house.party("101", "10.0.0.22", password="secret-101")
    house.open()
    registered(house, desk)
    registered(house, shelf)
    desk.usual = Behaviour(answer_after=20)
    shelf.usual = Behaviour(answer_after=3)
    talk = caller.call("101")
    house.pass_(6)
    assert talk.talking
    assert shelf.calls[0].talking
    assert desk.calls[0].ended_at is not None
    talk.hang_up()
    settle(house)


@pytest.mark.parametrize("name", ["101", "nobody"])
def test_a_wrong_password_and_an_unknown_name_look_the_same(house: House, name: str) -> None:
    house.telephone("101", "10.0.0.11")
    stranger = house.party(name, "203.0.113.9", password="guess")
    house.open()
    registering = stranger.register()
    house.pass_(1)
    talk = stranger.call(LONDON)
    house.pass_(1)
    assert registering.statuses == [401, 403]
    assert talk.statuses[-1] == 403
    assert house.records() == []
    settle(house)


def test_a_telephone_may_register_itself_only(house: House) -> None:
    house.telephone("101", "10.0.0.11")
    house.telephone("102", "10.0.0.12")
    house.open()
    impostor = house.party("101", "10.0.0.31", password="secret-101")
    impostor.name = "102"
    registering = impostor.register()
    house.pass_(1)
    assert registering.statuses == [401, 403]


def test_a_call_out_on_the_account_of_the_telephone(house: House) -> None:
    card, telephone = subscriber(house)
    house.carrier.usual = Behaviour(answer_after=2, early_media=True, talk_seconds=10)
    talk = telephone.call(LONDON)
    house.pass_(1)
    assert 183 in talk.statuses
    house.pass_(15)
    record = house.records()[0]
    assert (record.account, record.device, record.calling_number) == (card.number, "101", "101")
    assert (record.cause, record.billed_seconds, str(record.cost)) == ("normal", 10, "0.01 EUR")
    assert house.balance(card) == Decimal("0.99")
    assert talk.ended_by_far_end
    settle(house)


@pytest.mark.parametrize(("status", "passed_on"), [(486, 486), (404, 404), (503, 500), (302, 603), (401, 500)])
def test_a_telephone_hears_the_status_of_the_carrier(house: House, status: int, passed_on: int) -> None:
    card, telephone = subscriber(house)
    house.carrier.usual = Behaviour(status=status)
    talk = telephone.call(LONDON)
    house.pass_(5)
    assert talk.final == passed_on
    assert house.reserved(card) == 0
    settle(house)


def test_the_caller_cancels_while_it_rings(house: House) -> None:
    _, telephone = subscriber(house)
    house.carrier.usual = Behaviour(answer_after=None)
    talk = telephone.call(LONDON)
    house.pass_(5)
    talk.cancel()
    house.pass_(1)
    assert talk.final == 487
    assert house.carrier.calls[0].ended_at is not None
    record = house.records()[0]
    assert (record.cause, record.sip_status, record.ended_by) == ("cancelled", 487, "caller")
    settle(house)


def test_a_telephone_without_account_calls_inside_only(house: House) -> None:
    telephone = house.telephone("101", "10.0.0.11")
    house.open()
    talk = telephone.call(LONDON)
    house.pass_(1)
    assert talk.final == 403
    assert house.records()[0].cause == "blocked"
    settle(house)


def test_no_credit_is_refused_before_anything_rings(house: House) -> None:
    _, telephone = subscriber(house, "0.59")
    talk = telephone.call(BERLIN)
    house.pass_(1)
    assert talk.final == 402
    assert house.carrier.calls == []
    assert house.records()[0].cause == "no-credit"
    settle(house)


def test_a_free_number_costs_nothing_and_needs_no_credit(house: House) -> None:
    card, telephone = subscriber(house)
    house.carrier.usual = Behaviour(answer_after=1, talk_seconds=30)
    telephone.call("00800123456")
    house.pass_(10)
    assert house.reserved(card) == 0
    house.pass_(30)
    record = house.records()[0]
    assert (record.cause, record.billed_seconds, str(record.cost)) == ("normal", 30, "0.00 EUR")
    settle(house)


def test_help_is_free_and_open_to_a_telephone_nobody_knows(house: House) -> None:
    stranger = house.party("new", "10.0.0.77")
    house.open()
    house.carrier.usual = Behaviour(answer_after=1)
    talk = stranger.call("112")
    house.pass_(5)
    assert talk.talking
    assert house.carrier.calls[0].request is not None
    assert house.carrier.calls[0].request.uri.user == "112"
    talk.hang_up()
    settle(house)
    record = house.records()[0]
    assert (record.called_number, record.cause, str(record.cost), record.account) == ("112", "normal", "0.00 EUR", None)


@pytest.mark.parametrize("written", ["112%20", "1-1-2", "+112", "112;phone-context=+359"])
def test_help_is_help_however_its_number_is_written(house: House, written: str) -> None:
    """From a stranger, and from a telephone that pays; as any other number it would be one abroad, or none at all."""
    telephone = house.telephone("101", "10.0.0.11", house.card("1.00"))
    stranger = house.party("somebody", "10.0.0.77")
    house.open()
    house.carrier.usual = Behaviour(answer_after=1, talk_seconds=5)
    for party in (telephone, stranger):
        party.call(written)
        house.pass_(10)
    assert [(record.called_number, record.destination, str(record.cost)) for record in house.records()] == [
        ("112", "emergency", "0.00 EUR")
    ] * 2
    settle(house)


def test_help_from_the_question_for_the_user_number(house: House) -> None:
    telephone = house.telephone("101", "10.0.0.11")
    house.open()
    house.carrier.usual = Behaviour(answer_after=1, talk_seconds=5)
    talk = telephone.call("100")
    house.pass_(1)
    talk.press("2")
    house.pass_(3)
    talk.press("112")
    house.pass_(8)
    assert house.carrier.calls[0].talking
    talk.hang_up()
    settle(house)


class Away:
    """A database that cannot be reached while ``away``."""

    def __init__(self, database: object) -> None:
        self._database = database
        self.away = False

    async def query(self, *arguments: object) -> object:
        if self.away:
            raise DatabaseAway("the database is away")
        return await self._database.query(*arguments)  # type: ignore[attr-defined]

    async def transaction(self, *arguments: object) -> object:
        if self.away:
            raise DatabaseAway("the database is away")
        return await self._database.transaction(*arguments)  # type: ignore[attr-defined]


def test_help_while_the_database_is_away_and_its_record_afterwards(database: object) -> None:
    away = Away(database)
    house = House(away)  # type: ignore[arg-type]
    _, telephone = subscriber(house)
    house.carrier.usual = Behaviour(answer_after=1, talk_seconds=5)
    away.away = True
    refused = telephone.call(LONDON)
    help_ = telephone.call("112")
    house.pass_(3)
    assert refused.final == 503
    assert help_.talking
    house.pass_(10)
    away.away = False
    house.pass_(5)
    assert {(record.called_number, record.cause) for record in house.records()} == {
        ("112", "normal"),
        ("442071234567", "failed"),
    }
    settle(house)


def test_an_end_that_the_database_missed_is_written_when_it_is_back(database: object) -> None:
    away = Away(database)
    house = House(away)  # type: ignore[arg-type]
    _, telephone = subscriber(house)
    house.carrier.usual = Behaviour(answer_after=1, talk_seconds=20)
    telephone.call(LONDON)
    house.pass_(10)
    away.away = True
    house.pass_(20)
    away.away = False
    house.pass_(5)
    record = house.records()[0]
    assert (record.cause, record.billed_seconds, str(record.cost)) == ("normal", 20, "0.02 EUR")
    settle(house)


@pytest.mark.parametrize(
    ("hold", "answered"),
    [("a=sendonly", b"a=recvonly"), ("c=IN IP4 0.0.0.0", b"a=recvonly"), ("a=inactive", b"a=inactive")],
)
def test_hold_and_resume_are_answered(house: House, hold: str, answered: bytes) -> None:
    _, telephone = subscriber(house)
    house.carrier.usual = Behaviour(answer_after=1)
    talk = telephone.call(LONDON)
    house.pass_(5)
    body = telephone.description().decode()
    held = body.replace("c=IN IP4 10.0.0.11", hold) if hold.startswith("c=") else body + hold + "\r\n"
    answer = talk.re_invite(held.encode())
    house.pass_(1)
    assert answer.response is not None
    assert answer.response.status == 200
    assert answered in answer.response.body
    port = house.media.every_port[0]
    assert port.remote is not None
    assert not port.remote.send
    resumed = talk.re_invite(body.encode())
    house.pass_(1)
    assert resumed.response is not None
    assert b"a=sendrecv" in resumed.response.body
    assert port.remote.send
    talk.hang_up()
    settle(house)


def test_an_invite_without_offer_is_answered_with_one(house: House) -> None:
    _, telephone = subscriber(house)
    house.carrier.usual = Behaviour(answer_after=1)
    talk = telephone.call(LONDON, body=False)
    house.pass_(5)
    assert talk.talking
    assert talk.response is not None
    assert b"m=audio" in talk.response.body
    caller_port = house.media.every_port[-1]
    assert caller_port.remote is not None
    talk.hang_up()
    settle(house)


@pytest.mark.parametrize(
    ("method", "status"),
    [
        ("OPTIONS", 200),
        ("SUBSCRIBE", 489),
        ("NOTIFY", 489),
        ("PUBLISH", 405),
        ("DANCE", 501),
        ("INFO", 481),
        ("BYE", 481),
    ],
)
def test_requests_outside_any_dialog(house: House, method: str, status: int) -> None:
    telephone = house.telephone("101", "10.0.0.11")
    house.open()
    lines = [
        ("From", "<sip:101@10.0.0.1>;tag=a"),
        ("To", "<sip:10.0.0.1>"),
        ("Call-ID", "outside"),
        ("CSeq", f"1 {method}"),
        ("Max-Forwards", "70"),
    ]
    answer = Answer()
    telephone.layer.request(Request.create(method, "sip:10.0.0.1", lines), EXCHANGE, answer)
    house.pass_(1)
    assert answer.statuses == [status]
    settle(house)


def test_a_gateway_known_by_its_address_needs_no_password(house: House) -> None:
    card = house.card("1.00")
    gateway = house.party("gateway", "10.0.0.50")
    run(
        devices.add(
            house.database,
            house.secrets,
            "gateway",
            account_id=card.account_id,
            address="10.0.0.50",
            password=None,
            operator="story",
            instant=house.now(),
        )
    )
    house.open()
    house.carrier.usual = Behaviour(answer_after=1, talk_seconds=3)
    talk = gateway.call(LONDON)
    house.pass_(10)
    assert 407 not in talk.statuses
    assert house.records()[0].account == card.number
    settle(house)


def test_no_ports_left_is_a_refusal_and_no_leak(house: House) -> None:
    card, telephone = subscriber(house)
    house.media.most = 1
    talk = telephone.call(LONDON)
    house.pass_(5)
    assert talk.final == 503
    assert house.reserved(card) == 0
    house.media.most = 0
    talk = telephone.call(LONDON)
    house.pass_(5)
    assert talk.final == 503
    settle(house)


def test_a_full_house_still_lets_help_through(house: House) -> None:
    house.config = replace(house.config)
    telephone = house.telephone("101", "10.0.0.11")
    house.open()
    house.exchange.drain()
    house.carrier.usual = Behaviour(answer_after=1)
    refused = telephone.call("100")
    help_ = telephone.call("112")
    house.pass_(3)
    assert refused.final == 503
    assert help_.talking
    help_.hang_up()
    settle(house)


class Counting:
    """Remembers the statements of calls."""

    def __init__(self, database: object) -> None:
        self._database = database
        self.statements: list[str] = []

    async def query(self, sql: str, *arguments: object) -> object:
        self.statements.append(sql)
        return await self._database.query(sql, *arguments)  # type: ignore[attr-defined]

    async def transaction(self, *arguments: object) -> object:
        self.statements.append("transaction")
        return await self._database.transaction(*arguments)  # type: ignore[attr-defined]


def test_an_answered_call_is_three_statements(database: object) -> None:
    counting = Counting(database)
    house = House(counting)  # type: ignore[arg-type]
    _, telephone = subscriber(house)
    house.carrier.usual = Behaviour(answer_after=1, talk_seconds=5)
    counting.statements.clear()
    telephone.call(LONDON)
    house.pass_(10)
    functions = [found[1] for one in counting.statements if (found := re.search(r"(\w+_call|ladder_pages)\b", one))]
    assert len(functions) == len(counting.statements)
    assert functions[:3] == ["begin_call", "answer_call", "end_call"]
    assert functions[3:] in ([], ["ladder_pages"]), "the messages of all calls of a second are one more"


def test_a_telephone_that_vanishes_while_it_holds_is_missed(house: House) -> None:
    """Who holds sends no sound; asked by OPTIONS, it does not answer: the call ends half a minute and a bit later."""
    _, telephone = subscriber(house)
    house.carrier.usual = Behaviour(answer_after=1)
    talk = telephone.call(LONDON)
    house.pass_(5)
    talk.re_invite((telephone.description().decode() + "a=sendonly\r\n").encode())
    house.pass_(100)
    assert house.carrier.calls[0].talking
    house.network.detach("10.0.0.11", 5060)
    house.pass_(70)
    assert not house.carrier.calls[0].talking
    assert house.records()[0].cause == "failed"
    settle(house)
