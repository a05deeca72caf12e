"""A day at the till, in a real Chromium: every menu, in both languages, on a screen and on a telephone."""

from datetime import timedelta
from decimal import Decimal
from random import Random

import pytest

from minitelecom.calls.live import LiveCall
from minitelecom.rating.cost import cost
from minitelecom.rating.rate import Rate
from minitelecom.web.running import rate_data
from tests.browser.conftest import Shop, Window, now, story

pytestmark = pytest.mark.browser

BULGARIA = Rate("359", "Bulgaria mobile", "EUR", Decimal("0.12"), 1, 1)
EVERYWHERE = pytest.mark.parametrize(("language", "width"), [("en", 1280), ("en", 390), ("bg", 1280), ("bg", 390)])


def live_call(key: str, **changes: object) -> LiveCall:
    values = {"account": None, "device": "cabin1", "calling_number": "35929876543", "step": "user-number"}
    more = {"called_number": None, "destination": None, "since": now()}
    return LiveCall(id=key, session=key, **(values | more | changes))


@EVERYWHERE
@story
def test_users_are_added_recharged_disabled_and_dropped(window: Window, language: str, width: int) -> None:
    window.language = language
    window.size(width).open("/login").look("login")
    window.log_in().open("/users/add")
    window.type("#count", "3")
    window.type("#amount", "1500")
    hint = window.find("#amount-hint").text.replace("\u00a0", " ")
    assert hint == {"en": "= €15.00", "bg": "= 15,00 €"}[language]
    window.press("label.choice:nth-of-type(3)")
    window.look("add-users")
    window.go("main button.main")
    assert window.path.startswith("/groups/")
    numbers = [cell.text for cell in window.all("tbody td:first-child")]
    window.look("group")
    window.paint(media="print").look("group-print")
    window.paint()
    assert sorted(number for (number,) in window.shop.query("SELECT number FROM cards")) == sorted(numbers)

    window.open(f"/recharge?number={numbers[0]}")
    window.type("#amount", "1050")
    window.look("recharge-before")
    window.go("form[data-once] button")
    assert "receipt=" in window.path
    window.look("recharge-after")
    assert {"en": "€25.50", "bg": "25,50 €"}[language] in window.text
    assert window.shop.query(
        "SELECT balance FROM accounts a JOIN cards c ON c.account_id = a.id WHERE number = %s", (numbers[0],)
    ) == [(Decimal("25.500000"),)]

    window.open("/users")
    window.press(f"input[value='{numbers[1]}']")
    window.look("users-ticked")
    window.go("button[value=disable]")
    assert window.all(".pill.disabled")
    window.press(f"input[value='{numbers[2]}']")
    window.go("button[value=drop]")
    window.look("drop")
    window.go("button.no")
    window.look("users")
    assert numbers[2] not in window.text
    window.go("button[formaction]")
    assert not window.all(".masked")
    window.look("users-passwords")


@pytest.mark.parametrize(("language", "width"), [("en", 1280), ("en", 390), ("bg", 1024), ("bg", 390)])
@story
def test_the_live_page_moves(window: Window, language: str, width: int) -> None:
    window.language, live, shop = language, window.shop.live, window.shop
    window.size(width).log_in()
    window.until(lambda: window.all(".listening"))
    window.look("online-empty")
    shop.do(live.enter, live_call("one", calling_number="35988812345"))
    window.until(lambda: len(window.all("tbody tr")) == 1)
    assert {"en": "keying in the user number", "bg": "въвежда номера"}[language] in window.text
    shop.do(
        live.change, "one", account="1234567897", step="calling", called_number="359888123456", destination="Bulgaria"
    )
    window.until(lambda: "1234567897" in window.text)
    answered = now() - timedelta(seconds=80)
    shop.do(live.change, "one", step="talking", answered=answered, rate=BULGARIA, promised_seconds=85)
    shop.do(live.enter, live_call("two", account="9876543217", step="number"))
    window.until(lambda: "1:2" in window.text)
    window.look("online")
    window.until(lambda: "1:25" in window.text)
    window.until(lambda: {"en": "€0.170", "bg": "0,170 €"}[language] in window.text)
    shop.do(live.leave, "one")
    window.until(lambda: len(window.all("tbody tr")) == 1)
    assert "1234567897" not in window.text


@story
def test_a_gap_is_seen_and_healed(window: Window) -> None:
    """A lost message: the browser notices the number that is missing and asks for everything again."""
    window.log_in()
    window.until(lambda: window.all(".listening"))
    window.shop.do(window.shop.live.enter, live_call("one"))
    window.until(lambda: len(window.all("tbody tr")) == 1)
    # The page is made to have missed everything: its row is wrong and its number is behind.
    window.driver.execute_script("document.querySelector('tbody tr').remove(); liveTable.number = -5;")
    window.shop.do(window.shop.live.enter, live_call("two"))
    window.until(lambda: len(window.all("tbody tr")) == 2)
    assert window.driver.execute_script("return liveTable.number") > 0


@story
def test_the_live_page_outlives_the_session_only_as_a_log_in_page(window: Window) -> None:
    window.log_in()
    window.until(lambda: window.all(".listening"))
    window.shop.query("DELETE FROM web_sessions")
    window.driver.execute_script("liveTable.resync()")
    window.until(lambda: window.path.startswith("/login"))
    assert not window.all("tbody tr")


