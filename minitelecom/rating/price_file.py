"""
The price list as a CSV file (RFC 4180): text → rates, or every bad row with its line number; and rates → text.

Nothing of a file is taken when one row of it is bad: half a price list is worse than yesterday's.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from difflib import get_close_matches
from typing import Any, NamedTuple

from minitelecom.money import MINOR_DIGITS, PLACES
from minitelecom.rating.number import LONGEST
from minitelecom.rating.rate import Rate

REQUIRED = ("prefix", "destination", "buy", "sell")
OPTIONAL = ("buy_currency", "initial", "increment", "connection_fee", "valid_from", "allow_loss")
MUST_BE_FILLED = frozenset({"prefix", "destination", "sell"})
REQUIRED_OF_A_CARRIER = ("prefix", "destination", "buy")
"""In a carrier's list `buy` is the price, and the steps and the fee are the carrier's."""
MOST_ROWS = 1_000_000
MOST_LETTERS = 100
"""Of a destination's name."""
LONGEST_STEP = 3600

_PRICE = re.compile(r"(\d{1,9})(?:\.(\d+))?", re.ASCII)
_DECIMAL_COMMA = re.compile(r"\d+,\d+", re.ASCII)


class BadRow(NamedTuple):
    line: int
    reason: str


class BadRows(Exception):
    """What is wrong with a price file: all of it, in the order of the lines."""

    def __init__(self, rows: Sequence[BadRow]) -> None:
        super().__init__("\n".join(f"line {line}: {reason}" for line, reason in rows))
        self.rows = tuple(rows)


@dataclass(frozen=True, slots=True)
class ParsedPrices:
    rates: tuple[Rate, ...]
    remarks: tuple[BadRow, ...] = ()
    """Rows that are right but look mistaken, such as a sale below cost."""


class _Mistake(Exception):
    pass


def parse(text: str, currency: str, price_list: str = "general") -> ParsedPrices:
    """The rates of a file, priced in the house currency; raises BadRows."""
    return _parse(text, REQUIRED, lambda cells: _rate(cells, currency, price_list))


def parse_carrier(text: str, currency: str, trunk: str) -> ParsedPrices:
    """The rates of a carrier's file, in its currencies, where it names none in the house's; raises BadRows."""
    return _parse(text, REQUIRED_OF_A_CARRIER, lambda cells: _rate_of_a_carrier(cells, currency, trunk))


def _parse(text: str, required: Sequence[str], read: Callable[[dict[str, str]], Rate]) -> ParsedPrices:
    rows = _rows(text)
    line, header = next(rows, (1, None))
    if header is None:
        raise BadRows([BadRow(line, "the file is empty")])
    columns = _columns(line, header, required)
    rates: list[Rate] = []
    bad: list[BadRow] = []
    remarks: list[BadRow] = []
    seen: dict[tuple[str, date | None], int] = {}
    try:
        for line, cells in rows:
            if len(seen) == MOST_ROWS:
                raise BadRows([BadRow(line, f"a price list has at most {MOST_ROWS} rows")])
            try:
                rate = read(_cells(columns, cells))
                first = seen.setdefault((rate.prefix, rate.valid_from), line)
                if first != line:
                    raise _Mistake(f"prefix {rate.prefix} is already in line {first}")
            except _Mistake as mistake:
                bad.append(BadRow(line, str(mistake)))
                continue
            rates.append(rate)
            if rate.buy is not None and rate.buy_currency == rate.currency and rate.sell < rate.buy:
                remarks.append(BadRow(line, f"{rate.destination} is sold at {rate.sell} and bought at {rate.buy}"))
    except BadRows as end:  # nothing can be read behind it; what was wrong before is told all the same
        bad += end.rows
    if bad:
        raise BadRows(bad)
    if not rates:
        raise BadRows([BadRow(line, "there is no price in this file")])
    return ParsedPrices(tuple(rates), tuple(remarks))


