"""A telephone hands its talk on (RFC 3515, RFC 3891, RFC 5359): who talks, who is told, and above all who pays."""

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal

import pytest

from minitelecom.store import devices
from minitelecom.store.devices import Settings
from minitelecom.store.synchronous import run
from tests.calls.story import BERLIN, LONDON, settle, visit
from tests.world.house import HeldCard, House
from tests.world.party import Behaviour, Party, Talk

B, C = LONDON.removeprefix("00"), BERLIN.removeprefix("00")
PROGRESS = ["SIP/2.0 100 Trying", "SIP/2.0 180 Ringing", "SIP/2.0 200 OK"]

Bill = tuple[str, str | None, str | None, int | None, str, str | None]


@dataclass
class Shop:
    """101 transfers and has an account; 102 and 103 call inside only.  The carrier connects everybody."""

    house: House
    euros: str = "10.00"
    card: HeldCard = field(init=False)
    t: Party = field(init=False)

    def __post_init__(self) -> None:
        house = self.house
        self.card = house.card(self.euros)
        self.t = house.telephone("101", "10.0.0.11", self.card)
        self.second = house.telephone("102", "10.0.0.12")
        self.third = house.telephone("103", "10.0.0.13")
        house.open()
        for telephone in (self.t, self.second, self.third):
            telephone.register()
        house.pass_(1)
        house.carrier.usual = Behaviour(answer_after=1)
        for telephone in (self.t, self.second, self.third):
            telephone.usual = Behaviour(answer_after=1)

    def call(self, caller: Party, number: str) -> tuple[Talk, Talk]:
        """Both ends of a talk that has just begun."""
        called = {"101": self.t, "102": self.second, "103": self.third}.get(number, self.house.carrier)
        before = len(called.calls)
        near = caller.call(number)
        self.house.pass_(2)
        assert near.talking
        return near, called.calls[before]

    def talks(self, one: Talk, other: Talk) -> None:
        """These two hear each other, and nobody else hears them."""
        assert one.talking
        assert other.talking
        [joined] = [port for port in self.house.media.open_ports if port.partner is not None][::2]
        assert joined.partner is not None
        assert {port_of(self.house, one), port_of(self.house, other)} == {joined.number, joined.partner.number}
        assert joined.playing == joined.partner.playing == []

    def bills(self) -> list[Bill]:
        """Of each record: who was called, by which telephone, at whose cost, how long, for how much, and why it ended."""
        return [
            (one.called_number, one.device, one.account, one.billed_seconds, str(one.cost), one.cause)
            for one in self.house.records()
        ]

    def settle(self) -> None:
        settle(self.house)
        assert self.house.reserved(self.card) == 0
        assert len(self.house.exchange.live) == 0
        assert len(self.house.exchange.switchboard) == 0
        paid = sum((one.cost.amount for one in self.house.records() if one.account and one.cost), Decimal(0))
        assert self.house.balance(self.card) == Decimal(self.euros) - paid


def port_of(house: House, talk: Talk) -> int:
    """The port of ours that a party was told."""
    description = talk.response.body if talk.response is not None else talk.request.body if talk.request else b""
    return int(description.partition(b"m=audio ")[2].split(b" ")[0])


@pytest.fixture
def shop(house: House) -> Shop:
    return Shop(house)


# Blind.


def test_an_outside_call_is_handed_to_a_telephone_and_goes_on_to_be_paid(shop: Shop) -> None:
    near, far = shop.call(shop.t, LONDON)
    shop.house.pass_(10)
    answer = near.refer("<sip:102@10.0.0.1>")
    shop.house.pass_(3)
    assert answer.statuses == [202]
    assert near.told == PROGRESS
    assert near.ended_by_far_end
    shop.talks(far, shop.second.calls[0])
    shop.house.pass_(45)
    far.hang_up()
    shop.settle()
    assert shop.bills() == [
        (B, "101", shop.card.number, 59, "0.059 EUR", "normal"),
        ("102", "101", None, 47, "0.00 EUR", "normal"),
    ]


def test_an_outside_call_is_handed_to_an_outside_number_and_both_are_paid(shop: Shop) -> None:
    near, far = shop.call(shop.t, LONDON)
    near.refer(f"<sip:{BERLIN}@10.0.0.1>")
    shop.house.pass_(3)
    berlin = shop.house.carrier.calls[1]
    shop.talks(far, berlin)
    assert [shown.step for shown in shop.house.exchange.live.snapshot()[1]] == ["talking", "talking"]
    shop.house.pass_(60)
    berlin.hang_up()
    shop.house.pass_(1)
    assert not far.talking
    shop.settle()
    assert shop.bills() == [
        (B, "101", shop.card.number, 64, "0.064 EUR", "normal"),
        (C, "101", shop.card.number, 120, "1.20 EUR", "normal"),
    ]


def test_a_call_that_came_is_handed_outside_at_the_cost_of_the_telephone(shop: Shop) -> None:
    caller, near = shop.call(shop.second, "101")
    near.refer(f"<sip:{LONDON}@10.0.0.1>")
    shop.house.pass_(3)
    assert near.told == PROGRESS
    assert near.ended_by_far_end
    london = shop.house.carrier.calls[0]
    shop.talks(caller, london)
    shop.house.pass_(28)
    caller.hang_up()
    shop.settle()
    assert shop.bills() == [
        ("101", "102", None, 2, "0.00 EUR", "normal"),
        (B, "101", shop.card.number, 30, "0.03 EUR", "normal"),
    ]
    assert [one.calling_number for one in shop.house.records()] == ["102", "102"]


