"""What a refusal means: the cause that the record gets, and whether the next way is tried."""

from functools import lru_cache
from typing import cast

from minitelecom.calls.leg import End, Ending
from minitelecom.store.call_records import Cause

# What a final response means for the record (DESIGN: causes of calls --json).  After "failed" the next way is tried.
CAUSES: dict[int, Cause] = {
    401: "failed",  # the carrier does not take our password, or (402) our money: nothing to do with the number
    402: "failed",
    403: "rejected",
    404: "rejected",
    407: "failed",
    408: "no-answer",
    410: "rejected",
    420: "failed",  # it wants something of us that we cannot do, or (422) never as we like it; another carrier may not
    421: "failed",
    422: "failed",
    480: "no-answer",
    484: "rejected",
    486: "busy",
    487: "cancelled",
    600: "busy",
    603: "rejected",
    604: "rejected",
}


def cause_of(ending: Ending) -> Cause:
    """A leg that was never answered: the cause its record gets."""
    match ending.end:
        case End.NO_ANSWER:
            return "no-answer"
        case End.UNREACHABLE | End.SILENT:
            return "failed"
        case _:
            status = ending.status or 500
            return CAUSES.get(status, "rejected" if status < 500 or status >= 600 else "failed")


def verdict(ending: Ending, codes: str) -> tuple[Cause, bool]:
    """
    The cause, and whether the next carrier is tried, as this carrier's own codes have it: "404=next 5xx=busy".

    A code means *next*, *stop* or a cause; one status comes before its class.
    """
    cause = cause_of(ending)
    if not codes or ending.end is not End.REFUSED or ending.status is None:
        return cause, cause == "failed"
    meant = meanings(codes)
    word = meant.get(str(ending.status)) or meant.get(f"{ending.status // 100}xx")
    match word:
        case None:
            return cause, cause == "failed"
        case "next" | "stop":
            return cause, word == "next"
        case _:
            return cast("Cause", word), word == "failed"


@lru_cache(256)  # trunks
def meanings(codes: str) -> dict[str, str]:
    """{"404": "next"}"""
    return dict(one.split("=") for one in codes.split())
