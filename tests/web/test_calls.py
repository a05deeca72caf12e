"""View Calls: today in the shop's zone, and by date, user and number."""

from datetime import UTC, datetime, timedelta

from minitelecom.web.pages.calls import ROWS
from tests.web.conftest import World


def test_today_is_the_day_of_the_shop(world: World) -> None:
    """Sofia is three hours ahead in May: its 31st begins at 21:00 UTC on the 30th."""
    world.call(None, "359881111111", datetime(2026, 5, 30, 20, 59, tzinfo=UTC))
    world.call(None, "359882222222", datetime(2026, 5, 30, 21, 0, tzinfo=UTC))
    browser = world.logged_in()
    text = browser.open("/calls").text
    assert "Today, 31 May 2026" in text
    assert "359882222222" in text
    assert "00:00:00 cabin1" in text
    assert "359881111111" not in text
    text = browser.submit("/calls", date="2026-05-30").text
    assert "359881111111" in text
    assert "359882222222" not in text


def test_by_user_and_by_number_however_it_is_written(world: World) -> None:
    one, two = (card.number for card in world.new_cards(2))
    world.call(one, "359888123456", world.now() - timedelta(hours=1))
    world.call(two, "4930123456", world.now() - timedelta(hours=2))
    browser = world.logged_in()
    browser.open("/calls")
    assert "359888123456" in browser.submit("/calls", user=one).text
    assert "4930123456" not in browser.reply.text
    for typed in ("0888 123", "+359 888 123456", "00359888", "359888"):
        browser.open("/calls")
        text = browser.submit("/calls", number=typed).text
        assert "359888123456" in text, typed
        assert "4930123456" not in text, typed


def test_a_row_says_what_was_promised_billed_and_paid(world: World) -> None:
    number = world.new_cards()[0].number
    world.call(number, "359888123456", world.now() - timedelta(hours=1), cause="credit-exhausted")
    text = world.logged_in().open("/calls").text
    assert f"{number} 35929876543 359888123456 Bulgaria 1:30 / 10:00 €0.23 credit used up" in text
    assert "кредитът свърши" in world.logged_in(language="bg").open("/calls").text


def test_a_long_day_goes_by_pages(world: World) -> None:
    for minute in range(ROWS + 3):
        world.call(None, f"35988800{minute:04}", world.now() - timedelta(minutes=minute))
    browser = world.logged_in()
    text = browser.open("/calls").text
    assert "359888000000" in text
    assert f"35988800{ROWS:04}" not in text
    following = next(link for link in browser.reply.links if "after=" in link)
    text = browser.open(following).text
    assert f"35988800{ROWS:04}" in text
    assert f"35988800{ROWS - 1:04}" not in text
    assert "Next page" not in text
    assert "First page" in text


def test_a_strange_date_or_place_in_the_list_is_no_harm(world: World) -> None:
    browser = world.logged_in()
    for query in ("date=2026-02-30", "date=x", "date=0001-01-01", "date=9999-12-31"):
        reply = browser.open(f"/calls?{query}")
        assert reply.status == 422
        assert "A date, like 2026-05-31." in reply.text
    begin = "after=2026-05-31T00:00:00%2B"
    for query in (
        "after=x",
        "after=_",
        "after=2026-05-31_1",
        f"{begin}00:00_99999999999999999999",
        f"{begin}00:00_-99999999999999999999",
        f"{begin}20:00_1",
        "after=0001-01-01T00:00:00%2B02:00_1",
        "after=9999-12-31T23:00:00-02:00_1",
    ):
        assert browser.open(f"/calls?{query}").status == 200, query


def test_the_next_page_is_of_the_same_day_when_midnight_comes_between(world: World) -> None:
    for minute in range(ROWS + 3):
        world.call(None, f"35988800{minute:04}", world.now() - timedelta(minutes=minute))
    world.clock.advance(timedelta(hours=11).total_seconds())
    browser = world.logged_in()
    browser.open("/calls")
    world.clock.advance(timedelta(hours=1, minutes=1).total_seconds())
    following = next(link for link in browser.reply.links if "after=" in link)
    assert f"35988800{ROWS:04}" in browser.open(following).text
