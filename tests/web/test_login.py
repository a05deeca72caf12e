"""Logging in: who gets in, what a session is, what a stranger may try."""

from datetime import timedelta

from minitelecom.store import operators
from minitelecom.store.synchronous import run
from minitelecom.web.throttle import TRIES_FROM_ADDRESS, TRIES_OF_ONE, WINDOW_SECONDS
from tests.web.conftest import PASSWORD, World


def test_an_operator_logs_in_works_and_logs_out(world: World) -> None:
    browser = world.browser()
    assert browser.open("/users").text.endswith("Log in")
    assert browser.path == "/login?next=%2Fusers"
    reply = browser.submit("/login", name="olga", password=PASSWORD)
    assert browser.path == "/users"
    assert "olga operator" in reply.text
    browser.submit("/logout")
    assert browser.path == "/login"
    assert "session" not in browser.cookies
    browser.open("/users")
    assert browser.path == "/login?next=%2Fusers"


def test_a_failed_form_keeps_its_token_and_its_input(world: World) -> None:
    browser = world.browser()
    browser.open("/login")
    token = browser.token()
    reply = browser.submit("/login", name="olga", password="wrong")
    assert reply.status == 403
    assert "The name or the password is wrong." in reply.text
    assert ("name", "olga") in [pair for form in reply.forms for pair in form.fields]
    assert browser.token() == token
    assert browser.submit("/login", password=PASSWORD).status == 200
    assert browser.path == "/online"


def test_unknown_and_disabled_operators_hear_the_same(world: World) -> None:
    run(operators.set_enabled(world.database, "olga", enabled=False, by="adam", instant=world.now()))
    for name in ("olga", "nobody", ""):
        browser = world.browser()
        browser.open("/login")
        assert browser.submit("/login", name=name, password=PASSWORD).status == 403


def test_a_session_is_new_after_the_log_in_and_dead_after_the_log_out(world: World) -> None:
    first = world.logged_in()
    fixed = first.cookies["session"]
    second = world.browser()
    second.cookies["session"] = "chosen by somebody else"
    second.open("/login")
    second.submit("/login", name="olga", password=PASSWORD)
    assert second.cookies["session"] not in (fixed, "chosen by somebody else")
    first.submit("/logout")
    first.cookies["session"] = fixed
    first.open("/users")
    assert first.path.startswith("/login")
    assert second.open("/users").status == 200


def test_the_database_knows_no_token(world: World) -> None:
    browser = world.logged_in()
    stored = str(run(world.database.query("SELECT token_hash::text, csrf FROM web_sessions")))
    assert browser.cookies["session"] not in stored
    assert browser.token()[0][1] != browser.cookies["session"]


def test_logging_in_again_ends_the_session_before(world: World) -> None:
    browser = world.logged_in()
    before = browser.cookies["session"]
    browser.post("/login", name="adam", password=PASSWORD)
    assert browser.cookies["session"] != before
    assert run(world.database.query("SELECT operator FROM web_sessions")) == [("adam",)]


def test_a_session_ends_after_a_shift_and_with_its_operator(world: World) -> None:
    browser = world.logged_in()
    world.clock.advance(timedelta(hours=13).total_seconds())
    browser.open("/users")
    assert browser.path.startswith("/login")
    browser = world.logged_in()
    run(operators.set_enabled(world.database, "olga", enabled=False, by="adam", instant=world.now()))
    browser.open("/users")
    assert browser.path.startswith("/login")


def test_guessing_from_one_address_is_stopped_without_locking_the_till_out(world: World) -> None:
    guesser = world.browser(address="203.0.113.9")
    guesser.open("/login")
    for _ in range(TRIES_OF_ONE):
        assert guesser.submit("/login", name="olga", password="guess").status == 403
    reply = guesser.submit("/login", name="olga", password=PASSWORD)
    assert reply.status == 429
    assert int(reply.headers["Retry-After"]) > 60
    world.logged_in("olga", address="192.0.2.10")
    world.clock.advance(WINDOW_SECONDS + 1)
    assert guesser.submit("/login", name="olga", password=PASSWORD).status == 200


def test_guessing_many_names_from_one_address_is_stopped(world: World) -> None:
    guesser = world.browser(address="203.0.113.9")
    guesser.open("/login")
    for number in range(TRIES_FROM_ADDRESS):
        assert guesser.submit("/login", name=f"name{number}", password="guess").status == 403
    assert guesser.submit("/login", name="olga", password=PASSWORD).status == 429


def test_the_proxy_on_this_machine_says_where_a_browser_is_and_nobody_else_does(world: World) -> None:
    behind = world.browser(address="127.0.0.1")
    behind.extra = {"X-Forwarded-For": "9.9.9.9, 203.0.113.9", "X-Forwarded-Proto": "https"}
    behind.open("/login")
    assert list(behind.cookies) == ["__Host-visitor"]
    for _ in range(TRIES_OF_ONE):
        behind.submit("/login", name="olga", password="guess")
    assert behind.submit("/login", name="olga", password="guess").status == 429
    behind.extra["X-Forwarded-For"] = "203.0.113.10"
    assert behind.submit("/login", name="olga", password=PASSWORD).status == 200
    liar = world.browser(address="203.0.113.9")
    liar.extra = {"X-Forwarded-For": "203.0.113.77"}
    liar.open("/login")
    assert liar.submit("/login", name="olga", password=PASSWORD).status == 429


def test_after_the_log_in_nobody_is_sent_to_another_site(world: World) -> None:
    for target in (
        "//evil.test/",
        "https://evil.test/",
        "/\\evil.test",
        "javascript:alert(1)",
        "/a\r\nSet-Cookie: b=c",
    ):
        browser = world.browser()
        browser.open("/login")
        browser.request(
            "POST", "/login", [*browser.token(), ("name", "olga"), ("password", PASSWORD), ("next", target)]
        )
        assert browser.reply.headers["Location"] == "/"
        assert "b" not in browser.cookies


def test_a_log_in_form_that_outlived_the_daemon_is_shown_again(world: World) -> None:
    browser = world.browser()
    browser.open("/login")
    browser.cookies.clear()
    reply = browser.submit("/login", name="olga", password=PASSWORD)
    assert reply.status == 403
    assert "Please try once more" in reply.text
    assert browser.submit("/login", password=PASSWORD).status == 200


def test_each_speaks_a_language_and_may_choose_another(world: World) -> None:
    browser = world.browser(language="de,fr;q=0.5")
    assert "Вход" in browser.open("/login").text, "the shop's own"
    reply = browser.submit("/language", language="en", next="/login")
    assert "Password Log in" in reply.text
    assert reply.headers["Content-Language"] == "en"
    assert "Парола" in world.browser(language="bg-BG,bg;q=0.9,en;q=0.8").open("/login").text
