"""Letting card holders in, and keeping guessers out: delays, locks, and the list of both."""

from dataclasses import dataclass

import pytest

from minitelecom.store import audit, cards
from minitelecom.store.cards import Lock, NewCard, SignIn
from minitelecom.store.synchronous import run
from tests.store.shop import SECRETS, Shop

MINUTES = 60


@dataclass
class Door:
    """Where number and password are keyed in."""

    shop: Shop

    def key_in(self, number: str, password: str, calling: str | None = "+359888", trunk: str | None = None) -> SignIn:
        mac = SECRETS.mac(number, password)
        return run(cards.sign_in(self.shop.database, number, mac, calling, trunk, self.shop.now))

    def right(self, card: NewCard, calling: str | None = "+359888") -> str:
        return self.key_in(card.number, card.password, calling).outcome

    def fail(self, card: NewCard, times: int, calling: str | None = "+359888", trunk: str | None = None) -> SignIn:
        """Wrong passwords, each keyed in after the delay of the one before."""
        for _ in range(times):
            answer = self.key_in(card.number, "00000000", calling, trunk)
            self.shop.later(answer.delay_seconds)
        return answer

    def locks(self) -> list[Lock]:
        return run(cards.locks(self.shop.database, self.shop.now))


@pytest.fixture
def door(shop: Shop) -> Door:
    return Door(shop)


def test_the_right_password_opens(door: Door) -> None:
    card = door.shop.card()
    assert door.key_in(card.number, card.password) == SignIn("ok", 0, door.shop.account(card), None)


def test_a_wrong_password_and_an_unknown_number_sound_alike(door: Door) -> None:
    card = door.shop.card()
    wrong = door.key_in(card.number, "00000000", "+1")
    unknown = door.key_in("1234567897", "00000000", "+2")
    assert wrong == unknown == SignIn("wrong", 1, None, None)


def test_each_failure_costs_more_time(door: Door) -> None:
    card = door.shop.card()
    delays = [door.fail(card, 1).delay_seconds for _ in range(5)]
    assert delays == [1, 2, 4, 8, 16]
    assert door.right(card) == "ok"


def test_the_delay_is_there_for_the_right_password_too(door: Door) -> None:
    """Or a quick answer would be a hint to one who asks by many telephones at once."""
    card = door.shop.card()
    for _ in range(3):
        door.key_in(card.number, "00000000")
    assert door.key_in(card.number, card.password).delay_seconds == 7


def test_a_card_is_locked_after_six_failures_from_anywhere(door: Door) -> None:
    card, other = door.shop.cards_of("1.00", 2)
    for caller in range(6):
        door.fail(card, 1, f"+{caller}")
    locked = door.key_in(card.number, card.password, "+99")
    assert (locked.outcome, locked.delay_seconds, locked.account_id) == ("locked", 0, None)
    assert locked.locked_until is not None
    assert locked.locked_until > door.shop.now
    assert door.right(other, "+99") == "ok"
    door.shop.later(15 * MINUTES)
    assert door.right(card, "+99") == "ok"


def test_a_card_that_does_not_exist_is_locked_like_one_that_does(door: Door) -> None:
    nobody = NewCard("1234567897", "12345678")
    for caller in range(6):
        door.fail(nobody, 1, f"+{caller}")
    assert door.right(nobody, "+99") == "locked"


def test_each_further_failure_doubles_the_lock(door: Door) -> None:
    card = door.shop.card()
    for minutes in (15, 30, 60, 120):
        while door.fail(card, 1, f"+{minutes}").outcome == "wrong":
            pass
        waiting = door.key_in(card.number, card.password, "+99").locked_until
        assert waiting is not None
        assert (waiting - door.shop.now).total_seconds() <= minutes * MINUTES
        assert (waiting - door.shop.now).total_seconds() > (minutes - 1) * MINUTES
        door.shop.now = waiting


def test_the_right_password_forgives_the_card(door: Door) -> None:
    card = door.shop.card()
    for _ in range(3):
        door.fail(card, 5, "+1")
        assert door.right(card, "+2") == "ok"
        door.shop.later(2 * 3600)


