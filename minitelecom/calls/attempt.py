"""One way to a number: whom a call rings together, and what is particular about that way."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from minitelecom.calls.redirection import Course
from minitelecom.calls.target import Target
from minitelecom.rating.buying import Buying
from minitelecom.sip.uri import Uri

Redirect = Callable[[Target, Sequence[Uri], Course], Awaitable[Sequence[Target]]]


@dataclass(frozen=True, slots=True)
class Attempt:
    """One way to reach the number: targets that ring together; by a carrier, what is sent to it and what it asks."""

    targets: Sequence[Target]
    trunk: str | None = None
    number: str = ""
    buying: Buying | None = None
    redirect: Redirect | None = None
    """Where the call goes on of what a 3xx names."""
    codes: str = ""
    """What the carrier's refusals mean, where that differs from what they mean to everybody."""
    capacity: int = 0
    """The calls that the carrier takes at one time; 0: any number."""
    goes_on: bool = False
    """Whether the next way is tried although somebody is busy here, or does not answer: it is the same person's."""
