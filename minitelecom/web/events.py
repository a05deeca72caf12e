"""Server-sent events (HTML standard, section 9.2): the stream of one browser that watches View Online Users."""

# Most of twisted.web carries no annotations.
# mypy: disable-error-code="no-untyped-call"

import json
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IPushProducer, IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.http import Request
from zope.interface import implementer

from minitelecom.calls.live import LiveCall
from minitelecom.web.feed import Delta, LiveFeed
from minitelecom.web.languages import Language
from minitelecom.web.running import data_of, milliseconds, row_of

MOST_STREAMS = 100
SECONDS_BETWEEN_CHECKS = 15.0
RETRY_MILLISECONDS = 2000

log = Logger()


@implementer(IPushProducer)
class EventStream:
    """Writes snapshots and deltas until the browser goes, or `allowed` says that its session ended."""

    def __init__(
        self,
        request: Request,
        feed: LiveFeed,
        language: Language,
        clock: IReactorTime,
        now: Callable[[], datetime],
        allowed: Callable[[], Awaitable[bool]],
    ) -> None:
        self._request = request
        self._feed = feed
        self._language = language
        self._now = now
        self._allowed = allowed
        self._full = False
        self._missed = False
        self._open = True
        self._check = LoopingCall(self._still_allowed)
        self._check.clock = clock
        self._leave: Callable[[], None] = lambda: None

    def start(self) -> None:
        self._request.setHeader("Content-Type", "text/event-stream; charset=utf-8")
        self._request.setHeader("X-Accel-Buffering", "no")  # nginx would hold events back
        self._request.notifyFinish().addBoth(self._closed)
        self._request.registerProducer(self, True)
        self._request.write(f"retry: {RETRY_MILLISECONDS}\n\n".encode())
        self._leave = self._feed.watch(self)
        self._check.start(SECONDS_BETWEEN_CHECKS, now=False).addErrback(self._failed)

    # What the feed tells us.

    def show(self, number: int, calls: Sequence[LiveCall]) -> None:
        self._send("snapshot", number, calls, ())

    def change(self, delta: Delta) -> None:
        self._send("delta", delta.number, delta.changed, delta.gone)

    # What the connection tells us: a browser that does not read is not written to.

    def pauseProducing(self) -> None:
        self._full = True

    def resumeProducing(self) -> None:
        self._full = False
        if self._missed:
            self._missed = False
            self._feed.show(self)

    def stopProducing(self) -> None:
        self._closed(None)

    def _send(self, event: str, number: int, calls: Sequence[LiveCall], gone: Sequence[str]) -> None:
        if self._full:
            self._missed = True
            return
        instant = self._now()
        data = {
            "number": number,
            "now": milliseconds(instant),
            "rows": [data_of(row_of(call, self._language, instant)) for call in calls],
            "gone": list(gone),
        }
        text = json.dumps(data, ensure_ascii=False)
        self._request.write(f"event: {event}\ndata: {text}\n\n".encode("utf-8", "replace"))

    def _still_allowed(self) -> Deferred[None]:
        return Deferred.fromCoroutine(self._look())

    async def _look(self) -> None:
        if not await self._allowed():
            self._end()
        elif self._open and not self._full:
            self._request.write(b": still here\n\n")

    def _failed(self, failure: Failure) -> None:
        log.failure("The check of a live page's session failed", failure)
        self._end()

    def _end(self) -> None:
        if self._open:
            self._request.unregisterProducer()
            self._request.finish()

    def _closed(self, _: object) -> None:
        if self._open:
            self._open = False
            if self._check.running:
                self._check.stop()
            self._leave()
