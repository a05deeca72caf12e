"""
Provisional responses that arrive for sure: RFC 3262, from both sides.

Over UDP a 180 or 183 may be lost, and nobody would know.  A reliable one carries a number (RSeq) and is repeated until a
PRACK names it (RAck); the caller takes them in their order and no other.
"""

from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from minitelecom.sip.effects import T1, TIMEOUT
from minitelecom.sip.grammar import uint32
from minitelecom.sip.message import Message, Request, Response
from minitelecom.sip.timers import Timed, Timers

OPTION = "100rel"
LARGEST_FIRST_RSEQ = 2**31 - 1  # section 3: where the numbers of one INVITE begin is drawn by lot, from 1 to here
MOST_WAITING = 8  # provisional responses that wait for the PRACK of an earlier one


class RAck(NamedTuple):
    """Which response a PRACK is for (section 7.2): its RSeq, and the CSeq of the request that it answered."""

    response: int
    sequence: int
    method: str

    @classmethod
    def of(cls, request: Request) -> "RAck | None":
        words = (request.get("RAck") or "").split()
        numbers = [uint32(word) for word in words[:2]]
        if len(words) != 3 or numbers[0] is None or numbers[1] is None:
            return None
        return cls(numbers[0], numbers[1], words[2])

    def __str__(self) -> str:
        return f"{self.response} {self.sequence} {self.method}"


def names(message: Message, header: str) -> bool:
    """Whether Require or Supported names the extension."""
    return any(tag.lower() == OPTION for tag in message.tokens(header))


def rseq(response: Response) -> int | None:
    """The number of a reliable provisional response; None: it is not one (section 4), or does not say so rightly."""
    if not 100 < response.status < 200 or not names(response, "Require"):
        return None
    return uint32(response.get("RSeq") or "") or None


class InOrder:
    """The caller's side of one early dialog: which response to acknowledge now."""

    __slots__ = ("_last",)

    def __init__(self) -> None:
        self._last: int | None = None

    def take(self, response: Response) -> RAck | None:
        """None for one that was had before, or comes before its turn: section 4 has it left alone; it will be repeated."""
        number = rseq(response)
        if number is None or (self._last is not None and number != self._last + 1):
            return None
        self._last = number
        return RAck(number, response.cseq.number, response.cseq.method)


class Provisionals:
    """
    The called side: our provisional responses to one INVITE, each sent when the one before has its PRACK, and repeated
    after T1, 2·T1, 4·T1, … (section 3: without a limit to that).  Without a PRACK in 64·T1 the user is told.
    """

    def __init__(
        self, timers: Timers, first: int, respond: Callable[[Response], None], unacknowledged: Callable[[], None]
    ) -> None:
        self._timers = timers
        self._next = first
        self._respond = respond
        self._unacknowledged = unacknowledged
        self._sent: Response | None = None  # and not acknowledged
        self._number = 0
        self._waiting: deque[Response] = deque(maxlen=MOST_WAITING)
        self._acknowledged: set[int] = set()
        self._interval = T1
        self._repeat: Timed | None = None
        self._end: Timed | None = None

    @property
    def unacknowledged_body(self) -> bytes:
        """What the response that waits for its PRACK describes: no 2xx may come before that (section 3)."""
        return b"" if self._sent is None else self._sent.body

    def send(self, response: Response) -> None:
        if self._sent is not None:
            self._waiting.append(response)
            return
        self._sent, self._number = response, self._next
        self._next += 1
        response.add("Require", OPTION)
        response.add("RSeq", str(self._number))
        self._interval = T1
        self._repeat = self._timers.start(T1, self._again)
        self._end = self._timers.start(TIMEOUT, self._give_up)
        self._respond(response)

    def acknowledged(self, prack: Request, invite: Request) -> Response | None:
        """The response that this PRACK is for, heard of for the first time; see ``knows`` for others."""
        rack = RAck.of(prack)
        response = self._sent
        if response is None or rack is None or rack != (self._number, invite.cseq.number, "INVITE"):
            return None
        self._acknowledged.add(self._number)
        self._stop_timers()
        self._sent = None
        if self._waiting:
            self.send(self._waiting.popleft())
        return response

    def knows(self, prack: Request) -> bool:
        """Whether it acknowledges a response once more (under another number of the dialog, since it is no repetition)."""
        rack = RAck.of(prack)
        return rack is not None and rack.response in self._acknowledged

    def stop(self) -> None:
        """There is a final response, or nobody to give one to: nothing is repeated any more."""
        self._stop_timers()
        self._sent = None
        self._waiting.clear()

    def _stop_timers(self) -> None:
        for timed in (self._repeat, self._end):
            if timed is not None:
                timed.stop()
        self._repeat = self._end = None

    def _again(self, _: None) -> None:
        if self._sent is not None:
            self._interval *= 2
            self._repeat = self._timers.start(self._interval, self._again)
            self._respond(self._sent)

    def _give_up(self, _: None) -> None:
        self.stop()
        self._unacknowledged()
