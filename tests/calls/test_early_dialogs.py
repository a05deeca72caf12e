"""Who rings for one INVITE of ours: remembered while anybody rings, up to a limit."""

from minitelecom.calls.early_dialogs import MOST_HEARD, EarlyDialogs
from minitelecom.sip.message import Request, Response
from minitelecom.sip.offer_answer import Negotiation

INVITE = Request.create(
    "INVITE",
    "sip:4420@10.0.0.99",
    [("From", "<sip:101@10.0.0.1>;tag=a"), ("To", "<sip:4420@10.0.0.99>"), ("Call-ID", "c"), ("CSeq", "1 INVITE")],
)


def answer(status: int, tag: str, contact: str = "far") -> Response:
    return INVITE.response(status, to_tag=tag, headers=[("Contact", f"<sip:{contact}@10.0.0.99>")])


def ringing(*tags: str) -> EarlyDialogs:
    early = EarlyDialogs(lambda: Negotiation("10.0.0.1", 40000, 1))
    for tag in tags:
        early.heard(INVITE, answer(180, tag))
    return early


def test_each_far_end_that_rings_has_a_dialog_of_its_own() -> None:
    early = ringing("one", "two")
    one, two = early.of("one"), early.of("two")
    assert one is not None
    assert two is not None
    assert (one.dialog.remote_tag, two.dialog.remote_tag) == ("one", "two")
    assert early.of("one") is one
    assert early.of("nobody") is None


def test_the_one_that_answers_goes_on_with_its_numbers() -> None:
    early = ringing("one", "two")
    spoken_to = early.of("two")
    assert spoken_to is not None
    prack = spoken_to.dialog.request("PRACK")
    confirmed = early.confirmed(INVITE, answer(200, "two", "elsewhere"))
    assert confirmed.request("BYE").cseq.number == prack.cseq.number + 1
    assert (confirmed.early, confirmed.remote_target.user) == (False, "elsewhere")
    assert early.confirmed(INVITE, answer(200, "one")).local_sequence == 1


def test_no_more_are_remembered_than_there_is_room_for() -> None:
    early = ringing(*(f"{number}" for number in range(MOST_HEARD + 5)))
    assert list(early.tags) == [f"{number}" for number in range(MOST_HEARD)]
    early.heard(INVITE, answer(183, "0", "elsewhere"))
    moved = early.of("0")
    assert moved is not None
    assert moved.dialog.remote_target.user == "elsewhere"


def test_when_one_has_answered_the_others_are_forgotten() -> None:
    early = ringing("one", "two")
    one = early.of("one")
    early.forget()
    assert list(early.tags) == []
    assert early.of("two") is None
    assert early.known("one") is one
