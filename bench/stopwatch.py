"""CPU time of a small piece of work that is done often."""

import time
from collections.abc import Callable

ROUNDS = 5


def microseconds(work: Callable[[], object], times: int) -> float:
    """Each time, in the quickest of a few rounds: what the machine did besides made the others slower."""
    rounds = []
    for _ in range(ROUNDS):
        began = time.thread_time()
        for _ in range(times):
            work()
        rounds.append(time.thread_time() - began)
    return min(rounds) / times * 1e6
