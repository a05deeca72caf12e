"""
Where carriers are (RFC 3263), remembered: no call waits for a name server that is away, and who calls from an address is known
by the name we know the carrier by.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Protocol

from twisted.internet.defer import Deferred, DeferredLock
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from minitelecom.sip.hop import Hop, is_address
from minitelecom.sip.locating import Kind, Question, Record, locate
from minitelecom.sip.uri import Uri

log = Logger()

SHORTEST_SECONDS = 10.0  # so long an answer is good enough, whatever its own time to live
LONGEST_SECONDS = 3600.0
AGAIN_SECONDS = 10.0  # so long a question that nobody could answer is not asked again
PATIENCE_SECONDS = 2.0  # that anybody waits for name servers, over all that must be asked


@dataclass(frozen=True, slots=True)
class Found:
    """What a name server says, and for how many seconds that holds; no records: there are none of this kind."""

    records: Sequence[Record]
    seconds: float


class Resolver(Protocol):
    """Asks the name servers; fails with an OSError or a DNS failure where nobody can say now."""

    def __call__(self, question: Question) -> Deferred[Found]: ...


@dataclass(slots=True)
class _Memory:
    """The latest answer, and until when nobody need be asked again."""

    records: Sequence[Record] = ()
    until: float = float("-inf")


class Hosts:
    """What we know of host names.  The few that there are come from trunks and devices, so none is ever forgotten."""

    def __init__(
        self, clock: IReactorTime, random: Random, resolve: Resolver, families: Sequence[Kind] = (Kind.A,)
    ) -> None:
        self._clock = clock
        self._random = random
        self._resolve = resolve
        self._families = families
        self._known: dict[Question, _Memory] = {}
        self._located: dict[str, list[Hop]] = {}
        self._locks: dict[str, DeferredLock] = {}
        self.moved: Callable[[], None] = lambda: None
        """Told when a name leads where it did not lead before."""

    async def locate(self, uri: Uri) -> list[Hop]:
        """Where a request goes, best first; where nobody can say so now, where it went; empty where nobody ever could."""
        if is_address(uri.host.strip("[]")):
            return await self._ask_through(uri)
        lock = self._locks.setdefault(uri.host, DeferredLock())
        await lock.acquire()  # whoever was before us may have asked
        try:
            found = await self._ask_through(uri)
        finally:
            lock.release()
        before = self._located.get(str(uri), [])
        if not found:
            log.warn("{host} cannot be found", host=uri.host)
            return before
        self._located[str(uri)] = found
        if {hop.host for hop in found} != {hop.host for hop in before}:
            self.moved()
        return found

    async def _ask_through(self, uri: Uri) -> list[Hop]:
        """Answer the questions of RFC 3263 until they are at their end."""
        until = self._clock.seconds() + PATIENCE_SECONDS
        steps = locate(uri, self._families, self._random.randint)
        try:
            questions = next(steps)
            while True:
                questions = steps.send(await self._answers(questions, until))
        except StopIteration as end:
            found: list[Hop] = end.value
            return found

    async def _answers(self, questions: Sequence[Question], until: float) -> Mapping[Question, Sequence[Record]]:
        now = self._clock.seconds()
        waiting = [
            (question, self._resolve(question).addTimeout(max(until - now, 0.0), self._clock))
            for question in questions
            if self._memory(question).until <= now
        ]
        for question, answer in waiting:
            memory = self._memory(question)
            try:
                found = await answer
            except Exception as failure:  # noqa: BLE001 - resolvers fail in many ways, and each means: not now
                log.debug("{name} ({kind}): no answer: {why}", name=question.name, kind=question.kind, why=str(failure))
                memory.until = self._clock.seconds() + AGAIN_SECONDS
            else:
                memory.records = found.records
                memory.until = self._clock.seconds() + min(max(found.seconds, SHORTEST_SECONDS), LONGEST_SECONDS)
        return {question: self._memory(question).records for question in questions}

    def _memory(self, question: Question) -> _Memory:
        return self._known.setdefault(question, _Memory())

    def look_up(self, uris: Iterable[str]) -> None:
        """Find them, without anybody waiting."""
        for uri in uris:
            Deferred.fromCoroutine(self.locate(Uri.parse(uri)))

    def addresses(self) -> set[str]:
        """Every address that a name has led to."""
        return {hop.host for hops in self._located.values() for hop in hops}

    def names_of(self, address: str) -> list[str]:
        """The hosts of URIs that lead to an address, as far as we have asked."""
        leading = [uri for uri, hops in self._located.items() if any(hop.host == address for hop in hops)]
        return [Uri.parse(uri).host for uri in leading]
