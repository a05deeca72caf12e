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
MOST_SHOWN = 5

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
def test_an_hour_of_traffic_leaves_nothing_wrong(databases: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    context = multiprocessing.get_context("spawn")
    urls = context.Queue()
    for url in databases:
        urls.put(url)
    with ProcessPoolExecutor(PROCESSES, context, _begin, (urls,)) as workers:
        reports = list(workers.map(_simulate, SEEDS))
    failed = [report for report in reports if report.faults]
    assert not failed, "\n\n".join(
        [f"{len(failed)} of {len(SEEDS)} seeds failed: {[report.seed for report in failed]}"]
        + [str(report) for report in failed[:MOST_SHOWN]]
    )
    if len(SEEDS) >= 100:
        _everything_was_tried(sum((report.figures for report in reports), Counter()))


def _everything_was_tried(figures: Counter[str]) -> None:
    """A simulation that never came to something has not tested it."""
    wanted = ()
    assert [name for name in wanted if not figures[name]] == []
