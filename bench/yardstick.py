"""
How fast this machine runs Python while it is measured: CPU time is no constant where processors are shared.

A virtual machine among busy neighbours, or two processes on the two halves of one core, take up to three times the CPU
time for the same work. Figures of two runs compare only where their yardsticks do.
"""

import threading
import time
from types import TracebackType
from typing import Self

LENGTH = 5_000
PAUSE_SECONDS = 0.25


class Yardstick:
    """Does the same small piece of work again and again while the block runs; cold, as a daemon that waits is."""

    def __init__(self) -> None:
        self._ended = threading.Event()
        self._measured: list[float] = []
        self._thread = threading.Thread(target=self._measure)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()

    @property
    def milliseconds(self) -> float:
        """CPU time that the work took, on average."""
        return 1000 * sum(self._measured) / max(1, len(self._measured))

    def _measure(self) -> None:
        while not self._ended.wait(PAUSE_SECONDS):
            began = time.thread_time()
            words = {}
            for number in range(LENGTH):
                words[str(number)] = (number, f"{number}:{number}")
            self._measured.append(time.thread_time() - began)
