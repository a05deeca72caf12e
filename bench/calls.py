"""
CPU time of one billed call: `python bench/calls.py [seconds] [calls a second]`.

SIPp's telephones call SIPp's carrier by way of the daemon: reserved, recorded, settled; each call lasts a second.
"""

import re
import sys
import time

import peers
from figures import Figure, show
from processes import cpu_seconds, datagrams_dropped, family_cpu_seconds
from shop import Shop, free_port, silence
from yardstick import Yardstick

CALL_SECONDS = 1.0
MOST_MILLISECONDS = 3.0
MOST_SECONDS_AFTER = 40.0  # until nothing is left of the last call
COMPLAINT = re.compile(r" (warn|error|critical) ")
RETURN_TO_ZERO = ("legs", "dialogs", "transactions", "rtp_ports", "reservations")


def main(seconds: int = 60, rate: int = 100) -> int:
    """Measure and print; the exit status tells whether every call was right."""
    with Shop() as shop, silence() as media:
        daemon, postgres = cpu_seconds(shop.daemon_pid), family_cpu_seconds(shop.postgres_pid)
        carrier = peers.carrier(shop.folder, shop.carrier_port, media)
        load = peers.Load(seconds * rate, rate, CALL_SECONDS)
        callers = peers.callers(shop.folder, free_port(), media, shop.sip_port, shop.telephones, load)
        with Yardstick() as yardstick:
            called = callers.wait()
        ended = time.monotonic()
        time.sleep(1.0)  # the last statements
        daemon, postgres = cpu_seconds(shop.daemon_pid) - daemon, family_cpu_seconds(shop.postgres_pid) - postgres
        lost = datagrams_dropped(shop.sip_port)
        answered = carrier.end()
        records = [call for call in shop.ask("calls") if call["cause"] == "normal" and call["cost"] is not None]
        left = wait_for_zero(shop, ended + MOST_SECONDS_AFTER)
        complaints = sum(bool(COMPLAINT.search(line)) for line in shop.log.splitlines())
        shop.command("doctor", "--json")
    settled = len(records) or 1
    show(
        f"Calls: {rate} a second for {seconds} s, each reserved, recorded and settled",
        [
            Figure("daemon: CPU a call", 1000 * daemon / settled, "ms", MOST_MILLISECONDS),
            Figure("PostgreSQL: CPU a call", 1000 * postgres / settled, "ms"),
            Figure("yardstick (see bench/yardstick.py)", yardstick.milliseconds, "ms"),
            Figure("calls that succeeded, as SIPp counts", called.successes, ""),
            Figure("records without a call or calls without", abs(called.successes - len(records)), "", 0),
            Figure("failures", called.failures + answered.failures, "", 0),
            Figure("retransmissions", called.retransmissions + answered.retransmissions, "", 0),
            Figure("datagrams that found no room", lost, "", 0),
            Figure("left of them 40 s later", left, "", 0),
            Figure("complaints in the log", complaints, "", 0),
        ],
    )
    right = called.successes == len(records) == seconds * rate and not called.failures and not left
    return 0 if right else 1


def wait_for_zero(shop: Shop, until: float) -> int:
    """What the daemon still counts, at the latest at that instant."""
    while True:
        counters = shop.ask("status")
        left = sum(counters[name] for name in RETURN_TO_ZERO)
        if not left or time.monotonic() > until:
            return int(left)
        time.sleep(1.0)


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
