"""List Of Users: pages, search, passwords, and what happens to the ticked ones."""

from urllib.parse import urlsplit

import pytest

from minitelecom.store.synchronous import run
from minitelecom.web.pages.users import ROWS
from tests.web.conftest import World


def test_the_list_goes_by_pages(world: World) -> None:
    numbers = sorted(card.number for card in world.new_cards(ROWS * 2 + 1))
    browser = world.logged_in()
    seen: list[str] = []
    reply = browser.open("/users")
    while True:
        seen += [link.partition("number=")[2] for link in reply.links if link.startswith("/recharge?")]
        following = [link for link in reply.links if "after=" in link]
        if not following:
            break
        reply = browser.open(following[0])
    assert seen == numbers
    assert "First page" in reply.text


def test_a_row_says_number_date_cash_and_status(world: World) -> None:
    card = world.new_cards()[0]
    text = world.logged_in().open("/users").text
    assert f"{card.number} •••••••• 31 May 2026 €15.00 enabled" in text
    text = world.logged_in(language="bg").open("/users").text
    assert f"{card.number} •••••••• 31.05.2026 г. 15,00 € разрешен" in text.replace("\u202f", " ")


def test_passwords_are_shown_when_asked_for_and_that_is_written_down(world: World) -> None:
    card = world.new_cards()[0]
    browser = world.logged_in()
    browser.open("/users")
    assert card.password not in browser.reply.text
    assert f"{card.number} {card.password}" in browser.submit_to("/users/passwords", "/users/change").text
    assert ("olga", "showed passwords", card.number) in world.audit()


def test_the_search_finds_by_the_beginning_of_a_number(world: World) -> None:
    numbers = [card.number for card in world.new_cards(20)]
    browser = world.logged_in()
    browser.open("/users")
    text = browser.submit("/users", q=f" {numbers[3][:3]} {numbers[3][3:]} ").text
    assert numbers[3] in text
    assert numbers[4] not in text
    assert "No user has such a number." in browser.submit("/users", q="%").text


def test_the_ticked_ones_are_disabled_and_enabled(world: World) -> None:
    one, two, three = (card.number for card in world.new_cards(3, activation="later"))
    browser = world.logged_in()
    browser.open("/users")
    browser.submit("/users/change", number=[one, two], action="enable")
    assert [world.card(number).status for number in (one, two, three)] == ["enabled", "enabled", "inactive"]
    browser.submit("/users/change", number=[two], action="disable")
    assert [world.card(number).status for number in (one, two, three)] == ["enabled", "disabled", "inactive"]


def test_drop_asks_first_and_then_removes_all_that_were_ticked(world: World) -> None:
    one, two, three = (card.number for card in world.new_cards(3))
    browser = world.logged_in()
    browser.open("/users")
    reply = browser.submit("/users/change", number=[one, two], action="drop")
    assert "Drop 2 users?" in reply.text
    assert [world.card(number).status for number in (one, two)] == ["enabled", "enabled"]
    reply = browser.submit("/users/drop")
    assert [world.card(number).status for number in (one, two, three)] == ["closed", "closed", "enabled"]
    assert one not in reply.text
    assert three in reply.text
    assert "removed" in browser.submit("/users", q=one).text, "whoever looks for it by its number finds it"


def test_when_one_of_them_is_gone_nothing_is_half_done(world: World) -> None:
    one, two = (card.number for card in world.new_cards(2))
    browser = world.logged_in()
    browser.open("/users")
    browser.submit("/users/change", number=[one], action="drop")
    browser.submit("/users/drop")
    token = browser.token()
    for fields in ([("action", "disable")], [("action", "disable"), ("number", "0000000000")]):
        ticked = [("number", one), ("number", two)]
        reply = browser.request("POST", "/users/change", [*token, *ticked, *fields])
        assert "Nothing was changed" in reply.text
        assert world.card(two).status == "enabled"


def test_nothing_ticked_is_said(world: World) -> None:
    world.new_cards()
    browser = world.logged_in()
    browser.open("/users")
    assert "Tick at least one user first." in browser.submit("/users/change", action="disable").text


@pytest.mark.parametrize(
    "evil", ["' OR 1=1 --", "<script>alert(1)</script>", "\x00", "%00", "\ud800", "﷽" * 100, "a" * 5000]
)
def test_strange_searches_are_only_text(world: World, evil: str) -> None:
    world.new_cards()
    browser = world.logged_in()
    for action, name in (("/users", "q"), ("/recharge", "number"), ("/calls", "user"), ("/calls", "number")):
        browser.open(action)
        reply = browser.submit(action, **{name: evil.encode("utf-8", "surrogatepass")})
        assert reply.status in (200, 404)
        assert b"<script>alert" not in reply.body
    assert urlsplit(browser.path).path == "/calls"
    assert run(world.database.query("SELECT count(*) FROM cards")) == [(1,)]