def test_failures_are_forgotten_after_an_hour(door: Door) -> None:
    card = door.shop.card()
    door.fail(card, 5)
    door.shop.later(3601)
    assert door.fail(card, 1).delay_seconds == 1


def test_a_caller_is_locked_after_ten_failures_on_any_cards(door: Door) -> None:
    victims = door.shop.cards_of("1.00", 11)
    for card in victims[:10]:
        door.fail(card, 1, "+1")
    assert door.right(victims[10], "+1") == "locked"
    assert door.right(victims[10], "+2") == "ok"


def test_callers_without_a_number_share_a_delay_and_no_lock(door: Door) -> None:
    victims = door.shop.cards_of("1.00", 40)
    for card in victims[:30]:
        answer = door.fail(card, 1, None)
        assert answer.outcome == "wrong"
    assert answer.delay_seconds == 30
    assert door.right(victims[30], None) == "ok"


def test_callers_without_a_number_cannot_save_time_by_asking_all_at_once(door: Door) -> None:
    victims = door.shop.cards_of("1.00", 20)
    outcomes = [door.key_in(card.number, "00000000", None).outcome for card in victims]
    assert outcomes == ["wrong"] * 5 + ["locked"] * 15  # 1 + 2 + 4 + 8 + 16 s are owed now: nobody else is looked at
    assert door.right(victims[0], "+1") == "ok"
    door.shop.later(31)
    assert door.right(victims[19], None) == "ok"


def test_a_trunk_is_alarmed_and_never_locked(door: Door) -> None:
    victims = door.shop.cards_of("1.00", 30)
    for number, card in enumerate(victims[:25]):
        door.fail(card, 1, f"+{number}", "carrier")
    trunk = next(lock for lock in door.locks() if lock.kind == "trunk")
    assert (trunk.subject, trunk.failures, trunk.locked_until, trunk.alarmed) == ("carrier", 25, None, True)
    card = victims[29]
    assert door.key_in(card.number, card.password, "+99", "carrier").outcome == "ok"


@pytest.mark.parametrize(("status", "outcome"), [("disabled", "disabled"), ("closed", "closed")])
def test_what_is_wrong_with_a_card_is_for_its_holder(status: str, outcome: str, door: Door) -> None:
    card = door.shop.card()
    run(cards.set_status(door.shop.database, card.number, status, "eva", door.shop.now))  # type: ignore[arg-type]
    assert door.right(card) == outcome
    assert door.key_in(card.number, "00000000").outcome == "wrong"


def test_an_expired_card_says_so(door: Door) -> None:
    card = door.shop.card()
    door.shop.later(200 * 24 * 3600)
    assert door.right(card) == "expired"


def test_the_list_shows_the_locked_first(door: Door) -> None:
    one, other = door.shop.cards_of("1.00", 2)
    for caller in range(6):
        door.fail(one, 1, f"+{caller}")
    door.fail(other, 1, "+9")
    shown = door.locks()
    assert (shown[0].kind, shown[0].subject, shown[0].failures) == ("card", one.number, 6)
    assert {(lock.kind, lock.subject) for lock in shown if lock.locked_until is None} == {
        ("card", other.number),
        *(("caller", f"+{caller}") for caller in (*range(6), 9)),
    }
    door.shop.later(3 * 3600)
    assert door.locks() == []


def test_the_administrator_unlocks(door: Door) -> None:
    card = door.shop.card()
    for caller in range(6):
        door.fail(card, 1, f"+{caller}")
    assert door.right(card, "+99") == "locked"
    assert run(cards.unlock(door.shop.database, "card", card.number, "boss", door.shop.now))
    assert door.right(card, "+99") == "ok"
    assert not run(cards.unlock(door.shop.database, "card", card.number, "boss", door.shop.now))
    entry = run(audit.entries(door.shop.database))[0]
    assert (entry.who, entry.what, entry.subject) == ("boss", "unlocked", f"card {card.number}")


def test_old_failures_are_swept_out(door: Door) -> None:
    one, other = door.shop.cards_of("1.00", 2)
    door.fail(one, 3, "+1")
    door.shop.later(25 * 3600)
    door.fail(other, 1, "+2")
    assert run(door.shop.database.query("SELECT count(*) FROM lockouts"))[0][0] == 2
