"""
Asks a far end that holds its call whether it is still there.

Who holds sends no sound, so silence says nothing about it; an OPTIONS within the dialog does (RFC 3261 11 and 12.2): any
answer but "no such call" means that somebody is there.
"""

from collections.abc import Callable

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall

from minitelecom.sip.client_user import Failure
from minitelecom.sip.hop import Hop
from minitelecom.sip.message import Response

PULSE_SECONDS = 30.0
GONE = (408, 481)  # RFC 3261 12.2.1.2: either ends the dialog


class Pulse:
    """A client user, until it is stopped.  ``ask`` sends the OPTIONS; ``lost`` is called when nobody is there any more."""

    def __init__(self, clock: IReactorTime, ask: Callable[["Pulse"], None], lost: Callable[[], None]) -> None:
        self._lost = lost
        self._loop: LoopingCall | None = LoopingCall(ask, self)
        self._loop.clock = clock
        self._loop.start(PULSE_SECONDS, now=False)

    def stop(self) -> None:
        if self._loop is not None:
            self._loop.stop()
            self._loop = None

    def response_received(self, response: Response, source: Hop) -> None:
        if response.status in GONE:
            self.request_failed(Failure.TIMEOUT)

    def request_failed(self, cause: Failure) -> None:
        if self._loop is not None:
            self.stop()
            self._lost()
