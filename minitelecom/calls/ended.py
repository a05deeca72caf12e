"""How a call ended, as its record says it and as the caller hears it, and how long it was."""

from dataclasses import dataclass, replace

from minitelecom.calls.redirection import Forwarded
from minitelecom.store.call_records import Cause

# What a telephone is answered when its call comes to nothing; the far end's own status where it says more.
STATUSES = {
    "busy": 486,
    "no-answer": 480,
    "rejected": 603,
    "cancelled": 487,
    "no-route": 404,
    "no-price": 403,
    "no-credit": 402,
    "blocked": 403,
}
UNKNOWN = 500
HELPFUL = {415, 420, 484}
FAILED = 9  # after every class
PASSED_ON = {403, 404, 410, 480, 484, 486, 488, 600, 603, 604}


def whole_seconds(elapsed: float) -> int:
    """The nearest second, so that a minute by the caller's watch is a minute on the bill; an answered call has one."""
    return max(1, int(elapsed + 0.5))


@dataclass(frozen=True, slots=True)
class Ended:
    """How a call ended: the record's cause, the SIP status behind it, and who ended it."""

    cause: Cause
    sip_status: int | None
    by: str
    answered: bool
    forwarded: Forwarded | None = None
    """A telephone that rang has sent the caller on."""

    def for_the_other(self) -> "Ended":
        """The same end, for the other record of a talk: who called there is the one who was called here."""
        by = {"caller": "callee", "callee": "caller"}.get(self.by, self.by)
        return replace(self, cause="normal" if self.cause == "credit-exhausted" else self.cause, by=by)


def best(before: Ended, now: Ended) -> Ended:
    """
    Which of two ends of ways to a number is the caller's: the choice of a proxy (RFC 3261 16.7.6), the later one of equals.

    A challenge or whatever else was meant for us (causes.py: failed) is none that he could answer, and says less than any.
    """
    chosen = now if _rank(now) <= _rank(before) else before
    return replace(chosen, forwarded=now.forwarded or before.forwarded)


def _rank(ended: Ended) -> tuple[int, bool, bool]:
    """6xx, which speaks for everybody; then the lowest class, and in it what helps to dial better before mere silence."""
    status = ended.sip_status or UNKNOWN
    if ended.cause == "failed":
        return FAILED, status == UNKNOWN, False
    return (0 if status >= 600 else status // 100), status not in HELPFUL, status == 408


def status_of(ended: Ended) -> int:
    """What a caller hears of a call that came to nothing; 503 only where we ourselves can take no call (16.7.6)."""
    if ended.sip_status in PASSED_ON:
        return ended.sip_status
    if ended.cause == "failed":
        return 503 if ended.by == "switch" and ended.sip_status == 503 else 500
    return STATUSES.get(ended.cause, 503)
