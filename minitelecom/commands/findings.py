"""What `doctor` finds: a check's name, how it stands, and what to do about it."""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How something stands."""

    GOOD = "good"
    WARNING = "warning"
    FAULT = "fault"
    """Calls or money are in danger: the exit status is 1."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One check."""

    check: str
    state: State
    detail: str
    advice: str | None = None


def good(check: str, detail: str) -> Finding:
    return Finding(check, State.GOOD, detail)


def warning(check: str, detail: str, advice: str) -> Finding:
    return Finding(check, State.WARNING, detail, advice)


def fault(check: str, detail: str, advice: str) -> Finding:
    return Finding(check, State.FAULT, detail, advice)