@pytest.mark.parametrize("after", [0.02, 0.5])
def test_a_telephone_that_leaves_at_once(shop: Shop, after: float) -> None:
    """As most do: the talk it leaves waits for the one it has named, and its own record ends where it should."""
    near, far = shop.call(shop.t, LONDON)
    near.refer("<sip:102@10.0.0.1>")
    shop.house.pass_(after)
    near.hang_up()
    shop.house.pass_(3)
    shop.talks(far, shop.second.calls[0])
    shop.second.calls[0].hang_up()
    caller, near = shop.call(shop.second, "101")
    near.refer("<sip:103@10.0.0.1>")
    shop.house.pass_(after)
    near.hang_up()
    shop.house.pass_(13)
    shop.talks(caller, shop.third.calls[0])
    caller.hang_up()
    shop.settle()
    assert [(number, device, account) for number, device, account, *_ in shop.bills()] == [
        (B, "101", shop.card.number),
        ("102", "101", None),
        ("101", "102", None),
        ("103", "101", None),
    ]
    assert shop.bills()[2][3] == 1


def test_the_one_who_is_named_sends_on_to_another_at_his_own_cost(shop: Shop) -> None:
    """Who stays is rung for wherever he is sent, as any caller is (3xx); the telephone hears how it ends."""
    near, far = shop.call(shop.t, LONDON)
    shop.second.usual = Behaviour(answer_after=0.5, status=302, headers=(("Contact", "<sip:103@10.0.0.1>"),))
    near.refer("<sip:102@10.0.0.1>")
    shop.house.pass_(4)
    assert near.told == [*PROGRESS[:2], *PROGRESS[1:]]
    assert near.ended_by_far_end
    shop.talks(far, shop.third.calls[0])
    far.hang_up()
    shop.settle()
    assert [(number, device, cause) for number, device, _, _, _, cause in shop.bills()] == [
        (B, "101", "normal"),
        ("102", "101", "rejected"),
        ("103", "102", "normal"),
    ]


@pytest.mark.parametrize("who", ["102", LONDON, "nobody", "112"])
def test_the_one_who_is_named_sends_on_to_where_nobody_is(shop: Shop, who: str) -> None:
    """In a circle, at a cost that he cannot bear, to no one, or to who is called for help: the two talk on."""
    near, far = shop.call(shop.t, BERLIN)
    shop.second.usual = Behaviour(answer_after=0.5, status=302, headers=(("Contact", f"<sip:{who}@10.0.0.1>"),))
    near.refer("<sip:102@10.0.0.1>")
    shop.house.pass_(4)
    assert near.told == ["SIP/2.0 100 Trying", "SIP/2.0 180 Ringing", "SIP/2.0 603 Decline"]
    shop.talks(near, far)
    near.hang_up()
    shop.settle()


@pytest.mark.parametrize("who", ["waits", "transfers"])
def test_somebody_leaves_while_whom_he_was_sent_on_to_rings(shop: Shop, who: str) -> None:
    near, far = shop.call(shop.t, LONDON)
    shop.second.usual = Behaviour(answer_after=0.5, status=302, headers=(("Contact", "<sip:103@10.0.0.1>"),))
    shop.third.usual = Behaviour(answer_after=5)
    near.refer("<sip:102@10.0.0.1>")
    shop.house.pass_(2)
    (far if who == "waits" else near).hang_up()
    shop.house.pass_(10)
    if who == "waits":
        assert not shop.third.calls[0].talking
        assert shop.bills()[-1][-1] == "cancelled"
    else:
        shop.talks(far, shop.third.calls[0])
        far.hang_up()
    shop.settle()


def test_nobody_there_and_the_talk_goes_on(shop: Shop) -> None:
    near, far = shop.call(shop.t, LONDON)
    shop.second.usual = Behaviour(answer_after=2, status=486)
    near.re_invite(shop.t.description() + b"a=sendonly\r\n")
    shop.house.pass_(1)
    near.refer("<sip:102@10.0.0.1>")
    shop.house.pass_(3)
    assert near.told == ["SIP/2.0 100 Trying", "SIP/2.0 180 Ringing", "SIP/2.0 486 Busy Here"]
    assert near.talking
    near.re_invite(shop.t.description())
    shop.house.pass_(1)
    shop.talks(near, far)
    near.refer("<sip:102@10.0.0.1>")
    shop.house.pass_(3)
    assert near.heard[-1].get("Event") == f"refer;id={near.dialog.local_sequence}"  # type: ignore[union-attr]
    near.hang_up()
    shop.house.pass_(1)
    assert not far.talking
    shop.settle()
    assert next(bill[3:] for bill in shop.bills()) == (9, "0.009 EUR", "normal")


@pytest.mark.parametrize("came", [False, True])
def test_nobody_there_and_the_telephone_is_gone_as_well(shop: Shop, came: bool) -> None:
    if came:
        far, near = shop.call(shop.second, "101")
    else:
        near, far = shop.call(shop.t, LONDON)
    shop.third.usual = Behaviour(answer_after=10, status=486)
    near.refer("<sip:103@10.0.0.1>")
    shop.house.pass_(1)
    near.hang_up()
    shop.house.pass_(5)
    assert far.talking
    shop.house.pass_(5)
    assert not far.talking
    assert near.party.asked == []
    shop.settle()
    called, *_ = shop.bills()
    assert called == (
        ("101", "102", None, 2, "0.00 EUR", "normal")
        if came
        else (B, "101", shop.card.number, 11, "0.011 EUR", "normal")
    )


