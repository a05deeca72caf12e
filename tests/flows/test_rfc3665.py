"""RFC 3665, basic call flows: registrations (section 2) and sessions (section 3), with the switch as registrar and proxy."""

import pytest

from minitelecom.sip.message import Request
from tests.flows.conftest import ALICE, BOB
from tests.flows.ladder import FlowHouse, ladder
from tests.world.house import CARRIER, HeldCard
from tests.world.party import Answer, Behaviour, Party
from tests.world.wire import parameter

LONDON = "00442071234567"

CALLS = """
    -> INVITE (SDP)
    <- 407 INVITE
    -> ACK
    -> INVITE (SDP)
"""
"""How every call of a telephone with a password begins."""


# --- section 2: registration ------------------------------------------------------------------------------------------


@pytest.fixture
def shop(house: FlowHouse, bob: Party) -> FlowHouse:
    """Everybody is there, and Bob has registered."""
    return house


def registration(house: FlowHouse, party: Party, *lines: tuple[str, str]) -> Answer:
    """A REGISTER with these lines; challenged, and sent again with credentials."""
    asking = Answer()
    address = f"<sip:{party.name}@{party.exchange.host}>"
    head = [("To", address), ("From", f"{address};tag=456248"), ("Call-ID", "843817637684230@998sdasdh09")]
    sent: list[int] = []

    def send(*credentials: tuple[str, str]) -> None:
        sent.append(1)
        numbered = [*head, ("CSeq", f"{len(sent)} REGISTER"), ("Max-Forwards", "70"), *lines, *credentials]
        party.layer.request(Request.create("REGISTER", f"sip:{party.exchange.host}", numbered), party.exchange, asking)

    send()
    house.pass_(0.1)
    assert asking.response is not None
    send(party.answer_challenge(asking.response, "REGISTER", f"sip:{party.exchange.host}"))
    house.pass_(0.1)
    return asking


REGISTERS = """
    -> REGISTER
    <- 401 REGISTER
    -> REGISTER
    <- 200 REGISTER
"""


def test_2_1_successful_new_registration(house: FlowHouse, alice: Party) -> None:
    house.open()
    alice.register(7200)
    house.pass_(1)
    assert house.saw(ALICE) == ladder(REGISTERS)
    challenged, accepted = house.messages(ALICE)[1], house.messages(ALICE)[3]
    assert parameter(challenged["www-authenticate"].removeprefix("Digest "), "nonce")
    assert accepted["contact"].startswith(f"<sip:alice@{ALICE}:5060>")
    assert parameter(accepted["contact"], "expires")
    assert house.messages(ALICE)[2].sequence == 2


def test_2_2_update_of_the_contact_list(shop: FlowHouse, bob: Party) -> None:
    """A second address beside the first: the answer lists both."""
    registration(shop, bob, ("Contact", "<sip:bob@10.0.0.33:5062>"), ("Expires", "600"))
    assert shop.saw(BOB) == ladder(REGISTERS)
    contacts = ", ".join(shop.messages(BOB)[-1].all("contact"))
    assert f"sip:bob@{BOB}:5060" in contacts
    assert "sip:bob@10.0.0.33:5062" in contacts


def test_2_3_request_for_the_current_contact_list(shop: FlowHouse, bob: Party) -> None:
    """A REGISTER without a Contact changes nothing and is told all."""
    registration(shop, bob)
    assert shop.saw(BOB) == ladder(REGISTERS)
    assert shop.messages(BOB)[-1].all("contact")[0].startswith(f"<sip:bob@{BOB}:5060>")


def test_2_4_cancellation_of_a_registration(shop: FlowHouse, bob: Party, alice: Party) -> None:
    """Contact: * with Expires: 0; nobody reaches Bob any more."""
    registration(shop, bob, ("Contact", "*"), ("Expires", "0"))
    assert shop.saw(BOB) == ladder(REGISTERS)
    assert not shop.messages(BOB)[-1].all("contact")
    shop.forget()
    call = alice.call("bob")
    shop.pass_(1)
    assert call.final is not None
    assert not call.talking
    assert not shop.saw(BOB)


