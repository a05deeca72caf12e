"""RFC 3262: numbers in order on one side, repetition until PRACK on the other."""

import pytest
from twisted.internet.task import Clock

from minitelecom.sip.message import Request, Response
from minitelecom.sip.reliability import MOST_WAITING, InOrder, Provisionals, RAck, names, rseq
from minitelecom.sip.timers import Timers

INVITE = Request.create("INVITE", "sip:a@b", [("CSeq", "7 INVITE")])


def ringing(status: int = 180, *headers: tuple[str, str]) -> Response:
    return INVITE.response(status, headers=headers)


def reliable(number: object, status: int = 180) -> Response:
    return ringing(status, ("Require", "100rel"), ("RSeq", str(number)))


def prack(value: str) -> Request:
    return Request.create("PRACK", "sip:a@b", [("RAck", value)])


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("776656 1 INVITE", RAck(776656, 1, "INVITE")),
        ("  1   2  INVITE ", RAck(1, 2, "INVITE")),
        ("", None),
        ("1 2", None),
        ("1 2 INVITE x", None),
        ("-1 2 INVITE", None),
        ("1 99999999999 INVITE", None),
    ],
)
def test_reading_what_a_prack_is_for(value, read):
    assert RAck.of(prack(value)) == read
    assert read is None or RAck.of(prack(str(read))) == read


@pytest.mark.parametrize(
    ("response", "number"),
    [
        (reliable(5), 5),
        (reliable(2**32 - 1), 2**32 - 1),
        (reliable("five"), None),
        (reliable(0), None),
        (reliable(5, 100), None),  # section 3: 100 is never reliable
        (reliable(5, 200), None),
        (ringing(183, ("RSeq", "5")), None),
        (ringing(183, ("Require", "timer, 100REL"), ("RSeq", "5")), 5),
    ],
)
def test_which_responses_are_reliable(response, number):
    assert rseq(response) == number


def test_who_supports_it():
    assert names(Request.create("INVITE", "sip:a@b", [("Supported", "timer"), ("k", "100rel")]), "Supported")
    assert not names(Request.create("INVITE", "sip:a@b", [("Supported", "x100rel")]), "Supported")


def test_the_caller_takes_them_in_order_and_each_once():
    order = InOrder()
    taken = [order.take(reliable(number)) for number in (100, 100, 102, 101, 102, 99)]
    assert [rack and rack.response for rack in taken] == [100, None, None, 101, 102, None]
    assert taken[0] == RAck(100, 7, "INVITE")


class Called:
    """A called side with a clock."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.sent: list[tuple[float, int, str]] = []
        self.given_up: list[float] = []
        timers = Timers(self.clock, ())
        self.provisionals = Provisionals(timers, 40, self._respond, lambda: self.given_up.append(self.clock.seconds()))

    def _respond(self, response: Response) -> None:
        self.sent.append((self.clock.seconds(), response.status, response.get("RSeq") or ""))

    def pass_(self, seconds: float) -> None:
        for _ in range(round(seconds * 8)):
            self.clock.advance(0.125)

    def hears(self, value: str) -> int | None:
        response = self.provisionals.acknowledged(prack(value), INVITE)
        return response.status if response is not None else None


def test_repeated_ever_more_slowly_until_the_prack_comes():
    called = Called()
    called.provisionals.send(ringing())
    called.pass_(8)
    assert [(instant, number) for instant, _, number in called.sent] == [
        (0, "40"),
        (0.5, "40"),
        (1.5, "40"),
        (3.5, "40"),
        (7.5, "40"),
    ]
    assert called.hears("40 7 INVITE") == 180
    called.pass_(60)
    assert len(called.sent) == 5
    assert called.given_up == []
    assert called.clock.getDelayedCalls() == []


def test_the_next_one_waits_for_the_prack_of_the_one_before():
    called = Called()
    called.provisionals.send(ringing(180))
    called.provisionals.send(ringing(183))
    assert [status for _, status, _ in called.sent] == [180]
    assert called.hears("40 7 INVITE") == 180
    assert [(status, number) for _, status, number in called.sent] == [(180, "40"), (183, "41")]
    assert called.hears("41 7 INVITE") == 183


@pytest.mark.parametrize("value", ["41 7 INVITE", "40 8 INVITE", "40 7 UPDATE", "", "40 7"])
def test_a_prack_of_something_else_acknowledges_nothing(value):
    called = Called()
    called.provisionals.send(ringing())
    assert called.hears(value) is None
    assert not called.provisionals.knows(prack(value))
    called.pass_(0.6)
    assert len(called.sent) == 2


def test_a_prack_that_comes_again_is_known():
    called = Called()
    called.provisionals.send(ringing())
    called.hears("40 7 INVITE")
    assert called.hears("40 7 INVITE") is None
    assert called.provisionals.knows(prack("40 7 INVITE"))


def test_without_a_prack_it_is_given_up_after_32_seconds():
    called = Called()
    called.provisionals.send(ringing())
    called.pass_(31.8)
    assert called.given_up == []
    called.pass_(0.4)
    assert len(called.given_up) == 1
    assert called.clock.getDelayedCalls() == []


def test_after_the_final_response_nothing_is_repeated_or_sent():
    called = Called()
    called.provisionals.send(ringing(180))
    called.provisionals.send(ringing(183))
    called.provisionals.stop()
    called.pass_(60)
    assert len(called.sent) == 1
    assert called.given_up == []


def test_more_than_enough_waiting_is_let_go():
    called = Called()
    for _ in range(MOST_WAITING + 5):
        called.provisionals.send(ringing())
    count = 0
    while called.hears(f"{40 + count} 7 INVITE"):
        count += 1
    assert count == MOST_WAITING + 1
