"""The calls that run now: shown on the live page, and reached by a recharge or a block of their account."""

from collections.abc import Iterator
from contextlib import contextmanager

from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.logger import Logger

from minitelecom.calls.call import Call
from minitelecom.calls.dialling import Prepared, terms
from minitelecom.calls.ended import Ended
from minitelecom.calls.leg import Leg
from minitelecom.calls.live import LiveCalls
from minitelecom.calls.switch import Switch
from minitelecom.rating.cost import maximum
from minitelecom.store import accounts
from minitelecom.store.database import Database, DatabaseAway

log = Logger()

RETRY_SECONDS = 1.0

BLOCKED = Ended("blocked", None, "operator", answered=True)
BLOCKED_UNANSWERED = Ended("blocked", None, "operator", answered=False)
STOPPED = Ended("interrupted", None, "operator", answered=True)
STOPPED_UNANSWERED = Ended("interrupted", 503, "operator", answered=False)


class RunningCalls:
    """Every call between its first INVITE and its end."""

    def __init__(self, switch: Switch, database: Database, live: LiveCalls) -> None:
        self._switch = switch
        self._database = database
        self._live = live
        self._calls: dict[Call, tuple[str, int | None]] = {}

    def __len__(self) -> int:
        return len(self._calls)

    @contextmanager
    def run(self, session: str, call: Call, account: str | None, prepared: Prepared) -> Iterator[None]:
        """While the block runs, the call is known here and shown on the live page."""
        record = call.record
        beginning = record.beginning
        self._calls[call] = session, beginning.account_id
        self._switch.ladders.hold(beginning.session)
        self._live.change(
            session,
            account=account,
            called_number=beginning.called_number,
            destination=prepared.destination,
            step="calling",
        )

        def answered() -> None:
            self._live.change(
                session,
                step="talking",
                answered=self._switch.now(),
                rate=record.rate,
                promised_seconds=record.promised_seconds,
            )

        call.on_answer = answered
        try:
            yield
        finally:
            del self._calls[call]
            self._switch.ladders.end(beginning.session)
            self._live.change(
                session, called_number=None, destination=None, answered=None, rate=None, promised_seconds=None
            )

    def talk_of(self, leg: Leg) -> Call | None:
        """The call in whose talk a leg is, or which rings for it; of several the one that hears the legs."""
        for call in self._calls:
            if not call.finished and leg in (call.caller, call.callee):
                return call.talk[0]
        return None

    def ringing(self, leg: Leg) -> Call | None:
        """The call that rings there."""
        return next((call for call in self._calls if call.is_ringing(leg)), None)

    def account_changed(self, account_id: int) -> None:
        """An account was recharged, blocked or enabled: its running calls hear of it."""
        for call, (session, payer) in list(self._calls.items()):
            if payer == account_id:
                Deferred.fromCoroutine(self._follow(session, call, account_id)).addErrback(
                    lambda failure: log.failure("a changed account did not reach its call", failure=failure)
                )

    def all_accounts_changed(self) -> None:
        """Notices were lost meanwhile: look at every account that pays for a call."""
        for account_id in {payer for _, payer in self._calls.values() if payer is not None}:
            self.account_changed(account_id)

    async def _follow(self, session: str, call: Call, account_id: int) -> None:
        """A database that is away is asked again for as long as the call lasts."""
        while call in self._calls:
            try:
                if await accounts.may_call(self._database, account_id, self._switch.now()):
                    await self._enlarge(session, call)
                else:
                    call.finish(BLOCKED if call.answered_at is not None else BLOCKED_UNANSWERED)
            except DatabaseAway:
                await deferLater(self._switch.clock, RETRY_SECONDS)
            else:
                return

    async def _enlarge(self, session: str, call: Call) -> None:
        record = call.record
        if record.rate is None or record.promised_seconds is None:
            return
        longest = self._switch.limits.longest_seconds
        ceiling, first, step = terms(record.rate, longest, record.rate.currency)
        reserved = await record.enlarge(ceiling, first, step, self._switch.now())
        if reserved is not None and call in self._calls:  # it may have ended meanwhile
            call.enlarge(maximum(record.rate, reserved, longest))
            record.promise_grown()
            if call.answered_at is not None:
                self._live.change(session, promised_seconds=record.promised_seconds)

    def stop_all(self) -> None:
        """The daemon stops: every call ends now and is charged to this second."""
        for call in list(self._calls):
            call.finish(STOPPED if call.answered_at is not None else STOPPED_UNANSWERED)
