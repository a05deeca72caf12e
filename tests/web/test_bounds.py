"""What a stranger may send: bounds on size, time and number, and answers that leak nothing."""

import pytest

from minitelecom.store.database import DatabaseAway
from minitelecom.web.bounds import IDLE_SECONDS, MOST_BODY_BYTES, MOST_CONNECTIONS, MOST_OF_ONE_ADDRESS, REQUEST_SECONDS
from tests.web.browsing import Wire
from tests.web.conftest import World

HEAD = b"POST /login HTTP/1.1\r\nHost: shop.test\r\nContent-Type: application/x-www-form-urlencoded\r\n"


def test_a_large_body_is_refused_before_it_is_read(world: World) -> None:
    wire = Wire(world.site, "192.0.2.1")
    wire.send(HEAD + f"Content-Length: {MOST_BODY_BYTES + 1}\r\n\r\n".encode())
    assert wire.value().startswith(b"HTTP/1.1 413 ")
    assert wire.disconnecting


def test_a_body_that_grows_in_chunks_is_refused_too(world: World) -> None:
    wire = Wire(world.site, "192.0.2.1")
    wire.send(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
    chunk = b"4000\r\n" + b"a" * 0x4000 + b"\r\n"
    for _ in range(5):
        if wire.channel is not None:
            wire.send(chunk)
    assert wire.value().startswith(b"HTTP/1.1 413 ")
    assert wire.disconnecting


def test_a_request_that_drips_is_cut_off(world: World) -> None:
    wire = Wire(world.site, "192.0.2.1")
    wire.send(HEAD + b"Content-Length: 1000\r\n\r\n")
    for _ in range(REQUEST_SECONDS + 1):
        if wire.channel is not None:
            wire.send(b"a")
        world.clock.advance(1)
    assert wire.disconnecting


def test_a_connection_that_says_nothing_is_cut_off(world: World) -> None:
    wire = Wire(world.site, "192.0.2.1")
    world.clock.advance(IDLE_SECONDS + 1)
    assert wire.disconnecting
    assert world.site.connections == 0


def test_there_is_a_limit_on_connections(world: World) -> None:
    """A proxy on this machine brings everybody's; they are limited together."""
    wires = [Wire(world.site, "127.0.0.1") for _ in range(MOST_CONNECTIONS)]
    assert world.site.buildProtocol(wires[0].getPeer()) is None
    wires[0].gone()
    assert world.browser().open("/login").status == 200
    for wire in wires:
        wire.gone()
    assert world.site.connections == 0


def test_one_address_cannot_keep_the_others_out(world: World) -> None:
    wires = [Wire(world.site, "192.0.2.1") for _ in range(MOST_OF_ONE_ADDRESS)]
    assert world.site.buildProtocol(wires[0].getPeer()) is None
    assert world.browser(address="192.0.2.2").open("/login").status == 200
    wires[0].gone()
    assert world.browser(address="192.0.2.1").open("/login").status == 200
    for wire in wires:
        wire.gone()
    assert world.site.connections == 0


@pytest.mark.parametrize(
    "first_line",
    [b"GET /%ff HTTP/1.1", b"G\xff /login HTTP/1.1", b"GET /" + b"a" * 3000 + b" HTTP/1.1", b"BREW /login HTTP/1.1"],
)
def test_a_strange_request_gets_a_plain_answer(world: World, first_line: bytes) -> None:
    wire = Wire(world.site, "192.0.2.1").send(first_line + b"\r\nHost: \xff\r\n\r\n")
    assert wire.value().split()[1] in (b"400", b"404", b"405")
    wire.gone()


@pytest.mark.parametrize("name", ["Accept-Language", "X-Forwarded-For", "X-Forwarded-Proto", "Content-Type", "Cookie"])
def test_headers_that_are_no_text_are_a_bad_request_and_no_line_in_the_log(
    world: World, name: str, logged_failures: list
) -> None:
    wire = Wire(world.site, "127.0.0.1").send(
        f"GET /login HTTP/1.1\r\nHost: shop.test\r\n{name}: \xff\r\n\r\n".encode("latin-1")
    )
    assert wire.value().split()[1] in (b"200", b"400")
    assert logged_failures == []
    wire.gone()


def test_no_address_means_nothing_here(world: World) -> None:
    for path in ("/nothing", "/users/", "/static/../../config.py", "/static/nothing.css", "//evil.test/%2e%2e"):
        assert world.logged_in().request("GET", path).status in (404, 308)
    assert world.logged_in().request("PUT", "/users").status == 405


def test_our_own_mistake_tells_nothing_outside(world: World, logged_failures: list) -> None:
    browser = world.logged_in()
    world.database.query, kept = None, world.database.query
    reply = browser.open("/users")
    world.database.query = kept
    assert reply.status == 500
    assert "Something went wrong" in reply.text
    assert "NoneType" not in reply.text
    assert "Traceback" not in reply.text
    assert logged_failures
    logged_failures.clear()


def test_a_database_that_is_away_is_said(world: World) -> None:
    browser = world.logged_in()

    async def away(*_: object) -> list:
        raise DatabaseAway("server closed the connection")

    world.database.query, kept = away, world.database.query
    reply = browser.open("/users")
    world.database.query = kept
    assert reply.status == 503
    assert "The database is away" in reply.text
    assert browser.open("/users").status == 200
