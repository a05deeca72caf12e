"""The page of one call: its record, its messages as a figure, and what may be taken along."""

import xml.etree.ElementTree as ET

import pytest

from minitelecom.config import Config
from minitelecom.ladder.pages import Taken, write
from minitelecom.ladder.seen import Leg
from minitelecom.sip.hop import Hop
from minitelecom.store import ladders
from minitelecom.store.synchronous import run
from minitelecom.web.pages.call import LONGEST_MESSAGE, MOST_ARROWS
from minitelecom.web.site import make_site
from tests.ladder import conversation
from tests.ladder.conversation import FLOW, STARTED
from tests.web.conftest import World, at_once

SVG = "{http://www.w3.org/2000/svg}"
HOP = Hop("udp", "192.168.1.21", 5060)


@pytest.fixture
def call(world: World) -> int:
    return conversation.call(world.database, world.card(world.new_cards()[0].number).account_id)


def put_messages(world: World, messages: list[bytes]) -> None:
    """The messages of the call are these, one each second."""
    run(world.database.query("DELETE FROM ladder_pages"))
    taken: list[Taken] = [(float(place), False, HOP, Leg("c", "cabin1"), data) for place, data in enumerate(messages)]
    page = ladders.Page(f"visit {STARTED}", STARTED, write(taken, lambda hop: ("10.0.0.1", 5060)))
    run(ladders.keep(world.database, [page]))


def test_the_list_of_calls_leads_to_the_page_of_each(world: World, call: int) -> None:
    browser = world.logged_in()
    assert f"/calls/{call}" in browser.open("/calls?date=2026-11-02").links
    text = browser.open(f"/calls/{call}").text
    assert "Call to 359888123456 2 Nov 2026, 11:00:00 ended normally" in text
    assert "Destination Bulgaria mobile Trunk good Answered 11:00:07 Ended 11:01:03 Ended by the caller" in text
    assert "Promised 10:00 Billed 0:56 Price a minute €0.12 Cost €0.112" in text


def test_the_administrator_reads_every_message(world: World, call: int) -> None:
    reply = world.logged_in("adam").open(f"/calls/{call}")
    assert reply.body.count(b"<details>") == len(FLOW)
    assert "cabin1 to MiniTelecom: INVITE SDP" in reply.text
    assert "MiniTelecom to cheap: INVITE SDP · repeated" in reply.text
    assert "200 OK BYE" in reply.text
    assert "39.2 s later" in reply.text
    assert 'Proxy-Authorization: Digest username="cabin1"' in reply.text
    assert "Signal=-" in reply.text
    assert {f"/calls/{call}.{kind}" for kind in ("txt", "pcap", "svg")} <= set(reply.links)


def test_the_operator_sees_who_said_what_when_but_not_the_words(world: World, call: int) -> None:
    reply = world.logged_in("olga").open(f"/calls/{call}")
    assert "MiniTelecom to cheap: INVITE SDP · repeated" in reply.text
    assert "User-Agent" not in reply.text
    assert [link for link in reply.links if link.startswith(f"/calls/{call}.")] == [f"/calls/{call}.svg"]


def test_the_messages_are_taken_along_as_text_capture_and_picture(world: World, call: int) -> None:
    browser = world.logged_in("adam")
    reply = browser.open(f"/calls/{call}.txt")
    assert reply.headers["Content-Disposition"] == f'attachment; filename="call-{call}.txt"'
    assert "MiniTelecom -> good         BYE" in reply.body.decode()
    reply = browser.open(f"/calls/{call}.pcap")
    assert reply.headers["Content-Type"] == "application/vnd.tcpdump.pcap"
    assert reply.body.startswith(bytes.fromhex("d4c3b2a1"))
    picture = ET.fromstring(browser.open(f"/calls/{call}.svg").body)
    assert len(picture.findall(f"{SVG}g")) == len(FLOW)
    assert [one.text for one in picture.findall(f"{SVG}text[@class='who']")] == [
        "cabin1",
        "MiniTelecom",
        "cheap",
        "good",
    ]


