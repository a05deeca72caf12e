"""
Rating: `python bench/prices.py [prefixes]`.

A price table of so many prefixes: how long it takes to make, what it holds, and one number looked up in it; what a talk costs
and how long a balance lasts.
"""

import gc
import os
import sys
import time
from decimal import Decimal
from random import Random

from figures import Figure, show
from processes import resident_bytes
from stopwatch import microseconds
from yardstick import Yardstick

from minitelecom.money import Money
from minitelecom.rating import cost, price_file
from minitelecom.rating.price_table import PriceTable
from minitelecom.rating.rate import Rate

TIMES = 5_000
LONGEST = 7_200
MILLISECONDS, MEBIBYTE = 1e-3, 1 << 20
BALANCE = Money(Decimal("15.00"), "EUR")
ODD = Rate("33", "odd steps", "EUR", Decimal("0.0777"), 7, 11, Decimal("0.011"))


def rates(prefixes: int, random: Random) -> list[Rate]:
    """Of the whole world, as a carrier writes them: most prefixes have six digits or seven."""
    found: dict[str, Rate] = {}
    while len(found) < prefixes:
        prefix = str(random.randrange(1, 10 ** random.choice((3, 4, 5, 6, 6, 7, 7, 7))))
        sell = Decimal(random.randrange(1, 9_999)).scaleb(-4)
        found[prefix] = Rate(prefix, f"destination {len(found) // 20}", "EUR", sell, 60, 60, buy=sell / 2)
    return list(found.values())


def main(prefixes: int = 300_000) -> int:
    """Measure and print."""
    random = Random(1)
    with Yardstick() as yardstick:
        text = price_file.serialise(rates(prefixes, random))
        before, began = resident_bytes(os.getpid()), time.thread_time()
        parsed = price_file.parse(text, "EUR")
        reading = time.thread_time() - began
        began = time.thread_time()
        table = PriceTable(parsed.rates)
        making = time.thread_time() - began
        gc.collect()
        held = resident_bytes(os.getpid()) - before
        numbers = [str(random.randrange(10**10, 10**12)) for _ in range(TIMES)]
        found = microseconds(lambda: [table.find(number) for number in numbers], 1) / TIMES
        talk = microseconds(lambda: cost.cost(ODD, 3_599), TIMES)
        lasts = microseconds(lambda: cost.maximum(ODD, BALANCE, LONGEST), TIMES)
    show(
        f"Rating, with {prefixes:,} prefixes",
        [
            Figure("price file: read and checked", reading / MILLISECONDS, "ms"),
            Figure("price table: made of its rows", making / MILLISECONDS, "ms"),
            Figure("rows and table: memory", held / MEBIBYTE, "MiB"),
            Figure("a number's rate", found, "µs"),
            Figure("what a talk costs", talk, "µs"),
            Figure("how long a balance lasts", lasts, "µs"),
            Figure("yardstick (see bench/yardstick.py)", yardstick.milliseconds, "ms"),
        ],
    )
    return 0 if len(table) == prefixes else 1


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
