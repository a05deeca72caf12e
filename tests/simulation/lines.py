"""A party's end of a call with a human at it: an ear, a mouth, keys, and the freedom to leave at any moment."""

import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater

from minitelecom.sip.acceptance import Acceptance
from minitelecom.sip.client_user import Failure
from minitelecom.sip.hop import Hop
from minitelecom.sip.message import Request, Response
from minitelecom.sip.transaction_layer import ServerTransaction, TransactionLayer
from tests.simulation.media import Ear, ToldPort
from tests.world.party import Answer, Behaviour, Party, Talk

if TYPE_CHECKING:
    from tests.simulation.town import Town

GLARE = 0.3  # of those whose session is changed, about to change it themselves
AUDIO = re.compile(rb"m=audio (\d+)")


@dataclass(frozen=True)
class Heard:
    """Prompts began, by wav id."""

    ids: tuple[str, ...]
    until: float


@dataclass(frozen=True)
class Joined:
    """Somebody can be heard."""


@dataclass(frozen=True)
class Parted:
    """Nobody can be heard any more."""


Sound = Heard | Joined | Parted


class Listening(Ear):
    """Keeps what is heard until the human attends to it."""

    def __init__(self, line: "Line") -> None:
        self._line = line
        self._sounds: deque[Sound] = deque()
        self._waiter: Deferred[None] | None = None
        self.closed = False

    def heard(self, wav_ids: list[str], seconds: float) -> None:
        self._take(Heard(tuple(wav_ids), self._line.clock.seconds() + seconds))

    def joined(self) -> None:
        self._take(Joined())

    def parted(self) -> None:
        self._take(Parted())

    def close(self) -> None:
        self.closed = True
        self._wake()

    def _take(self, sound: Sound) -> None:
        self._sounds.append(sound)
        self._wake()

    def _wake(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None:
            # A human is never quicker than the switch that he hears.
            self._line.clock.callLater(0.05, waiter.callback, None)

    async def next(self, seconds: float) -> Sound | None:
        """The next sound; None when nothing comes in this time, or when the line is dead."""
        if not self._sounds and not self.closed:
            waiter = self._waiter = Deferred()
            timeout = self._line.clock.callLater(seconds, self._wake)
            await waiter
            if timeout.active():
                timeout.cancel()
        return self._sounds.popleft() if self._sounds else None


class Line(Talk):
    """One dialog of a party of the town."""

    def __init__(self, party: "Subscriber") -> None:
        super().__init__(party)
        self.town = party.town
        self.clock = party.clock
        self.ear = Listening(self)
        self.port: ToldPort | None = None
        self.begun = self.clock.seconds()
        self.finished: Deferred[None] = Deferred()
        """Fires at the final answer to our INVITE, or when there is none."""
        self._is_finished = False
        self.leaving = False
        self.vanished = False
        self.held = 0
        """How often the far end was put on hold."""
        self._hangs_up = False
        self._changing = False
        self._accepted: list[Acceptance] = []  # of the far end's re-INVITEs
        self._branch = self.town.random_tag() if self.party.forks() else None

    @property
    def rings(self) -> bool:
        """We call, and have heard from somebody who rings; nothing more has been said."""
        heard = self.response
        return self.client is not None and heard is not None and 100 < heard.status < 200 and not self.leaving

    @property
    def replaces(self) -> str:
        if self.dialog is not None:
            return super().replaces
        if self.request is not None:
            return f"{self.request.call_id};to-tag={self.request.from_.tag};from-tag={self._tag}"
        assert self.response is not None
        return f"{self.response.call_id};to-tag={self.response.to.tag};from-tag={self.response.from_.tag}"

    @property
    def alive(self) -> bool:
        return self.talking and not self.vanished

    # As a caller.

    def response_received(self, response: Response, source: Hop) -> None:
        if self.vanished:
            return
        if self.leaving and response.status == 407:
            self._finish()
            return
        super().response_received(response, source)
        if response.body and response.cseq.method == "INVITE" and self.port is None:
            self._connect(response.body)
        if response.status >= 200 and not (response.status == 407 and len(self.statuses) == 1):
            if self.talking and self.leaving:
                self.hang_up()
            self._finish()

    def request_failed(self, cause: Failure) -> None:
        super().request_failed(cause)
        self._finish()

    def _finish(self) -> None:
        if self.final is None or self.final >= 300:
            self._still()
        if not self._is_finished:
            self._is_finished = True
            self.clock.callLater(0, self.finished.callback, None)

    def leave(self) -> None:
        """Put the receiver down, whatever is going on."""
        if self.talking:
            self.hang_up()
        elif self.client is not None and self.final is None and self.failure is None and not self.leaving:
            self.leaving = True
            self.cancel()

    def hang_up(self) -> None:
        """Who was called may not send a BYE before the ACK has come (RFC 3261 15)."""
        if self.vanished:
            return
        self._still()
        if self._acceptance is not None and self._acceptance.waiting:
            self._hangs_up = True
        else:
            super().hang_up()

    def vanish(self) -> None:
        """The power fails: not a word more, in either direction."""
        self.vanished = True
        if self._acceptance is not None:
            self._acceptance.acknowledged()  # it is not repeated any more
        self._accept_all()
        self._still()
        self._finish()

    # As one who is called.

    def invited(self, transaction: ServerTransaction, behaviour: Behaviour) -> None:
        super().invited(transaction, behaviour)
        if transaction.request.body:
            self._connect(transaction.request.body, silent=not behaviour.early_media)

    def _ring(self, behaviour: Behaviour) -> None:
        if self.vanished:
            return
        super()._ring(behaviour)
        if self._branch is not None and self.server is not None and not self.server.answered:
            self.server.respond(self._of_the_other_branch(180))

    def _of_the_other_branch(self, status: int) -> Response:
        """The INVITE has reached a second telephone on its way (RFC 3261 16.7): its responses have a tag of their own."""
        assert self.server is not None
        body = self.party.description() if status == 200 else b""
        return self.server.request.response(
            status, to_tag=self._branch, headers=self.party.contact(), body=body, content_type="application/sdp"
        )

    def _answers_as_well(self) -> None:
        if self.server is not None and self.party.plugged and not self.vanished:
            self.town.tried["answers of two branches"] += 1
            self.server.respond(self._of_the_other_branch(200))

    def _answer(self, behaviour: Behaviour) -> None:
        if self.vanished:
            return
        super()._answer(behaviour)
        if self.talking and self._branch is not None:
            self.clock.callLater(self.town.chance.uniform(0.01, 4), self._answers_as_well)
        if self.talking and self.port is not None:
            self.port.speak()

    def _cancelled(self) -> None:
        if not self.vanished:
            super()._cancelled()
            self._still()

    def acknowledged(self) -> None:
        if self.vanished:
            return
        super().acknowledged()
        self._accept_all()
        if self._hangs_up:
            self.hang_up()

    # As both.

    def request_received(self, transaction: ServerTransaction, request: Request) -> None:
        if self.vanished:
            return
        if request.method in {"INVITE", "UPDATE"} and self.ended_at is None:
            self._offered(transaction, request)
            return
        super().request_received(transaction, request)
        self.town.tried["keys told"] += request.method == "INFO"
        if self.ended_at is not None:
            self._still()

    def _offered(self, transaction: ServerTransaction, request: Request) -> None:
        """Another description of the session; 491 where we have begun to change it, too (RFC 3261 14.2)."""
        if self.town.chance.random() < GLARE:
            self.change(self.party.description())
        if self._changing:
            self.town.tried["glare"] += 1
            transaction.respond(request.response(491))
            return
        body = self.party.description() if request.body or request.method == "INVITE" else b""
        kind = "application/sdp" if body else None
        response = request.response(200, headers=self.party.contact(), body=body, content_type=kind)
        if request.method == "INVITE":
            self._accepted.append(Acceptance(self.party.layer.timers, transaction, response, self.hang_up))
        else:
            transaction.respond(response)

    def _accept_all(self) -> None:
        for acceptance in self._accepted:
            acceptance.acknowledged()
        self._accepted.clear()

    def _connect(self, body: bytes, *, silent: bool = False) -> None:
        found = AUDIO.search(body)
        port = self.town.told.ports.get(int(found[1])) if found else None
        if port is not None:
            self.port = port
            port.listen(self.ear)
            if not silent:
                port.speak()

    def _still(self) -> None:
        if self.port is not None:
            self.port.fall_silent()
        self.ear.close()
        self._accept_all()

    # Keys and holding.

    async def sleep(self, seconds: float) -> None:
        await deferLater(self.clock, seconds)

    async def keys(self, keys: str, random: Random, *, by_info: bool, slowness: float = 0.5) -> None:
        """Press keys, one after another, until the line is dead."""
        for key in keys:
            if not self.alive:
                return
            if by_info:
                await self._info(key)
            elif self.port is not None:
                self.port.key(key)
            await self.sleep(random.uniform(0.08, slowness))

    async def _info(self, key: str) -> None:
        """A telephone sends the next INFO when the one before is answered."""
        answered: Deferred[None] = Deferred()
        assert self.dialog is not None
        request = self.dialog.request(
            "INFO", (), f"Signal={key}\r\nDuration=160\r\n".encode(), "application/dtmf-relay"
        )
        self.party.layer.request(request, self.party.exchange, Awaited(answered.callback))
        await answered

    def hold(self, direction: str) -> None:
        """Put the far end on hold, by direction or, as old telephones do, by the address 0.0.0.0."""
        self.held += 1
        body = self.party.description()
        if direction == "0.0.0.0":
            body = re.sub(rb"c=IN IP4 [0-9.]+", b"c=IN IP4 0.0.0.0", body)
        else:
            body += f"a={direction}\r\n".encode()
        self.change(body)
        if direction != "sendonly" and self.port is not None:
            self.port.fall_silent()

    def resume(self) -> None:
        if self.alive:
            self.change(self.party.description())
            if self.port is not None:
                self.port.speak()

    def change(self, body: bytes) -> None:
        """One change at a time; where both have begun at once, again a little later (RFC 3261 14.1)."""
        if self._changing or not self.alive or self.dialog is None:
            return
        self._changing = True
        request = self.dialog.request("INVITE", self.party.contact(), body, "application/sdp")
        self.party.layer.request(request, self.party.exchange, Change(self, body))

    def changed(self, status: int, body: bytes) -> None:
        self._changing = False
        if status == 491:
            self.town.tried["glare"] += 1
            self.clock.callLater(self.town.chance.uniform(0, 4), self.change, body)


class Change(Answer):
    """A re-INVITE of ours."""

    def __init__(self, line: Line, body: bytes) -> None:
        super().__init__(line)
        self._line = line
        self._body = body

    def response_received(self, response: Response, source: Hop) -> None:
        super().response_received(response, source)
        if response.status >= 200:
            self._line.changed(response.status, self._body)

    def request_failed(self, cause: Failure) -> None:
        self._line.changed(408, self._body)


class Awaited(Answer):
    """Tells when a request is over, however it is."""

    def __init__(self, over: Callable[[None], None]) -> None:
        super().__init__()
        self._over = over

    def response_received(self, response: Response, source: Hop) -> None:
        super().response_received(response, source)
        if response.status >= 200:
            self._over(None)

    def request_failed(self, cause: Failure) -> None:
        self._over(None)


class Subscriber(Party):
    """A telephone or a carrier of the town."""

    town: "Town"

    def contact(self) -> list[tuple[str, str]]:
        """Everybody knows session timers, so that the house renews its sessions with who calls (RFC 4028)."""
        return [*super().contact(), ("Supported", "timer")]

    def forks(self) -> bool:
        """Whether the next INVITE reaches two telephones by way of this party."""
        return False

    def new_talk(self) -> Line:
        line = Line(self)
        self.calls.append(line)
        self.town.lines.append(line)
        return line

    @property
    def plugged(self) -> bool:
        return (self.host, self.port) in self.network._hosts

    def unplug(self) -> None:
        """The power is gone, and with it every call of this host."""
        self.network.detach(self.host, self.port)
        for line in self.calls:
            assert isinstance(line, Line)
            line.vanish()
        self.calls.clear()
        self.dialogs.clear()
        self.layer.close()

    def plug(self) -> None:
        """It starts anew, and knows nothing of what was."""
        send = self.network.attach(self.host, self.port, self._received)
        self.layer = TransactionLayer(self.clock, self.town.random, send, lambda hop: (self.host, self.port))
        self.layer.user = self
