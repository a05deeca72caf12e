"""The carriers tried for a call: written by the statements of its record, in jsonb, and read for whoever asks."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Self

from minitelecom.money import Money
from minitelecom.rating.buying import Buying
from minitelecom.rating.rate import Rate
from minitelecom.store.database import Cursor, Database, Row

Key = tuple[datetime, int]
"""(started, id) of a call's record."""


@dataclass(frozen=True, slots=True)
class CarrierAttempt:
    """One carrier that was asked to connect a call, and what became of it; open as long as `ended` is None."""

    trunk: str
    number: str | None
    """As it was sent; None: the process died before it had said so."""
    began: datetime
    buying: Buying | None = None
    """What the carrier asks; None: nobody knows."""
    answered: datetime | None = None
    ended: datetime | None = None
    cause: str | None = None
    """One of call_records.Cause."""
    sip_status: int | None = None
    buy_cost: Money | None = None
    """What we pay, in the carrier's currency,"""
    cost: Money | None = None
    """and in that of the call.  None where it did not answer, or nobody knows."""

    def closed(self, instant: datetime, cause: str, sip_status: int | None, seconds: int) -> Self:
        """It is over; so many seconds were talked by way of it, if it answered."""
        over = replace(self, ended=max(instant, self.began), cause=cause, sip_status=sip_status)
        if self.answered is None or self.buying is None:
            return over
        return replace(over, buy_cost=self.buying.asked(seconds), cost=self.buying.cost(seconds))

    def _data(self) -> dict[str, Any]:
        buying, buy_cost, cost = self.buying, self.buy_cost, self.cost
        return {
            "trunk": self.trunk,
            "number": self.number,
            "began": self.began.isoformat(),
            "answered": self.answered and self.answered.isoformat(),
            "ended": self.ended and self.ended.isoformat(),
            "cause": self.cause,
            "sip_status": self.sip_status,
            "buy": buying and buying.rate.to_data(),
            "exchange": buying and f"{buying.exchange:f}",
            "buy_cost": buy_cost and f"{buy_cost.amount:f}",
            "cost": cost and f"{cost.amount:f}",
        }


def to_json(attempts: Sequence[CarrierAttempt]) -> str | None:
    """For `write_attempts`, in the order they were made; None where there are none."""
    if not attempts:
        return None
    return json.dumps([{"place": place, **attempt._data()} for place, attempt in enumerate(attempts, 1)])  # noqa: SLF001


_ATTEMPT = (
    "SELECT a.started, a.call_id, a.trunk, a.number, a.began, a.buy, a.exchange, a.answered, a.ended, a.cause,"
    " a.sip_status, a.buy_cost, a.cost, r.currency FROM call_attempts a"
    " JOIN call_records r ON r.started = a.started AND r.id = a.call_id"
)


def _attempt(row: Row) -> CarrierAttempt:
    _, _, trunk, number, began, data, exchange, answered, ended, cause, sip_status, buy_cost, cost, currency = row
    buying = None if data is None else Buying(Rate.from_data(data), currency, exchange)
    return CarrierAttempt(
        trunk,
        number,
        began,
        buying,
        answered,
        ended,
        cause,
        sip_status,
        None if buying is None or buy_cost is None else Money(buy_cost, buying.rate.currency),
        None if cost is None else Money(cost, currency),
    )


async def of_calls(database: Database | Cursor, calls: Iterable[Key]) -> dict[Key, list[CarrierAttempt]]:
    """The attempts of these calls, each call's in their order; a call without any has none here."""
    keys = list(calls)
    rows = await database.query(
        f"{_ATTEMPT} WHERE (a.started, a.call_id) IN (SELECT * FROM unnest(%s::timestamptz[], %s::bigint[]))"
        " ORDER BY a.started, a.call_id, a.place",
        ([started for started, _ in keys], [identifier for _, identifier in keys]),
    )
    found: dict[Key, list[CarrierAttempt]] = {}
    for row in rows:
        found.setdefault((row[0], row[1]), []).append(_attempt(row))
    return found