@pytest.mark.parametrize("came", [False, True])
@pytest.mark.parametrize("gone", [False, True])
def test_the_one_who_waits_gives_up(shop: Shop, came: bool, gone: bool) -> None:
    if came:
        far, near = shop.call(shop.second, "101")
    else:
        near, far = shop.call(shop.t, LONDON)
    shop.third.usual = Behaviour(answer_after=None)
    near.refer("<sip:103@10.0.0.1>")
    shop.house.pass_(1)
    if gone:
        near.hang_up()
        shop.house.pass_(1)
    far.hang_up()
    shop.house.pass_(1)
    assert not near.talking
    assert shop.third.calls[0].ended_at is not None
    assert shop.third.calls[0].answered_at is None
    shop.settle()
    assert [bill[-1] for bill in shop.bills()] == ["normal", "cancelled"]


def test_the_number_has_no_price_no_credit_or_no_way(shop: Shop) -> None:
    near, far = shop.call(shop.t, LONDON)
    for number, status in (("0077123456", 403), ("nobody", 404), ("101", 200)):
        before = len(near.told)
        near.refer(f"<sip:{number}@10.0.0.1>")
        shop.house.pass_(1)
        assert near.told[before:][0] == "SIP/2.0 100 Trying"
        if status != 200:
            assert f" {status} " in near.told[-1]
    near.hang_up()
    far.hang_up()
    shop.settle()


def test_the_credit_of_the_telephone_ends_what_it_has_handed_on(house: House) -> None:
    shop = Shop(house, "0.20")
    near, far = shop.call(shop.t, LONDON)
    near.refer("<sip:102@10.0.0.1>")
    house.pass_(3)
    heard = [len(port.played) for port in house.media.open_ports]
    house.pass_(140)
    assert far.talking
    assert all(len(port.played) > before for port, before in zip(house.media.open_ports, heard, strict=True))
    house.pass_(60)
    assert not far.talking
    shop.settle()
    assert shop.bills() == [
        (B, "101", shop.card.number, 200, "0.20 EUR", "credit-exhausted"),
        ("102", "101", None, 198, "0.00 EUR", "normal"),
    ]


def test_two_legs_on_one_credit_never_cost_more_than_there_is(house: House) -> None:
    shop = Shop(house, "1.00")
    near, far = shop.call(shop.t, LONDON)
    near.refer(f"<sip:{BERLIN}@10.0.0.1>")
    house.pass_(3)
    assert near.told[-1] == "SIP/2.0 402 Payment Required"  # London has reserved it
    shop.talks(near, far)
    near.hang_up()
    shop.settle()


def test_a_recharge_and_a_block_reach_a_call_that_was_handed_on(house: House) -> None:
    shop = Shop(house, "0.10")
    near, far = shop.call(shop.t, LONDON)
    near.refer("<sip:102@10.0.0.1>")
    house.pass_(3)
    house.recharge(shop.card, "5.00")
    shop.euros = "5.10"
    house.pass_(120)
    assert far.talking
    house.block(shop.card)
    house.pass_(1)
    assert not far.talking
    assert not shop.second.calls[0].talking
    shop.settle()
    assert [bill[-1] for bill in shop.bills()] == ["blocked", "blocked"]


def test_silence_ends_a_call_that_was_handed_on_at_the_last_sound(shop: Shop) -> None:
    near, far = shop.call(shop.t, LONDON)
    near.refer(f"<sip:{BERLIN}@10.0.0.1>")
    shop.house.pass_(13)
    for port in shop.house.media.open_ports:
        port.mute()
    shop.house.pass_(65)
    assert not far.talking
    shop.settle()
    assert [bill[3:] for bill in shop.bills()] == [(14, "0.014 EUR", "failed"), (60, "0.60 EUR", "failed")]


def test_two_who_have_vanished_while_a_third_was_called_are_found_out(shop: Shop) -> None:
    near, far = shop.call(shop.t, LONDON)
    shop.second.usual = Behaviour(answer_after=80, status=486)
    near.refer("<sip:102@10.0.0.1>")
    shop.house.pass_(3)
    for port in shop.house.media.open_ports[:2]:
        port.mute()
    shop.house.pass_(85)
    assert near.told[-1] == "SIP/2.0 486 Busy Here"
    assert far.talking
    shop.house.pass_(62)
    assert not far.talking
    shop.settle()
    assert shop.bills()[0] == (B, "101", shop.card.number, 4, "0.004 EUR", "failed")


def test_it_may_be_handed_on_again_and_again(shop: Shop) -> None:
    """London is sent from 101 to 102 to 103 and back to 101, and 101 pays for London alone."""
    near, far = shop.call(shop.t, LONDON)
    for one, number in ((near, "102"), (None, "103"), (None, "101")):
        leaving = one or {"103": shop.second, "101": shop.third}[number].calls[-1]
        leaving.refer(f"<sip:{number}@10.0.0.1>")
        shop.house.pass_(12)
        assert leaving.ended_by_far_end
    back = shop.t.calls[-1]
    shop.talks(far, back)
    back.hang_up()
    shop.house.pass_(1)
    assert not far.talking
    shop.settle()
    assert shop.bills() == [
        (B, "101", shop.card.number, 37, "0.037 EUR", "normal"),
        ("102", "101", None, 12, "0.00 EUR", "normal"),
        ("103", "102", None, 12, "0.00 EUR", "normal"),
        ("101", "103", None, 11, "0.00 EUR", "normal"),
    ]


