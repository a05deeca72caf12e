"""
What a subscription is about and how it stands: the Event and Subscription-State of RFC 6665 (sections 8.2.1 and 8.2.3).

    Event              = event-type *( SEMI event-param )         event-param = "id" EQUAL token / generic-param
    Subscription-State = substate-value *( SEMI subexp-params )   "reason", "expires", "retry-after"
"""

import re
from dataclasses import dataclass

from minitelecom.sip.grammar import PARAMETERS, TOKEN, BadSyntax, parse_parameters, uint32, write_parameters

REFER = "refer"
MESSAGE_SUMMARY = "message-summary"

_VALUE = re.compile(rf"[ \t]*+({TOKEN})({PARAMETERS})")


def _read(text: str, what: str) -> tuple[str, dict[str, str | None]]:
    match = _VALUE.fullmatch(text)
    if match is None:
        raise BadSyntax(f"Bad {what}")
    return match[1], parse_parameters(match[2])


@dataclass(frozen=True, slots=True)
class Event:
    """A package, and which of several subscriptions to it within one dialog is meant."""

    package: str
    id: str | None = None

    @classmethod
    def parse(cls, text: str) -> "Event":
        """Raises BadSyntax."""
        package, parameters = _read(text, "Event")
        return cls(package.lower(), parameters.get("id"))

    def __str__(self) -> str:
        return self.package + write_parameters({} if self.id is None else {"id": self.id})


@dataclass(frozen=True, slots=True)
class SubscriptionState:
    """``active``, ``pending`` or ``terminated``; with the seconds left, or with the reason of the end."""

    state: str
    expires: int | None = None
    reason: str | None = None

    @classmethod
    def parse(cls, text: str) -> "SubscriptionState":
        """Raises BadSyntax."""
        state, parameters = _read(text, "Subscription-State")
        return cls(state.lower(), uint32(parameters.get("expires") or ""), parameters.get("reason"))

    def __str__(self) -> str:
        parameters = {"expires": None if self.expires is None else str(self.expires), "reason": self.reason}
        return self.state + write_parameters({name: value for name, value in parameters.items() if value is not None})
