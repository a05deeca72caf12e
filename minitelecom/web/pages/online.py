"""View Online Users: everyone connected at this moment, live."""

from twisted.web.http import Request

from minitelecom.store.database import DatabaseAway
from minitelecom.web.events import MOST_STREAMS, EventStream
from minitelecom.web.running import row_of
from minitelecom.web.sessions import visitor_of_hash
from minitelecom.web.visit import Answer, Page, Stream, Visit


async def show(visit: Visit) -> Answer:
    """The page as it is now; the browser's script keeps it so, and without a script it is loaded anew every ten seconds."""
    instant = visit.shop.now()
    rows = [row_of(call, visit.language, instant) for call in visit.shop.feed.calls()]
    return Page("online.html", {"rows": rows})


async def events(visit: Visit) -> Answer:
    """The stream behind the page; it ends when the session does, but not because the database cannot be asked."""
    shop = visit.shop
    if shop.feed.viewers >= MOST_STREAMS:
        return Page("message.html", {"title": "", "message": ""}, 503, 10)

    async def allowed() -> bool:
        try:
            visitor = await visitor_of_hash(shop.database, visit.visitor.token_hash, shop.now())
        except DatabaseAway:
            return True
        return visitor is not None and visitor.role is visit.visitor.role

    def start(request: Request) -> None:
        EventStream(request, shop.feed, visit.language, shop.clock, shop.now, allowed).start()

    return Stream(start)
