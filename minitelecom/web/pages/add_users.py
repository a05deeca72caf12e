"""Add Users: a group of new accounts in one click, then their numbers and passwords, ready to print or to export."""

import csv
from io import StringIO

from twisted.logger import Logger

from minitelecom.store import audit, cards
from minitelecom.store.refusals import KeyUsedOtherwise
from minitelecom.web.forms import Form
from minitelecom.web.languages import mark
from minitelecom.web.visit import Answer, Download, NotFoundError, Page, Redirect, Visit

MOST_USERS = 1000
MOST_MINOR_UNITS = 100_000_00
# The product's three ways; the first is chosen unless another is.
ACTIVATIONS: tuple[tuple[cards.Activation, str, str], ...] = (
    ("first-use", mark("Activate in First Use"), mark("Six months count from the first call.")),
    ("later", mark("Activate later"), mark("Nobody can call until you enable the account.")),
    ("now", mark("Activate by default"), mark("Six months count from today.")),
)
CODES = tuple(code for code, _, _ in ACTIVATIONS)

log = Logger()


async def show(visit: Visit) -> Answer:
    return _form(Form(visit))


async def add(visit: Visit) -> Answer:
    """Makes the group; the form's key makes a second click find the first one's group."""
    form, shop = Form(visit), visit.shop
    count = form.whole("count", 1, MOST_USERS)
    amount = form.whole("amount", 1, MOST_MINOR_UNITS)
    activation = form.choice("activation", CODES)
    key = form.typed("key")
    if form.errors or not key:
        return _form(form, 422)
    money, operator, instant = shop.money(amount), visit.visitor.name, shop.now()
    try:
        group_id, _ = await cards.add_group(
            shop.database,
            count,
            money,
            activation,
            operator,
            instant,
            shop.secrets,
            shop.random,
            zone=shop.zone,
            key=key,
        )
    except KeyUsedOtherwise:
        form.fail("count", mark("This form was already used for other users. Load it anew."))
        return _form(form, 409)
    return Redirect(f"/groups/{group_id}")


async def group(visit: Visit) -> Answer:
    """What Add made; shown again, it is written down who looked."""
    found, new = await _group(visit)
    return Page("group.html", {"group": found, "cards": new, "activation": dict(_named())[found.activation]})


async def export(visit: Visit) -> Answer:
    found, new = await _group(visit)
    text = visit.language.text
    out = StringIO()
    rows = csv.writer(out)
    rows.writerow([text(name) for name in (mark("User"), mark("Pass"), mark("Cash"), mark("Currency"))])
    rows.writerows([card.number, card.password, found.amount.major(), found.amount.currency] for card in new)
    return Download(f"users-{found.id}.csv", "text/csv; charset=utf-8", b"\xef\xbb\xbf" + out.getvalue().encode())


async def _group(visit: Visit) -> tuple[cards.Group, list[cards.NewCard]]:
    shop, number = visit.shop, int(visit.arguments["group"])
    found = await cards.group(shop.database, number) if number < 2**63 else None
    if found is None:
        raise NotFoundError
    new = await cards.group_cards(shop.database, shop.secrets, number)
    await audit.record(shop.database, visit.visitor.name, "showed passwords", f"group {number}", None, None, shop.now())
    return found, new


def _named() -> list[tuple[str, str]]:
    return [(code, name) for code, name, _ in ACTIVATIONS]


def _form(form: Form, status: int = 200) -> Page:
    values = {
        "form": form,
        "key": form.typed("key") or form.visit.shop.token(),
        "activations": ACTIVATIONS,
        "chosen": form.typed("activation") or CODES[0],
        "most": MOST_USERS,
    }
    return Page("add_users.html", values, status)
