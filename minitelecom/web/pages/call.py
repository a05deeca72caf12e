"""The page of one call: what its record says, and its messages as a ladder; to take along as text, capture or picture."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from minitelecom.calls.ladders import messages_of
from minitelecom.ladder import text
from minitelecom.ladder.figure import Arrow, Figure, Side, figure, readable
from minitelecom.ladder.pcap import capture
from minitelecom.store import call_attempts, call_records
from minitelecom.store.call_records import CallRecord
from minitelecom.web.arrows import particulars, picture, strip
from minitelecom.web.forms import Form
from minitelecom.web.languages import Language, mark
from minitelecom.web.pages.calls import CAUSES, call_rows
from minitelecom.web.visit import Answer, Download, NotFoundError, Page, Role, Visit

MOST_ARROWS = 60  # on a page,
MOST_LETTERS = 40_000  # and of their messages,
LONGEST_MESSAGE = 8_000  # of which none is shown whole that is longer
PAUSE_SECONDS = 2.0  # from which on a silence is worth a line
MANY = 5  # participants: from then on the figure is wider than a page may be

SIDES = {Side.CALLER: mark("caller"), Side.US: mark("this exchange"), Side.CALLED: mark("called")}
ENDERS = {
    "caller": mark("the caller"),
    "callee": mark("the called"),
    "credit": mark("the credit"),
    "operator": mark("the house"),
    "carrier": mark("the carrier"),
    "silence": mark("silence on the line"),
    "switch": mark("this exchange"),
}


@dataclass(frozen=True)
class Row:
    """A message on the page."""

    arrow: Arrow
    sender: str
    receiver: str
    strip: Markup
    particulars: str
    pause: float | None
    """Seconds of silence before it, where there were many."""
    message: str | None
    """Its words, for those who may read them."""


async def show(visit: Visit) -> Answer:
    record, ladder = await _ladder(visit)
    form, shop = Form(visit), visit.shop
    after = form.typed("after")
    rows, more = _rows(ladder, int(after) if after.isdecimal() and len(after) < 7 else 0, visit)
    attempts = await call_attempts.of_calls(shop.database, [(record.started, record.id)])
    values = {
        "call": call_rows([record])[0],
        "record": record,
        "ender": ENDERS.get(record.ended_by or "", record.ended_by),
        "attempts": attempts.get((record.started, record.id), []),
        "ladder": ladder,
        "names": [text.name_of(participant) for participant in ladder.participants],
        "sides": SIDES,
        "causes": {cause: visit.language.text(words) for cause, words in CAUSES.items()},
        "rows": rows,
        "more": rows[-1].arrow.number if more else None,
        "first": bool(after),
        "many": len(ladder.participants) > MANY,
        "reader": may_read(visit),
    }
    return Page("call.html", values)


def may_read(visit: Visit) -> bool:
    """Messages hold what is nobody's business at the till (addresses, software, other people's numbers)."""
    return visit.visitor.role is Role.ADMINISTRATOR


async def as_text(visit: Visit) -> Answer:
    record, ladder = await _ladder(visit)
    words = "\n".join(text.lines(ladder)) + "\n"
    return Download(f"call-{record.id}.txt", "text/plain; charset=utf-8", words.encode())


async def as_capture(visit: Visit) -> Answer:
    record, ladder = await _ladder(visit)
    packets = capture([arrow.seen for arrow in ladder.arrows])
    return Download(f"call-{record.id}.pcap", "application/vnd.tcpdump.pcap", packets)


async def as_picture(visit: Visit) -> Answer:
    record, ladder = await _ladder(visit)
    return Download(f"call-{record.id}.svg", "image/svg+xml", picture(ladder, visit.language))


async def _ladder(visit: Visit) -> tuple[CallRecord, Figure]:
    """The call that the address names, and its messages, the latest included where this process holds them."""
    shop, number = visit.shop, int(visit.arguments["call"])
    record = await call_records.numbered(shop.database, number) if number < 2**63 else None
    if record is None:
        raise NotFoundError
    await shop.write_ladder(record.session)
    return record, figure(await messages_of(shop.database, record))


def _rows(ladder: Figure, after: int, visit: Visit) -> tuple[list[Row], bool]:
    """The arrows of this page, and whether there are more."""
    rows: list[Row] = []
    letters = 0
    for place, arrow in enumerate(ladder.arrows[after:], after):
        if len(rows) == MOST_ARROWS or letters > MOST_LETTERS:
            return rows, True
        before = ladder.arrows[place - 1].seconds if place else 0.0
        row = _row(ladder, arrow, arrow.seconds - before, visit)
        rows.append(row)
        letters += len(row.message or "")
    return rows, False


def _row(ladder: Figure, arrow: Arrow, pause: float, visit: Visit) -> Row:
    people: Sequence[str] = [text.name_of(participant) for participant in ladder.participants]
    language: Language = visit.language
    message = readable(arrow.seen.data) if may_read(visit) else None
    if message is not None and len(message) > LONGEST_MESSAGE:
        message = message[:LONGEST_MESSAGE] + "…"
    return Row(
        arrow,
        people[arrow.sender],
        people[arrow.receiver],
        strip(arrow, len(people), language),
        particulars(arrow, language),
        pause if pause >= PAUSE_SECONDS else None,
        message,
    )
