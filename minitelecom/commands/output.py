"""What commands print: JSON for scripts, tables for people."""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from minitelecom.money import Money

Plain = Mapping[str, Any]
"""An object as JSON knows it."""

ROWS_AT_ONCE = 1000  # of a table: columns are as wide as these need
GAP = "  "


def instant_text(instant: datetime | None) -> str | None:
    """An instant for JSON: ISO 8601, UTC."""
    return None if instant is None else instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def amount_text(money: Money | None) -> str | None:
    """An amount for JSON: a decimal string in the major unit."""
    return None if money is None else money.major()


def local_time(instant: datetime | None, zone: ZoneInfo) -> str:
    """An instant for people, by the shop's clock."""
    return "" if instant is None else f"{instant.astimezone(zone):%Y-%m-%d %H:%M:%S}"


def say(text: object) -> int:
    """A string to standard output; the exit status of success."""
    print(text)
    return 0


def _json(value: Plain | Sequence[Plain], indent: int | None = None) -> str:
    """Letters stand for themselves where the output is UTF-8 (RFC 8259 8.1), and are escaped where it is not."""
    utf8 = sys.stdout.encoding.lower().replace("-", "") == "utf8"
    return json.dumps(value, indent=indent, ensure_ascii=not utf8)


def say_json(value: Plain | Sequence[Plain]) -> int:
    return say(_json(value, indent=2))


def say_json_list(objects: Iterable[Plain]) -> int:
    """An array of any length, an object a line; nothing but the object at hand is kept."""
    before = "[\n"
    for one in objects:
        print(before + _json(one), end="")
        before = ",\n"
    return say("\n]" if before != "[\n" else "[]")


def say_table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, nothing: str, right: str = "") -> int:
    """Rows in aligned columns; those named in `right` are numbers."""
    waiting = iter(rows)
    aligned = [str.rjust if name in right.split("|") else str.ljust for name in columns]
    page = [["" if cell is None else str(cell) for cell in row] for row in islice(waiting, ROWS_AT_ONCE)]
    if not page:
        return say(nothing)
    widths = [0] * len(columns)
    lines = [list(columns), *page]
    while lines:
        widths = [max(width, *map(len, cells)) for width, cells in zip(widths, zip(*lines, strict=True), strict=True)]
        for line in lines:
            cells = (align(cell, width) for align, cell, width in zip(aligned, line, widths, strict=True))
            say(GAP.join(cells).rstrip())
        lines = [["" if cell is None else str(cell) for cell in row] for row in islice(waiting, ROWS_AT_ONCE)]
    return 0


def say_facts(facts: Iterable[tuple[str, object]]) -> int:
    """A thing by its properties, one a line."""
    shown = [(name, str(value)) for name, value in facts if value not in (None, "")]
    width = max(len(name) for name, _ in shown)
    for name, value in shown:
        say(f"{name.ljust(width)}{GAP}{value}")
    return 0
