"""
Whether carriers are there: each that asks for it is sent an OPTIONS every so often (RFC 3261 section 11).

Any answer but 503 means that it is; a carrier that gives none until the next is due, or none in 64·T1, is down until the
first answer.  One that is down is still tried, after all others.
"""

from collections.abc import Sequence
from datetime import datetime

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger

from minitelecom.calls.routing import routes
from minitelecom.calls.switch import Switch, address
from minitelecom.sip.client_user import Failure
from minitelecom.sip.hop import Hop
from minitelecom.sip.message import Request, Response
from minitelecom.sip.uri import Uri
from minitelecom.store.trunks import Trunk

log = Logger()

OUT_OF_SERVICE = 503
MOST_SERVERS = 4  # of one carrier that are asked
OUR_NAME = "minitelecom"


class TrunkHealths:
    """Asks exactly the carriers that the trunks of the moment want to be asked."""

    def __init__(self, switch: Switch) -> None:
        self.down: set[str] = set()
        """The names of trunks that do not answer."""
        self._switch = switch
        self._asked: dict[tuple[object, ...], TrunkHealth] = {}

    def follow(self, trunks: Sequence[Trunk]) -> None:
        """The trunks as they are now; one that is reached otherwise begins anew, and counts as there."""
        wanted = {_place(trunk): trunk for trunk in trunks if trunk.enabled and trunk.check_seconds}
        for place in self._asked.keys() - wanted.keys():
            self._asked.pop(place).stop()
        for place in wanted.keys() - self._asked.keys():
            health = self._asked[place] = TrunkHealth(self._switch, wanted[place], self.down)
            health.ask()

    def stop(self) -> None:
        self.follow(())

    def of(self, name: str) -> "TrunkHealth | None":
        return next((health for health in self._asked.values() if health.trunk.name == name), None)


def _place(trunk: Trunk) -> tuple[object, ...]:
    return trunk.name, trunk.uri, trunk.proxy, trunk.check_seconds


class TrunkHealth:
    """One carrier, asked again and again."""

    def __init__(self, switch: Switch, trunk: Trunk, down: set[str]) -> None:
        self.trunk = trunk
        self.up: bool | None = None
        """None: it has not been heard yet, nor missed."""
        self.since: datetime | None = None
        self.failure: str | None = None
        """Why it counts, or counted last, as down."""
        self._switch = switch
        self._down = down
        self._first = Uri.parse(trunk.proxy or trunk.uri)
        self._timer: IDelayedCall | None = None
        self._question: Question | None = None  # the latest, as long as it has no answer

    def ask(self) -> None:
        if self._question is not None:
            self.is_down("no response")
        self._question = Question(self)
        self._timer = self._switch.clock.callLater(self.trunk.check_seconds, self.ask)
        Deferred.fromCoroutine(self._find_and_ask(self._question)).addErrback(
            lambda failure: log.failure("health of {trunk}", failure=failure, trunk=self.trunk.name)
        )

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._question = None
        self._down.discard(self.trunk.name)

    async def _find_and_ask(self, question: "Question") -> None:
        hops = (await self._switch.hosts.locate(self._first))[:MOST_SERVERS]
        if self._question is not question:
            return
        question.open = len(hops)
        for hop in hops:
            self._switch.layer.request(self._options(hop), hop, question)
        if not hops:
            self.missed(question, f"{self._first.host} cannot be found")

    def _options(self, hop: Hop) -> Request:
        switch, carrier = self._switch, Uri.parse(self.trunk.uri)
        ours, _ = switch.addresses.towards(hop)
        request_uri = f"{carrier.scheme}:{carrier.hostport}"
        lines = [
            *(("Route", route) for route in routes(self.trunk)),
            ("From", f"<{address(OUR_NAME, ours)}>;tag={switch.token()}"),
            ("To", f"<{request_uri}>"),
            ("Call-ID", switch.token()),
            ("CSeq", "1 OPTIONS"),
            ("Contact", switch.contact(hop, OUR_NAME)),
            ("Max-Forwards", "70"),
            ("Accept", "application/sdp"),
        ]
        return Request.create("OPTIONS", request_uri, lines)

    # What became of a question.

    def heard(self) -> None:
        """An answer, be it to an earlier question."""
        if self._timer is None:
            return
        self._question = None
        if self.up is not True:
            if self.up is False:
                log.info("trunk {trunk} is there again", trunk=self.trunk.name)
            self.up, self.since = True, self._switch.now()
            self._down.discard(self.trunk.name)

    def missed(self, question: "Question", why: str) -> None:
        if self._question is question:
            self._question = None
            self.is_down(why)

    def is_down(self, why: str) -> None:
        self.failure = why
        if self.up is not False:
            log.warn("trunk {trunk} is down: {why}", trunk=self.trunk.name, why=why)
            self.up, self.since = False, self._switch.now()
            self._down.add(self.trunk.name)


class Question:
    """One OPTIONS to each of a carrier's servers, of which one is enough; a client user."""

    def __init__(self, health: TrunkHealth) -> None:
        self.open = 0
        """Servers that may still answer."""
        self._health = health

    def response_received(self, response: Response, source: Hop) -> None:
        if response.status == OUT_OF_SERVICE:
            self._missed(f"{response.status} {response.reason}")
        elif response.status >= 200:
            self._health.heard()

    def request_failed(self, cause: Failure) -> None:
        self._missed("no response")

    def _missed(self, why: str) -> None:
        self.open -= 1
        if not self.open:
            self._health.missed(self, why)
