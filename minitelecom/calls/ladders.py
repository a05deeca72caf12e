"""
The messages of every visit: held for some seconds, then written to the database, those of many visits in one statement.

When a message passes, its Call-ID is found and a reference to its bytes is kept; what is secret in it is covered, and a
page made of it, when it is written. No call waits for that. While the database is away messages are held, up to a limit,
then dropped and counted. REGISTER, OPTIONS and whatever else belongs to no visit is left out, so an INVITE and what is
answered to it are held back until its visit begins.
"""

import re
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta

from twisted.internet.defer import Deferred, DeferredLock
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from minitelecom.ladder import pages
from minitelecom.ladder.pages import Taken
from minitelecom.ladder.seen import Leg, Seen, of_call
from minitelecom.sip.hop import Hop
from minitelecom.store import ladders
from minitelecom.store.call_records import CallRecord
from minitelecom.store.database import Database, DatabaseAway

log = Logger()

LOOK_SECONDS = 1.0  # between two looks for what is to be written
WRITTEN_AFTER = 10.0  # what sets up a call mostly fits into it, and is one page then; its end is another
PARTED_AFTER = 2.0  # for the answers to our BYEs
FORGOTTEN_AFTER = 40.0  # for longer nothing of RFC 3261 is repeated

MOST_MESSAGES = 2000  # of one visit,
MOST_VISIT_BYTES = 2 * 1024 * 1024  # and as many bytes
MOST_LEGS = 200  # of one visit
MOST_EXPECTED = 500  # INVITEs of which no visit has begun,
MOST_BEFORE = 20  # and messages of each
MOST_BYTES = 64 * 1024 * 1024  # that are held, in all
MOST_PAGES_AT_ONCE = 50  # made in one turn of the reactor, and written in one statement
MOST_BYTES_AT_ONCE = 512 * 1024

_CALL_ID = re.compile(rb"[\r\n](?:call-id|i)[ \t]*:[ \t]*([^\r\n]*)", re.IGNORECASE)
_HEAD_BYTES = 4096  # in which a Call-ID is looked for that is not written as usual
_NOBODY = Leg("", "")
_NONE = (None, _NOBODY)


def call_id_in(data: bytes) -> bytes:
    """The Call-ID of a message that nobody has parsed; empty where there is none."""
    place = data.find(b"\r\nCall-ID: ")
    if place >= 0:
        return data[place + 11 : data.find(b"\r\n", place + 11)]
    found = _CALL_ID.search(data, 0, _HEAD_BYTES)
    return found[1].strip() if found else b""


def _key(call_id: str) -> bytes:
    return call_id.encode("utf-8", "surrogateescape")


async def messages_of(database: Database, record: CallRecord) -> list[Seen]:
    """The messages of a call, as far as they are written, in the order of time."""
    found = await ladders.of_session(database, record.session, MOST_MESSAGES)
    seen = [one for page in found for one in pages.read(page.begun, page.messages)]
    return of_call(sorted(seen, key=lambda one: one.instant), record.started)


class Visited:
    """What is held of one visit; without a session it has not begun, and mostly never will."""

    __slots__ = ("bytes", "call_ids", "ended", "held", "messages", "most", "session", "taken")

    def __init__(self) -> None:
        self.session = ""
        self.call_ids: list[bytes] = []
        self.taken: list[Taken] = []
        self.messages = self.bytes = 0
        self.most = MOST_BEFORE
        self.held = 1  # by the caller, and by each call that runs
        self.ended = 0.0


