"""
An hour of traffic, a hundred times over, each by its own seed: SEEDS=1000 tries more, SEED=17 replays one.

The seeds are shared out to as many processes as there are processors, each with a database of its own.
"""

import multiprocessing
import os
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor

import pytest

from minitelecom.store.synchronous import SynchronousDatabase
from tests.conftest import administer, at
from tests.simulation.seed import Report, simulate

SEEDS = [int(os.environ["SEED"])] if "SEED" in os.environ else list(range(int(os.environ.get("SEEDS", "100"))))
PROCESSES = min(os.cpu_count() or 1, len(SEEDS))
MOST_SHOWN = 3
ENOUGH = 100  # seeds in which everything must have happened

# Causes of records, prompts, and what befell the house.
CAUSES = (
    "normal busy no-answer rejected cancelled no-route no-price no-credit credit-exhausted blocked interrupted failed"
)
PROMPTS = (
    "call-wrong-number call-no-answer card-busy card-unknown card-inactive card-disabled one-minute-left try-again-in"
    " service-unavailable nothing-entered goodbye"
)
BEFALLEN = (
    "datagrams lost",
    "statements refused",
    "commits unheard",
    "daemons ended",
    "daemons buried",
    "held",
    "glare",
    "answers of two branches",
    "ways forgotten",
)
TRIED = [
    *CAUSES.split(),
    *(f"heard {name}" for name in PROMPTS.split()),
    *BEFALLEN,
    "deliveries",
    "calls for help",
    "handed on",
    "joined",
    "joined while it rang",
    "answered for",
    "taken over",
    "keys told",
]

_database: SynchronousDatabase


def _begin(urls: "multiprocessing.Queue[str]") -> None:
    global _database  # noqa: PLW0603 - one of each worker
    _database = SynchronousDatabase(urls.get())


def _simulate(seed: int) -> Report:
    return simulate(seed, _database)


@pytest.fixture
def databases(server_url: str, _template: str) -> Iterator[list[str]]:
    names = [f"simulation_{number}" for number in range(PROCESSES)]
    for name in names:
        administer(server_url, f"create database {name} template {_template}")
    yield [at(server_url, name) for name in names]
    for name in names:
        administer(server_url, f"drop database {name} with (force)")


@pytest.mark.timeout(300 + 10 * len(SEEDS))
def test_an_hour_of_traffic_leaves_nothing_wrong(databases: list[str]) -> None:
    context = multiprocessing.get_context("spawn")
    urls = context.Queue()
    for url in databases:
        urls.put(url)
    with ProcessPoolExecutor(PROCESSES, context, _begin, (urls,)) as workers:
        reports = list(workers.map(_simulate, SEEDS))
    failed = [report for report in reports if report.faults]
    if failed:
        numbers = [report.seed for report in failed]
        shown = "\n\n".join(str(report) for report in failed[:MOST_SHOWN])
        pytest.fail(f"{len(failed)} of {len(SEEDS)} seeds failed: {numbers}\n\n{shown}", pytrace=False)
    if len(SEEDS) >= ENOUGH:
        figures = sum((report.figures for report in reports), Counter[str]())
        assert [what for what in TRIED if not figures[what]] == []


def test_a_seed_replays_to_the_last_datagram(database: SynchronousDatabase) -> None:
    first, second = simulate(17, database), simulate(17, database)
    assert first.figures == second.figures
    assert first.digest == second.digest