def test_both_who_began_a_talk_may_leave_it_one_after_the_other(shop: Shop) -> None:
    """102 rings 101 and hands it on to 103; then 101 hands 103 on to London."""
    near, far = shop.call(shop.second, "101")
    near.refer("<sip:103@10.0.0.1>")
    shop.house.pass_(3)
    third = shop.third.calls[0]
    shop.talks(far, third)
    far.refer(f"<sip:{LONDON}@10.0.0.1>")
    shop.house.pass_(3)
    shop.talks(third, shop.house.carrier.calls[0])
    third.hang_up()
    shop.settle()
    assert shop.bills() == [
        ("101", "102", None, 5, "0.00 EUR", "normal"),
        ("103", "102", None, 5, "0.00 EUR", "normal"),
        (B, "101", shop.card.number, 2, "0.002 EUR", "normal"),
    ]


def test_112_may_be_told_by_somebody_else(shop: Shop) -> None:
    caller, near = shop.call(shop.second, "101")
    near.refer("<sip:112@10.0.0.1>")
    shop.house.pass_(3)
    shop.talks(caller, shop.house.carrier.calls[0])
    caller.hang_up()
    shop.settle()
    assert shop.bills()[1][:5] == ("112", "101", None, 2, "0.00 EUR")


# What a telephone is told.


def test_the_subscription_of_a_transfer_message_by_message(shop: Shop) -> None:
    near, far = shop.call(shop.t, LONDON)
    shop.second.usual = Behaviour(answer_after=20)
    near.refer("<sip:102@10.0.0.1>")
    shop.house.pass_(2)
    trying, ringing = [request for request in near.heard if request.method == "NOTIFY"]
    assert (trying.get("Event"), trying.get("Subscription-State")) == ("refer", "active;expires=150")
    assert trying.content_type == "message/sipfrag"
    assert ringing.get("Subscription-State") == "active;expires=150"
    longer = near.send("SUBSCRIBE", headers=(("Event", "refer"), ("Expires", "3600")))
    shop.house.pass_(1)
    assert longer.response is not None
    assert (longer.statuses, longer.response.get("Expires")) == ([200], "148")
    assert near.told[2:] == ["SIP/2.0 180 Ringing"]
    enough = near.send("SUBSCRIBE", headers=(("Event", "refer"), ("Expires", "0")))
    shop.house.pass_(1)
    assert enough.statuses == [200]
    assert near.heard[-1].get("Subscription-State") == "terminated;reason=timeout"
    wrong = [near.send("SUBSCRIBE", headers=(("Event", event),)) for event in ("presence", "refer;id=77", "")]
    shop.house.pass_(20)
    assert [one.statuses for one in wrong] == [[489], [481], [489]]
    assert len(near.told) == 4
    assert near.ended_by_far_end
    shop.talks(far, shop.second.calls[0])
    far.hang_up()
    shop.settle()


def test_a_telephone_that_does_not_want_to_know(shop: Shop) -> None:
    near, far = shop.call(shop.t, LONDON)
    answer = near.refer("<sip:102@10.0.0.1>", ("Refer-Sub", "false"), ("Require", "norefersub"))
    shop.house.pass_(3)
    assert answer.response is not None
    assert (answer.statuses, answer.response.get("Refer-Sub")) == ([202], "false")
    assert near.told == []
    assert near.ended_by_far_end
    shop.talks(far, shop.second.calls[0])
    far.hang_up()
    shop.settle()


def test_a_telephone_that_has_vanished_is_parted_from(shop: Shop) -> None:
    near, far = shop.call(shop.t, LONDON)
    near.refer("<sip:102@10.0.0.1>")
    shop.house.pass_(0.5)
    shop.house.network.detach(shop.t.host, shop.t.port)
    shop.house.pass_(40)
    shop.talks(far, shop.second.calls[0])
    far.hang_up()
    shop.settle()
    assert near.told == PROGRESS[:2]
    assert [bill[-1] for bill in shop.bills()] == ["normal", "normal"]


# Who may.


def test_a_carrier_may_not(shop: Shop) -> None:
    near, far = shop.call(shop.t, LONDON)
    answer = far.refer(f"<sip:{BERLIN}@10.0.0.1>")
    shop.house.pass_(1)
    assert answer.statuses == [403]
    shop.talks(near, far)
    near.hang_up()
    shop.settle()


def test_neither_a_card_caller_nor_whom_he_calls(shop: Shop) -> None:
    card = shop.house.card("1.00")
    talk = visit(shop.house, shop.t, card)
    early = talk.refer("<sip:103@10.0.0.1>")
    talk.press("102#")
    shop.house.pass_(25)
    assert shop.second.calls[0].talking
    called = shop.second.calls[0].refer("<sip:103@10.0.0.1>")
    caller = talk.refer("<sip:103@10.0.0.1>")
    shop.house.pass_(1)
    assert [one.statuses for one in (early, called, caller)] == [[403], [403], [403]]
    talk.hang_up()
    shop.settle()


