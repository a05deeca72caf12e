"""
Whether messages are waiting: the body of RFC 3842 (section 5.2).

    Messages-Waiting: yes
    Message-Account: sip:101@shop
    Voice-Message: 2/8

The urgent ones, `2/8 (0/2)`, are left out: old telephones of Cisco take the whole body for broken then.
"""

import re
from dataclasses import dataclass

CONTENT_TYPE = "application/simple-message-summary"

_VOICE = re.compile(r"([0-9]{1,9})[ \t]*/[ \t]*([0-9]{1,9})(?:[ \t]*\(.*\))?")


@dataclass(frozen=True, slots=True)
class Messages:
    """Of one telephone."""

    new: int = 0
    old: int = 0


def summary(messages: Messages, account: str) -> bytes:
    """The body that tells it; ``account`` is the address to ring for them."""
    waiting = "yes" if messages.new else "no"
    lines = (
        f"Messages-Waiting: {waiting}",
        f"Message-Account: {account}",
        f"Voice-Message: {messages.new}/{messages.old}",
    )
    return "".join(f"{line}\r\n" for line in lines).encode("utf-8", "surrogateescape")


def read(body: bytes) -> Messages:
    """The voice messages in a body; none where it tells of none."""
    for line in body.decode("utf-8", "replace").splitlines():
        name, _, value = line.partition(":")
        match = _VOICE.fullmatch(value.strip())
        if name.strip().lower() == "voice-message" and match is not None:
            return Messages(int(match[1]), int(match[2]))
    return Messages()
