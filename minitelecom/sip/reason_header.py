"""
Why a call is ended or refused, beyond what the method or status says: RFC 3326, and RFC 6432 for responses.

A telephone that stops ringing because another has answered should not show a missed call; a caller may want to know what
the telephone network said (Q.850).
"""

from typing import NamedTuple

from minitelecom.sip.grammar import BadSyntax, is_token, parse_parameters, quote, readable, split_values, uint32
from minitelecom.sip.message import Message

MOST_REASONS = 4  # of one message
LONGEST_TEXT = 128
LARGEST_CAUSE = 999


class Reason(NamedTuple):
    """The protocol tells how to read the cause: a status of SIP, a cause of Q.850."""

    protocol: str
    cause: int
    text: str = ""

    def __str__(self) -> str:
        text = f";text={quote(self.text)}" if self.text else ""
        return f"{self.protocol};cause={self.cause}{text}"


COMPLETED_ELSEWHERE = str(Reason("SIP", 200, "Call completed elsewhere"))
NOT_REFRESHED = str(Reason("SIP", 408, "Session not refreshed"))
CREDIT_EXHAUSTED = str(Reason("SIP", 402, "Credit exhausted"))


def reasons(values: list[str]) -> list[Reason]:
    """What can be read of the values of Reason headers; one that has no cause says nothing that we could pass on."""
    found: list[Reason] = []
    try:
        parts = [part for value in values for part in split_values(value)]
    except BadSyntax:
        return []
    for part in parts[:MOST_REASONS]:
        protocol, _, rest = part.strip().partition(";")
        parameters = parse_parameters(f";{rest}")
        cause = uint32(parameters.get("cause") or "")
        if is_token(protocol.strip()) and cause is not None and cause <= LARGEST_CAUSE:
            text = readable(parameters.get("text") or "")[:LONGEST_TEXT]
            found.append(Reason(protocol.strip(), cause, text))
    return found


def passed_on(values: list[str]) -> str:
    """What of it another far end is told: the same, in our own writing; empty where there is nothing to tell."""
    return ", ".join(map(str, reasons(values)))


def told(message: Message) -> str:
    """What this message says, ready to be passed on."""
    return passed_on(message.get_all("Reason")) if "reason" in message.headers.keys else ""