def test_a_stranger_cannot_write_on_the_page(world: World, call: int) -> None:
    """What came over the wire is shown as it is, never taken for a part of the page."""
    put_messages(
        world, [b"INVITE sip:<b>1</b>@h SIP/2.0\r\n\r\n", b"SIP/2.0 200 <script>alert(1)</script>&\x1b[2J\r\n\r\n"]
    )
    browser = world.logged_in("adam")
    body = browser.open(f"/calls/{call}").body
    assert b"<b>1" not in body
    assert b"<script>" not in body
    assert b"\x1b" not in body
    assert "200 <script>alert(1)</script>&\\x1b[2J" in browser.reply.text
    picture = ET.fromstring(browser.open(f"/calls/{call}.svg").body)
    assert any("<script>" in "".join(text.itertext()) for text in picture.iter(f"{SVG}text"))


def test_a_long_call_comes_by_pages_and_a_long_message_is_cut(world: World, call: int) -> None:
    put_messages(world, [b"OPTIONS sip:%d@h SIP/2.0\r\n\r\n" % number for number in range(MOST_ARROWS + 5)])
    browser = world.logged_in("adam")
    text = browser.open(f"/calls/{call}").text
    assert f"OPTIONS sip:{MOST_ARROWS - 1}@h" in text
    assert f"OPTIONS sip:{MOST_ARROWS}@h" not in text
    following = next(link for link in browser.reply.links if "after=" in link)
    text = browser.open(following.partition("#")[0]).text
    assert f"OPTIONS sip:{MOST_ARROWS}@h" in text
    assert "OPTIONS sip:1@h" not in text
    assert "Next page" not in text
    for strange in ("x", "-1", "9" * 50, "99999"):
        assert browser.open(f"/calls/{call}?after={strange}").status == 200
    put_messages(world, [b"MESSAGE sip:1@h SIP/2.0\r\nX: " + b"y" * 60_000 + b"\r\n\r\n"] * 60)
    reply = browser.open(f"/calls/{call}")
    assert "y" * (LONGEST_MESSAGE - 100) in reply.text
    assert len(reply.body) < 100_000


def test_a_figure_of_many_participants_scrolls_inside_itself(world: World, call: int) -> None:
    """As where a number was tried at one carrier after another; a keyboard reaches it."""
    legs = [Leg("c", "cabin1"), *(Leg(f"c{number}", f"carrier{number}", STARTED) for number in range(6))]
    taken: list[Taken] = [(0.0, leg.dialled is not None, HOP, leg, b"INVITE sip:1@h SIP/2.0\r\n\r\n") for leg in legs]
    run(world.database.query("DELETE FROM ladder_pages"))
    page = write(taken, lambda hop: ("10.0.0.1", 5060))
    run(ladders.keep(world.database, [ladders.Page(f"visit {STARTED}", STARTED, page)]))
    reply = world.logged_in("olga").open(f"/calls/{call}")
    assert b'<div class="ladder many" tabindex="0" role="region" aria-labelledby="messages">' in reply.body
    assert "MiniTelecom to carrier5: INVITE" in reply.text


def test_a_call_without_messages_says_so_and_an_unknown_one_is_not_found(world: World, call: int) -> None:
    run(world.database.query("DELETE FROM ladder_pages"))
    browser = world.logged_in("adam")
    assert "No messages of this call are kept." in browser.open(f"/calls/{call}").text
    for path in (f"/calls/{call + 1}", f"/calls/{2**70}", "/calls/0", f"/calls/{call + 1}.pcap", "/calls/x"):
        assert browser.open(path).status == 404, path
    assert browser.open(f"/calls/{call}.svg").status == 200


def test_whoever_looks_sees_the_latest(world: World, call: int) -> None:
    """What the switch still holds of the call is written before it is read."""
    asked: list[str] = []

    async def write(session: str) -> None:
        asked.append(session)

    world.site = make_site(
        world.database, Config(), world.live, world.now, world.secrets, world.clock, at_once, write_ladder=write
    )
    world.logged_in("adam").open(f"/calls/{call}")
    assert asked == [f"visit {STARTED}"]
