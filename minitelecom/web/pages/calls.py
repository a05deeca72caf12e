"""View Calls: the calls of a day, those of today unless another is chosen; by user and by number."""

from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlencode

from minitelecom.store import call_records
from minitelecom.web.forms import Form
from minitelecom.web.languages import day_bounds, mark
from minitelecom.web.visit import Answer, Page, Visit

ROWS = 50
CAUSES = {
    "normal": mark("ended normally"),
    "busy": mark("busy"),
    "no-answer": mark("no answer"),
    "rejected": mark("rejected"),
    "cancelled": mark("cancelled"),
    "no-route": mark("no route"),
    "no-price": mark("no price"),
    "no-credit": mark("no credit"),
    "credit-exhausted": mark("credit used up"),
    "blocked": mark("blocked"),
    "interrupted": mark("interrupted"),
    "failed": mark("failed"),
}


@dataclass(frozen=True)
class CallRow:
    """A call record as the tables of calls show it."""

    record: call_records.CallRecord
    cause: str
    tone: str


def call_rows(records: list[call_records.CallRecord]) -> list[CallRow]:
    return [
        CallRow(record, CAUSES.get(record.cause or "", record.cause or ""), _tone(record.cause)) for record in records
    ]


async def show(visit: Visit) -> Answer:
    form, shop = Form(visit), visit.shop
    today = visit.language.today(shop.now())
    day = form.day("date", today)
    since, until = day_bounds(day, shop.zone)
    found = await call_records.search(
        shop.database,
        since,
        until,
        account=form.number("user") or None,
        number=shop.dialled(form.typed("number")) or None,
        after=_position(form.typed("after")),
        limit=ROWS + 1,
    )
    rows = found[:ROWS]
    filters = {name: form.typed(name) for name in ("date", "user", "number") if form.typed(name)}
    # The next page is of the same day, also when it is asked for after midnight.
    following = filters | {"date": day.isoformat()}
    more = urlencode(following | {"after": _key(rows[-1])}) if len(found) > ROWS else ""
    values = {
        "form": form,
        "day": day,
        "today": day == today,
        "calls": call_rows(rows),
        "more": more,
        "first": urlencode(filters) if form.typed("after") else None,
    }
    return Page("calls.html", values, 422 if form.errors else 200)


def _tone(cause: str | None) -> str:
    if cause is None:
        return "live"
    return "good" if cause == "normal" else "bad" if cause in ("failed", "interrupted", "no-route") else "plain"


def _key(record: call_records.CallRecord) -> str:
    return f"{record.started.astimezone(UTC).isoformat()}_{record.id}"


def _position(after: str) -> tuple[datetime, int] | None:
    """Where a page begins: the last call of the one before."""
    started, _, identifier = after.partition("_")
    try:
        instant, number = datetime.fromisoformat(started), int(identifier)
        return (instant.astimezone(UTC), number) if instant.tzinfo and abs(number) < 2**63 else None
    except (ValueError, OverflowError):
        return None
