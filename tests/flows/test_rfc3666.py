"""
RFC 3666, calls to and from the public telephone network: the carrier's gateway on one side of the switch, a telephone of the
shop on the other.
"""

import pytest

from minitelecom.store import numbers
from minitelecom.store.numbers import Number
from minitelecom.store.synchronous import run
from tests.flows.conftest import ALICE
from tests.flows.ladder import FlowHouse, ladder
from tests.world.house import CARRIER
from tests.world.party import Behaviour, Party, Talk

LONDON, CABIN = "00442071234567", "35929999999"
SECOND_GATEWAY = "10.0.0.98"

CALLS = """
    -> INVITE (SDP)
    <- 407 INVITE
    -> ACK
    -> INVITE (SDP)
"""


@pytest.fixture
def gateway(house: FlowHouse, alice: Party) -> Party:
    """The carrier's; the shop is open, and Alice's telephone is registered and has a number."""
    house.open()
    run(numbers.add(house.database, Number(CABIN, device="alice"), "story", house.now()))
    run(house.exchange.read("numbers"))
    alice.register()
    house.pass_(1)
    house.forget()
    return house.carrier


# --- section 2: from SIP to the network -------------------------------------------------------------------------------


def test_2_1_successful_call_to_the_network(house: FlowHouse, alice: Party, gateway: Party) -> None:
    """Ringing is heard as sound before the answer: 183 with a description."""
    gateway.usual = Behaviour(answer_after=3, early_media=True)
    call = alice.call(LONDON)
    house.pass_(5)
    call.hang_up()
    house.pass_(1)
    assert house.saw(ALICE) == ladder(
        CALLS
        + """
        <- 183 INVITE (SDP)
        <- 200 INVITE (SDP)
        -> ACK
        -> BYE
        <- 200 BYE
    """
    )
    assert house.saw(CARRIER) == ladder(
        """
        <- INVITE (SDP)
        -> 183 INVITE (SDP)
        -> 200 INVITE (SDP)
        <- ACK
        <- BYE
        -> 200 BYE
    """
    )


def test_2_3_overflow_to_a_second_gateway(house: FlowHouse, alice: Party) -> None:
    """503 from the first; the number is dialled again at the second, in a dialog of its own, and Alice hears nothing of it."""
    house.trunk("first", f"sip:{SECOND_GATEWAY}", match="4420", priority=-1)
    full = house.party("full", SECOND_GATEWAY)
    full.usual = Behaviour(ring_after=None, answer_after=0.1, status=503)
    house.open()
    call = alice.call(LONDON)
    house.pass_(3)
    call.hang_up()
    house.pass_(1)
    assert house.saw(SECOND_GATEWAY) == ladder(
        """
        <- INVITE (SDP)
        -> 503 INVITE
        <- ACK
    """
    )
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
    assert house.messages(CARRIER)[0]["call-id"] != house.messages(SECOND_GATEWAY)[0]["call-id"]
    assert "503" not in house.saw(ALICE)


def test_2_5_the_network_tells_in_words_why_it_fails(house: FlowHouse, alice: Party, gateway: Party) -> None:
    """An announcement as early sound; Alice has heard enough and gives up."""
    gateway.usual = Behaviour(answer_after=None, early_media=True)
    call = alice.call(LONDON)
    house.pass_(5)
    call.cancel()
    house.pass_(1)
    assert house.saw(ALICE) == ladder(
        CALLS
        + """
        <- 183 INVITE (SDP)
        -> CANCEL
        <- 200 CANCEL
        <- 487 INVITE
        -> ACK
    """
    )
    assert house.saw(CARRIER) == ladder(
        """
        <- INVITE (SDP)
        -> 183 INVITE (SDP)
        <- CANCEL
        -> 200 CANCEL
        -> 487 INVITE
        <- ACK
    """
    )


@pytest.mark.parametrize("status", [404, 486])
def test_2_6_the_network_releases_with_a_cause(house: FlowHouse, alice: Party, gateway: Party, status: int) -> None:
    """An unassigned number (cause 1) is 404, a busy one (17) is 486: Alice hears the same."""
    gateway.usual = Behaviour(ring_after=None, answer_after=0.5, status=status)
    alice.call(LONDON)
    house.pass_(2)
    assert house.saw(ALICE) == ladder(f"{CALLS}\n<- {status} INVITE\n-> ACK")
    assert house.saw(CARRIER) == ladder(f"<- INVITE (SDP)\n-> {status} INVITE\n<- ACK")