def test_not_where_the_administrator_forbids_it(shop: Shop) -> None:
    device = shop.house.exchange.directory.devices["101"]
    run(devices.configure(shop.house.database, device, Settings(transfer=False), "story", shop.house.now()))
    run(shop.house.exchange.directory.read_devices())
    near, _ = shop.call(shop.t, LONDON)
    answer = near.refer("<sip:102@10.0.0.1>")
    shop.house.pass_(1)
    assert answer.statuses == [403]
    near.hang_up()
    shop.settle()


def test_from_another_place_it_must_say_again_who_it_is(shop: Shop) -> None:
    near, far = shop.call(shop.t, LONDON)
    shop.house.network.detach(shop.t.host, shop.t.port)
    thief = shop.house.party("101", "10.0.0.66", password="guess")
    owner = shop.house.party("101", "10.0.0.67", password="secret-101")
    other = shop.house.party("102", "10.0.0.68", password="secret-102")
    refused = []
    for party in (thief, other):
        near.party = party
        refused.append(near.refer("<sip:103@10.0.0.1>"))
        shop.house.pass_(4)
    assert [answer.statuses for answer in refused] == [[407, 403], [407, 403]]
    near.party = owner
    owner.dialogs = shop.t.dialogs
    answer = near.refer("<sip:103@10.0.0.1>")
    shop.house.pass_(3)
    assert answer.statuses == [407, 202]
    shop.talks(far, shop.third.calls[0])
    far.hang_up()
    shop.settle()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ((("Refer-To", "<sip:102@10.0.0.1>"),), 400),  # a second one
        ((("Max-Forwards-", "x"),), 202),
    ],
)
def test_one_target_at_a_time(shop: Shop, headers: tuple[tuple[str, str], ...], status: int) -> None:
    near, far = shop.call(shop.t, LONDON)
    shop.second.usual = Behaviour(answer_after=30)
    answer = near.refer("<sip:102@10.0.0.1>", *headers)
    shop.house.pass_(1)
    assert answer.statuses == [status]
    if status == 202:
        again, back = near.refer("<sip:103@10.0.0.1>"), far.refer("<sip:103@10.0.0.1>")
        shop.house.pass_(1)
        assert (again.statuses, back.statuses) == ([491], [491])
    near.hang_up()
    far.hang_up()
    shop.settle()


@pytest.mark.parametrize(
    ("to", "status"),
    [("<mailto:a@b>", 603), ("<sip:102@10.0.0.1;method=BYE>", 603), ("<sip:102@10.0.0.1?Replaces=x>", 400), ("", 400)],
)
def test_what_is_no_call_is_not_referred_to(shop: Shop, to: str, status: int) -> None:
    near, _ = shop.call(shop.t, LONDON)
    answer = near.refer(to)
    shop.house.pass_(1)
    assert answer.statuses == [status]
    near.hang_up()
    shop.settle()


def test_outside_a_talk_there_is_nobody_to_transfer(shop: Shop) -> None:
    answer = shop.t.ask("REFER", [("Refer-To", "<sip:102@10.0.0.1>")])
    ringing = shop.t.call(LONDON)
    shop.house.pass_(1)
    assert answer.statuses == [403]
    ringing.hang_up()
    shop.house.pass_(2)
    ringing.hang_up()
    shop.settle()


def test_not_while_the_house_closes(shop: Shop) -> None:
    near, far = shop.call(shop.t, LONDON)
    shop.house.exchange.drain()
    answer = near.refer("<sip:102@10.0.0.1>")
    shop.house.pass_(1)
    assert answer.statuses == [503]
    shop.talks(near, far)
    near.hang_up()
    shop.settle()


# Attended: two talks become one.

Ends = Callable[["Shop"], tuple[Talk, Talk]]


def outside(number: str) -> Ends:
    """The telephone's end and the far one of a call to this number."""
    return lambda shop: shop.call(shop.t, number)


def from_(name: str) -> Ends:
    """The same of a call that another telephone has made to it."""

    def call(shop: Shop) -> tuple[Talk, Talk]:
        far, near = shop.call({"102": shop.second, "103": shop.third}[name], "101")
        return near, far

    return call


@pytest.mark.parametrize("left_by", [0, 1])
@pytest.mark.parametrize(
    ("first", "second", "bills"),
    [
        (outside(LONDON), outside("102"), {(B, "101", True, 64), ("102", "101", False, 62)}),
        (outside("102"), outside(LONDON), {("102", "101", False, 64), (B, "101", True, 62)}),
        (from_("102"), outside(LONDON), {("101", "102", False, 3), (B, "101", True, 62)}),
        (outside(LONDON), from_("102"), {(B, "101", True, 64), ("101", "102", False, 1)}),
        (from_("102"), from_("103"), {("101", "102", False, 3), ("101", "103", False, 62)}),
    ],
)
def test_two_talks_become_one(shop: Shop, first: Ends, second: Ends, bills: set[object], left_by: int) -> None:
    near, far = first(shop)
    near.re_invite(shop.t.description() + b"a=sendonly\r\n")
    other, other_far = second(shop)
    answer = near.refer(f"<sip:x@10.0.0.1?Replaces={escaped(other.replaces)}>")
    shop.house.pass_(0.5)
    assert answer.statuses == [202]
    assert near.told == ["SIP/2.0 100 Trying", "SIP/2.0 200 OK"]
    assert near.ended_by_far_end
    assert other.ended_by_far_end
    shop.talks(far, other_far)
    shop.house.pass_(60.5)
    (far, other_far)[left_by].hang_up()
    shop.house.pass_(1)
    assert not far.talking
    assert not other_far.talking
    shop.settle()
    assert {
        (number, device, account is not None, seconds) for number, device, account, seconds, *_ in shop.bills()
    } == bills
    assert {bill[-1] for bill in shop.bills()} == {"normal"}


