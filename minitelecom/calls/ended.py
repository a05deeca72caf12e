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


def status_of(ended: Ended) -> int:
    """What a caller hears of a call that came to nothing."""
    if ended.sip_status in PASSED_ON:
        return ended.sip_status
    return STATUSES.get(ended.cause, 503)