def test_2_7_nobody_answers_in_time(house: FlowHouse, alice: Party, gateway: Party) -> None:
    """The switch's limit of ringing is the shorter one: it cancels the call to the gateway, and Alice hears 480."""
    gateway.usual = Behaviour(answer_after=None, early_media=True)
    alice.call(LONDON)
    house.pass_(120)
    assert house.saw(ALICE) == ladder(
        CALLS
        + """
        <- 183 INVITE (SDP)
        <- 480 INVITE
        -> ACK
    """
    )
    assert house.saw(CARRIER) == ladder(
        """
        <- INVITE (SDP)
        -> 183 INVITE (SDP)
        <- CANCEL
        -> 200 CANCEL
        -> 487 INVITE
        <- ACK
    """
    )


# --- section 3: from the network to SIP -------------------------------------------------------------------------------


def delivered(house: FlowHouse, gateway: Party, alice: Party, behaviour: Behaviour) -> Talk:
    alice.usual = behaviour
    call = gateway.call(CABIN)
    house.pass_(5)
    return call


def test_3_1_successful_call_from_the_network(house: FlowHouse, alice: Party, gateway: Party) -> None:
    delivered(house, gateway, alice, Behaviour(answer_after=2))
    alice.calls[0].hang_up()
    house.pass_(1)
    assert house.saw(CARRIER) == ladder(
        """
        -> INVITE (SDP)
        <- 180 INVITE
        <- 200 INVITE (SDP)
        -> ACK
        <- BYE
        -> 200 BYE
    """
    )
    assert house.saw(ALICE) == ladder(
        """
        <- INVITE (SDP)
        -> 180 INVITE
        -> 200 INVITE (SDP)
        <- ACK
        -> BYE
        <- 200 BYE
    """
    )


def test_3_2_fast_answer(house: FlowHouse, alice: Party, gateway: Party) -> None:
    """No ringing at all."""
    call = delivered(house, gateway, alice, Behaviour(ring_after=None, answer_after=0.05))
    call.hang_up()
    house.pass_(1)
    assert house.saw(CARRIER) == ladder(
        """
        -> INVITE (SDP)
        <- 200 INVITE (SDP)
        -> ACK
        -> BYE
        <- 200 BYE
    """
    )


@pytest.mark.parametrize("status", [480, 486, 603])
def test_3_4_and_3_5_the_telephone_refuses(house: FlowHouse, alice: Party, gateway: Party, status: int) -> None:
    """What it says reaches the gateway, which makes a cause of it."""
    call = delivered(house, gateway, alice, Behaviour(ring_after=None, answer_after=0.5, status=status))
    assert call.final == status
    assert house.saw(CARRIER) == ladder(f"-> INVITE (SDP)\n<- {status} INVITE\n-> ACK")
    assert house.saw(ALICE) == ladder(f"<- INVITE (SDP)\n-> {status} INVITE\n<- ACK")


def test_3_7_the_telephone_is_silent(house: FlowHouse, alice: Party, gateway: Party) -> None:
    """The gateway's patience ends before ours: it cancels."""
    house.network.detach(ALICE, 5060)
    call = gateway.call(CABIN)
    house.pass_(20)
    call.cancel()
    house.pass_(20)
    assert house.saw(CARRIER) == ladder(
        """
        -> INVITE (SDP)
        -> CANCEL
        <- 200 CANCEL
        <- 487 INVITE
        -> ACK
    """
    )
    assert set(house.saw(ALICE).splitlines()) == {"<- INVITE (SDP)"}


def test_3_9_the_caller_gives_up(house: FlowHouse, alice: Party, gateway: Party) -> None:
    call = delivered(house, gateway, alice, Behaviour(answer_after=None))
    call.cancel()
    house.pass_(1)
    assert house.saw(CARRIER) == ladder(
        """
        -> INVITE (SDP)
        <- 180 INVITE
        -> CANCEL
        <- 200 CANCEL
        <- 487 INVITE
        -> ACK
    """
    )
    assert house.saw(ALICE) == ladder(
        """
        <- INVITE (SDP)
        -> 180 INVITE
        <- CANCEL
        -> 200 CANCEL
        -> 487 INVITE
        <- ACK
    """
    )