def escaped(text: str) -> str:
    return text.replace(";", "%3B").replace("=", "%3D").replace("@", "%40")


@pytest.mark.parametrize("answers", [True, False])
def test_the_second_talk_still_rings(shop: Shop, answers: bool) -> None:
    near, far = shop.call(shop.t, LONDON)
    shop.second.usual = Behaviour(answer_after=10, status=200 if answers else 486)
    ringing = shop.t.call("102")
    shop.house.pass_(2)
    assert ringing.response is not None
    tag = ringing.response.to.tag
    call_id = ringing.response.call_id
    replaces = f"{call_id};to-tag={tag};from-tag={ringing.response.from_.tag}"
    near.refer(f"<sip:102@10.0.0.1?Replaces={escaped(replaces)}>")
    shop.house.pass_(1)
    assert ringing.final == 480
    shop.house.pass_(10)
    if answers:
        shop.talks(far, shop.second.calls[0])
        assert near.ended_by_far_end
        far.hang_up()
    else:
        assert near.told[-1] == "SIP/2.0 486 Busy Here"
        shop.talks(near, far)
        near.hang_up()
    shop.settle()


def test_only_ones_own_talks_can_be_joined(shop: Shop) -> None:
    near, _ = shop.call(shop.t, LONDON)
    stranger, _ = shop.call(shop.second, "103")
    card = visit(shop.house, shop.t, shop.house.card("1.00"))
    told = []
    for replaces in (stranger.replaces, near.replaces, card.replaces, "nothing;to-tag=1;from-tag=2"):
        near.refer(f"<sip:102@10.0.0.1?Replaces={escaped(replaces)}>")
        shop.house.pass_(1)
        told.append(near.told[-1])
    assert told == ["SIP/2.0 403 Forbidden", *["SIP/2.0 481 Call/Transaction Does Not Exist"] * 3]
    assert near.talking
    assert stranger.talking
    for talk in (near, stranger, card):
        talk.hang_up()
    shop.settle()


# Replaces in an INVITE.


def test_a_telephone_takes_its_own_place(shop: Shop) -> None:
    """A talk is moved from the desk to another set of the same name."""
    near, far = shop.call(shop.t, LONDON)
    shelf = shop.house.party("101", "10.0.0.21", password="secret-101")
    moved = shelf.call("101", headers=(("Replaces", near.replaces), ("Require", "replaces")))
    shop.house.pass_(1)
    assert moved.talking
    assert near.ended_by_far_end
    shop.talks(moved, far)
    shop.house.pass_(27)
    moved.hang_up()
    shop.house.pass_(1)
    assert not far.talking
    shop.settle()
    assert shop.bills() == [(B, "101", shop.card.number, 29, "0.029 EUR", "normal")]


def test_and_the_place_of_the_one_who_was_called(shop: Shop) -> None:
    far, near = shop.call(shop.second, "101")
    shelf = shop.house.party("101", "10.0.0.21", password="secret-101")
    moved = shelf.call("101", headers=(("Replaces", near.replaces),))
    shop.house.pass_(1)
    assert near.ended_by_far_end
    shop.talks(moved, far)
    far.hang_up()
    shop.house.pass_(1)
    assert not moved.talking
    shop.settle()
    assert shop.bills() == [("101", "102", None, 2, "0.00 EUR", "normal")]


def test_whose_place_nobody_takes(shop: Shop) -> None:
    near, far = shop.call(shop.t, LONDON)
    shelf = shop.house.party("101", "10.0.0.21", password="secret-101")
    asked = [
        (shelf, (("Replaces", "nothing;to-tag=1;from-tag=2"),), 481),
        (shelf, (("Replaces", f"{near.replaces};early-only"),), 486),
        (shelf, (("Replaces", "x"),), 400),
        (shelf, (("Replaces", near.replaces), ("Replaces", near.replaces)), 400),
        (shop.second, (("Replaces", near.replaces),), 403),
        (shop.house.carrier, (("Replaces", near.replaces),), 403),
        (shelf, (("Replaces", near.replaces.replace("from-tag=", "from-tag=x")),), 481),
    ]
    for party, headers, status in asked:
        talk = party.call("101", headers=headers)
        shop.house.pass_(1)
        assert talk.final == status
    shop.talks(near, far)
    near.hang_up()
    shop.settle()


def ringing_at(talk: Talk) -> str:
    """What an INVITE has to say to answer in place of a telephone that rings."""
    assert talk.request is not None
    return f"{talk.request.call_id};to-tag={talk.request.from_.tag};from-tag={talk._tag}"


