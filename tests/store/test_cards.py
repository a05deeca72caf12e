"""Cards: made in groups, valid for six months, changed by those who may."""

from datetime import UTC, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

import pytest

from minitelecom.store import audit, cards, ledger
from minitelecom.store.cards import NewCard
from minitelecom.store.refusals import KeyUsedOtherwise, NoSuchAccount
from minitelecom.store.secrets import Secrets, WrongKey
from minitelecom.store.synchronous import run
from tests.store.shop import SECRETS, Shop, euro

SOFIA = ZoneInfo("Europe/Sofia")


def sofia(day: str) -> datetime:
    return datetime.fromisoformat(day).replace(tzinfo=SOFIA)


def last_day(shop: Shop, card: NewCard) -> str | None:
    until = shop.look(card).valid_until
    return None if until is None else str(until.astimezone(SOFIA).replace(tzinfo=None))


@pytest.mark.parametrize(("digits", "check"), [("7992739871", "3"), ("000000000", "0"), ("123456789", "7")])
def test_the_check_digit_is_luhns(digits: str, check: str) -> None:
    assert cards.check_digit(digits) == check


@pytest.mark.parametrize(
    ("number", "could_be"),
    [
        ("1234567897", True),
        ("1234567898", False),
        ("1234567879", False),
        ("123456789", False),
        ("12345678974", False),
        ("١٢٣٤٥٦٧٨٩٧", False),
        ("", False),
    ],
)
def test_a_mistyped_number_is_known_at_once(number: str, could_be: bool) -> None:
    assert cards.is_number(number) == could_be


def test_new_cards_are_unlike_and_charged(shop: Shop) -> None:
    new = shop.cards_of("15.00", 20)
    assert len({card.number for card in new}) == 20
    assert all(cards.is_number(card.number) and card.number[0] != "0" for card in new)
    assert all(len(card.password) == 8 and card.password.isdigit() for card in new)
    assert {shop.money(card) for card in new} == {("15.00", "0.00")}
    assert shop.faults() == []


def test_numbers_that_are_taken_are_drawn_again(shop: Shop) -> None:
    shop.random = Random(1)
    first = shop.cards_of("1.00", 3)
    shop.random = Random(1)
    shop.random.getrandbits(128)
    again = shop.cards_of("1.00", 3)
    assert len({card.number for card in [*first, *again]}) == 6


def test_a_group_is_remembered(shop: Shop) -> None:
    new = shop.cards_of("15.00", 2, "later")
    found = run(cards.groups(shop.database))[0]
    assert run(cards.group(shop.database, found.id)) == found
    assert (found.count, found.amount, found.activation, found.operator) == (2, euro("15"), "later", "eva")
    assert run(cards.group_cards(shop.database, SECRETS, found.id)) == new
    assert run(cards.group(shop.database, 4711)) is None
    entry = run(audit.entries(shop.database))[0]
    assert (entry.who, entry.what, entry.subject) == ("eva", "cards added", f"group {found.id}")


def test_a_second_click_finds_the_first_group(shop: Shop) -> None:
    def click(count: int) -> tuple[int, list[NewCard]]:
        return run(
            cards.add_group(
                shop.database,
                count,
                euro("1"),
                "now",
                "eva",
                shop.now,
                SECRETS,
                shop.random,
                zone=SOFIA,
                key="form-1",
            )
        )

    assert click(2) == click(2)
    with pytest.raises(KeyUsedOtherwise):
        click(3)


def test_passwords_are_sealed_for_their_card(shop: Shop) -> None:
    one, other = shop.cards_of("1.00", 2)
    assert run(cards.passwords(shop.database, SECRETS, [one.number, other.number, "0"])) == {
        one.number: one.password,
        other.number: other.password,
    }
    stored = run(shop.database.query("SELECT string_agg(password, '') FROM cards"))[0][0]
    assert one.password.encode() not in stored
    with pytest.raises(WrongKey):
        run(cards.password(shop.database, Secrets(bytes(32)), one.number))
    run(
        shop.database.query(
            "UPDATE cards SET password = (SELECT password FROM cards WHERE number = %s)", (other.number,)
        )
    )
    with pytest.raises(WrongKey):
        run(cards.password(shop.database, SECRETS, one.number))
    with pytest.raises(NoSuchAccount):
        run(cards.password(shop.database, SECRETS, "0"))


def test_a_password_can_be_changed(shop: Shop) -> None:
    card = shop.card()
    run(cards.set_password(shop.database, SECRETS, card.number, "11112222", "eva", shop.now))
    assert run(cards.password(shop.database, SECRETS, card.number)) == "11112222"
    mac = SECRETS.mac(card.number, "11112222")
    assert run(cards.sign_in(shop.database, card.number, mac, "+1", None, shop.now)).outcome == "ok"
    with pytest.raises(NoSuchAccount):
        run(cards.set_password(shop.database, SECRETS, "0", "11112222", "eva", shop.now))