def test_2_5_unsuccessful_registration(shop: FlowHouse, bob: Party) -> None:
    """The RFC's registrar challenges for ever; ours says 403, so that a telephone does not go on trying."""
    bob.password = "wrong"
    registering = bob.register()
    shop.pass_(1)
    assert registering.statuses == [401, 403]
    assert shop.saw(BOB) == ladder(REGISTERS.replace("200", "403"))


# --- section 3: sessions ----------------------------------------------------------------------------------------------


def test_3_1_successful_session_establishment(house: FlowHouse, alice: Party, bob: Party) -> None:
    """The one who is called hangs up."""
    bob.usual = Behaviour(answer_after=2)
    alice.call("bob")
    house.pass_(5)
    bob.calls[0].hang_up()
    house.pass_(1)
    assert house.saw(ALICE) == ladder(
        CALLS
        + """
        <- 180 INVITE
        <- 200 INVITE (SDP)
        -> ACK
        <- BYE
        -> 200 BYE
    """
    )
    assert house.saw(BOB) == ladder(
        """
        <- INVITE (SDP)
        -> 180 INVITE
        -> 200 INVITE (SDP)
        <- ACK
        -> BYE
        <- 200 BYE
    """
    )


def test_3_2_session_establishment_through_two_proxies(house: FlowHouse, alice: Party, bob: Party) -> None:
    """Challenged by the first; the same Call-ID and From tag, the next number, and an ACK on the INVITE's branch."""
    alice.call("bob")
    house.pass_(3)
    first, challenged, ack, second = house.messages(ALICE)[:4]
    assert challenged["proxy-authenticate"].startswith("Digest ")
    assert second["proxy-authorization"].startswith("Digest ")
    assert (first["call-id"], first["from"]) == (second["call-id"], second["from"])
    assert (first.sequence, ack.sequence, second.sequence) == (1, 1, 2)
    assert all(text["call-id"] != first["call-id"] for text in house.messages(BOB))
    alice.calls[0].hang_up()


def test_3_3_session_establishment_with_multiple_proxy_authentication(
    house: FlowHouse, alice: Party, card: HeldCard
) -> None:
    """The carrier challenges as well: that is the switch's to answer, and Alice does not hear of it."""
    house.trunk("demanding", f"sip:{CARRIER}:5070", match="4420", username="shop", password="secret")
    demanding = Demanding(house, CARRIER, 5070)
    house.open()
    alice.call(LONDON)
    house.pass_(3)
    alice.calls[0].hang_up()
    house.pass_(1)
    assert house.saw(ALICE) == ladder(
        CALLS
        + """
        <- 180 INVITE
        <- 200 INVITE (SDP)
        -> ACK
        -> BYE
        <- 200 BYE
    """
    )
    assert house.saw(CARRIER) == ladder(
        """
        <- INVITE (SDP)
        -> 407 INVITE
        <- ACK
        <- INVITE (SDP)
        -> 180 INVITE
        -> 200 INVITE (SDP)
        <- ACK
        <- BYE
        -> 200 BYE
    """
    )
    assert demanding.calls[0].request is not None
    assert 'username="shop"' in (demanding.calls[0].request.get("Proxy-Authorization") or "")


class Demanding(Party):
    """A carrier that wants to know who calls."""

    def __init__(self, house: FlowHouse, host: str, port: int) -> None:
        from tests.world.house import EXCHANGE

        super().__init__(house.clock, house.random, house.network, EXCHANGE, "demanding", host, port)

    def request_received(self, transaction, request, source) -> None:
        if request.method == "INVITE" and request.to.tag is None and request.get("Proxy-Authorization") is None:
            challenge = 'Digest realm="carrier", nonce="f84f1cec41e6cbe5aea9c8e88d359", qop="auth"'
            transaction.respond(request.response(407, to_tag="1", headers=[("Proxy-Authenticate", challenge)]))
            return
        super().request_received(transaction, request, source)


