"""A session changes while it lasts: by re-INVITE or UPDATE, of theirs or ours, and of both at the same moment."""

import pytest

from minitelecom.calls.leg import Leg
from minitelecom.calls.session_change import Outcome, SessionChange
from minitelecom.sip.message import Response
from minitelecom.sip.offer_answer import Negotiation
from tests.calls.scene import DESCRIPTION, ON_HOLD, VIDEO, Scene, WrittenCaller
from tests.calls.story import settle
from tests.world.house import House
from tests.world.wire import Text

CHALLENGE = 'Proxy-Authenticate: Digest realm="carrier", nonce="n"\n'


class Wanted:
    """A change of ours, and what became of it."""

    def __init__(self, leg: Leg, method: str = "INVITE", *, offer: bool = True) -> None:
        self.outcomes: list[Outcome] = []
        leg.change_session(SessionChange(method, self.description if offer else None, self.done))

    def description(self, negotiation: Negotiation) -> bytes:
        return negotiation.offer("sendonly")

    def done(self, outcome: Outcome, response: Response | None) -> None:
        self.outcomes.append(outcome)


def leg_towards(house: House, host: str) -> Leg:
    [leg] = [leg for leg in house.exchange.switch.legs.values() if leg.hop.host == host]
    assert isinstance(leg, Leg)
    return leg


def version(text: Text) -> int:
    return int(text.body.partition("o=")[2].split()[2])


@pytest.fixture
def connected(scene: Scene) -> Scene:
    return scene.connect()


@pytest.fixture
def ours(connected: Scene) -> Leg:
    """Our side of the dialog with the carrier."""
    return leg_towards(connected.house, "10.0.0.99")


def asked(scene: Scene, method: str = "INVITE") -> list[Text]:
    """The changes that the carrier was asked for, each once."""
    found = {text.sequence: text for text in scene.carrier.requests(method) if ";tag=" in text["to"]}
    return [found[sequence] for sequence in sorted(found)]


# Theirs.


@pytest.mark.parametrize("method", ["INVITE", "UPDATE"])
def test_a_far_end_holds_and_resumes(connected: Scene, method: str) -> None:
    carrier, house = connected.carrier, connected.house
    for sequence, body, answered in ((1, ON_HOLD, "a=inactive"), (2, DESCRIPTION, "a=sendrecv")):
        carrier.ask(method, sequence=sequence, body=body)
        house.pass_(0.1)
        assert carrier.last(200).method == method
        assert answered in carrier.last(200).body
        assert carrier.last(200)["contact"]
        if method == "INVITE":
            carrier.ask("ACK", sequence=sequence)
    connected.talk.hang_up()
    connected.settle()


def test_an_update_without_a_description_is_a_sign_of_life_and_moves_the_target(connected: Scene) -> None:
    """RFC 3311 5.2: a target refresh request; nothing about the sound changes."""
    carrier, house = connected.carrier, connected.house
    before = house.media.every_port[1].remote
    uri = carrier.invite["contact"].strip("<>")
    carrier.send(
        f"UPDATE {uri} SIP/2.0\nVia: SIP/2.0/UDP 10.0.0.99;branch=z9hG4bK-u\nMax-Forwards: 70\n"
        f"From: {carrier.invite['to']};tag=far\nTo: {carrier.invite['from']}\nCall-ID: {carrier.invite['call-id']}\n"
        "CSeq: 1 UPDATE\nContact: <sip:moved@10.0.0.99:5070>\nContent-Length: 0\n\n"
    )
    house.pass_(0.1)
    assert carrier.statuses("UPDATE") == [200]
    assert carrier.last(200).body == ""
    assert house.media.every_port[1].remote == before
    connected.talk.hang_up()
    house.pass_(40)
    assert leg_gone(house)
    assert "sip:moved@10.0.0.99:5070" in bye_sent(house)


def leg_gone(house: House) -> bool:
    return house.leftovers() == {}


def bye_sent(house: House) -> str:
    return next(data.decode() for data in house.network.carried if data.startswith(b"BYE sip:moved"))


def test_an_update_with_sound_that_we_do_not_understand_changes_nothing(connected: Scene) -> None:
    carrier, house = connected.carrier, connected.house
    before = house.media.every_port[1].remote
    carrier.ask("UPDATE", body=VIDEO)
    house.pass_(0.1)
    assert carrier.statuses("UPDATE") == [488]
    assert house.media.every_port[1].remote == before
    connected.talk.hang_up()
    connected.settle()


