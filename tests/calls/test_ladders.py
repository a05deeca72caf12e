"""What was said on the wire for a call is kept and found again, without anything that was secret."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from twisted.internet.task import Clock

from minitelecom.calls.ladders import MOST_BEFORE, MOST_BYTES, MOST_EXPECTED, MOST_MESSAGES, Ladders, call_id_in
from minitelecom.config import Sip
from minitelecom.ladder import pages
from minitelecom.ladder.seen import Seen, of_call
from minitelecom.sip.hop import Hop
from minitelecom.store import ladders
from minitelecom.store.call_records import CallRecord
from minitelecom.store.database import DatabaseAway
from minitelecom.store.synchronous import SynchronousDatabase, run
from tests.calls.scene import ON_HOLD, Scene
from tests.calls.story import BERLIN, LONDON, settle, subscriber, visit
from tests.world.house import BEGINNING, EXCHANGE, House
from tests.world.party import Behaviour

LATE = 55.0  # by then everything of a call has been written


def ladder(house: House, record: CallRecord | None = None) -> list[Seen]:
    """The messages of a call as the database has them; of the first call, where none is named."""
    record = record or house.records()[0]
    found = run(ladders.of_session(house.database, record.session, 1000))
    return of_call([one for page in found for one in pages.read(page.begun, page.messages)], record.started)


def told(messages: list[Seen]) -> list[str]:
    """A line a message: who says what to whom."""
    lines = []
    for one in messages:
        start = one.data.decode().split("\r\n")[0].removeprefix("SIP/2.0 ").removesuffix(" SIP/2.0")
        word = start.split(" ")[0]
        lines.append(f"{one.leg.name} {'<' if one.sent else '>'} {word}")
    return lines


def everything(house: House) -> bytes:
    rows = run(house.database.query("SELECT messages FROM ladder_pages ORDER BY begun"))
    return b"\n".join(row[0] for row in rows)


def test_an_answered_call_is_kept_from_its_first_message_to_its_last(house: House) -> None:
    _, telephone = subscriber(house)
    house.carrier.usual = Behaviour(ring_after=0.5, answer_after=2, talk_seconds=5)
    telephone.call(LONDON)
    house.pass_(LATE)
    found = ladder(house)
    assert told(found) == [
        "101 > INVITE",
        "101 < 407",
        "101 > ACK",
        "101 > INVITE",
        "carrier < INVITE",
        "101 < 100",
        "carrier > 100",
        "carrier > 180",
        "101 < 180",
        "carrier > 200",
        "carrier < ACK",
        "101 < 200",
        "101 > ACK",
        "carrier > BYE",
        "carrier < 200",
        "101 < BYE",
        "101 > 200",
    ]
    first, record = found[0], house.records()[0]
    assert abs(first.instant - record.started) < timedelta(seconds=1)
    assert (first.source.host, first.destination) == ("10.0.0.11", EXCHANGE)
    assert [one.instant for one in found] == sorted(one.instant for one in found)
    assert found[-1].instant - found[0].instant >= timedelta(seconds=7)
    settle(house, 0)


def test_a_refused_call_shows_both_carriers_that_were_tried(house: House) -> None:
    house.trunk("second", "sip:10.0.0.98", priority=1)
    second = house.party("second", "10.0.0.98")
    second.usual = Behaviour(ring_after=None, answer_after=0.1, status=486)
    house.carrier.usual = Behaviour(ring_after=None, answer_after=0.1, status=503)
    _, telephone = subscriber(house)
    telephone.call(LONDON)
    house.pass_(LATE)
    lines = told(ladder(house))
    assert [line for line in lines if not line.startswith("101")] == [
        "carrier < INVITE",
        "carrier > 100",
        "carrier > 503",
        "carrier < ACK",
        "second < INVITE",
        "second > 100",
        "second > 486",
        "second < ACK",
    ]
    assert lines[-2:] == ["101 < 486", "101 > ACK"]


def test_a_telephone_that_holds_is_seen_to_do_so(house: House) -> None:
    _, telephone = subscriber(house)
    house.carrier.usual = Behaviour(answer_after=1)
    talk = telephone.call(LONDON)
    house.pass_(15)
    talk.re_invite(ON_HOLD.replace("\n", "\r\n").encode())
    house.pass_(5)
    talk.hang_up()
    house.pass_(LATE)
    of_caller = [one for one in ladder(house) if one.leg.name == "101"]
    holding = [place for place, one in enumerate(of_caller) if b"a=inactive" in one.data and not one.sent]
    assert told(of_caller)[holding[0] : holding[0] + 3] == ["101 > INVITE", "101 < 200", "101 > ACK"]


def test_what_is_repeated_is_kept_each_time(scene: Scene) -> None:
    """The carrier's first answer is lost to us; what we repeat meanwhile is the same to the byte."""
    scene.house.pass_(4)
    scene.carrier.respond(486)
    scene.house.pass_(LATE)
    sent = [one for one in ladder(scene.house) if one.leg.name == "carrier" and one.data.startswith(b"INVITE")]
    assert len(sent) == 4  # at 0, 0.5, 1.5 and 3.5 s (RFC 3261 17.1.1.2)
    assert len({one.data for one in sent}) == 1


