"""The page of a call in a real Chromium: its ladder, an arrow opened, in both languages, by day, by night and on paper."""

import pytest

from minitelecom.store import cards
from minitelecom.store.synchronous import run
from tests.browser.conftest import Shop, Window, now, story
from tests.ladder import conversation
from tests.ladder.conversation import FLOW

pytestmark = pytest.mark.browser


def a_call(shop: Shop) -> int:
    number = shop.new_cards()[0]

    def make() -> int:
        card = run(cards.find(shop.database, number, now()))
        assert card is not None
        return conversation.call(shop.database, card.account_id)

    return int(str(shop.do(make)))


@pytest.mark.parametrize(
    ("language", "width", "scheme"),
    [("en", 1280, "light"), ("bg", 1280, "dark"), ("en", 390, "dark"), ("bg", 390, "light")],
)
@story
def test_an_arrow_opens_into_its_message(window: Window, language: str, width: int, scheme: str) -> None:
    window.language = language
    call = a_call(window.shop)
    window.size(width).paint(scheme=scheme).log_in("adam").open("/calls?date=2026-11-02").go("tbody td a")
    assert window.path == f"/calls/{call}"
    rows = window.all(".ladder details")
    assert len(rows) == len(FLOW)
    window.look("ladder")
    arrow = window.all(".ladder summary .arrow")[3]
    window.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", arrow)
    arrow.click()
    message = window.find(".ladder details[open] pre")
    assert message.is_displayed()
    assert message.text.startswith("INVITE sip:359888123456@10.0.0.1:5060 SIP/2.0")
    assert 'username="cabin1"' in message.text
    assert "00112233" not in message.text
    window.look("ladder-open")
    window.size(width, 2600).look("ladder-whole")
    window.paint(media="print").look("ladder-print")


@story
def test_who_is_at_the_till_sees_the_figure_and_no_words(window: Window) -> None:
    call = a_call(window.shop)
    window.size(768).log_in("olga").open(f"/calls/{call}")
    assert len(window.all(".ladder .strip")) == len(FLOW)
    assert not window.all(".ladder details")
    window.look("ladder-operator")
