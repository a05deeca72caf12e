"""
What telephones of the trade do that they should not (fact sheet, B and C), each to be switched on by a story.

Some are ways of writing, which any message of theirs may have; the rest is in how they behave (old_telephones).
"""

import re
from collections.abc import Callable, Collection
from enum import Enum, auto

from tests.world.wire import COMPACT


class Fault(Enum):
    """Ways of writing, and ways of behaving."""

    # How they write.
    SHOUTS_ITS_HEADERS = auto()
    WRITES_COMPACT_FORMS = auto()
    PUTS_BLANKS_AROUND_VALUES = auto()
    FOLDS_ITS_LINES = auto()
    NO_CONTENT_LENGTH = auto()
    NO_BRANCH = auto()
    CONTENT_LENGTH_TOO_LONG = auto()
    SHOUTS_ITS_DIGEST = auto()  # scheme in capitals, algorithm in quotes

    # How they register.
    DATES_ITS_EXPIRY = auto()
    DATES_ITS_CONTACT = auto()
    CLEARS_OLD_BINDINGS = auto()  # a REGISTER with Contact * before the first
    SAYS_ACTION_PROXY = auto()
    SENDS_OLD_CREDENTIALS = auto()  # those of last time, whatever has become of their nonce
    STUMBLES_OVER_QOP = auto()  # a challenge with qop is too much for it
    FORGETS_WITHOUT_MESSAGES = auto()  # that it is registered, where a subscription is refused
    REGISTERS_TWICE = auto()  # under two contacts, both its own

    # How they call.
    COUNTS_NEAR_THE_SIGN = auto()  # CSeq just below 2^31
    ACK_TO_ANOTHER_URI = auto()
    ACK_OF_REFUSAL_IS_LOST = auto()  # early dial of a BT100 sends it to port 0
    CREDENTIALS_IN_ACK = auto()
    MINDS_RECEIVED = auto()  # gives up, and calls anew from the address that our Via parameter told it

    # How they are called.
    ANSWERS_THE_LAST_OF_ONE_CALL_ID = auto()  # of two INVITEs it rings for the first
    STUMBLES_OVER_NEW_METHODS = auto()  # UPDATE, PRACK, 100rel, an INVITE without offer
    REFUSES_NOTIFY = auto()  # until it is shown its own password


_COMPACT = {long: short for short, long in COMPACT.items()}
_LINES: dict[Fault, Callable[[str, str], str]] = {
    Fault.SHOUTS_ITS_HEADERS: lambda name, value: f"{name.upper()}: {value}",
    Fault.WRITES_COMPACT_FORMS: lambda name, value: f"{_COMPACT.get(name.lower(), name)}: {value}",
    Fault.PUTS_BLANKS_AROUND_VALUES: lambda name, value: f"{name} :   {value}  ",
    Fault.FOLDS_ITS_LINES: lambda name, value: f"{name}:\n  {value}",
}


def written(message: str, faults: Collection[Fault]) -> str:
    """A message as a telephone with these faults writes it."""
    head, _, body = message.partition("\n\n")
    start, *lines = head.split("\n")
    if Fault.NO_CONTENT_LENGTH in faults:
        lines = [line for line in lines if not line.startswith("Content-Length")]
    if Fault.NO_BRANCH in faults and not start.startswith("SIP/2.0"):
        lines = [re.sub(r";branch=[^;]*", "", line) if line.startswith("Via") else line for line in lines]
    for fault, write in _LINES.items():
        if fault in faults:
            pairs = [line.partition(":") for line in lines]
            lines = [write(name.strip(), value.strip()) for name, _, value in pairs]
    return "\n".join([start, *lines]) + f"\n\n{body}"