def test_no_digit_of_a_card_and_no_proof_of_a_password_is_kept(house: House) -> None:
    card = house.card("5.00")
    telephone = house.telephone("101", "10.0.0.11")
    house.open()
    house.carrier.usual = Behaviour(answer_after=1, talk_seconds=3)
    talk = visit(house, telephone, card)
    talk.press(BERLIN + "#")
    house.pass_(30)
    talk.hang_up()
    house.pass_(LATE)
    kept = everything(house)
    signals = kept.count(b"Signal=")
    assert signals > len(card.number) + len(card.password)
    assert kept.count(b"Signal=-") == signals
    proofs = [answer.split('response="')[1][:32] for answer in sent_answers(house)]
    assert proofs
    assert not any(proof.encode() in kept for proof in proofs)
    assert b'username="101"' in kept


def sent_answers(house: House) -> list[str]:
    lines = [line for data in house.network.carried for line in data.decode().split("\r\n")]
    return [line for line in lines if line.startswith(("Authorization:", "Proxy-Authorization:"))]


def test_two_numbers_of_one_visit_are_two_ladders(house: House) -> None:
    card = house.card("5.00")
    telephone = house.telephone("101", "10.0.0.11")
    house.open()
    house.carrier.usual = Behaviour(answer_after=1, talk_seconds=3)
    talk = visit(house, telephone, card)
    for number in (BERLIN, LONDON):
        talk.press(number + "#")
        house.pass_(40)
    talk.hang_up()
    house.pass_(LATE)
    berlin, london = house.records()
    for record in (berlin, london):
        invites = [one for one in ladder(house, record) if one.leg.name == "carrier" and one.data.startswith(b"INVITE")]
        assert [one.data.split(b"sip:")[1].split(b"@")[0].decode()[-11:] for one in invites] == [
            record.called_number[-11:]
        ]
    assert told(ladder(house, berlin))[0] == "101 > INVITE"
    assert told(ladder(house, london))[-2:] in (["101 > BYE", "101 < 200"], ["101 < BYE", "101 > 200"])


def test_a_call_that_was_handed_on_is_kept_to_its_end(house: House) -> None:
    """Long after the telephone that handed it on has left, the answers to it included."""
    _, telephone = subscriber(house, "5.00")
    telephone.register()
    house.carrier.usual = Behaviour(answer_after=1)
    talk = telephone.call(LONDON)
    house.pass_(10)
    talk.refer(f"<sip:{BERLIN}@10.0.0.1>")
    house.pass_(120)
    assert talk.ended_by_far_end
    house.carrier.calls[1].hang_up()
    house.pass_(LATE)
    london, berlin = (told(ladder(house, record)) for record in house.records())
    assert london[-2:] == ["carrier < BYE", "carrier > 200"]
    asked = berlin.index("101 > REFER")
    assert berlin[asked : asked + 3] == ["101 > REFER", "101 < 202", "101 < NOTIFY"]
    assert "carrier < INVITE" in berlin
    assert berlin[-2:] == ["carrier > BYE", "carrier < 200"]


