"""Locks: callers and cards that are delayed or shut out after wrong passwords; the administrator lets them in again."""

from minitelecom.store import cards
from minitelecom.web.languages import mark
from minitelecom.web.visit import Answer, Page, Redirect, Visit

KINDS = {
    "card": mark("card"),
    "caller": mark("caller"),
    "anonymous": mark("callers without a number"),
    "trunk": mark("trunk"),
}


async def show(visit: Visit) -> Answer:
    return Page("locks.html", {"locks": await cards.locks(visit.shop.database, visit.shop.now()), "kinds": KINDS})


async def unlock(visit: Visit) -> Answer:
    shop = visit.shop
    await cards.unlock(shop.database, visit.field("kind"), visit.field("subject"), visit.visitor.name, shop.now())
    return Redirect("/locks")