@story
def test_many_tabs_of_the_live_page_leave_room_for_other_pages(window: Window) -> None:
    """A browser opens six connections to one site: tabs that nobody looks at may not hold them."""
    window.log_in()
    first = window.driver.current_window_handle
    for _ in range(7):
        window.driver.switch_to.new_window("tab")
        window.open("/online").until(lambda: window.all(".listening"))
    window.open("/users")
    assert "List Of Users" in window.text
    window.driver.switch_to.window(first)
    window.shop.do(window.shop.live.enter, live_call("one"))
    window.until(lambda: len(window.all("tbody tr")) == 1)


@story
def test_running_money_is_that_of_rating(window: Window) -> None:
    """The script's own arithmetic, on the rates that it gets, against rating.cost."""
    window.log_in()
    random = Random(5)
    rates = [
        Rate("1", "x", "EUR", Decimal(random.randrange(2_000_000)).scaleb(-6), random.choice((1, 30, 60)),
             random.choice((1, 6, 60)), Decimal(random.choice((0, 50_000, 123_457))).scaleb(-6))
        for _ in range(300)
    ]  # fmt: skip
    cases = [(rate, random.randrange(7200)) for rate in rates] + [(rates[0], 0), (rates[0], 1)]
    script = "return arguments[0].map(([rate, seconds]) => decimalText(costMillionths(rate, seconds)))"
    shown = window.driver.execute_script(script, [[rate_data(rate), seconds] for rate, seconds in cases])
    assert [Decimal(text) for text in shown] == [cost(rate, seconds).amount for rate, seconds in cases]


@pytest.mark.parametrize(
    ("language", "width"),
    [("en", 1920), ("bg", 1280), ("en", 1024), ("bg", 1024), ("bg", 768), ("en", 390), ("bg", 390)],
)
@story
def test_lists_of_calls_and_locks(window: Window, language: str, width: int) -> None:
    window.language, shop = language, window.shop
    numbers = shop.new_cards(60)
    shop.do(calls_of_today, shop, numbers)
    window.size(width).log_in("adam")
    for path, rows in (("calls", 30), ("locks", 6), ("users", 50)):
        window.open(f"/{path}").look(f"long-{path}")
        assert len(window.all("tbody tr")) == rows
    window.open(f"/recharge?number={numbers[0]}").look("recharge-calls")
    window.size(width, 3000).open("/calls").look("tall-calls")
    window.size(width).paint(scheme="dark").open("/calls").look("dark-calls")
    window.open(f"/recharge?number={numbers[0]}").look("dark-recharge")
    window.paint()
    if width < 600:
        window.size(width).open("/calls").press(".menu summary")
        window.look("menu")


@pytest.mark.parametrize("width", [1280, 1024, 768, 390])
@story
def test_the_longest_names_stay_on_the_page(window: Window, width: int) -> None:
    """What a stranger dials, and what a technician calls a telephone, may be long and without a blank."""
    shop, long = window.shop, "W" * 64
    number = shop.new_cards()[0]
    shop.do(calls_of_today, shop, [number], ((long, "M" * 100),), long)
    call = live_call("one", device=long, calling_number=long, called_number=long, destination="M" * 100)
    shop.do(shop.live.enter, call)
    window.size(width).log_in()
    for path in ("calls", "online", f"recharge?number={number}"):
        window.open(f"/{path}").look(f"longest-{path.partition('?')[0]}")
        assert long in window.text


PLACES = (("359888123456", "Bulgaria mobile"), ("4930123456", "Germany"), ("90532123456", "Turkey mobile Turkcell"))


def calls_of_today(
    shop: Shop, numbers: list[str], places: tuple[tuple[str, str], ...] = PLACES, calling: str = "35929876543"
) -> None:
    from minitelecom.money import Money
    from minitelecom.store import call_records, cards, processes
    from minitelecom.store.synchronous import run

    process = run(processes.start(shop.database, "test", 1, now()))
    causes = ("normal", "normal", "normal", "busy", "credit-exhausted", "no-answer", "failed")
    for index, number in enumerate(numbers[:30]):
        started = now() - timedelta(seconds=index)
        account = run(cards.find(shop.database, numbers[0] if index < 5 else number, now())).account_id
        called, destination = places[index % len(places)]
        ceiling, step = Money(Decimal(9), "EUR"), BULGARIA.sell / 60
        begun = run(call_records.begin(shop.database, call_records.Beginning(
            process, f"s{index}", started, account, None, calling, called, destination, "carrier", BULGARIA,
            ceiling, step, step)))  # fmt: skip
        cause = causes[index % len(causes)]
        talked = 125 * (index + 1) if cause in ("normal", "credit-exhausted") else 0
        price = Money(min(cost(BULGARIA, talked).amount, Decimal(1)), "EUR")
        if index:
            run(call_records.ended(shop.database, call_records.Ending(
                begun.id, started, now(), talked, price, cause, 200, "caller", started if talked else None, 4500)))  # fmt: skip
    for name in numbers[:3]:
        for attempt in range(6):
            moment = now() - timedelta(seconds=600 - 40 * attempt)
            run(cards.sign_in(shop.database, name, b"wrong", f"3592987{name[:4]}", None, moment))


@story
def test_forms_work_without_a_script(window: Window) -> None:
    window.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    window.log_in()
    window.open("/users/add")
    window.type("#count", "2")
    window.type("#amount", "700")
    window.go("main button.main")
    assert window.path == "/groups/1"
    number = window.all("tbody td:first-child")[0].text
    window.open(f"/recharge?number={number}")
    window.type("#amount", "300")
    window.go("form[data-once] button")
    assert "receipt=" in window.path
    assert "Before: €7.00 · now: €10.00" in window.text
    window.open("/online").look("online-without-script")