@pytest.mark.parametrize("early_only", ["", ";early-only"])
def test_a_telephone_answers_for_another_that_rings(shop: Shop, early_only: str) -> None:
    """RFC 3891 3: an early dialog of ours is replaced; the caller notices nothing, whoever rang stops."""
    shop.second.usual = Behaviour(answer_after=None)
    caller = shop.t.call("102")
    shop.house.pass_(2)
    [rung] = shop.second.calls
    desk = shop.house.party("102", "10.0.0.22", password="secret-102")
    taken = desk.call("102", headers=(("Replaces", ringing_at(rung) + early_only), ("Require", "replaces")))
    shop.house.pass_(1)
    assert caller.statuses[-2:] == [180, 200]
    assert rung.server is not None
    assert rung.server.cancelled
    shop.talks(caller, taken)
    shop.house.pass_(10)
    taken.hang_up()
    shop.house.pass_(1)
    assert not caller.talking
    shop.settle()
    assert shop.bills() == [("102", "101", None, 11, "0.00 EUR", "normal")]


def test_a_call_that_comes_is_answered_for_another_before_its_own_answer_arrives(shop: Shop) -> None:
    """Both answer at once: the one whose INVITE came first talks, and the other is told so."""
    shop.second.usual = Behaviour(answer_after=1.05)
    caller = shop.t.call("102")
    shop.house.pass_(1)
    [rung] = shop.second.calls
    desk = shop.house.party("102", "10.0.0.22", password="secret-102")
    taken = desk.call("102", headers=(("Replaces", ringing_at(rung)),))
    shop.house.pass_(2)
    assert [rung.talking, taken.talking].count(True) == 1
    shop.talks(caller, taken if taken.talking else rung)
    caller.hang_up()
    shop.settle()


def test_who_answers_for_another_may_vanish_at_once(shop: Shop) -> None:
    shop.second.usual = Behaviour(answer_after=None)
    caller = shop.t.call("102")
    shop.house.pass_(2)
    desk = shop.house.party("102", "10.0.0.22", password="secret-102")
    taken = desk.call("102", headers=(("Replaces", ringing_at(shop.second.calls[0])),))
    for _ in range(200):
        if len(shop.house.exchange.live) < 2:
            shop.house.pass_(0.001, step=0.001)
    assert len(shop.house.exchange.live) == 2
    shop.house.network.detach(desk.host, desk.port)
    shop.house.pass_(80)
    assert not caller.talking
    shop.house.network.attach(desk.host, desk.port, desk._received)
    taken.hang_up()
    shop.settle()


def test_for_whom_nobody_answers(shop: Shop) -> None:
    """Not for who calls, nor for somebody whom another pays; nor a carrier."""
    shop.second.usual = Behaviour(answer_after=None)
    shop.house.carrier.usual = Behaviour(answer_after=None)
    caller, outside_call = shop.t.call("102"), shop.t.call(LONDON)
    shop.house.pass_(2)
    assert caller.response is not None
    own = f"{caller.response.call_id};to-tag={caller.response.to.tag};from-tag={caller.response.from_.tag}"
    shelf = shop.house.party("101", "10.0.0.21", password="secret-101")
    rung = ringing_at(shop.second.calls[0])
    asked = [
        (shelf, own, 481),  # an early dialog that we have not begun
        (shelf, rung, 403),
        (shop.third, rung, 403),
        (shop.third, rung.replace("from-tag=", "from-tag=x"), 481),
        (shelf, ringing_at(shop.house.carrier.calls[-1]), 403),
    ]
    for party, replaces, status in asked:
        talk = party.call("102", headers=(("Replaces", replaces),))
        shop.house.pass_(1)
        assert talk.final == status
    for one in (caller, outside_call):
        one.cancel()
    shop.settle()


def test_whoever_is_transferred_to_may_be_answered_for(shop: Shop) -> None:
    near, far = shop.call(shop.t, LONDON)
    shop.second.usual = Behaviour(answer_after=None)
    near.refer("<sip:102@10.0.0.1>")
    shop.house.pass_(2)
    desk = shop.house.party("102", "10.0.0.22", password="secret-102")
    taken = desk.call("102", headers=(("Replaces", ringing_at(shop.second.calls[0])),))
    shop.house.pass_(1)
    assert near.told == PROGRESS
    assert near.ended_by_far_end
    shop.talks(far, taken)
    far.hang_up()
    shop.house.pass_(1)
    assert not taken.talking
    shop.settle()


@pytest.mark.parametrize("first", [outside(LONDON), from_("103")])
@pytest.mark.parametrize("left_by", [0, 1])
def test_whoever_waits_is_given_the_call_that_rings(shop: Shop, first: Ends, left_by: int) -> None:
    """A second call rings at the telephone that talks; it hands its partner on to that one, without answering."""
    near, far = first(shop)
    shop.t.usual = Behaviour(answer_after=None)
    waiting = shop.second.call("101")
    shop.house.pass_(2)
    rung = shop.t.calls[-1]
    near.refer(f"<sip:102@10.0.0.1?Replaces={escaped(ringing_at(rung))}>")
    shop.house.pass_(1)
    assert near.told == ["SIP/2.0 100 Trying", "SIP/2.0 200 OK"]
    assert near.ended_by_far_end
    assert rung.server is not None
    assert rung.server.cancelled
    assert waiting.statuses[-1] == 200
    shop.talks(far, waiting)
    shop.house.pass_(60)
    (far, waiting)[left_by].hang_up()
    shop.house.pass_(1)
    assert not far.talking
    assert not waiting.talking
    shop.settle()
    paid = shop.card.number if far.party is shop.house.carrier else None
    number, device, seconds = (B, "101", 64) if paid else ("101", "103", 3)
    assert {bill[:4] for bill in shop.bills()} == {(number, device, paid, seconds), ("101", "102", None, 61)}


