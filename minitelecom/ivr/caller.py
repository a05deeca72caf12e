"""
The caller, as a dialogue sees one: somebody who hears prompts, presses keys and is put through.

A SIP leg and a Quicknet line both become a Caller (in `calls`), so dialogues are written once.
"""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Protocol

from minitelecom.money import Money


class HungUp(Exception):
    """The caller is gone.  Every later operation on the same caller raises it too."""


@dataclass(frozen=True, slots=True)
class Duration:
    """A span of time to be spoken: hours and minutes rounded down, seconds only below a minute."""

    seconds: int


@dataclass(frozen=True, slots=True)
class Digits:
    """Keys spoken one by one: "0888" is zero, eight, eight, eight."""

    keys: str


@dataclass(frozen=True, slots=True)
class In:
    """A prompt spoken in a named language, whatever the caller's is."""

    language: str
    prompt: "Prompt"


Prompt = str | Money | Duration | Digits | In
"""What can be said; a str is an id of the catalogue."""


class Outcome(Enum):
    """How an attempt to reach a number ended.  The values are the causes of a call record where it knows the same."""

    ANSWERED = "normal"  # and ended by one of the two parties
    NEXT = "next"  # the caller pressed ** to dial another number
    CREDIT_EXHAUSTED = "credit-exhausted"  # cut by us, at the promised second
    BUSY = "busy"
    NO_ANSWER = "no-answer"
    REJECTED = "rejected"
    WRONG_NUMBER = "wrong-number"  # not a number, or the carrier knows none such (404, 410, 484)
    NO_ROUTE = "no-route"
    NO_PRICE = "no-price"
    NO_CREDIT = "no-credit"  # not enough for this number
    BLOCKED = "blocked"  # the account was closed to calls meanwhile
    FAILED = "failed"


class Step(StrEnum):
    """Where a dialogue stands; ids for the live page, which translates them."""

    LANGUAGE = "language"
    USER_NUMBER = "user-number"
    PASSWORD = "password"  # noqa: S105 - a step's name
    SIGNING_IN = "signing-in"
    BALANCE = "balance"
    NUMBER = "number"
    CALLING = "calling"
    EMERGENCY = "emergency"
    GOODBYE = "goodbye"


class Promise(Protocol):
    """Time to talk that is reserved already, so that it may be announced."""

    @property
    def seconds(self) -> int: ...

    @property
    def destination(self) -> str: ...


class Caller(Protocol):
    """Each operation raises HungUp when the caller is gone or leaves meanwhile."""

    language: str

    @property
    def calling_number(self) -> str | None: ...

    async def play(self, *prompts: Prompt) -> None:
        """Say the prompts one after another.  A key cuts them short, or skips them if pressed already, and is kept."""

    async def tell(self, *prompts: Prompt) -> None:
        """Say an error message: keys don't cut it short; those pressed before and during it are discarded."""

    async def digits(self, *prompts: Prompt, most: int) -> str | None:
        """Play, then collect up to `most` digits; # or a pause ends them ("": there were none); * starts over: None."""

    async def key(self, *prompts: Prompt, choices: str) -> str | None:
        """Play, then take one key; None after a pause or when it is none of `choices`."""

    async def bridge(self, promise: Promise) -> Outcome:
        """Ring the promised destination and join both until somebody ends it or the promised time is over."""

    async def emergency(self, number: str) -> Outcome:
        """Connect to an emergency number at once: past account, price and capacity, free."""

    def step(self, name: str) -> AbstractAsyncContextManager[None]:
        """Show where the dialogue stands (a Step) while the block runs."""


class Emergency(Protocol):
    """Knows the numbers of life."""

    def is_emergency(self, dialled: str) -> bool: ...


class Player(Protocol):
    """Plays wav ids ("bg/greeting") to one caller, and tells when they came to their end by themselves."""

    def play(self, sounds: Sequence[str]) -> None:
        """Replaces what plays.  Where there is nothing to hear, tell the end at once: play_finished() may come within."""

    def stop(self) -> None: ...
