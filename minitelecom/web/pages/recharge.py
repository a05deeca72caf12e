"""Recharge Account: find an account by its number, add money to it once, see what it had and has."""

from datetime import timedelta
from urllib.parse import urlencode

from minitelecom.money import Money
from minitelecom.store import call_records, cards, ledger
from minitelecom.web.forms import Form
from minitelecom.web.languages import mark
from minitelecom.web.pages.calls import CAUSES, call_rows
from minitelecom.web.pages.users import STATUS_NAMES
from minitelecom.web.visit import Answer, Page, Redirect, Visit

MOST_MINOR_UNITS = 100_000_00
LAST_CALLS = 10
CALLS_SINCE = timedelta(days=180)


async def show(visit: Visit) -> Answer:
    form = Form(visit)
    number = form.number("number")
    if not number:
        return Page("recharge.html", _values(form, None))
    return await _account(form, number)


async def charge(visit: Visit) -> Answer:
    """Adds the money; the form's key makes a second click find the first one's movement."""
    form, shop = Form(visit), visit.shop
    number, key = form.number("number"), form.typed("key")
    amount = form.whole("amount", 1, MOST_MINOR_UNITS)
    card = await cards.find(shop.database, number, shop.now())
    if form.errors or not key or card is None:
        return await _account(form, number, 422)
    money = Money.from_minor(amount, card.currency)
    try:
        await ledger.recharge(shop.database, number, money, _movement_key(key), visit.visitor.name, shop.now())
    except ledger.KeyUsedOtherwise:
        form.fail(
            "amount", mark("This form was already used for another amount. Look at the balance, then load it anew.")
        )
        return await _account(form, number, 409)
    except ledger.NoSuchAccount:
        form.fail("amount", mark("This account was removed."))
        return await _account(form, number, 409)
    return Redirect("/recharge?" + urlencode({"number": number, "receipt": key}))


def _movement_key(key: str) -> str:
    """A form's key in the ledger: the browser says it, so it may not be one that another movement will have."""
    return f"recharge:web:{key}"


async def _account(form: Form, number: str, status: int = 200) -> Page:
    shop = form.visit.shop
    card = await cards.find(shop.database, number, shop.now())
    if card is None:
        form.fail("number", mark("There is no account with this number."))
        return Page("recharge.html", _values(form, None), 404 if status == 200 else status)
    instant = shop.now()
    records = await call_records.search(
        shop.database, instant - CALLS_SINCE, instant, account=card.number, limit=LAST_CALLS
    )
    receipt = form.typed("receipt")
    movement = await ledger.find(shop.database, _movement_key(receipt), card.account_id) if receipt else None
    return Page("recharge.html", _values(form, card) | {"calls": call_rows(records), "movement": movement}, status)


def _values(form: Form, card: cards.Card | None) -> dict[str, object]:
    key = form.typed("key") if form.errors and "amount" in form.errors else ""
    return {
        "form": form,
        "example": Money.from_minor(1500, card.currency if card else form.visit.shop.currency),
        "card": card,
        "key": key or form.visit.shop.token(),
        "calls": [],
        "movement": None,
        "statuses": STATUS_NAMES,
        "causes": CAUSES,
    }