def test_only_calls_are_kept(house: House) -> None:
    """No REGISTER, no OPTIONS, and nothing of a stranger who calls."""
    telephone = house.telephone("101", "10.0.0.11", house.card("1.00"))
    stranger = house.party("999", "203.0.113.9", password="guess")
    house.open()
    telephone.register()
    stranger.call(LONDON)
    house.pass_(120)
    assert run(house.database.query("SELECT count(*) FROM ladder_pages")) == [(0,)]


def test_a_running_call_can_be_looked_at(house: House) -> None:
    _, telephone = subscriber(house)
    house.carrier.usual = Behaviour(answer_after=1)
    telephone.call(LONDON)
    house.pass_(3)
    session = house.records()[0].session
    assert run(ladders.of_session(house.database, session, 9)) == []
    run(house.exchange.ladders.write(session))
    assert "carrier > 200" in told(ladder(house))
    house.pass_(LATE)
    assert told(ladder(house)).count("carrier > 200") == 1


class Away:
    """A database that keeps no ladder for a while."""

    def __init__(self, database: SynchronousDatabase) -> None:
        self._database = database
        self.away = False
        self.statements = 0

    async def query(self, sql: str, *arguments: object) -> object:
        if "INSERT INTO ladder_pages" in sql:
            self.statements += 1
            if self.away:
                raise DatabaseAway("gone")
        return await self._database.query(sql, *arguments)

    async def transaction(self, *arguments: object) -> object:
        return await self._database.transaction(*arguments)  # type: ignore[arg-type]


def test_while_the_database_is_away_messages_wait_and_no_call_does(database: SynchronousDatabase) -> None:
    away = Away(database)
    house = House(away)  # type: ignore[arg-type]
    _, telephone = subscriber(house)
    house.carrier.usual = Behaviour(answer_after=1, talk_seconds=5)
    away.away = True
    telephone.call(LONDON)
    house.pass_(LATE)
    assert house.records()[0].cause == "normal"
    assert ladder(house) == []
    away.away = False
    house.pass_(2)
    assert len(ladder(house)) == 17
    assert house.exchange.ladders.dropped == 0


def test_the_messages_of_many_calls_are_one_statement(database: SynchronousDatabase) -> None:
    away = Away(database)
    house = House(away)  # type: ignore[arg-type]
    card = house.card("5.00")
    telephones = [house.telephone(str(101 + n), f"10.0.0.{11 + n}", card) for n in range(5)]
    house.open()
    house.carrier.usual = Behaviour(answer_after=1, talk_seconds=2)
    for telephone in telephones:
        telephone.call(LONDON)
    house.pass_(LATE)
    assert len(house.records()) == 5
    assert away.statements <= 2, "of one second, or of two"