def test_3_4_session_with_a_proxy_failure(house: FlowHouse, alice: Party) -> None:
    """The first carrier is silent for all of timer B; the second has the call, and Alice notices nothing but the wait."""
    house.trunk("first", "sip:10.0.0.98", match="4420", priority=-1)
    house.open()
    alice.call(LONDON)
    house.pass_(36)
    assert house.saw("10.0.0.98") == "\n".join(["<- INVITE (SDP)"] * 7)
    alice.calls[0].hang_up()
    house.pass_(1)
    assert house.saw(ALICE) == ladder(
        CALLS
        + """
        <- 180 INVITE
        <- 200 INVITE (SDP)
        -> ACK
        -> BYE
        <- 200 BYE
    """
    )


def test_3_6_the_offer_comes_in_the_200_and_the_answer_in_the_ack(house: FlowHouse, alice: Party) -> None:
    house.open()
    alice.call(LONDON, body=False)
    house.pass_(3)
    alice.calls[0].hang_up()
    house.pass_(1)
    assert house.saw(ALICE) == ladder(
        """
        -> INVITE
        <- 407 INVITE
        -> ACK
        -> INVITE
        <- 180 INVITE
        <- 200 INVITE (SDP)
        -> ACK (SDP)
        -> BYE
        <- 200 BYE
    """
    )


def test_3_7_session_with_a_re_invite_because_an_address_has_changed(
    house: FlowHouse, alice: Party, bob: Party
) -> None:
    """Sound goes by way of the switch, so that Alice need not know."""
    alice.call("bob")
    house.pass_(3)
    house.forget()
    moved = bob.description().replace(BOB.encode(), b"10.0.0.77")
    changing = bob.calls[0].re_invite(moved)
    house.pass_(1)
    assert changing.statuses[-1] == 200
    assert house.saw(BOB) == ladder(
        """
        -> INVITE (SDP)
        <- 200 INVITE (SDP)
        -> ACK
    """
    )
    assert not house.saw(ALICE)
    bob.calls[0].hang_up()


def test_3_8_no_answer(house: FlowHouse, alice: Party, bob: Party) -> None:
    """Alice gives up: CANCEL, and the INVITE ends with 487."""
    bob.usual = Behaviour(answer_after=None)
    call = alice.call("bob")
    house.pass_(5)
    call.cancel()
    house.pass_(1)
    assert house.saw(ALICE) == ladder(
        CALLS
        + """
        <- 180 INVITE
        -> CANCEL
        <- 200 CANCEL
        <- 487 INVITE
        -> ACK
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


@pytest.mark.parametrize("status", [486, 480])
def test_3_9_busy_and_3_11_temporarily_unavailable(house: FlowHouse, alice: Party, bob: Party, status: int) -> None:
    bob.usual = Behaviour(answer_after=2, status=status)
    alice.call("bob")
    house.pass_(5)
    assert house.saw(ALICE) == ladder(
        CALLS
        + f"""
        <- 180 INVITE
        <- {status} INVITE
        -> ACK
    """
    )
    assert house.saw(BOB) == ladder(
        f"""
        <- INVITE (SDP)
        -> 180 INVITE
        -> {status} INVITE
        <- ACK
    """
    )


def test_3_10_no_response_from_a_telephone(house: FlowHouse, alice: Party, bob: Party) -> None:
    """Seven INVITEs within timer B, and no ACK to nothing."""
    house.network.detach(BOB, 5060)
    call = alice.call("bob")
    house.pass_(40)
    assert house.saw(BOB) == "\n".join(["<- INVITE (SDP)"] * 7)
    assert call.final is not None
    assert house.saw(ALICE) == ladder(f"{CALLS}\n<- {call.final} INVITE\n-> ACK")
