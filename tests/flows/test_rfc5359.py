"""
RFC 5359, examples of services.  Those a telephone does by re-INVITE, 3xx and several contacts are here; the switch keeps the
sound and pays attention to who pays, so that the other side sees less than in the RFC's figures.
"""

import pytest

from tests.flows.conftest import ALICE, BOB
from tests.flows.ladder import FlowHouse, ladder
from tests.world.house import CARRIER, HeldCard, voice
from tests.world.party import Behaviour, Party, Talk

LONDON = "00442071234567"
CAROL = "10.0.0.22"

RE_INVITE = """
    -> INVITE (SDP)
    <- 200 INVITE (SDP)
    -> ACK
"""


@pytest.fixture
def carol(house: FlowHouse) -> Party:
    """A third telephone; ask for her before Bob, with whom the shop opens."""
    return house.telephone("carol", CAROL)


@pytest.fixture
def talk(house: FlowHouse, carol: Party, alice: Party, bob: Party) -> Talk:
    """Alice talks to Bob; Carol is registered.  The flow begins."""
    carol.register()
    call = alice.call("bob")
    house.pass_(3)
    assert call.talking
    house.forget()
    return call


def hold(house: FlowHouse, talk: Talk) -> None:
    talk.re_invite(talk.party.description() + b"a=sendonly\r\n")
    house.pass_(1)


def resume(house: FlowHouse, talk: Talk) -> None:
    talk.re_invite(talk.party.description())
    house.pass_(1)


def directions(house: FlowHouse, host: str) -> list[str]:
    """What every description says of the direction, that of its sending first."""
    found = []
    for text in house.messages(host):
        if "m=audio" in text.body:
            lines = text.body.splitlines()
            found.append(
                next((line for line in lines if line[2:] in {"sendonly", "recvonly", "inactive"}), "a=sendrecv")
            )
    return found


def test_2_1_call_hold(house: FlowHouse, talk: Talk) -> None:
    hold(house, talk)
    resume(house, talk)
    assert house.saw(ALICE) == ladder(RE_INVITE + RE_INVITE)
    assert directions(house, ALICE) == ["a=sendonly", "a=recvonly", "a=sendrecv", "a=sendrecv"]
    talk.hang_up()


def test_2_2_consultation_hold(house: FlowHouse, talk: Talk, alice: Party, carol: Party) -> None:
    """Alice asks Carol something, and comes back to Bob."""
    hold(house, talk)
    asking = alice.call("carol")
    house.pass_(3)
    assert asking.talking
    asking.hang_up()
    house.pass_(1)
    resume(house, talk)
    assert talk.talking
    assert house.saw(CAROL) == ladder(
        """
        <- INVITE (SDP)
        -> 180 INVITE
        -> 200 INVITE (SDP)
        <- ACK
        <- BYE
        -> 200 BYE
    """
    )
    talk.hang_up()
    house.pass_(1)
    assert house.saw(BOB) == ladder("<- BYE\n-> 200 BYE")


def test_2_3_music_on_hold(house: FlowHouse, talk: Talk) -> None:
    """The switch plays it itself, where the RFC's telephone refers to a server of music."""
    hold(house, talk)
    _, to_bob = house.media.open_ports
    assert to_bob.playing == voice().music
    resume(house, talk)
    assert to_bob.playing == []
    assert not house.saw(BOB)
    talk.hang_up()


def forwards(to: str, **how: float) -> Behaviour:
    return Behaviour(status=302, headers=(("Contact", f"<sip:{to}@10.0.0.1>"),), **how)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("how", "rings"),
    [({"ring_after": None, "answer_after": 0.1}, False), ({"ring_after": 0.1, "answer_after": 15}, True)],
    ids=["2.7 unconditional and 2.8 when busy", "2.9 when nobody answers"],
)
def test_call_forwarding(
    house: FlowHouse, carol: Party, alice: Party, bob: Party, how: dict[str, float], *, rings: bool
) -> None:
    """Bob's telephone answers 302; Alice hears ringing, and then Carol."""
    carol.register()
    house.pass_(1)
    house.forget()
    bob.usual = forwards("carol", **how)
    call = alice.call("bob")
    house.pass_(18)
    assert call.talking
    call.hang_up()
    house.pass_(1)
    assert house.saw(BOB) == ladder(f"<- INVITE (SDP)\n{'-> 180 INVITE' if rings else ''}\n-> 302 INVITE\n<- ACK")
    assert house.saw(CAROL) == ladder(
        """
        <- INVITE (SDP)
        -> 180 INVITE
        -> 200 INVITE (SDP)
        <- ACK
        <- BYE
        -> 200 BYE
    """
    )
    assert "302" not in house.saw(ALICE)


def test_2_7_forwarding_to_the_world_is_paid_by_the_one_who_forwards(
    house: FlowHouse, alice: Party, card: HeldCard
) -> None:
    bob = house.telephone("bob", BOB, house.card("1.00"))
    house.open()
    bob.register()
    house.pass_(1)
    bob.usual = forwards(LONDON, answer_after=0.1)
    call = alice.call("bob")
    house.pass_(10)
    call.hang_up()
    house.pass_(1)
    assert house.saw(CARRIER) == ladder(
        """
        <- INVITE (SDP)
        -> 180 INVITE
        -> 200 INVITE (SDP)
        <- ACK
        <- BYE
        -> 200 BYE
    """
    )
    inside, outside = house.records()
    assert (inside.account, outside.device) == (None, "bob")
    assert outside.cost is not None
    assert outside.cost.amount > 0
    assert str(house.balance(card)) == "15.000000"


def test_2_12_find_me(house: FlowHouse, alice: Party, bob: Party) -> None:
    """Bob has two telephones, which ring at once; the one that is not lifted is told to stop."""
    other = house.party("bob", "10.0.0.23", password="secret-bob")
    other.register()
    house.pass_(1)
    house.forget()
    bob.usual, other.usual = Behaviour(answer_after=20), Behaviour(answer_after=2)
    call = alice.call("bob")
    house.pass_(5)
    call.hang_up()
    house.pass_(1)
    assert house.saw("10.0.0.23") == ladder(
        """
        <- INVITE (SDP)
        -> 180 INVITE
        -> 200 INVITE (SDP)
        <- ACK
        <- BYE
        -> 200 BYE
    """
    )
    assert house.saw(BOB) == ladder(
        """
        <- INVITE (SDP)
        -> 180 INVITE
        <- CANCEL
        -> 200 CANCEL
        -> 487 INVITE
        <- ACK
    """
    )


def test_2_14_outgoing_call_screening(house: FlowHouse, alice: Party, bob: Party) -> None:
    """A telephone without an account calls nobody outside: 403, and the carrier hears nothing."""
    call = bob.call(LONDON)
    house.pass_(2)
    assert call.final == 403
    assert house.saw(BOB) == ladder("-> INVITE (SDP)\n<- 407 INVITE\n-> ACK\n-> INVITE (SDP)\n<- 403 INVITE\n-> ACK")
    assert not house.saw(CARRIER)