def test_an_update_before_our_answer_to_their_first_offer_comes_too_early(gateway: WrittenCaller, house: House) -> None:
    """RFC 3311 5.2: 500, and later once more."""
    house.carrier.usual.answer_after = 2
    gateway.ask(number="00442071234567", body=DESCRIPTION)
    house.pass_(1)
    gateway.ask("UPDATE", "00442071234567", sequence=2, body=ON_HOLD)
    house.pass_(0.1)
    assert 0 <= int(gateway.last(500)["retry-after"]) <= 10
    gateway.ask("UPDATE", "00442071234567", sequence=3)
    house.pass_(2)
    assert gateway.statuses("UPDATE") == [500, 200]
    gateway.ask("ACK", "00442071234567")
    house.pass_(0.1)
    gateway.ask("UPDATE", "00442071234567", sequence=4, body=ON_HOLD)
    house.pass_(0.1)
    assert gateway.last(200).sequence == 4
    gateway.ask("BYE", "00442071234567", sequence=5)
    settle(house)


def test_an_update_while_our_offer_waits_for_its_answer(caller: WrittenCaller, house: House) -> None:
    """Our 200 carried the offer: an offer of theirs glares at it."""
    caller.ask()
    house.pass_(0.1)
    caller.ask("UPDATE", sequence=2, body=DESCRIPTION)
    house.pass_(0.1)
    assert caller.statuses("UPDATE") == [491]
    caller.ask("ACK", body=DESCRIPTION)
    house.pass_(0.1)
    caller.ask("UPDATE", sequence=3, body=DESCRIPTION)
    house.pass_(0.1)
    assert caller.statuses("UPDATE") == [491, 200]
    caller.ask("BYE", sequence=4)
    settle(house)


# Ours.


@pytest.mark.parametrize("method", ["INVITE", "UPDATE"])
def test_a_change_of_ours_is_agreed(connected: Scene, ours: Leg, method: str) -> None:
    wanted = Wanted(ours, method)
    connected.house.pass_(0.1)
    [request] = asked(connected, method)
    assert "a=sendonly" in request.body
    assert version(request) == version(connected.carrier.requests("INVITE")[0]) + 1
    connected.carrier.respond(200, request, body=DESCRIPTION.replace("40000", "50000") + "a=recvonly\n")
    connected.house.pass_(0.1)
    assert wanted.outcomes == [Outcome.AGREED]
    remote = connected.house.media.every_port[1].remote
    assert remote is not None
    assert (remote.port, remote.send, remote.receive) == (50000, True, False)
    connected.talk.hang_up()
    connected.settle()


def test_each_repetition_of_the_answer_to_our_re_invite_is_acknowledged(connected: Scene, ours: Leg) -> None:
    Wanted(ours)
    connected.house.pass_(0.1)
    [request] = asked(connected)
    for _ in range(3):
        connected.carrier.respond(200, request, body=DESCRIPTION)
        connected.house.pass_(0.5)
    acks = [ack for ack in connected.carrier.requests("ACK") if ack.sequence == request.sequence]
    assert len(acks) == 3
    connected.talk.hang_up()
    connected.settle()


@pytest.mark.parametrize("status", [403, 405, 488, 500, 503, 603])
def test_a_change_that_is_refused_leaves_the_session_as_it_was(connected: Scene, ours: Leg, status: int) -> None:
    before = connected.house.media.every_port[1].remote
    wanted = Wanted(ours)
    connected.house.pass_(0.1)
    connected.carrier.respond(status, asked(connected)[0])
    connected.house.pass_(0.1)
    assert wanted.outcomes == [Outcome.REFUSED]
    assert connected.house.media.every_port[1].remote == before
    assert connected.talk.talking
    connected.carrier.ask("INVITE", body=DESCRIPTION)
    connected.house.pass_(0.1)
    assert connected.carrier.last(200).sequence == 1  # no offer of ours stands in the way any more
    connected.carrier.ask("ACK")
    connected.talk.hang_up()
    connected.settle()


@pytest.mark.parametrize("status", [408, 481])
@pytest.mark.parametrize("method", ["INVITE", "UPDATE"])
def test_a_far_end_that_knows_the_call_no_more(connected: Scene, ours: Leg, method: str, status: int) -> None:
    """RFC 3261 12.2.1.2: the dialog is over, and with it the call."""
    wanted = Wanted(ours, method)
    connected.house.pass_(0.1)
    connected.carrier.respond(status, asked(connected, method)[0])
    connected.house.pass_(1)
    assert wanted.outcomes == [Outcome.LOST]
    assert not connected.talk.talking
    connected.settle()


