"""Calling cards over store and rating, as the card dialogue sees them (ivr.accounts)."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from math import ceil

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

from minitelecom.calls.dialling import Dialling, NotDialled, Prepared
from minitelecom.calls.live import LiveCalls
from minitelecom.calls.records import CallRecord
from minitelecom.calls.visitor import Payer, Visitor
from minitelecom.ivr.accounts import Refusal, Refused, SignInRefused
from minitelecom.ivr.caller import Caller, Outcome
from minitelecom.money import Money
from minitelecom.store import cards
from minitelecom.store.database import Database, DatabaseAway
from minitelecom.store.secrets import Secrets

REFUSALS = {
    "wrong": Refusal.UNKNOWN,
    "locked": Refusal.LOCKED,
    "inactive": Refusal.INACTIVE,
    "expired": Refusal.EXPIRED,
    "disabled": Refusal.DISABLED,
    "closed": Refusal.CLOSED,
}
LIMITS: Mapping[str | None, Refusal] = {
    "calls-at-once": Refusal.LIMITED,
    "calls-a-minute": Refusal.LIMITED,
    "money-an-hour": Refusal.LIMITED,
    "price-a-minute": Refusal.HELD,
    "held": Refusal.HELD,
    "first-call": Refusal.HELD,
}
NOT_DIALLED = {
    "no-route": Outcome.NO_ROUTE,
    "no-price": Outcome.NO_PRICE,
    "no-credit": Outcome.NO_CREDIT,
    "blocked": Outcome.BLOCKED,
}


class LivePromise:
    """Reserved time to talk."""

    def __init__(self, prepared: Prepared, account: str) -> None:
        self.prepared = prepared
        self.account = account
        self.bridged = False

    @property
    def seconds(self) -> int:
        return self.prepared.seconds

    @property
    def destination(self) -> str:
        return self.prepared.destination


class SignedInCard:
    """A card whose password was right."""

    def __init__(
        self, database: Database, dialling: Dialling, now: Callable[[], datetime], visitor: Visitor, payer: Payer
    ) -> None:
        self._database = database
        self._dialling = dialling
        self._now = now
        self._visitor = visitor
        self._payer = payer
        self._last: CallRecord | None = None

    @property
    def number(self) -> str:
        return self._payer.number

    async def balance(self) -> Money | None:
        await self._last_is_settled()
        card = await self._read()
        return None if card is None else card.balance

    @asynccontextmanager
    async def promise(self, dialled: str) -> AsyncIterator[LivePromise | Refused]:
        """Reserve; whoever leaves without having bridged gives everything back."""
        await self._last_is_settled()
        try:
            prepared = await self._dialling.prepare(self._visitor, self._payer, dialled)
        except DatabaseAway:
            yield Refused(Refusal.UNAVAILABLE)
            return
        if isinstance(prepared, NotDialled):
            yield Refused(await self._why(prepared))
            return
        self._last = prepared.record
        promise = LivePromise(prepared, self._payer.number)
        try:
            yield promise
        finally:
            if not promise.bridged:
                prepared.record.ended(self._now(), 0, "cancelled", 487, "caller")

    async def _last_is_settled(self) -> None:
        """What the last call held and did not cost belongs to the balance."""
        if self._last is not None:
            await self._last.written()

    async def _why(self, refused: NotDialled) -> Outcome | Refusal:
        cause = refused.cause
        if refused.refusal in LIMITS:
            return LIMITS[refused.refusal]
        if cause == "no-credit":
            card = await self._read()
            if card is not None and not card.reserved.is_zero:
                return Refusal.BUSY
        return NOT_DIALLED.get(cause, Outcome.FAILED)

    async def _read(self) -> cards.Card | None:
        """The card as it stands, or None where the database is away just now."""
        try:
            return await cards.find(self._database, self._payer.number, self._now())
        except DatabaseAway:
            return None


class LiveCards:
    """The card index."""

    def __init__(
        self,
        database: Database,
        secrets: Secrets,
        dialling: Dialling,
        live: LiveCalls,
        now: Callable[[], datetime],
        clock: IReactorTime,
        visitor: Visitor,
    ) -> None:
        self._database = database
        self._secrets = secrets
        self._clock = clock
        self._dialling = dialling
        self._live = live
        self._now = now
        self._visitor = visitor

    async def sign_in(self, number: str, password: str, caller: Caller) -> SignedInCard | SignInRefused:
        try:
            answer = await cards.sign_in(
                self._database,
                number,
                self._secrets.mac(number, password),
                caller.calling_number,
                self._visitor.trunk,
                self._now(),
            )
        except DatabaseAway:
            return SignInRefused(Refusal.UNAVAILABLE)
        if answer.outcome == "locked":
            return SignInRefused(Refusal.LOCKED, self._seconds_until(answer.locked_until))
        await deferLater(self._clock, answer.delay_seconds)  # right or wrong: a quick answer would be one, too
        if answer.outcome != "ok":
            return SignInRefused(REFUSALS[answer.outcome])
        assert answer.account_id is not None
        self._live.change(self._visitor.session, account=number)
        payer = Payer(answer.account_id, number)
        return SignedInCard(self._database, self._dialling, self._now, self._visitor, payer)

    def _seconds_until(self, instant: datetime | None) -> int:
        """Until a lock ends; without one, too many tries wait already, which is over soon."""
        return 0 if instant is None else ceil((instant - self._now()).total_seconds())
