"""Every route, tried as nobody, as an operator and as an administrator; and what every answer carries."""

from datetime import timedelta

import pytest

from minitelecom.web.routes import ROUTES, Route
from tests.ladder import conversation
from tests.web.browsing import Browser
from tests.web.conftest import PASSWORD, World

# Who may: n(obody), o(perator), a(dministrator). A route that is not listed here fails the test.
TABLE = {
    "GET /": "oa",
    "GET /login": "noa",
    "POST /login": "noa",
    "POST /logout": "oa",
    "POST /language": "noa",
    "GET /users/add": "oa",
    "POST /users/add": "oa",
    "GET /groups/<int:group>": "oa",
    "GET /groups/<int:group>.csv": "oa",
    "GET /users": "oa",
    "POST /users/passwords": "oa",
    "POST /users/change": "oa",
    "POST /users/drop": "oa",
    "GET /recharge": "oa",
    "POST /recharge": "oa",
    "GET /calls": "oa",
    "GET /calls/<int:call>": "oa",
    "GET /calls/<int:call>.svg": "oa",
    "GET /calls/<int:call>.txt": "a",
    "GET /calls/<int:call>.pcap": "a",
    "GET /online": "oa",
    "GET /online/events": "oa",
    "GET /locks": "a",
    "POST /locks/unlock": "a",
}


def name_of(route: Route) -> str:
    return f"{route.method} {route.path}"


def visitors(world: World) -> dict[str, Browser]:
    nobody = world.browser()
    nobody.open("/login")
    return {"n": nobody, "o": world.logged_in("olga"), "a": world.logged_in("adam")}


def test_the_table_lists_every_route() -> None:
    assert [name_of(route) for route in ROUTES] == list(TABLE)


@pytest.mark.parametrize("route", ROUTES, ids=name_of)
def test_a_route_lets_in_whom_the_table_says(world: World, route: Route) -> None:
    world.new_cards()
    call = conversation.call(world.database) if "<int:call>" in route.path else 0
    path = route.path.replace("<int:group>", "1").replace("<int:call>", str(call))
    for who, browser in visitors(world).items():
        reply = browser.post(path) if route.method == "POST" else browser.request("GET", path)
        if who in TABLE[name_of(route)]:
            assert reply.status not in (400, 404, 405, 500), (who, reply.status)
            assert not (reply.headers["Location"] or "").startswith("/login?"), who
            assert b"Your role" not in reply.body
        elif who == "n":
            assert (reply.status, reply.headers["Location"].partition("?")[0]) == (303, "/login")
        else:
            assert reply.status == 403
            assert "Your role does not open this page" in reply.text


@pytest.mark.parametrize("route", [route for route in ROUTES if route.method == "POST"], ids=name_of)
def test_a_form_without_the_right_token_does_nothing(world: World, route: Route) -> None:
    world.new_cards()
    movements = world.database
    for browser in visitors(world).values():
        for token in ("", "guessed", "é"):
            reply = browser.request("POST", route.path, [("csrf", token), ("number", "1"), ("count", "1")])
            assert reply.status in (303, 400, 403)
            if reply.status == 303:
                assert reply.headers["Location"].startswith("/login?")
    assert movements is world.database


def test_a_token_of_one_session_does_not_serve_another(world: World) -> None:
    olga, adam = world.logged_in("olga"), world.logged_in("adam")
    adam.open("/locks")
    reply = adam.request("POST", "/locks/unlock", [*olga.token(), ("kind", "card"), ("subject", "1")])
    assert reply.status == 400
    assert "out of date" in reply.text


@pytest.mark.parametrize(
    "path", ["/", "/login", "/users", "/nothing", "/static/style.css", "/static/../site.py", "/%ff"]
)
def test_every_answer_carries_the_headers_of_safety(world: World, path: str) -> None:
    for browser in (world.browser(), world.logged_in()):
        headers = browser.request("GET", path).headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert "Twisted" not in str(headers)


def test_pages_are_never_kept_and_files_are_kept_for_ever(world: World) -> None:
    browser = world.logged_in()
    assert browser.open("/users").headers["Cache-Control"] == "no-store"
    assert "immutable" in browser.open("/static/style.css?v=1").headers["Cache-Control"]


def test_cookies_are_for_the_browser_alone(world: World) -> None:
    browser = world.browser()
    browser.open("/login")
    browser.request("POST", "/login", [*browser.token(), ("name", "olga"), ("password", "correct horse")])
    cookie = browser.reply.headers["Set-Cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "secure" not in cookie, "plain http at home"
    browser = world.browser(address="127.0.0.1")
    browser.extra = {"X-Forwarded-Proto": "https"}
    assert "secure" in browser.open("/login").headers["Set-Cookie"].lower()


def test_no_page_holds_a_script_or_a_style_of_its_own(world: World) -> None:
    number = world.new_cards()[0].number
    call = f"/calls/{conversation.call(world.database)}"
    browser = world.logged_in("adam")
    for path in (
        "/users/add",
        "/groups/1",
        "/users",
        f"/recharge?number={number}",
        "/calls",
        call,
        "/online",
        "/locks",
    ):
        body = browser.open(path).body.decode()
        assert browser.reply.status == 200
        assert " style=" not in body
        assert "<style" not in body
        assert " onclick" not in body
        assert body.count("<script") == body.count("<script src=") == 1
        assert len(body) < 100_000


def test_a_page_that_answered_a_form_can_be_read_in_another_language(world: World) -> None:
    """Its own address takes forms only, so the way back is to the page that the form stood on."""
    for action in ("/users/change", "/users/passwords"):
        browser = world.logged_in()
        browser.open("/users")
        browser.request("POST", action, [*browser.token(), ("q", "12")])
        reply = browser.submit("/language", language="bg")
        assert (reply.status, browser.path) == (200, "/users?q=12"), action


def test_who_was_logged_out_meanwhile_comes_back_to_the_page_of_the_form(world: World) -> None:
    for action, page in (("/users/change", "/users"), ("/locks/unlock", "/locks"), ("/logout", "/online")):
        browser = world.logged_in("adam")
        browser.open("/users")
        world.clock.advance(timedelta(hours=13).total_seconds())
        browser.open(browser.request("POST", action, browser.token()).headers["Location"])
        reply = browser.submit("/login", name="adam", password=PASSWORD)
        assert (reply.status, browser.path) == (200, page), action