@pytest.mark.parametrize("method", ["INVITE", "UPDATE"])
def test_a_far_end_that_says_nothing_to_a_change(connected: Scene, ours: Leg, method: str) -> None:
    wanted = Wanted(ours, method)
    connected.house.pass_(33)
    assert wanted.outcomes == [Outcome.LOST]
    assert not connected.talk.talking
    connected.settle()


def test_a_far_end_that_takes_its_time_over_a_re_invite_is_not_waited_for(connected: Scene, ours: Leg) -> None:
    """It said 100 and no more: our CANCEL ends the change and nothing else."""
    wanted = Wanted(ours)
    connected.house.pass_(0.1)
    [request] = asked(connected)
    connected.carrier.respond(100, request)
    connected.house.pass_(32)
    [cancel] = connected.carrier.requests("CANCEL")
    connected.carrier.respond(200, cancel)
    connected.carrier.respond(487, request)
    connected.house.pass_(0.1)
    assert wanted.outcomes == [Outcome.REFUSED]
    assert connected.talk.talking
    connected.talk.hang_up()
    connected.settle()


def test_a_carrier_that_asks_who_changes_the_session(house: House) -> None:
    scene = Scene.begin(house, username="shop", password="secret").connect()
    wanted = Wanted(leg_towards(house, "10.0.0.99"))
    house.pass_(0.1)
    scene.carrier.respond(407, asked(scene)[0], lines=CHALLENGE)
    house.pass_(0.1)
    request = asked(scene)[1]
    assert 'username="shop"' in request["proxy-authorization"]
    scene.carrier.respond(200, request, body=DESCRIPTION)
    house.pass_(0.1)
    assert wanted.outcomes == [Outcome.AGREED]
    scene.talk.hang_up()
    scene.settle()


def test_a_carrier_that_asks_again_is_not_answered_again(house: House) -> None:
    scene = Scene.begin(house, username="shop", password="wrong").connect()
    wanted = Wanted(leg_towards(house, "10.0.0.99"))
    for attempt in range(2):
        house.pass_(0.1)
        scene.carrier.respond(407, asked(scene)[attempt], lines=CHALLENGE)
    house.pass_(0.1)
    assert wanted.outcomes == [Outcome.REFUSED]
    assert len(asked(scene)) == 2
    scene.talk.hang_up()
    scene.settle()


def test_changes_wait_for_each_other(connected: Scene, ours: Leg) -> None:
    first, second = Wanted(ours), Wanted(ours, "UPDATE")
    refused = [Wanted(ours) for _ in range(3)]
    assert [wanted.outcomes for wanted in refused] == [[], [], [Outcome.REFUSED]]
    connected.house.pass_(0.1)
    assert asked(connected, "UPDATE") == []
    connected.carrier.respond(200, asked(connected)[0], body=DESCRIPTION)
    connected.house.pass_(0.1)
    connected.carrier.respond(200, asked(connected, "UPDATE")[0], body=DESCRIPTION)
    connected.house.pass_(0.1)
    assert (first.outcomes, second.outcomes) == ([Outcome.AGREED], [Outcome.AGREED])
    connected.talk.hang_up()
    connected.house.pass_(0.1)
    assert [wanted.outcomes for wanted in refused[:2]] == [[Outcome.LOST], [Outcome.LOST]]
    connected.carrier.respond(487, asked(connected)[-1])
    connected.settle()


# Both at the same moment.


@pytest.mark.parametrize("method", ["INVITE", "UPDATE"])
def test_a_re_invite_of_each_side_at_once_on_one_dialog(connected: Scene, ours: Leg, method: str) -> None:
    """491 both ways; we made the Call-ID, so we wait for 2.1 to 4 seconds (RFC 3261 14.1)."""
    carrier, house = connected.carrier, connected.house
    wanted = Wanted(ours, method)
    house.pass_(0.1)
    carrier.ask("INVITE", body=DESCRIPTION)
    carrier.respond(491, asked(connected, method)[0])
    house.pass_(0.1)
    assert carrier.statuses() == [491]
    carrier.ask("ACK")
    house.pass_(1.9)
    assert len(asked(connected, method)) == 1
    house.pass_(2.1)
    assert len(asked(connected, method)) == 2
    carrier.respond(200, asked(connected, method)[1], body=DESCRIPTION)
    house.pass_(0.1)
    assert wanted.outcomes == [Outcome.AGREED]
    connected.talk.hang_up()
    connected.settle()