class Ladders:
    """Give it every message by `saw`; tell it when a visit begins, calls somebody, and ends. ``hours`` 0: it does nothing."""

    def __init__(
        self,
        clock: IReactorTime,
        now: Callable[[], datetime],
        database: Database,
        own: Callable[[Hop], tuple[str, int]],
        hours: int,
    ) -> None:
        self.on = hours > 0
        self.dropped = 0
        """Messages that found no room."""
        self._clock = clock
        self._seconds = clock.seconds
        self._now = now
        self._database = database
        self._own = own
        self._hours = hours
        self._visits: dict[str, Visited] = {}
        self._legs: dict[bytes, tuple[Visited, Leg]] = {}
        self._expected: dict[bytes, Visited] = {}
        self._due: dict[Visited, float] = {}
        self._parting: deque[Visited] = deque()
        self._parted: deque[Visited] = deque()
        self._batch: list[ladders.Page] = []
        self._batch_bytes = self._batch_messages = 0
        self._bytes = 0
        self._turn = DeferredLock()
        self._told = 0
        self._look: IDelayedCall | None = None

    def __len__(self) -> int:
        """Visits that go on."""
        return len(self._visits)

    def saw(self, data: bytes, hop: Hop, *, sent: bool) -> None:
        """A message went out or came in."""
        call_id = call_id_in(data)
        known = self._legs.get(call_id)
        if known is None:
            if sent or not data.startswith(b"INVITE "):
                return
            known = self._expect(call_id)
        visited, leg = known
        if visited.messages >= visited.most or visited.bytes >= MOST_VISIT_BYTES or self._bytes >= MOST_BYTES:
            self.dropped += bool(visited.session)
            return
        now = self._seconds()
        if not visited.taken:
            self._due[visited] = now + WRITTEN_AFTER
            self._arm()
        visited.messages += 1
        visited.bytes += len(data)
        visited.taken.append((now, sent, hop, leg, data))
        self._bytes += len(data)

    def begin(self, session: str, call_id: str, name: str) -> None:
        """A visit begins, with the INVITE of this Call-ID; ``name`` is the telephone or the trunk that it came from."""
        if not self.on:
            return
        key = _key(call_id)
        visited = self._expected.pop(key, None) or Visited()
        visited.session = session
        visited.most = MOST_MESSAGES
        leg = self._join(visited, key, Leg(call_id, name))
        visited.taken = [(seconds, sent, hop, leg, data) for seconds, sent, hop, _, data in visited.taken]
        self._visits[session] = visited

    def join(self, session: str, call_id: str, name: str, dialled: datetime) -> None:
        """In this visit somebody is called, on a leg of this Call-ID, for the call that began at ``dialled``."""
        visited = self._visits.get(session)
        if visited is not None and len(visited.call_ids) < MOST_LEGS:
            self._join(visited, _key(call_id), Leg(call_id, name, dialled))

    def hold(self, session: str) -> None:
        """One of the visit's calls runs; it may outlast the caller, who has handed it on."""
        visited = self._visits.get(session)
        if visited is not None:
            visited.held += 1

    def end(self, session: str) -> None:
        """The caller has left, or a call that was held is over; when all are, what is still said belongs to the visit."""
        visited = self._visits.get(session)
        if visited is None:
            return
        visited.held -= 1
        if not visited.held:
            del self._visits[session]
            visited.ended = self._seconds()
            self._parting.append(visited)
            self._arm()

    async def write(self, session: str | None = None) -> None:
        """Write what is held of a visit, or of all, now: somebody looks, or we stop. A database that is away gets none."""
        ripe = {visited: 0.0 for visited in self._due if session in (None, visited.session)}
        self._due = ripe | {visited: due for visited, due in self._due.items() if visited not in ripe}
        await self._write()

    def stop(self) -> None:
        """Look no more by itself."""
        self.on = False
        if self._look is not None:
            self._look.cancel()
            self._look = None

    async def remove_old(self) -> None:
        """Remove from the database what was kept for long enough."""
        before = self._now() - timedelta(hours=self._hours)
        while await ladders.remove(self._database, before) >= ladders.REMOVED_AT_ONCE:
            pass

    # What is held.

    def _join(self, visited: Visited, key: bytes, leg: Leg) -> Leg:
        visited.call_ids.append(key)
        self._legs[key] = visited, leg
        return leg

    def _expect(self, call_id: bytes) -> tuple[Visited, Leg]:
        """An INVITE of which nobody knows yet whether a visit will begin with it."""
        visited = self._expected[call_id] = Visited()
        self._join(visited, call_id, _NOBODY)
        if len(self._expected) > MOST_EXPECTED:
            self._let_go(self._expected[next(iter(self._expected))])
        return visited, _NOBODY

    def _let_go(self, visited: Visited) -> None:
        """No visit began."""
        self._expected.pop(visited.call_ids[0], None)
        self._due.pop(visited, None)
        self._bytes -= sum(len(one[4]) for one in visited.taken)
        self._forget(visited)

    def _forget(self, visited: Visited) -> None:
        for call_id in visited.call_ids:
            if self._legs.get(call_id, _NONE)[0] is visited:  # another visit may have come by the same Call-ID
                del self._legs[call_id]

    # What is written.

    def _arm(self) -> None:
        if self._look is None and self.on:
            self._look = self._clock.callLater(LOOK_SECONDS, self._look_around)

    def _look_around(self) -> None:
        """Let go of what is over, write what is due; again in a second while there is anything."""
        self._look = None
        while self._parted and self._parted[0].ended + FORGOTTEN_AFTER <= self._seconds():
            self._forget(self._parted.popleft())
        if self._due or self._parting or self._parted or self._batch:
            self._arm()
        if self.dropped > self._told:
            log.warn("{count} messages of calls found no room", count=self.dropped - self._told)
            self._told = self.dropped
        if not self._turn.locked:
            Deferred.fromCoroutine(self._write()).addErrback(self._give_up)

    async def _write(self) -> None:
        async with self._turn:
            try:
                while self._batch or self._make_batch():
                    await ladders.keep(self._database, self._batch)
                    self._put_away()
            except DatabaseAway:
                log.debug("the database is away; {bytes} bytes of messages wait", bytes=self._bytes)

    def _make_batch(self) -> bool:
        """Pages of what is due: not more than can be made without being heard, so the next are made in another turn."""
        now = self._seconds()
        self._batch_bytes = self._batch_messages = 0
        while len(self._batch) < MOST_PAGES_AT_ONCE and self._batch_bytes < MOST_BYTES_AT_ONCE:
            if self._parting and self._parting[0].ended + PARTED_AFTER <= now:
                visited = self._parting.popleft()
                self._parted.append(visited)
            elif self._due and next(iter(self._due.values())) <= now:
                visited = next(iter(self._due))
            else:
                break
            if not visited.session:
                self._let_go(visited)
            elif self._due.pop(visited, None) is not None:
                self._batch.append(self._page(visited))
        return bool(self._batch)

    def _page(self, visited: Visited) -> ladders.Page:
        taken, visited.taken = visited.taken, []
        self._batch_bytes += sum(len(one[4]) for one in taken)
        self._batch_messages += len(taken)
        begun = self._now() - timedelta(seconds=self._seconds() - taken[0][0])
        return ladders.Page(visited.session, begun, pages.write(taken, self._own))

    def _put_away(self) -> None:
        self._batch = []
        self._bytes -= self._batch_bytes

    def _give_up(self, failure: Failure) -> None:
        """A fault of ours: what was to be written is dropped, so that the next is not kept from it."""
        self.dropped += self._batch_messages
        self._put_away()
        log.failure("messages of calls could not be kept", failure=failure)
