"""
A call's record while it lives: begun before anything else, answered, ended; each one statement, in this order.

What must be written is written however long the database is away: a record keeps its statements and repeats the first
until it is through.  All three are idempotent, so a commit whose answer was lost does no harm when repeated.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure

from minitelecom.money import Money
from minitelecom.rating.buying import Buying
from minitelecom.rating.cost import billed_seconds, cost
from minitelecom.rating.rate import Rate
from minitelecom.store import call_records
from minitelecom.store.call_attempts import CarrierAttempt
from minitelecom.store.call_records import Beginning, Begun, Cause, Ending
from minitelecom.store.database import Database, DatabaseAway
from minitelecom.store.refusals import ProcessIsDead

log = Logger()

RETRY_SECONDS = 1.0
PATIENCE_SECONDS = 2.0  # of somebody on the line who waits for his money to be counted

Statement = Callable[[], Awaitable[object]]


@dataclass(slots=True)
class Open:
    """The process in whose name records are begun now, and how many of them are not yet ended in the database."""

    process_id: int
    records: int = 0


class CallRecord:
    """One number dialled.  ``promised_seconds`` is None where nothing limits the call but its longest duration."""

    __slots__ = (
        "_answered",
        "_attempts",
        "_clock",
        "_database",
        "_id",
        "_open",
        "_statements",
        "_waiting",
        "_writing",
        "beginning",
        "promised_seconds",
    )

    def __init__(self, database: Database, clock: IReactorTime, beginning: Beginning, open_: Open) -> None:
        self.beginning = beginning
        self.promised_seconds: int | None = None
        self._database = database
        self._clock = clock
        self._open = open_
        self._id: int | None = None
        self._answered: datetime | None = None
        self._attempts: list[CarrierAttempt] = []
        self._statements: list[Statement] = []
        self._writing = False
        self._waiting: list[Deferred[None]] = []

    @property
    def rate(self) -> Rate | None:
        return self.beginning.rate

    async def begin(self) -> Begun:
        """Write the record and reserve; raises DatabaseAway, and nothing stays reserved then."""
        try:
            return await self._begin()
        except DatabaseAway:
            self._write(self._abandon)
            raise

    async def _begin(self) -> Begun:
        beginning = replace(self.beginning, process_id=self._open.process_id)
        try:
            begun = await call_records.begin(self._database, beginning)
        except ProcessIsDead as dead:  # the next heartbeat gives us another name to begin in
            raise DatabaseAway("this process was taken for dead") from dead
        self._id = begun.id
        if begun.refusal is None and self.beginning.refusal is None:
            self._open.records += 1
        return begun

    def begin_whenever(self) -> None:
        """Write the record when the database can be reached; the call does not wait for it."""
        self._write(self._begin)

    async def _abandon(self) -> None:
        """It may have been written all the same, and money with it: what began is ended, where it does not begin now."""
        begun = await self._begin()
        if begun.refusal is None and self.beginning.refusal is None:
            self.ended(self.beginning.started, 0, "failed", 503, "switch")

    def attempt_began(self, trunk: str, number: str | None, instant: datetime, buying: Buying | None) -> None:
        """A carrier is asked to connect the call."""
        self._attempts.append(CarrierAttempt(trunk, number, instant, buying))

    def attempt_ended(self, instant: datetime, cause: str, sip_status: int | None, seconds: int = 0) -> None:
        """The carrier asked last does not connect it, or does so no more."""
        if self._attempts and self._attempts[-1].ended is None:
            self._attempts[-1] = self._attempts[-1].closed(instant, cause, sip_status, seconds)

    def answered(self, instant: datetime, trunk: str | None) -> None:
        """The far end answered, by way of this trunk."""
        self._answered = instant
        if trunk is not None and self._attempts:
            self._attempts[-1] = replace(self._attempts[-1], answered=instant)
        self._write_answer(instant, trunk)

    def promise_grown(self) -> None:
        """The record of a running call is to know of its longer promise, should we not live to end it."""
        if self._answered is not None:
            self._write_answer(self._answered, None)

    def _write_answer(self, instant: datetime, trunk: str | None) -> None:
        promised, attempts = self.promised_seconds, tuple(self._attempts)
        self._write(
            lambda: call_records.answered(
                self._database, self._known_id(), self.beginning.started, instant, promised, trunk, attempts
            )
        )

    def ended(self, instant: datetime, seconds: int, cause: Cause, sip_status: int | None, ended_by: str) -> None:
        """Close the record, charge the seconds talked (0: none) within the promise, release the rest."""
        self.attempt_ended(instant, cause, sip_status, seconds)
        if self.promised_seconds is not None:
            seconds = min(seconds, self.promised_seconds)
        rate = self.beginning.rate
        charged = cost(rate, seconds) if rate is not None else Money.zero(self.beginning.currency)
        billed = billed_seconds(rate, seconds) if rate is not None else seconds
        attempts = tuple(self._attempts)

        async def end() -> None:
            await call_records.ended(
                self._database,
                Ending(
                    id=self._known_id(),
                    started=self.beginning.started,
                    ended=instant,
                    billed_seconds=billed,
                    cost=charged,
                    cause=cause,
                    sip_status=sip_status,
                    ended_by=ended_by,
                    answered=self._answered,
                    promised_seconds=self.promised_seconds,
                    attempts=attempts,
                ),
            )
            self._open.records -= 1

        self._write(end)

    async def enlarge(self, ceiling: Money, first: Decimal, step: Decimal, instant: datetime) -> Money | None:
        """Reserve what a recharge has made possible; what is reserved now, None where nothing was."""
        return await call_records.enlarge(
            self._database, self._known_id(), self.beginning.started, first, step, ceiling, instant
        )

    async def written(self) -> None:
        """Until all is written that was to be, so that balances are what they should be; but not for long."""
        if self._writing:
            waiter: Deferred[None] = Deferred()
            self._waiting.append(waiter)
            await waiter.addTimeout(PATIENCE_SECONDS, self._clock, lambda _, __: None)

    def _known_id(self) -> int:
        assert self._id is not None
        return self._id

    def _write(self, statement: Statement) -> None:
        self._statements.append(statement)
        if not self._writing:
            self._writing = True
            Deferred.fromCoroutine(self._write_all()).addErrback(self._give_up)

    async def _write_all(self) -> None:
        while self._statements:
            try:
                await self._statements[0]()
            except DatabaseAway:
                await deferLater(self._clock, RETRY_SECONDS)
                continue
            del self._statements[0]
        self._rest()

    def _give_up(self, failure: Failure) -> None:
        """A fault of ours; the record stays open, and recovery closes it at the next start."""
        self._statements.clear()
        log.failure("call record {id} could not be written", failure=failure, id=self._id)
        self._rest()

    def _rest(self) -> None:
        self._writing = False
        waiting, self._waiting = self._waiting, []
        for waiter in waiting:
            if not waiter.called:
                waiter.callback(None)