def test_where_they_made_the_call_id_we_are_back_within_two_seconds(caller: WrittenCaller, house: House) -> None:
    caller.ask(body=DESCRIPTION)
    house.pass_(0.1)
    caller.ask("ACK")
    house.pass_(0.1)
    wanted = Wanted(leg_towards(house, "10.0.0.99"))
    house.pass_(0.1)
    refuse(caller, caller.requests("INVITE")[0], 491)
    house.pass_(2.1)
    assert len({text.sequence for text in caller.requests("INVITE")}) == 2
    refuse(caller, caller.requests("INVITE")[-1], 488)
    house.pass_(0.1)
    assert wanted.outcomes == [Outcome.REFUSED]
    caller.ask("BYE", sequence=2)
    settle(house)


def refuse(caller: WrittenCaller, request: Text, status: int) -> None:
    caller.send(
        f"SIP/2.0 {status} No\nVia: {request['via']}\nFrom: {request['from']}\nTo: {request['to']}\n"
        f"Call-ID: {request['call-id']}\nCSeq: {request['cseq']}\nContent-Length: 0\n\n"
    )


def test_a_far_end_that_never_stops_changing_is_given_up(connected: Scene, ours: Leg) -> None:
    wanted = Wanted(ours)
    for attempt in range(8):
        connected.house.pass_(4.1)
        connected.carrier.respond(491, asked(connected)[attempt])
    connected.house.pass_(5)
    assert wanted.outcomes == [Outcome.REFUSED]
    assert len(asked(connected)) == 8
    assert connected.talk.talking
    connected.talk.hang_up()
    connected.settle()


def test_a_far_end_that_wants_us_to_come_back_later(connected: Scene, ours: Leg) -> None:
    """RFC 3311 5.3: 500 with Retry-After."""
    wanted = Wanted(ours, "UPDATE")
    connected.house.pass_(0.1)
    connected.carrier.respond(500, asked(connected, "UPDATE")[0], lines="Retry-After: 3\n")
    connected.house.pass_(2.9)
    assert len(asked(connected, "UPDATE")) == 1
    connected.house.pass_(0.3)
    connected.carrier.respond(200, asked(connected, "UPDATE")[1], body=DESCRIPTION)
    connected.house.pass_(0.1)
    assert wanted.outcomes == [Outcome.AGREED]
    connected.talk.hang_up()
    connected.settle()


def test_we_wait_while_their_change_is_not_acknowledged(connected: Scene, ours: Leg) -> None:
    carrier, house = connected.carrier, connected.house
    carrier.ask("INVITE", body=DESCRIPTION)
    house.pass_(0.1)
    wanted = Wanted(ours)
    house.pass_(0.1)
    assert asked(connected) == []
    carrier.ask("ACK")
    house.pass_(4)
    carrier.respond(200, asked(connected)[0], body=DESCRIPTION)
    house.pass_(0.1)
    assert wanted.outcomes == [Outcome.AGREED]
    connected.talk.hang_up()
    connected.settle()


# And the end of the call in between.


@pytest.mark.parametrize("answer", [200, 487, 481])
def test_a_bye_of_theirs_crosses_our_re_invite(connected: Scene, ours: Leg, answer: int) -> None:
    wanted = Wanted(ours)
    connected.house.pass_(0.1)
    [request] = asked(connected)
    connected.carrier.ask("BYE")
    connected.house.pass_(0.1)
    connected.carrier.respond(answer, request, body=DESCRIPTION if answer == 200 else "")
    connected.house.pass_(0.1)
    assert wanted.outcomes == [Outcome.LOST]
    assert connected.carrier.statuses("BYE") == [200]
    assert connected.carrier.requests("BYE") == []
    assert [ack.sequence for ack in connected.carrier.requests("ACK")][-1] == request.sequence
    connected.settle()


def test_we_hang_up_while_our_re_invite_is_on_its_way(connected: Scene, ours: Leg) -> None:
    wanted = Wanted(ours)
    connected.house.pass_(0.1)
    [request] = asked(connected)
    connected.carrier.respond(100, request)
    connected.talk.hang_up()
    connected.house.pass_(0.1)
    assert wanted.outcomes == [Outcome.LOST]
    connected.carrier.respond(200, request, body=DESCRIPTION)
    connected.house.pass_(0.1)
    assert [ack.sequence for ack in connected.carrier.requests("ACK")][-1] == request.sequence
    connected.settle()