@pytest.mark.parametrize(
    ("activated", "valid"),
    [
        ("2026-08-29", "2027-02-28"),
        ("2026-08-30", "2027-02-28"),
        ("2026-08-31", "2027-02-28"),
        ("2027-08-31", "2028-02-29"),
        ("2026-02-28", "2026-08-28"),
        ("2026-12-31", "2027-06-30"),
    ],
)
@pytest.mark.parametrize("hour", ["00:00:00", "23:59:59"])
def test_a_card_is_valid_six_months_to_the_end_of_the_local_day(
    activated: str, valid: str, hour: str, shop: Shop
) -> None:
    """V5c."""
    shop.now = sofia(f"{activated}T{hour}")
    card = shop.card()
    assert last_day(shop, card) == f"{valid} 23:59:59"
    shop.now = sofia(f"{valid}T23:59:59.999")
    assert shop.look(card).status == "enabled"
    shop.later(0.001)
    assert shop.look(card).status == "expired"


def test_the_local_day_is_not_the_day_of_greenwich(shop: Shop) -> None:
    shop.now = datetime(2026, 8, 30, 22, 30, tzinfo=UTC)  # the 31st in Sofia
    shop.later(24 * 3600)  # the 1st of September
    assert last_day(shop, shop.card()) == "2027-03-01 23:59:59"


def test_a_recharge_counts_six_months_from_its_own_day(shop: Shop) -> None:
    """V5c: from the event, not from the clamped end."""
    shop.now = sofia("2026-08-31T12:00")
    card = shop.card()
    shop.now = sofia("2027-02-28T12:00")
    shop.recharge(card, "1.00", "k1")
    assert last_day(shop, card) == "2027-08-28 23:59:59"
    assert shop.look(card).last_recharge == shop.now
    shop.later(3600)
    shop.recharge(card, "1.00", "k1")
    assert shop.look(card).last_recharge == sofia("2027-02-28T12:00")


def test_an_expired_card_comes_back_by_a_recharge_or_without_money(shop: Shop) -> None:
    shop.now = sofia("2026-01-15T12:00")
    one, other = shop.cards_of("1.00", 2)
    shop.now = sofia("2026-08-01T12:00")
    assert {shop.look(card).status for card in (one, other)} == {"expired"}
    shop.recharge(one, "1.00", "k1")
    run(cards.extend(shop.database, other.number, "eva", shop.now))
    assert {last_day(shop, card) for card in (one, other)} == {"2027-02-01 23:59:59"}
    assert shop.money(other) == ("1.00", "0.00")


def test_a_card_that_waits_for_its_first_use_does_not_age(shop: Shop) -> None:
    shop.now = sofia("2026-01-15T12:00")
    card = shop.card(activation="first-use")
    shop.recharge(card, "1.00", "k1")
    assert (shop.look(card).status, last_day(shop, card)) == ("inactive", None)
    shop.now = sofia("2027-08-31T12:00")
    mac = SECRETS.mac(card.number, card.password)
    assert run(cards.sign_in(shop.database, card.number, mac, "+1", None, shop.now)).outcome == "ok"
    assert (shop.look(card).status, shop.look(card).activated) == ("enabled", shop.now)
    assert last_day(shop, card) == "2028-02-29 23:59:59"


def test_a_card_activated_later_is_switched_on_by_hand(shop: Shop) -> None:
    card = shop.card(activation="later")
    mac = SECRETS.mac(card.number, card.password)
    assert run(cards.sign_in(shop.database, card.number, mac, "+1", None, shop.now)).outcome == "inactive"
    shop.later(3600)
    run(cards.set_status(shop.database, card.number, "enabled", "eva", shop.now))
    assert shop.look(card).activated == shop.now
    first = last_day(shop, card)
    shop.now += timedelta(days=30)
    run(cards.set_status(shop.database, card.number, "disabled", "eva", shop.now))
    run(cards.set_status(shop.database, card.number, "enabled", "eva", shop.now))
    assert last_day(shop, card) == first


def test_several_cards_change_together_or_not_at_all(shop: Shop) -> None:
    one, other, closed = shop.cards_of("1.00", 3)
    run(cards.change(shop.database, [other.number, one.number, one.number], "disabled", "eva", shop.now))
    assert [shop.look(card).status for card in (one, other, closed)] == ["disabled", "disabled", "enabled"]
    run(cards.set_status(shop.database, closed.number, "closed", "eva", shop.now))
    for refused in ([one.number, closed.number], [one.number, "0"]):
        with pytest.raises(NoSuchAccount):
            run(cards.change(shop.database, refused, "enabled", "eva", shop.now))
    assert [shop.look(card).status for card in (one, other, closed)] == ["disabled", "disabled", "closed"]


def test_a_closed_card_keeps_its_history_and_takes_no_money(shop: Shop) -> None:
    card = shop.card()
    run(cards.set_status(shop.database, card.number, "closed", "eva", shop.now))
    with pytest.raises(NoSuchAccount):
        shop.recharge(card, "1.00", "k1")
    with pytest.raises(NoSuchAccount):
        run(cards.extend(shop.database, card.number, "eva", shop.now))
    assert len(run(ledger.history(shop.database, shop.account(card)))) == 1


def test_cards_come_by_pages(shop: Shop) -> None:
    new = sorted(card.number for card in shop.cards_of("1.00", 5))

    def page(after: str | None = None, query: str | None = None, group_id: int | None = None) -> list[str]:
        found = run(cards.page(shop.database, after, 3, query, instant=shop.now, group_id=group_id))
        return [card.number for card in found]

    assert page() == new[:3]
    assert page(new[2]) == new[3:]
    assert page(query=new[4][:7]) == [new[4]]
    assert page(query="%") == []
    assert page(group_id=4711) == []
    assert run(cards.find(shop.database, "0", shop.now)) is None
