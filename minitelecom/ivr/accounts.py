"""What the card dialogue needs of accounts.  `calls` implements it over store and rating."""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from minitelecom.ivr.caller import Caller, Emergency, Outcome, Promise
from minitelecom.money import Money

__all__ = ["Card", "Cards", "Emergency", "Promise", "Refusal", "Refused", "SignInRefused"]


class Refusal(Enum):
    """Why a card may not be used."""

    UNKNOWN = "unknown"  # no such user number, or the wrong password: never say which
    LOCKED = "locked"  # too many failures from here or on this card; delay_seconds says how long
    INACTIVE = "inactive"  # made to be activated later, by hand
    EXPIRED = "expired"
    DISABLED = "disabled"
    CLOSED = "closed"
    EMPTY = "empty"
    BUSY = "busy"  # other calls hold all of its balance
    LIMITED = "limited"  # so many calls, or so much money, in so much time
    HELD = "held"  # numbers like this one wait for somebody's word
    UNAVAILABLE = "unavailable"  # ours: the database is away


@dataclass(frozen=True, slots=True)
class SignInRefused:
    reason: Refusal
    delay_seconds: int = 0
    """No attempt is looked at before this much time has passed."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A number that is not to be dialled, and why."""

    reason: Outcome | Refusal


class Card(Protocol):
    """A card that is signed in."""

    @property
    def number(self) -> str: ...

    async def balance(self) -> Money | None:
        """What is on it; None where that is not known just now."""

    def promise(self, dialled: str) -> AbstractAsyncContextManager[Promise | Refused]:
        """Entered, the record is written and the money reserved; left, what was not used is released, however it ends."""


class Cards(Protocol):
    async def sign_in(self, number: str, password: str, caller: Caller) -> Card | SignInRefused:
        """Check number and password; the first use activates the card."""
