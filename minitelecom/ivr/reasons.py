"""Which sentence tells a caller why something failed.  Dialogues and plain calls from the shop's telephones share it."""

from minitelecom.ivr.accounts import Refusal
from minitelecom.ivr.caller import Outcome

_SENTENCES: dict[Outcome | Refusal, str] = {
    Outcome.CREDIT_EXHAUSTED: "credit-exhausted",
    Outcome.BUSY: "call-busy",
    Outcome.NO_ANSWER: "call-no-answer",
    Outcome.REJECTED: "call-rejected",
    Outcome.WRONG_NUMBER: "call-wrong-number",
    Outcome.NO_ROUTE: "call-no-route",
    Outcome.NO_PRICE: "call-no-price",
    Outcome.NO_CREDIT: "call-no-credit",
    Outcome.BLOCKED: "card-disabled",
    Outcome.FAILED: "call-failed",
    Refusal.UNKNOWN: "card-unknown",
    Refusal.LOCKED: "card-locked",
    Refusal.INACTIVE: "card-inactive",
    Refusal.EXPIRED: "card-expired",
    Refusal.DISABLED: "card-disabled",
    Refusal.CLOSED: "card-closed",
    Refusal.EMPTY: "card-empty",
    Refusal.BUSY: "card-busy",
    Refusal.LIMITED: "call-limited",
    Refusal.HELD: "call-held",
    Refusal.UNAVAILABLE: "service-unavailable",
}


def sentence(reason: Outcome | Refusal) -> str | None:
    """The id of the prompt that says it; None when nothing failed (ANSWERED, NEXT)."""
    return _SENTENCES.get(reason)
