"""
RFC 5359 sections 2.4 and 2.5: transfer.  Bob hands Alice on to Carol.

All sound passes through the switch, so Alice, who is transferred, sees nothing of it, and Carol an ordinary call: the
RFC's INVITE of the one to the other is the switch's own.
"""

import pytest

from tests.flows.conftest import ALICE, BOB
from tests.flows.ladder import FlowHouse, ladder
from tests.flows.test_rfc5359 import CAROL, hold
from tests.world.party import Party, Talk


@pytest.fixture
def carol(house: FlowHouse) -> Party:
    return house.telephone("carol", CAROL)


@pytest.fixture
def talk(house: FlowHouse, carol: Party, alice: Party, bob: Party) -> Talk:
    """Bob's end of his talk with Alice.  The flow begins."""
    carol.register()
    call = alice.call("bob")
    house.pass_(3)
    assert call.talking
    house.forget()
    return bob.calls[0]


def test_2_4_unattended(house: FlowHouse, talk: Talk, alice: Party, carol: Party) -> None:
    talk.refer("<sip:carol@10.0.0.1>")
    house.pass_(3)
    assert house.saw(BOB) == ladder(
        """
        -> REFER
        <- 202 REFER
        <- NOTIFY
        -> 200 NOTIFY
        <- NOTIFY
        -> 200 NOTIFY
        <- NOTIFY
        -> 200 NOTIFY
        <- BYE
        -> 200 BYE
    """
    )
    assert talk.told == ["SIP/2.0 100 Trying", "SIP/2.0 180 Ringing", "SIP/2.0 200 OK"]
    assert house.saw(CAROL) == ladder(
        """
        <- INVITE (SDP)
        -> 180 INVITE
        -> 200 INVITE (SDP)
        <- ACK
    """
    )
    assert not house.saw(ALICE)
    assert alice.calls[0].talking
    carol.calls[0].hang_up()
    house.pass_(1)
    assert house.saw(ALICE) == ladder("<- BYE\n-> 200 BYE")


def test_2_5_attended(house: FlowHouse, talk: Talk, alice: Party, bob: Party, carol: Party) -> None:
    """Bob holds Alice, asks Carol, and joins the two."""
    hold(house, talk)
    asking = bob.call("carol")
    house.pass_(3)
    assert asking.talking
    house.forget()
    replaces = asking.replaces.replace(";", "%3B").replace("=", "%3D").replace("@", "%40")
    talk.refer(f"<sip:carol@10.0.0.1?Replaces={replaces}>")
    house.pass_(3)
    assert house.saw(BOB) == ladder(
        """
        -> REFER
        <- 202 REFER
        <- NOTIFY
        <- BYE
        -> 200 NOTIFY
        -> 200 BYE
        <- NOTIFY
        -> 200 NOTIFY
        <- BYE
        -> 200 BYE
    """
    )
    assert asking.ended_by_far_end
    assert talk.told == ["SIP/2.0 100 Trying", "SIP/2.0 200 OK"]
    assert not house.saw(ALICE)
    assert not house.saw(CAROL)
    alice.calls[0].hang_up()
    house.pass_(1)
    assert not carol.calls[0].talking
    assert house.saw(CAROL) == ladder("<- BYE\n-> 200 BYE")
