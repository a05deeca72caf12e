"""Locks: the administrator sees who is shut out, and lets him in again."""

from minitelecom.store import cards
from minitelecom.store.synchronous import run
from tests.web.conftest import World


def test_a_card_locked_by_wrong_passwords_is_seen_and_unlocked(world: World) -> None:
    card = world.new_cards()[0]
    for _ in range(6):
        run(cards.sign_in(world.database, card.number, b"wrong", "35929876543", "carrier", world.now()))
        world.clock.advance(40)
    right = world.secrets.mac(card.number, card.password)
    assert run(cards.sign_in(world.database, card.number, right, "35920000000", None, world.now())).outcome == "locked"

    adam = world.logged_in("adam")
    text = adam.open("/locks").text
    assert f"{card.number} card 6 locked until 31/05/2026" in text
    assert "35929876543 caller 6 delayed only" in text
    assert "carrier trunk 6 delayed only" in text

    form = next(form for form in adam.reply.forms if ("subject", card.number) in form.fields)
    adam.request("POST", form.action, form.fields)
    assert run(cards.sign_in(world.database, card.number, right, "35920000000", None, world.now())).outcome == "ok"
    assert card.number not in adam.open("/locks").text
    assert ("adam", "unlocked", f"card {card.number}") in world.audit()


def test_nobody_locked_is_said(world: World) -> None:
    assert "Nobody has keyed in a wrong password lately." in world.logged_in("adam").open("/locks").text
