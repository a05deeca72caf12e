"""`prices import`, `prices drop`: a price list from a CSV file, the shop's or a carrier's, all of it or nothing."""

import sys
from argparse import Namespace
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from minitelecom.commands.arguments import Nouns, Parser, add_command, add_noun, pattern
from minitelecom.commands.errors import Mistake
from minitelecom.commands.output import say
from minitelecom.commands.shop import Shop, now, shop_of, who
from minitelecom.rating.price_file import BadRow, BadRows, ParsedPrices, parse, parse_carrier
from minitelecom.rating.rate import Rate
from minitelecom.store import exchange_rates, prices, trunks

MOST_BYTES = 200_000_000
BIG_BYTES = 1_000_000  # from here on somebody waits and wants to know for what


def add_to(nouns: "Nouns[Parser]") -> None:
    """The words of this noun."""
    commands = add_noun(nouns, "prices", "price lists")
    parser = add_command(commands, "import", _import, "make the rows of a CSV file the price list from now on")
    parser.add_argument("file", metavar="FILE.csv", type=Path)
    name = pattern(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", "a name of letters, digits, dots and dashes")
    whose = parser.add_mutually_exclusive_group()
    whose.add_argument("--list", default="general", type=name, metavar="NAME", dest="price_list")
    whose.add_argument("--trunk", type=name, metavar="NAME", help="what this carrier asks: column buy")
    parser.add_argument("--dry-run", action="store_true", help="check the file and say what would change")
    parser = add_command(commands, "drop", _drop, "forget what a carrier asks: nobody knows it then")
    parser.add_argument("--trunk", required=True, type=name, metavar="NAME")


def _import(arguments: Namespace) -> int:
    path: Path = arguments.file
    text = read(path)
    tell = _progress if len(text) >= BIG_BYTES else _silence
    with shop_of(arguments) as shop:
        tell(f"checking {path} …")
        prices_of: PriceList = Carriers(shop, arguments.trunk) if arguments.trunk else Shops(shop, arguments.price_list)
        parsed = checked(text, path, prices_of)
        _warn(path, parsed.remarks)
        tell(f"{len(parsed.rates)} rows are right; comparing them with the list …")
        changes = compared(prices_of.load(), parsed.rates)
        if arguments.dry_run:
            return say(f"{path} is right: {len(parsed.rates)} prices, {changes}; nothing was imported")
        tell(f"writing {len(parsed.rates)} prices …")
        version = prices_of.write(parsed.rates)
    return say(f"{len(parsed.rates)} prices imported into {prices_of.name}, {changes} (version {version})")


class PriceList(Protocol):
    """A list that a file may become."""

    @property
    def name(self) -> str: ...
    def parse(self, text: str) -> ParsedPrices: ...
    def load(self) -> list[Rate]: ...
    def write(self, rates: Sequence[Rate]) -> int:
        """Make these rows the list; its version."""


@dataclass(frozen=True)
class Shops:
    """What customers pay."""

    shop: Shop
    name: str

    def parse(self, text: str) -> ParsedPrices:
        return parse(text, self.shop.config.currency, self.name)

    def load(self) -> list[Rate]:
        return self.shop.do(prices.load(self.shop.database, self.name))

    def write(self, rates: Sequence[Rate]) -> int:
        return self.shop.do(prices.replace(self.shop.database, rates, self.name, who(), now())).id


@dataclass(frozen=True)
class Carriers:
    """What a carrier asks; in currencies whose worth is known, or nobody could tell what a call costs."""

    shop: Shop
    trunk: str

    def __post_init__(self) -> None:
        if self.shop.do(trunks.find(self.shop.database, self.shop.secrets, self.trunk)) is None:
            raise Mistake(f"there is no trunk {self.trunk}")

    @property
    def name(self) -> str:
        return f"the list of {self.trunk}"

    def parse(self, text: str) -> ParsedPrices:
        house = self.shop.config.currency
        parsed = parse_carrier(text, house, self.trunk)
        exchange = self.shop.do(exchange_rates.exchange(self.shop.database, house, now()))
        unknown = sorted({rate.currency for rate in parsed.rates if exchange.rate(rate.currency) is None})
        if unknown:
            raise Mistake(f"nobody has said what {unknown[0]} is worth: minitelecom exchange set {unknown[0]} RATE")
        return parsed

    def load(self) -> list[Rate]:
        return self.shop.do(prices.load_carriers(self.shop.database)).get(self.trunk, [])

    def write(self, rates: Sequence[Rate]) -> int:
        return self.shop.do(prices.replace_carrier(self.shop.database, rates, self.trunk, who(), now())).id


def _drop(arguments: Namespace) -> int:
    with shop_of(arguments) as shop:
        carriers = Carriers(shop, arguments.trunk)
        if not carriers.load():
            raise Mistake(f"trunk {arguments.trunk} has no price list")
        carriers.write(())
    return say(f"nobody knows any more what {arguments.trunk} asks")


def read(path: Path) -> str:
    """The text of a price file."""
    with path.open("rb") as file:
        data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise Mistake(f"{path}: a price file has at most {MOST_BYTES} bytes")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise Mistake(f"{path}:{line}: not UTF-8 text; save the file as CSV UTF-8") from None


def checked(text: str, path: Path, prices_of: PriceList) -> ParsedPrices:
    """The rows of a file; every bad one is told before the command fails."""
    try:
        return prices_of.parse(text)
    except BadRows as bad:
        _warn(path, bad.rows)
        rows = "1 bad row" if len(bad.rows) == 1 else f"{len(bad.rows)} bad rows"
        raise Mistake(f"{path}: {rows}; nothing was imported") from None


def compared(before: Sequence[Rate], after: Sequence[Rate]) -> str:
    """What an import changes, in words."""
    known = {(rate.prefix, rate.valid_from): rate for rate in before}
    counts = Counter(_difference(known.pop((rate.prefix, rate.valid_from), None), rate) for rate in after)
    counts["gone"] = len(known)
    words = [f"{counts[word]} {word}" for word in ("new", "dearer", "cheaper", "changed otherwise", "gone")]
    return ", ".join(words)


def _difference(before: Rate | None, after: Rate) -> str:
    if before is None:
        return "new"
    if before.sell != after.sell:
        return "dearer" if after.sell > before.sell else "cheaper"
    return "same" if before == after else "changed otherwise"


def _warn(path: Path, rows: Iterable[BadRow]) -> None:
    for line, reason in rows:
        print(f"{path}:{line}: {reason}", file=sys.stderr)


def _progress(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _silence(text: str) -> None:
    pass
