"""`prices import`: a price list from a CSV file, all of it or nothing."""

import sys
from argparse import Namespace
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from minitelecom.commands.arguments import Nouns, Parser, add_command, add_noun, pattern
from minitelecom.commands.errors import Mistake
from minitelecom.commands.output import say
from minitelecom.commands.shop import Shop, now, shop_of, who
from minitelecom.rating.price_file import BadRow, BadRows, ParsedPrices, parse
from minitelecom.rating.rate import Rate
from minitelecom.store import prices

MOST_BYTES = 200_000_000
BIG_BYTES = 1_000_000  # from here on somebody waits and wants to know for what


def add_to(nouns: "Nouns[Parser]") -> None:
    """The words of this noun."""
    commands = add_noun(nouns, "prices", "price lists")
    parser = add_command(commands, "import", _import, "make the rows of a CSV file the price list from now on")
    parser.add_argument("file", metavar="FILE.csv", type=Path)
    name = pattern(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", "a name of letters, digits, dots and dashes")
    parser.add_argument("--list", default="general", type=name, metavar="NAME", dest="price_list")
    parser.add_argument("--dry-run", action="store_true", help="check the file and say what would change")


def _import(arguments: Namespace) -> int:
    path: Path = arguments.file
    text = read(path)
    tell = _progress if len(text) >= BIG_BYTES else _silence
    with shop_of(arguments) as shop:
        tell(f"checking {path} …")
        parsed = checked(text, path, shop.config.currency, arguments.price_list)
        _warn(path, parsed.remarks)
        tell(f"{len(parsed.rates)} rows are right; comparing them with the list …")
        changes = compared(shop.do(prices.load(shop.database, arguments.price_list)), parsed.rates)
        if arguments.dry_run:
            return say(f"{path} is right: {len(parsed.rates)} prices, {changes}; nothing was imported")
        tell(f"writing {len(parsed.rates)} prices …")
        version = write(shop, parsed, arguments.price_list)
    return say(f"{len(parsed.rates)} prices imported into {arguments.price_list}, {changes} (version {version})")


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


def checked(text: str, path: Path, currency: str, price_list: str) -> ParsedPrices:
    """The rows of a file; every bad one is told before the command fails."""
    try:
        return parse(text, currency, price_list)
    except BadRows as bad:
        _warn(path, bad.rows)
        rows = "1 bad row" if len(bad.rows) == 1 else f"{len(bad.rows)} bad rows"
        raise Mistake(f"{path}: {rows}; nothing was imported") from None


def write(shop: Shop, parsed: ParsedPrices, price_list: str) -> int:
    """Make these rows the list; its version."""
    return shop.do(prices.replace(shop.database, parsed.rates, price_list, who(), now())).id


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
