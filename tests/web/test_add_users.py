"""Add Users: the three activation modes, the list that follows, a double click."""

import pytest

from minitelecom.store.synchronous import run
from tests.web.conftest import World


@pytest.mark.parametrize(
    ("activation", "status"), [("first-use", "inactive"), ("later", "inactive"), ("now", "enabled")]
)
def test_new_users_are_listed_with_their_passwords(world: World, activation: str, status: str) -> None:
    browser = world.logged_in()
    browser.open("/users/add")
    reply = browser.submit("/users/add", count=3, amount="1 500", activation=activation)
    assert browser.path == "/groups/1"
    assert "3 new users" in reply.text
    assert "€15.00" in reply.text
    stored = run(world.database.query("SELECT number FROM cards"))
    assert len(stored) == 3
    for (number,) in stored:
        card = world.card(number)
        assert (card.status, str(card.balance)) == (status, "15.00 EUR")
        assert number in reply.text


def test_a_double_click_makes_the_users_once(world: World) -> None:
    browser = world.logged_in()
    browser.open("/users/add")
    form = next(form for form in browser.reply.forms if form.action == "/users/add")
    fields = [(name, {"count": "2", "amount": "100"}.get(name, value)) for name, value in form.fields]
    first = browser.request("POST", "/users/add", fields)
    second = browser.request("POST", "/users/add", fields)
    assert first.headers["Location"] == second.headers["Location"] == "/groups/1"
    assert run(world.database.query("SELECT count(*) FROM cards")) == [(2,)]
    other = browser.request("POST", "/users/add", [pair if pair[0] != "count" else ("count", "5") for pair in fields])
    assert other.status == 409
    assert run(world.database.query("SELECT count(*) FROM cards")) == [(2,)]


@pytest.mark.parametrize(
    ("count", "amount", "says"),
    [
        ("0", "1500", "A whole number from 1 to 1,000."),
        ("1001", "1500", "A whole number from 1 to 1,000."),
        ("three", "1500", "A whole number from 1 to 1,000."),
        ("-1", "1500", "A whole number from 1 to 1,000."),
        ("", "1500", "A whole number from 1 to 1,000."),
        ("3", "15.00", "A whole number from 1 to 10,000,000."),
        ("3", "", "A whole number from 1 to 10,000,000."),
        ("٣", "1500", "A whole number from 1 to 1,000."),
        ("9" * 190, "1500", "A whole number from 1 to 1,000."),
    ],
)
def test_what_cannot_be_is_said_beside_its_field(world: World, count: str, amount: str, says: str) -> None:
    browser = world.logged_in()
    browser.open("/users/add")
    key = [pair for form in browser.reply.forms for pair in form.fields if pair[0] == "key"]
    reply = browser.submit("/users/add", count=count, amount=amount, activation="later")
    assert reply.status == 422
    assert says in reply.text
    fields = [pair for form in reply.forms for pair in form.fields]
    assert ("count", count) in fields
    assert ("amount", amount) in fields
    assert ("activation", "later") in fields
    assert key[0] in fields, "the key stays, so that the corrected form is the same request"
    assert run(world.database.query("SELECT count(*) FROM cards")) == [(0,)]


def test_the_list_is_exported(world: World) -> None:
    cards = world.new_cards(2)
    browser = world.logged_in(language="bg")
    browser.open("/groups/1")
    reply = browser.open("/groups/1.csv")
    assert reply.headers["Content-Disposition"] == 'attachment; filename="users-1.csv"'
    lines = reply.body.decode("utf-8-sig").splitlines()
    assert lines[0] == "Потребител,Парола,Наличност,Валута"
    assert sorted(lines[1:]) == sorted(f"{card.number},{card.password},15.00,EUR" for card in cards)


def test_who_looks_at_passwords_is_written_down(world: World) -> None:
    world.new_cards(2)
    browser = world.logged_in()
    browser.open("/groups/1")
    assert ("olga", "showed passwords", "group 1") in world.audit()


def test_a_group_that_is_not_there_is_not_found(world: World) -> None:
    browser = world.logged_in()
    for path in ("/groups/77", "/groups/77.csv", "/groups/99999999999999999999999", "/groups/x", "/groups/-1"):
        assert browser.open(path).status == 404
