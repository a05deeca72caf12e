"""List Of Users: all accounts by pages, and what can be done with the ticked ones, all of them or none."""

from urllib.parse import urlencode

from minitelecom.store import audit, cards
from minitelecom.store.accounts import NewStatus
from minitelecom.store.refusals import Refusal
from minitelecom.web.forms import Form
from minitelecom.web.languages import mark
from minitelecom.web.visit import Answer, Page, Redirect, Visit

ROWS = 50
STATUS_NAMES = {
    "inactive": mark("not active"),
    "enabled": mark("enabled"),
    "disabled": mark("disabled"),
    "expired": mark("expired"),
    "closed": mark("removed"),
}
ACTIONS: dict[str, NewStatus] = {"enable": "enabled", "disable": "disabled"}


async def show(visit: Visit) -> Answer:
    return await _list(visit, {})


async def show_passwords(visit: Visit) -> Answer:
    """The same page with its passwords, which are kept from eyes behind the operator until she asks; written down."""
    found = await _page(visit)
    numbers = [card.number for card in found[:ROWS]]
    passwords = await cards.passwords(visit.shop.database, visit.shop.secrets, numbers)
    await _audit(visit, "showed passwords", numbers)
    return await _list(visit, passwords)


async def change(visit: Visit) -> Answer:
    """Enables or disables the ticked accounts; Drop asks first."""
    numbers, action = visit.ticked("number"), visit.field("action")
    if not numbers:
        return await _list(visit, {}, error=mark("Tick at least one user first."))
    if action == "drop":
        dropped = [
            card
            for card in [await cards.find(visit.shop.database, number, visit.shop.now()) for number in numbers]
            if card
        ]
        return Page("drop.html", {"cards": dropped, "back": _back(visit)})
    return await _set(visit, numbers, ACTIONS[action]) if action in ACTIONS else Redirect(_back(visit))


async def drop(visit: Visit) -> Answer:
    """Removes what was ticked and confirmed."""
    numbers = visit.ticked("number")
    return await _set(visit, numbers, "closed") if numbers else Redirect(_back(visit))


async def _set(visit: Visit, numbers: list[str], status: NewStatus) -> Answer:
    """All of them or none: one that was removed meanwhile stops the others, and says so."""
    try:
        await cards.change(visit.shop.database, numbers, status, visit.visitor.name, visit.shop.now())
    except Refusal:
        return await _list(visit, {}, error=mark("One of these users was removed meanwhile. Nothing was changed."))
    return Redirect(_back(visit))


async def _page(visit: Visit) -> list[cards.Card]:
    query = Form(visit).number("q")
    return await cards.page(
        visit.shop.database,
        visit.field("after") or None,
        ROWS + 1,
        query or None,
        instant=visit.shop.now(),
        with_closed=cards.is_number(query),  # whoever looks for a removed one by its whole number finds it
    )


async def _list(visit: Visit, passwords: dict[str, str], error: str = "") -> Page:
    found = await _page(visit)
    values = {
        "cards": found[:ROWS],
        "more": found[ROWS - 1].number if len(found) > ROWS else "",
        "q": visit.field("q"),
        "after": visit.field("after"),
        "passwords": passwords,
        "statuses": STATUS_NAMES,
        "error": visit.language.text(error),
        "ticked": set(visit.ticked("number")),
    }
    return Page("users.html", values, 422 if error else 200)


def _back(visit: Visit) -> str:
    query = {name: visit.field(name) for name in ("q", "after") if visit.field(name)}
    return "/users" + ("?" + urlencode(query) if query else "")


async def _audit(visit: Visit, what: str, numbers: list[str]) -> None:
    shop = visit.shop
    await audit.record(shop.database, visit.visitor.name, what, ", ".join(numbers), None, None, shop.now())