def serialise(rates: Iterable[Rate]) -> str:
    """A file that `parse` reads back to the same rates."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*REQUIRED, *OPTIONAL])
    for rate in rates:
        buy, since = rate.buy, rate.valid_from
        writer.writerow(
            [
                rate.prefix,
                rate.destination,
                "" if buy is None else f"{buy:f}",
                f"{rate.sell:f}",
                rate.buy_currency or "",
                rate.initial,
                rate.increment,
                f"{rate.connection_fee:f}",
                "" if since is None else since.isoformat(),
                "yes" if rate.allow_loss else "",
            ]
        )
    return text.getvalue()


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """Rows with the line each begins on.  Lines with nothing in them, as spreadsheets leave them, are no rows."""
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    line = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield line, [cell.strip() for cell in cells]
            line = reader.line_num + 1
    except csv.Error as error:
        raise BadRows([BadRow(line, f"not CSV: {error}")]) from None


def _columns(line: int, header: list[str], required: Sequence[str]) -> list[str]:
    columns = [name.lower() for name in header]
    known = [*REQUIRED, *OPTIONAL]
    mistakes = []
    if len(columns) == 1 and any(sign in columns[0] for sign in ";\t"):
        raise BadRows([BadRow(line, "the columns are not separated by commas; save the file as CSV with commas")])
    for name in columns:
        if name not in known:
            close = get_close_matches(name, known, 1)
            mistakes.append(f"no such column: {name!r}" + (f"; did you mean {close[0]}?" if close else ""))
    mistakes += [f"column {name} stands twice" for name in known if columns.count(name) > 1]
    mistakes += [f"column {name} is missing" for name in required if name not in columns]
    if mistakes:
        raise BadRows([BadRow(line, mistake) for mistake in mistakes])
    return columns


def _cells(columns: list[str], cells: list[str]) -> dict[str, str]:
    while len(cells) > len(columns) and not cells[-1]:
        cells.pop()
    if len(cells) != len(columns):
        hint = "; a decimal comma? write 0.12" if len(cells) > len(columns) else ""
        raise _Mistake(f"{len(cells)} cells under a header of {len(columns)}{hint}")
    return dict(zip(columns, cells, strict=True))


def _rate(cells: dict[str, str], currency: str, price_list: str) -> Rate:
    """One row; raises _Mistake with everything that is wrong with it."""
    row = _Row(cells)
    rate = {
        "prefix": row.take("prefix", _prefix, ""),
        "destination": row.take("destination", _destination, ""),
        "sell": row.take("sell", _price, Decimal(0)),
        "initial": row.take("initial", _step, 1),
        "increment": row.take("increment", _step, 1),
        "connection_fee": row.take("connection_fee", _price, Decimal(0)),
        "buy": row.take("buy", _price, None),
        "buy_currency": row.take("buy_currency", _currency, currency),
        "valid_from": row.take("valid_from", _day, None),
        "allow_loss": row.take("allow_loss", _yes_or_no, False),
    }
    row.check()
    if rate["buy"] is None:
        rate["buy_currency"] = None
    return Rate(**rate, currency=currency, price_list=price_list)


def _rate_of_a_carrier(cells: dict[str, str], currency: str, trunk: str) -> Rate:
    """One row of a carrier's list; raises _Mistake with everything that is wrong with it."""
    row = _Row(cells, frozenset(REQUIRED_OF_A_CARRIER))
    rate = {
        "prefix": row.take("prefix", _prefix, ""),
        "destination": row.take("destination", _destination, ""),
        "currency": row.take("buy_currency", _currency, currency),
        "sell": row.take("buy", _price, Decimal(0)),
        "initial": row.take("initial", _step, 1),
        "increment": row.take("increment", _step, 1),
        "connection_fee": row.take("connection_fee", _price, Decimal(0)),
        "valid_from": row.take("valid_from", _day, None),
        "allow_loss": row.take("allow_loss", _yes_or_no, False),
    }
    row.check()
    return Rate(**rate, price_list=trunk)


class _Row:
    """The cells of one row, and what was wrong with those taken."""

    def __init__(self, cells: dict[str, str], must_be_filled: frozenset[str] = MUST_BE_FILLED) -> None:
        self._cells = cells
        self._must_be_filled = must_be_filled
        self.mistakes: list[str] = []

    def check(self) -> None:
        if self.mistakes:
            raise _Mistake("; ".join(self.mistakes))

    def take(self, column: str, read: Callable[[str], Any], absent: Any) -> Any:
        cell = self._cells.get(column, "")
        if not cell and column not in self._must_be_filled:
            return absent
        try:
            return read(cell)
        except _Mistake as mistake:
            self.mistakes.append(f"{column}: {mistake}")
            return absent


def _prefix(cell: str) -> str:
    if cell.startswith(("+", "00")):
        raise _Mistake(f"{cell!r} begins with the country code, without + or 00")
    if not (cell.isascii() and cell.isdigit()) or cell.startswith("0"):
        raise _Mistake(f"{cell!r} is not a telephone prefix: digits, the country code first")
    if len(cell) > LONGEST:
        raise _Mistake(f"{cell!r} is longer than a telephone number")
    return cell


def _destination(cell: str) -> str:
    if not cell:
        raise _Mistake("a name is missing")
    if len(cell) > MOST_LETTERS or not cell.isprintable():
        raise _Mistake(f"a name is one line of at most {MOST_LETTERS} letters")
    return cell


def _price(cell: str) -> Decimal:
    if not cell:
        raise _Mistake("a price is missing; a free destination has 0")
    found = _PRICE.fullmatch(cell)
    if found:
        if len(found[2] or "") > PLACES:
            raise _Mistake(f"{cell} has more than {PLACES} decimals")
        return Decimal(cell)
    if cell.startswith("-"):
        raise _Mistake(f"{cell} is negative")
    if _DECIMAL_COMMA.fullmatch(cell):
        raise _Mistake(f"{cell!r} is not a number; write a decimal point: {cell.replace(',', '.')}")
    raise _Mistake(f"{cell!r} is not a number")


def _step(cell: str) -> int:
    if not (cell.isascii() and cell.isdigit()) or not 1 <= int(cell[:9]) <= LONGEST_STEP:
        raise _Mistake(f"{cell!r} is not a whole number of seconds from 1 to {LONGEST_STEP}")
    return int(cell)


def _currency(cell: str) -> str:
    if cell not in MINOR_DIGITS:
        raise _Mistake(f"{cell!r} is not a currency code such as USD")
    return cell


def _yes_or_no(cell: str) -> bool:
    if cell.lower() not in ("yes", "no"):
        raise _Mistake(f"{cell!r} is neither yes nor no")
    return cell.lower() == "yes"


def _day(cell: str) -> date:
    try:
        if len(cell) == len("2026-01-31"):
            return date.fromisoformat(cell)
    except ValueError:
        pass
    raise _Mistake(f"{cell!r} is not a day such as 2026-01-31")
