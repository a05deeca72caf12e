"""
A live call as the browser gets it: what changes is sent, what only runs (seconds, money) the browser counts itself.

It counts with the frozen rate sent along, in whole seconds, by the arithmetic of rating.cost.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from minitelecom.calls.live import LiveCall
from minitelecom.money import Money, minor_digits
from minitelecom.rating.cost import cost
from minitelecom.rating.rate import Rate
from minitelecom.web.languages import Language, mark

MOST_DIGITS = 6
# The steps of the voice dialogues and of calls, by their ids.
STEPS = {
    "arriving": mark("arriving"),
    "language": mark("choosing the language"),
    "user-number": mark("keying in the user number"),
    "password": mark("keying in the password"),
    "signing-in": mark("signing in"),
    "balance": mark("hearing the balance"),
    "number": mark("choosing a number"),
    "calling": mark("calling"),
    "talking": mark("talking"),
    "emergency": mark("emergency call"),
    "goodbye": mark("saying goodbye"),
}


@dataclass(frozen=True)
class Row:
    """A row of View Online Users at one instant."""

    id: str
    account: str
    calling_number: str
    called_number: str
    destination: str
    step: str
    since: str
    seconds: int | None
    money: str
    running: Mapping[str, object] | None


def row_of(call: LiveCall, language: Language, instant: datetime) -> Row:
    seconds = elapsed_seconds(call, instant)
    return Row(
        id=call.id,
        account=call.account or "",
        calling_number=call.calling_number or call.device or "",
        called_number=call.called_number or "",
        destination=language.place(call.destination),
        step=language.text(STEPS.get(call.step, call.step)),
        since=language.time(call.since),
        seconds=seconds,
        money="" if seconds is None or call.rate is None else language.running(*_cost(call.rate, seconds)),
        running=_running(call),
    )


def _cost(rate: Rate, seconds: int) -> tuple[Money, int]:
    return cost(rate, seconds), money_digits(rate)


def elapsed_seconds(call: LiveCall, instant: datetime) -> int | None:
    """Whole seconds of talk; none before the answer, never more than was promised."""
    if call.answered is None:
        return None
    seconds = max(0, int((instant - call.answered).total_seconds()))
    return seconds if call.promised_seconds is None else min(seconds, call.promised_seconds)


def data_of(row: Row) -> dict[str, object]:
    """The row as JSON; seconds and money are left to the browser."""
    return {
        "id": row.id,
        "account": row.account,
        "calling": row.calling_number,
        "called": row.called_number,
        "destination": row.destination,
        "step": row.step,
        "since": row.since,
        "running": row.running,
    }


def _running(call: LiveCall) -> dict[str, object] | None:
    """What the browser needs to let seconds and money run; nothing before the answer."""
    if call.answered is None:
        return None
    rate = call.rate
    return {
        "answered": milliseconds(call.answered),
        "promised": call.promised_seconds,
        "rate": None if rate is None else rate_data(rate),
    }


def rate_data(rate: Rate) -> dict[str, object]:
    """Amounts as whole millionths, which is what they have in the database."""
    return {
        "sell": str(millionths(rate.sell)),
        "fee": str(millionths(rate.connection_fee)),
        "initial": rate.initial,
        "increment": rate.increment,
        "currency": rate.currency,
        "digits": money_digits(rate),
    }


def money_digits(rate: Rate) -> int:
    """How many decimals this rate's costs can need: a fixed number, so that a running amount does not jump about."""
    steps = (rate.connection_fee, rate.sell * rate.initial / 60, rate.sell * rate.increment / 60)
    needed = max(-int(amount.normalize().as_tuple().exponent) for amount in steps)
    return min(MOST_DIGITS, max(minor_digits(rate.currency), needed))


def millionths(amount: Decimal) -> int:
    return int(amount.scaleb(6).to_integral_exact())


def milliseconds(instant: datetime) -> int:
    return int(instant.astimezone(UTC).timestamp() * 1000)
