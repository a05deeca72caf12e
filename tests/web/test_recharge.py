"""Recharge Account: money added once, with what it was before and is now."""

from datetime import timedelta

from minitelecom.store import ledger
from minitelecom.store.synchronous import run
from tests.web.conftest import World


def test_an_account_is_found_and_recharged(world: World) -> None:
    number = world.new_cards(minor=700)[0].number
    browser = world.logged_in()
    browser.open("/recharge")
    reply = browser.submit("/recharge", number=f"{number[:3]} {number[3:6]}-{number[6:]}")
    assert "€7.00" in reply.text
    assert "30 Nov 2026" in reply.text, "six months from the 31st of May, to the end of the month"
    reply = browser.submit("/recharge", amount=1550)
    assert "Recharged with €15.50" in reply.text
    assert "Before: €7.00 · now: €22.50" in reply.text
    assert str(world.card(number).balance) == "22.50 EUR"
    assert run(ledger.proof(world.database)) == []


def test_a_double_post_charges_once_and_a_reload_repeats_nothing(world: World) -> None:
    number = world.new_cards()[0].number
    browser = world.logged_in()
    page = browser.open(f"/recharge?number={number}")
    browser.submit("/recharge", amount=1000)
    receipt = browser.path
    browser.reply = page
    reply = browser.submit("/recharge", amount=1000)
    assert browser.path == receipt
    assert "Before: €15.00 · now: €25.00" in reply.text
    assert "Before: €15.00 · now: €25.00" in browser.open(receipt).text
    assert str(world.card(number).balance) == "25.00 EUR"
    browser.reply = page
    reply = browser.submit("/recharge", amount=2000)
    assert reply.status == 409
    assert "already used for another amount" in reply.text
    assert str(world.card(number).balance) == "25.00 EUR"


def test_two_recharges_are_two(world: World) -> None:
    number = world.new_cards()[0].number
    browser = world.logged_in()
    browser.open(f"/recharge?number={number}")
    browser.submit("/recharge", amount=1000)
    browser.submit("/recharge", amount=1000)
    assert str(world.card(number).balance) == "35.00 EUR"


def test_a_wrong_amount_or_number_moves_nothing(world: World) -> None:
    number = world.new_cards()[0].number
    browser = world.logged_in()
    for amount in ("", "0", "-5", "12.50", "1e3", "99999999999"):
        browser.open(f"/recharge?number={number}")
        reply = browser.submit("/recharge", amount=amount)
        assert reply.status == 422
        assert "A whole number from 1 to 10,000,000." in reply.text
        assert ("amount", amount) in [pair for form in reply.forms for pair in form.fields]
    assert str(world.card(number).balance) == "15.00 EUR"
    reply = browser.open("/recharge?number=1234567897")
    assert reply.status == 404
    assert "There is no account with this number." in reply.text


def test_a_removed_account_takes_no_money(world: World) -> None:
    number = world.new_cards()[0].number
    browser = world.logged_in()
    page = browser.open(f"/recharge?number={number}")
    browser.open("/users")
    browser.submit("/users/change", number=number, action="drop")
    browser.submit("/users/drop")
    assert not [form for form in browser.open(f"/recharge?number={number}").forms if form.action == "/recharge"][1:]
    browser.reply = page
    reply = browser.submit("/recharge", amount=1000)
    assert reply.status == 409
    assert str(world.card(number).balance) == "15.00 EUR"


def test_the_last_calls_are_shown(world: World) -> None:
    number = world.new_cards()[0].number
    world.call(number, "35988812345", world.now() - timedelta(days=3))
    world.call(None, "4930123456", world.now() - timedelta(days=2))
    text = world.logged_in().open(f"/recharge?number={number}").text
    assert "35988812345 Bulgaria 1:30 / 10:00 €0.23 ended normally" in text
    assert "4930123456" not in text


def test_a_form_cannot_take_the_key_of_another_movement(world: World) -> None:
    """A call is settled under a key that can be foretold: nobody may use it up before."""
    number = world.new_cards()[0].number
    browser = world.logged_in()
    browser.open(f"/recharge?number={number}")
    browser.submit("/recharge", amount=1000, key="call:1")
    world.call(number, "359888123456", world.now() - timedelta(hours=1))
    assert str(world.card(number).balance) == "24.77 EUR"
    assert "Recharged" not in browser.open(f"/recharge?number={number}&receipt=issue:{number}").text


def test_a_receipt_of_another_account_is_not_shown(world: World) -> None:
    one, two = (card.number for card in world.new_cards(2))
    browser = world.logged_in()
    browser.open(f"/recharge?number={one}")
    browser.submit("/recharge", amount=1000)
    assert "Recharged" not in browser.open(browser.path.replace(one, two)).text
