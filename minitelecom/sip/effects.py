"""
What can happen to a SIP transaction and what it then wants done: the words of RFC 3261 section 17's figures, as values.

Stop and the timers of 64*T1 are made once; a call would make dozens of each.
"""

from enum import Enum

from minitelecom.sip.message import Request, Response

# RFC 3261 table 4.
T1, T2, T4 = 0.5, 4.0, 5.0
TIMEOUT = 64 * T1
TRYING_AFTER = 0.01
"""
17.2.1: an INVITE not answered within 200 ms is answered with 100. Mostly whoever is called rings before this, and one message is
spared; whoever calls while we are busy knows early that he need not ask again.
"""


class Timer(Enum):
    """Timers by their letter (RFC 3261 appendix A, RFC 6026 section 7), and two the RFC describes without one."""

    __hash__ = object.__hash__  # Enum's own is written in Python, and every input is looked up by it

    A = "A"
    B = "B"
    D = "D"
    E = "E"
    F = "F"
    G = "G"
    H = "H"
    I = "I"  # noqa: E741
    J = "J"
    K = "K"
    L = "L"
    M = "M"
    TRYING = "100 Trying"
    """17.2.1: the TU has not answered an INVITE in time."""
    CANCELLED = "cancelled"
    """9.1: no final response 64*T1 after our CANCEL; the INVITE counts as cancelled."""


class State(Enum):
    __hash__ = object.__hash__

    CALLING = "Calling"
    TRYING = "Trying"
    PROCEEDING = "Proceeding"
    ACCEPTED = "Accepted"
    COMPLETED = "Completed"
    CONFIRMED = "Confirmed"
    TERMINATED = "Terminated"


class Input(Enum):
    """What can happen to a transaction, besides a timer firing."""

    __hash__ = object.__hash__

    PROVISIONAL = "1xx"
    SUCCESS = "2xx"
    FAILURE = "300-699"
    REQUEST = "the request again"
    ACK = "ACK"
    CANCEL = "the TU cancels"
    TRANSPORT_ERROR = "transport error"


class Effect:
    """Something the transaction layer is to do. Slots rather than a frozen dataclass: a call makes a hundred."""

    __slots__ = ()

    @property
    def fields(self) -> tuple[object, ...]:
        """All that makes one effect another than the next of its kind."""
        return ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Effect) and type(self) is type(other) and self.fields == other.fields

    def __hash__(self) -> int:
        return hash((type(self), *self.fields))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(repr, self.fields))})"


class Send(Effect):
    """Put these bytes on the wire: a retransmission sends the bytes that were stored, not the message written anew."""

    __slots__ = ("data",)

    def __init__(self, data: bytes) -> None:
        self.data = data

    @property
    def fields(self) -> tuple[object, ...]:
        return (self.data,)


class Start(Effect):
    __slots__ = ("seconds", "timer")

    def __init__(self, timer: Timer, seconds: float) -> None:
        self.timer = timer
        self.seconds = seconds

    @property
    def fields(self) -> tuple[object, ...]:
        return (self.timer, self.seconds)


class Stop(Effect):
    __slots__ = ("timer",)

    def __init__(self, timer: Timer) -> None:
        self.timer = timer

    @property
    def fields(self) -> tuple[object, ...]:
        return (self.timer,)


class Deliver(Effect):
    """Hand a message to the TU."""

    __slots__ = ("message",)

    def __init__(self, message: Request | Response) -> None:
        self.message = message

    @property
    def fields(self) -> tuple[object, ...]:
        return (self.message,)


class SendCancel(Effect):
    """Begin the CANCEL's own transaction (9.1)."""

    __slots__ = ()


class Fail(Effect):
    """Tell the TU that the transaction got no final response, or no ACK, or could not send."""

    __slots__ = ("cause",)

    def __init__(self, cause: "Input | Timer") -> None:
        self.cause = cause

    @property
    def fields(self) -> tuple[object, ...]:
        return (self.cause,)


Effects = list[Effect]

STOP = {timer: Stop(timer) for timer in Timer}
LAST_64_T1 = {timer: Start(timer, TIMEOUT) for timer in Timer}
