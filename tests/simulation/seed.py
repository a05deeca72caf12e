"""One seed: an hour simulated and judged."""

import gc
import time
import traceback
from collections import Counter
from dataclasses import dataclass, field

from twisted.logger import LogEvent, globalLogPublisher

from minitelecom.store.synchronous import SynchronousDatabase
from tests.simulation.auditor import Auditor
from tests.simulation.workload import Shop

EVENTS_SHOWN = 60


@dataclass
class Report:
    """What came of a seed; picklable."""

    seed: int
    faults: list[str]
    latest: list[str]
    wall_seconds: float
    simulated_seconds: float = 0.0
    figures: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        return "\n".join([f"SEED={self.seed}:", *self.faults, "", *self.latest, f"(SEED={self.seed} replays it)"])


def simulate(seed: int, database: SynchronousDatabase) -> Report:
    """An hour by this seed; the database is left as it was."""
    began = time.perf_counter()
    logged: list[str] = []

    def observe(event: LogEvent) -> None:
        if event.get("log_failure") is not None:
            logged.append(event["log_failure"].getTraceback())

    globalLogPublisher.addObserver(observe)
    try:
        with database.rolled_back():
            report = _simulate(seed, database)
    finally:
        gc.collect()  # a failure that nobody asked about is logged when its Deferred goes
        globalLogPublisher.removeObserver(observe)
    report.faults += [f"logged: {failure}" for failure in logged]
    report.wall_seconds = time.perf_counter() - began
    return report


def _simulate(seed: int, database: SynchronousDatabase) -> Report:
    shop = Shop(database, seed)
    try:
        shop.run()
        auditor = Auditor(shop)
        faults = auditor.faults()
    except Exception:  # noqa: BLE001 - a seed that breaks is a seed that fails
        return Report(seed, [traceback.format_exc()], shop.network.tail(EVENTS_SHOWN), 0.0)
    figures = auditor.causes()
    for human in shop.humans:
        figures.update({f"heard {name}": count for name, count in human.seen.items()})
    figures.update(
        {
            "visits": shop.visits,
            "records": len(auditor.records),
            "datagrams": shop.network.datagrams,
            "datagrams lost": shop.network.lost,
            "events": shop.clock.made,
            "statements": shop.troubles.asked,
            "statements refused": shop.troubles.refused,
            "commits unheard": shop.troubles.unheard,
            "daemons ended": len(shop.deaths),
        }
    )
    return Report(seed, faults, shop.network.tail(EVENTS_SHOWN) if faults else [], 0.0, shop.clock.seconds(), figures)