def test_a_telephone_that_talks_without_end_is_kept_up_to_a_limit(house: House) -> None:
    _, telephone = subscriber(house)
    house.carrier.usual = Behaviour(answer_after=1)
    talk = telephone.call(LONDON)
    house.pass_(3)
    for _ in range(MOST_MESSAGES // 100):
        for _ in range(60):
            talk.send("OPTIONS")
        house.pass_(1, step=1)
    talk.hang_up()
    house.pass_(LATE, step=1)
    assert len(ladder(house)) == MOST_MESSAGES
    assert house.exchange.ladders.dropped > 0


@dataclass
class Recorded:
    """Ladders alone, over a database that is away at first."""

    database: SynchronousDatabase
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        self.away = Away(self.database)
        self.away.away = True
        self.ladders = Ladders(self.clock, self.now, self.away, lambda hop: (EXCHANGE.host, 5060), 48)  # type: ignore[arg-type]

    def now(self) -> datetime:
        return BEGINNING + timedelta(seconds=self.clock.seconds())

    def visit(self, number: int, messages: int, length: int = 0) -> None:
        self.ladders.saw(invite(number, length), CALLER, sent=False)
        self.ladders.begin(f"visit {number}", f"call {number}", "101")
        for _ in range(messages - 1):
            self.ladders.saw(invite(number, length), CALLER, sent=False)
        self.ladders.end(f"visit {number}")

    def written(self) -> list[tuple[str, int]]:
        rows = run(self.database.query("SELECT session, begun, messages FROM ladder_pages ORDER BY begun, session"))
        return [(session, len(pages.read(begun, page))) for session, begun, page in rows]


CALLER = Hop("udp", "10.0.0.11", 5060)


def invite(number: int, length: int = 0) -> bytes:
    return f"INVITE sip:1@h SIP/2.0\r\nCall-ID: call {number}\r\nX: {'x' * length}\r\n\r\n".encode()


def test_when_the_database_is_away_for_too_long_messages_are_dropped_and_counted(
    database: SynchronousDatabase,
) -> None:
    recorded = Recorded(database)
    length, each = 60_000, 30
    visits = MOST_BYTES // (length * each) + 3
    for number in range(visits):
        recorded.visit(number, each, length)
    recorded.clock.pump([1.0] * 20)
    dropped = recorded.ladders.dropped
    assert each <= dropped <= 4 * each
    recorded.away.away = False
    recorded.clock.pump([1.0] * 5)
    missing = visits * each - sum(messages for _, messages in recorded.written())
    assert 0 <= missing - dropped <= 3, "INVITEs of visits that had not begun are not counted"
    recorded.visit(visits, each)
    recorded.clock.pump([1.0] * 5)
    assert (f"visit {visits}", each) in recorded.written()
    assert recorded.ladders.dropped == dropped


def test_strangers_who_call_without_end_take_no_place_from_a_visit(database: SynchronousDatabase) -> None:
    recorded = Recorded(database)
    recorded.away.away = False
    for number in range(MOST_EXPECTED + 100):
        for _ in range(MOST_BEFORE + 5):
            recorded.ladders.saw(invite(number), CALLER, sent=False)
    recorded.visit(MOST_EXPECTED + 1000, 3)
    recorded.clock.pump([1.0] * 60)
    assert recorded.written() == [(f"visit {MOST_EXPECTED + 1000}", 3)]
    assert recorded.ladders.dropped == 0, "what belongs to no call is not missed"
    assert not recorded.clock.getDelayedCalls(), "and is let go of"


def test_what_was_kept_for_long_enough_is_removed(house: House) -> None:
    _, telephone = subscriber(house)
    house.carrier.usual = Behaviour(answer_after=1, talk_seconds=5)
    telephone.call(LONDON)
    house.pass_(LATE)
    run(house.exchange.ladders.remove_old())
    assert ladder(house)
    house.clock.advance(timedelta(hours=49).total_seconds())
    run(house.exchange.ladders.remove_old())
    assert ladder(house) == []


def test_a_house_that_wants_no_ladders_keeps_none(database: SynchronousDatabase) -> None:
    usual = House(database).config
    house = House(database, config=replace(usual, sip=Sip(ladder_hours=0)))
    _, telephone = subscriber(house)
    house.carrier.usual = Behaviour(answer_after=1, talk_seconds=5)
    telephone.call(LONDON)
    house.pass_(LATE)
    assert house.records()[0].cause == "normal"
    assert ladder(house) == []
    assert house.exchange.layer.saw is None, "a message costs nothing then"


def test_a_call_id_is_found_however_it_is_written() -> None:
    for line in ("Call-ID: short", "i : short", "CALL-ID:short", "Call-Id:  short "):
        assert call_id_in(f"INVITE sip:1@h SIP/2.0\r\n{line}\r\n\r\n".encode()) == b"short", line
    assert call_id_in(b"INVITE sip:1@h SIP/2.0\ni: short\n\n") == b"short"
    assert call_id_in(b"nothing") == b""
