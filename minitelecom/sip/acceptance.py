"""
Our 2xx to an INVITE, repeated until its ACK comes (RFC 3261 section 13.3.1.4).

The transaction doesn't do it (RFC 6026): the 2xx must reach the caller end to end, and only the dialog knows the ACK.
"""

from collections.abc import Callable

from minitelecom.sip.effects import T1, T2, TIMEOUT
from minitelecom.sip.message import Response
from minitelecom.sip.timers import Timers
from minitelecom.sip.transaction_layer import ServerTransaction


class Acceptance:
    """Answers at once; then at T1, doubling to T2. Without an ACK in 64*T1 the user is told, and has to send a BYE."""

    def __init__(
        self,
        timers: Timers,
        transaction: ServerTransaction,
        response: Response,
        unacknowledged: Callable[[], None],
    ) -> None:
        self._timers = timers
        self._transaction = transaction
        self._response = response
        self._unacknowledged = unacknowledged
        self._interval = T1
        transaction.respond(response)
        self._repeat = timers.start(T1, self._again)
        self._end = timers.start(TIMEOUT, self._give_up)

    @property
    def sequence(self) -> int:
        """The number of the INVITE, which its ACK repeats (13.2.2.4)."""
        return self._transaction.request.cseq.number

    @property
    def waiting(self) -> bool:
        return self._end.active

    def acknowledged(self) -> None:
        """The ACK came; or the call has ended in another way, and nobody waits for it any more."""
        self._repeat.stop()
        self._end.stop()

    def _again(self, _: None) -> None:
        self._transaction.respond(self._response)
        self._interval = min(2 * self._interval, T2)
        self._repeat = self._timers.start(self._interval, self._again)

    def _give_up(self, _: None) -> None:
        self._repeat.stop()
        self._unacknowledged()
