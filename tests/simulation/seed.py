"""One seed: an hour simulated and judged."""

import gc
import re
import time
import traceback
from collections import Counter
from dataclasses import dataclass, field
from zlib import crc32

from twisted.logger import LogEvent, globalLogPublisher

from minitelecom.store.synchronous import SynchronousDatabase
from tests.simulation.auditor import Auditor
from tests.simulation.wire import Wire
from tests.simulation.workload import Shop
from tests.world.house import CARRIER

LAST_SHOWN = 30
AROUND_SECONDS = 3.0
AROUND_SHOWN = 40
INSTANT = re.compile(r"\b\d+\.\d{3}\b")


@dataclass
class Report:
    """What came of a seed; picklable."""

    seed: int
    faults: list[str]
    latest: list[str]
    wall_seconds: float = 0.0
    simulated_seconds: float = 0.0
    figures: Counter[str] = field(default_factory=Counter)
    digest: int = 0
    """Of everything that was said; the same seed says the same."""

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
        return Report(seed, [traceback.format_exc()], _to_be_read(shop.network, []))
    figures = auditor.causes()
    dialogues = shop.network.dialogues.values()
    for human in shop.humans:
        figures.update({f"heard {name}": count for name, count in human.seen.items()})
    figures.update(
        {
            "visits": shop.visits,
            "deliveries": sum(not dialogue.outgoing and dialogue.peer == CARRIER for dialogue in dialogues),
            "calls for help": sum(dialogue.outgoing and dialogue.number == "112" for dialogue in dialogues),
            "handed on": sum(dialogue.handed_on is not None for dialogue in dialogues),
            "held": sum(line.held for line in shop.lines),
            **shop.tried,
            "records": len(auditor.records),
            "datagrams": shop.network.datagrams,
            "datagrams lost": shop.network.lost,
            "events": shop.clock.made,
            "statements": shop.troubles.asked,
            "statements refused": shop.troubles.refused,
            "commits unheard": shop.troubles.unheard,
            "daemons ended": len(shop.deaths),
            "daemons buried": len(shop.burials),
        }
    )
    return Report(
        seed,
        faults,
        _to_be_read(shop.network, faults) if faults else [],
        simulated_seconds=shop.clock.seconds(),
        figures=figures,
        digest=crc32("\n".join(shop.network.events()).encode()),
    )


def _to_be_read(wire: Wire, faults: list[str]) -> list[str]:
    """The events around the instants that the first fault names, and the last ones."""
    lines: list[str] = []
    for found in INSTANT.findall(" ".join(faults[:1])):
        instant = float(found)
        around = wire.events(instant - AROUND_SECONDS, instant + AROUND_SECONDS)
        lines += [f"around {found}:", *around[:AROUND_SHOWN]]
    return [*lines, "at last:", *wire.events()[-LAST_SHOWN:]]