def test_a_call_that_rings_at_somebody_else_is_not_given_away(shop: Shop) -> None:
    near, far = shop.call(shop.t, LONDON)
    shop.second.usual = Behaviour(answer_after=None)
    waiting = shop.third.call("102")
    shop.house.pass_(2)
    near.refer(f"<sip:103@10.0.0.1?Replaces={escaped(ringing_at(shop.second.calls[0]))}>")
    shop.house.pass_(1)
    assert near.told[-1] == "SIP/2.0 403 Forbidden"
    shop.talks(near, far)
    waiting.cancel()
    near.hang_up()
    shop.settle()


def test_each_of_the_two_keeps_what_it_has_agreed_on(shop: Shop) -> None:
    """Codecs, keys, who holds whom: nobody hears of the transfer by another description."""
    house = shop.house
    plain = shop.second.description().replace(b"8 0 101", b"0").replace(b"a=rtpmap:101 telephone-event/8000\r\n", b"")
    shop.second.description = lambda: plain  # type: ignore[method-assign]
    near, far = shop.call(shop.t, "102")
    near.re_invite(shop.t.description() + b"a=sendonly\r\n")
    other, other_far = shop.call(shop.t, LONDON)
    far.re_invite(plain + b"a=sendonly\r\n")  # he holds, too
    house.pass_(0.5)
    ports = {port.number: port for port in house.media.open_ports}
    mu, a = ports[port_of(house, far)], ports[port_of(house, other_far)]
    heard = len(far.heard), len(other_far.heard)
    near.refer(f"<sip:x@10.0.0.1?Replaces={escaped(other.replaces)}>")
    house.pass_(0.5)
    assert (len(far.heard), len(other_far.heard)) == heard
    assert mu.remote is not None
    assert a.remote is not None
    assert mu.partner is a
    assert (mu.remote.payload_type, mu.remote.telephone_event, mu.remote.send) == (0, None, False)
    assert (a.remote.payload_type, a.remote.telephone_event, a.remote.send) == (8, 101, True)
    assert a.playing, "music, since the other one holds"
    mu.info_key("5")
    assert a.pressed == "5"
    far.re_invite(plain)
    house.pass_(0.5)
    assert not a.playing
    shop.talks(far, other_far)
    far.hang_up()
    shop.settle()


def test_a_talk_is_not_joined_where_only_a_ringing_one_was_meant(shop: Shop) -> None:
    near, far = shop.call(shop.t, LONDON)
    other, other_far = shop.call(shop.t, "102")
    near.refer(f"<sip:x@10.0.0.1?Replaces={escaped(other.replaces + ';early-only')}>")
    shop.house.pass_(1)
    assert near.told[-1] == "SIP/2.0 486 Busy Here"
    for talk in (near, other):
        talk.hang_up()
    shop.house.pass_(1)
    assert not (far.talking or other_far.talking)
    shop.settle()


def test_what_we_know_is_said_to_a_telephone(shop: Shop) -> None:
    """Some hand a talk on with Replaces only if the other side says that it knows it."""
    near, far = shop.call(shop.t, "102")
    assert near.response is not None
    assert far.request is not None
    assert near.response.get("Supported") == "replaces, timer"
    assert far.request.get("Supported") == "replaces, timer"
    near.hang_up()
    shop.settle()


# The end in any state.


@pytest.mark.parametrize("what", ["stop", "far", "near", "both", "block"])
@pytest.mark.parametrize("when", [0.005, 0.5, 1.0, 3.0])
@pytest.mark.parametrize("came", [False, True])
def test_whatever_ends_a_transfer_leaves_nothing(shop: Shop, what: str, when: float, came: bool) -> None:
    if came:
        far, near = shop.call(shop.second, "101")
    else:
        near, far = shop.call(shop.t, LONDON)
    near.refer(f"<sip:{BERLIN}@10.0.0.1>")
    shop.house.pass_(when, step=0.005)
    match what:
        case "stop":
            shop.house.exchange.stop()
        case "block":
            shop.house.block(shop.card)
        case _:
            for talk in {"far": [far], "near": [near], "both": [near, far]}[what]:
                talk.hang_up()
    shop.house.pass_(3)
    for talk in (near, far, *(call for call in shop.house.carrier.calls if call is not far)):
        talk.hang_up()
    shop.settle()
    assert all(record.ended is not None for record in shop.house.records())
    assert all((record.account is None) == (len(record.called_number) == 3) for record in shop.house.records())


@pytest.mark.parametrize("which", ["t", "far", "target"])
@pytest.mark.parametrize("when", [0.01, 0.5, 3.0])
def test_whoever_vanishes_in_a_transfer_is_noticed(shop: Shop, which: str, when: float) -> None:
    """By its silence; a target that has never answered leaves the others their talk."""
    near, far = shop.call(shop.t, LONDON)
    near.refer("<sip:102@10.0.0.1>")
    shop.house.pass_(when, step=0.005)
    party = {"t": shop.t, "far": shop.house.carrier, "target": shop.second}[which]
    shop.house.network.detach(party.host, party.port)
    shop.house.pass_(100)
    for port in shop.house.media.open_ports:
        port.mute()
    shop.house.pass_(70)
    assert shop.house.media.open_ports == []
    shop.house.network.attach(party.host, party.port, party._received)
    shop.settle()
    answered = which != "target" or when > 1
    assert [bill[-1] for bill in shop.bills()] == ["failed" if answered else "normal"] * 2
    assert not far.talking
