"""
The database as a process sees it: some way off, sometimes away, and sometimes away just after it has done what was asked.

The last is the case that idempotent statements are written for: it was committed, and nobody was told.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Concatenate, ParamSpec, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

from minitelecom.store.database import Cursor, DatabaseAway, Row
from minitelecom.store.synchronous import SynchronousDatabase
from tests.simulation.clock import ProcessClock

P = ParamSpec("P")
T = TypeVar("T")


@dataclass
class Troubles:
    """How bad it is now.  ``longest_seconds`` of a way, there or back; ``lost`` is the chance of an answer to be lost."""

    longest_seconds: float = 0.0
    lost: float = 0.0
    away: bool = False
    asked: int = 0
    refused: int = 0
    unheard: int = 0


class DistantDatabase:
    """
    Implements store.database.Database for one process.

    A statement under way when its process is killed is carried out or not, as it happens; nobody hears the answer.
    """

    def __init__(
        self,
        database: SynchronousDatabase,
        clock: IReactorTime,
        process: ProcessClock,
        random: Random,
        troubles: Troubles,
    ) -> None:
        self.calm = True  # while the process starts
        self._database = database
        self._clock = clock
        self._process = process
        self._random = random
        self._troubles = troubles

    async def query(self, sql: str, parameters: Sequence[object] = ()) -> list[Row]:
        return await self._ask(lambda: self._database.query(sql, parameters))

    async def transaction(
        self, function: Callable[Concatenate[Cursor, P], Awaitable[T]], /, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        return await self._ask(lambda: self._database.transaction(function, *args, **kwargs))

    async def _ask(self, statement: Callable[[], Awaitable[Any]]) -> Any:
        if self.calm:
            return await statement()
        troubles = self._troubles
        if not self._process.alive:
            await Deferred()
        troubles.asked += 1
        await self._way()
        if not self._process.alive and self._random.random() < 0.5:
            await Deferred()
        if troubles.away:
            troubles.refused += 1
            raise DatabaseAway("nobody is there")
        answer = await statement()
        unheard = self._random.random() < troubles.lost
        await self._way()
        if not self._process.alive:
            await Deferred()
        if unheard:
            troubles.unheard += 1
            raise DatabaseAway("the connection broke after the statement")
        return answer

    async def _way(self) -> None:
        if self._troubles.longest_seconds:
            await deferLater(self._clock, self._random.uniform(0.0, self._troubles.longest_seconds))
