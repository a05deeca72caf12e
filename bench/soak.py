"""
Does memory grow with the calls that were made?  `python bench/soak.py [minutes] [calls a second]`.

Billed calls of a second each, batch after batch, for as long as is given; the daemon's memory is looked at after each batch,
always equally long after its last call.  The first third is warm-up; of the rest, the slope of a straight line through it.
"""

import sys
import time
from collections.abc import Sequence

import peers
from figures import Figure, show
from processes import resident_bytes
from shop import Shop, free_port, silence

BATCH = 1_000
CALL_SECONDS = 0.5
WARM_UP = 1 / 3
FEWEST = 3  # batches through which a line is laid
MOST_MEBIBYTES = 1.0  # in 10,000 calls
MEBIBYTE = 1 << 20


def main(minutes: int = 60, rate: int = 50) -> int:
    """Measure and print; the exit status tells whether memory stays."""
    until = time.monotonic() + 60 * minutes
    sizes: list[float] = []
    failures = 0
    with Shop() as shop, silence() as media:
        carrier = peers.carrier(shop.folder, shop.carrier_port, media)
        while time.monotonic() < until:
            load = peers.Load(BATCH, rate, CALL_SECONDS)
            failures += (
                peers.callers(shop.folder, free_port(), media, shop.sip_port, shop.telephones, load).wait().failures
            )
            sizes.append(resident_bytes(shop.daemon_pid) / MEBIBYTE)
        carrier.end()
        left = len(shop.ask("calls", "--live"))
    steady = sizes[round(len(sizes) * WARM_UP) :]
    if len(steady) < FEWEST:
        sys.exit(f"too short: {len(sizes)} batches of {BATCH} calls")
    growth = slope(steady) * 10_000 / BATCH
    show(
        f"Soak: {len(sizes) * BATCH:,} calls, {rate} a second",
        [
            Figure("memory after warm-up", steady[0], "MiB"),
            Figure("memory at the end", steady[-1], "MiB"),
            Figure("growth in 10,000 calls", growth, "MiB", MOST_MEBIBYTES),
            Figure("failures", failures, "", 0),
            Figure("calls left", left, "", 0),
        ],
    )
    return 0 if growth < MOST_MEBIBYTES and not failures and not left else 1


def slope(values: Sequence[float]) -> float:
    """Of the straight line that fits best, a step."""
    middle, mean = (len(values) - 1) / 2, sum(values) / len(values)
    over = sum((place - middle) * (value - mean) for place, value in enumerate(values))
    return over / sum((place - middle) ** 2 for place in range(len(values)))


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
