"""
Who calls and who is called, and how they behave: a conversation is a coroutine, on this side of the line as well.

Nobody here knows the exchange from inside.  A human acts on what he hears, in his own time, mostly sensibly.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from twisted.internet.defer import Deferred

from minitelecom.sip.hop import Hop
from minitelecom.sip.message import Request
from minitelecom.sip.transaction_layer import ServerTransaction
from tests.simulation.lines import Heard, Joined, Line, Parted, Subscriber
from tests.world.house import HeldCard
from tests.world.party import SDP, Behaviour

QUESTIONS = ("press-for-language", "enter-user-number", "enter-password", "enter-number")
PATIENCE_SECONDS = 150.0  # without a sound

# Beginnings of numbers, as dialled; 0077 has no price.
BEGINNINGS = ("0044", "0044", "0049", "0033", "0888", "00882", "00800", "+44", "0077", "0888")


def number_to_dial(chance: Random) -> str:
    """Some number of the world, another each time."""
    return f"{chance.choice(BEGINNINGS)}{chance.randrange(10**6, 10**7)}"


def talk_time(chance: Random) -> float:
    """How long people talk: mostly a minute or two, some for the sake of their last coin."""
    if chance.random() < 0.12:
        return chance.uniform(300, 1500)
    return chance.choice([0.0, chance.uniform(0.2, 3), chance.expovariate(1 / 60), chance.expovariate(1 / 120)])


@dataclass
class Human:
    """What one caller is like."""

    chance: Random
    by_info: bool = False
    barges_in: bool = False
    slowness: float = 0.5
    seen: dict[str, int] = field(default_factory=dict)
    """How often what was heard, for the figures."""

    @classmethod
    def some(cls, chance: Random) -> "Human":
        return cls(chance, chance.random() < 0.15, chance.random() < 0.5, chance.choice([0.15, 0.5, 0.9]))

    async def hesitate(self, line: Line, heard: Heard) -> None:
        until = line.clock.seconds() if self.barges_in else max(heard.until, line.clock.seconds())
        await line.sleep(until - line.clock.seconds() + self.chance.uniform(0.2, 3))

    async def talk(self, line: Line, seconds: float) -> bool:
        """Talk this long, perhaps with a pause on hold; False when it was over before."""
        end = line.clock.seconds() + seconds
        if seconds > 20 and self.chance.random() < 0.15:
            line.clock.callLater(self.chance.uniform(2, 10), self._hold, line)
        while line.alive and line.clock.seconds() < end:
            sound = await line.ear.next(end - line.clock.seconds())
            if isinstance(sound, Parted):
                return False
            self.note(sound)
        return line.alive

    def _hold(self, line: Line) -> None:
        if line.alive:
            line.hold(self.chance.choice(["sendonly", "inactive", "0.0.0.0"]))
            line.clock.callLater(self.chance.uniform(1, 90), line.resume)

    def note(self, sound: object) -> None:
        for wav_id in sound.ids if isinstance(sound, Heard) else ():
            name = wav_id.partition("/")[2]
            self.seen[name] = self.seen.get(name, 0) + 1


@dataclass
class CardHolder:
    """Rings the card dialogue, lets himself be asked, and calls some numbers."""

    human: Human
    line: Line
    card: HeldCard
    numbers: list[str]
    wrong_first: bool = False
    """He mistypes his password at first."""
    _tries: int = 0

    async def live(self) -> None:
        await self.line.finished
        while self.line.alive:
            sound = await self.line.ear.next(PATIENCE_SECONDS)
            self.human.note(sound)
            if isinstance(sound, Joined):
                await self._talk()
            elif isinstance(sound, Heard):
                await self._listen(sound)
            elif sound is None and not self.line.ear.closed:
                break
        self.line.leave()

    async def _listen(self, heard: Heard) -> None:
        names = [wav_id.partition("/")[2] for wav_id in heard.ids]
        question = next((name for name in reversed(names) if name in QUESTIONS), None)
        if question is None:
            return
        await self.human.hesitate(self.line, heard)
        keys = self._answer(question)
        if keys is None:
            self.line.leave()
        else:
            await self.line.keys(keys, self.human.chance, by_info=self.human.by_info, slowness=self.human.slowness)

    def _answer(self, question: str) -> str | None:
        chance = self.human.chance
        if chance.random() < 0.03:
            return chance.choice(["", "*", "#", "0", "77*", "12345678901234567890123"])
        match question:
            case "press-for-language":
                return chance.choice("12")
            case "enter-user-number":
                self._tries += 1
                return self.card.number + chance.choice(["", "#"])
            case "enter-password":
                wrong = self.wrong_first and self._tries < 3
                return ("12345678" if wrong else self.card.password) + chance.choice(["", "#"])
            case _:
                return self._next_number()

    def _next_number(self) -> str | None:
        if not self.numbers:
            return None if self.human.chance.random() < 0.7 else ""
        dialled = self.numbers.pop(0)
        keys = dialled.replace("+", "00")
        if self.human.chance.random() < 0.1:
            keys = "08*" + keys
        return keys + self.human.chance.choice(["#", ""])

    async def _talk(self) -> None:
        """Somebody answered, or his early sound is heard."""
        chance = self.human.chance
        if not await self.human.talk(self.line, talk_time(chance)):
            return
        match chance.choices(["next", "leave", "vanish", "stay"], [4, 4, 1, 3])[0]:
            case "next":
                await self.line.keys("**", chance, by_info=self.human.by_info, slowness=0.3)
            case "leave":
                self.line.leave()
            case "vanish":
                self.line.vanish()
            case _:
                await self.human.talk(self.line, 3000)


@dataclass
class DirectCaller:
    """Dials a number from his own telephone, and talks when somebody answers."""

    human: Human
    line: Line

    async def live(self) -> None:
        await self.line.finished
        if not self.line.alive:
            return
        chance = self.human.chance
        if await self.human.talk(self.line, talk_time(chance)):
            match chance.choices(["leave", "vanish", "hand on", "stay"], [5, 1, 3, 3])[0]:
                case "leave":
                    self.line.leave()
                case "hand on":
                    hand_on(self.line, chance)
                    await self.human.talk(self.line, chance.choice([0.0, chance.uniform(0, 3), 90]))
                case "vanish":
                    self.line.vanish()
                case _:
                    await self.human.talk(self.line, 3000)
        self.line.leave()


def hand_on(line: Line, chance: Random) -> None:
    """Whoever is at the other end is to talk with somebody else; most hold him first, some are of two minds."""
    if not line.alive or line.town.closed:
        return
    if chance.random() < 0.5:
        line.hold("sendonly")
    if chance.random() < 0.5:
        set_going(lambda: join_with_another(line, chance), line.town.failed)
        return
    for _ in range(chance.choice([1, 1, 1, 2])):
        silent = (("Refer-Sub", "false"),) if chance.random() < 0.2 else ()
        to = whom(chance)
        line.town.handed_on.append((line.party.name, to))
        line.refer(f"<sip:{to}@10.0.0.1>", *silent)


async def join_with_another(line: Line, chance: Random) -> None:
    """He asks whoever it is first, and joins the two if he gets him; or does not wait until somebody answers."""
    other = line.party.call(whom(chance))
    assert isinstance(other, Line)
    if chance.random() < 0.5:
        await other.finished
        await line.sleep(chance.uniform(0, 20))
    else:
        await line.sleep(chance.uniform(0.1, 5))
    if (other.alive or other.rings) and line.alive:
        line.town.tried["joined" if other.alive else "joined while it rang"] += 1
        replaces = other.replaces.replace(";", "%3B").replace("=", "%3D").replace("@", "%40")
        line.refer(f"<sip:somebody@10.0.0.1?Replaces={replaces}>")
        await line.sleep(chance.choice([0.0, 1.0, 60.0]))
    other.leave()


def whom(chance: Random) -> str:
    """A telephone of the shop, or some number of the world."""
    return str(chance.randint(101, 112)) if chance.random() < 0.5 else number_to_dial(chance)


def set_going(live: Callable[[], object], failed: Callable[[object], None]) -> None:
    """Start a human; whatever goes wrong with him is a fault of the simulation."""
    Deferred.fromCoroutine(live()).addErrback(failed)  # type: ignore[arg-type]


class Answerer(Subscriber):
    """Somebody who is called: what he does is drawn anew each time."""

    def behaviour(self, number: str) -> Behaviour:
        known = self.behaviours.get(number)
        if known is not None:
            return known
        if self.town.closed:  # a call that was handed on in the last moment
            return Behaviour(ring_after=None, answer_after=0.05, status=480)
        chance = self.town.chance
        if sum(isinstance(line, Line) and line.alive for line in self.calls) >= self.most_calls:
            return Behaviour(ring_after=None, answer_after=0.05, status=486)
        return chance.choices([self._answers, self._refuses, self._rings_for_ever, self._says_nothing], self.weights)[
            0
        ](chance)

    most_calls = 1
    weights: tuple[int, ...] = (75, 15, 7, 3)
    refusals: tuple[int, ...] = (486, 603, 480)

    def _answers(self, chance: Random) -> Behaviour:
        talks = talk_time(chance) if chance.random() < 0.6 else chance.uniform(200, 1800)
        rings = chance.choice([None, 0.05, chance.uniform(0.1, 3)])
        after = chance.choice([0.06, chance.uniform(0.2, 5), chance.uniform(2, 30)])
        return Behaviour(rings, after, early_media=chance.random() < 0.3, talk_seconds=talks)

    def _refuses(self, chance: Random) -> Behaviour:
        status = chance.choice(self.refusals)
        headers = (("Contact", "<sip:elsewhere@198.51.100.7>"),) if status == 302 else ()
        after = chance.choice([0.05, chance.uniform(0.1, 10)])
        return Behaviour(chance.choice([None, 0.02]), after, status, chance.random() < 0.3, headers=headers)

    def _rings_for_ever(self, chance: Random) -> Behaviour:
        return Behaviour(ring_after=1.0, answer_after=None, early_media=chance.random() < 0.3)

    def _says_nothing(self, chance: Random) -> Behaviour:
        return Behaviour(ring_after=None, answer_after=None)


class Telephone(Answerer):
    """A telephone of the shop: one call at a time.  Behind a router it believes in an address of its own."""

    address: str | None = None
    taken_over: Callable[[Line], None] = staticmethod(lambda _: None)

    def contact(self) -> list[tuple[str, str]]:
        return [("Contact", f"<sip:{self.name}@{self.address or self.host}:{self.port}>")]

    def request_received(self, transaction: ServerTransaction, request: Request, source: Hop) -> None:
        super().request_received(transaction, request, source)
        chance = self.town.chance
        if request.method == "INVITE" and request.to.tag is None and chance.random() < 0.4:
            line = self.calls[-1]
            assert isinstance(line, Line)
            self.clock.callLater(chance.uniform(2, 40), hand_on, line, chance)
        if request.method == "INVITE" and request.to.tag is None and self.name == "101" and chance.random() < 0.6:
            line = self.calls[-1]
            assert isinstance(line, Line)
            self.clock.callLater(chance.choice([chance.uniform(0.05, 1), chance.uniform(1, 30)]), self.taken_over, line)

    def description(self) -> bytes:
        return SDP.format(host=self.address or self.host, port=40000).encode()


class Carrier(Answerer):
    """A carrier: many calls, more kinds of refusal, some INVITEs that it never sees, some calls that it forgets."""

    most_calls = 1000
    challenges = False
    """It wants to know who is calling, and who is hanging up."""
    weights = (78, 14, 5, 3)
    refusals = (486, 486, 404, 302, 503, 503, 480, 603, 484, 500, 487)

    def __init__(self, *arguments: object) -> None:
        super().__init__(*arguments)  # type: ignore[arg-type]
        self.behaviours["112"] = Behaviour(ring_after=0.1, answer_after=1.0, talk_seconds=30.0)
        self.challenges = self.name == "second"

    def request_received(self, transaction: ServerTransaction, request: Request, source: object) -> None:
        begins = request.method == "INVITE" and request.to.tag is None
        if self.challenges and (begins or request.method == "BYE") and not request.get("Proxy-Authorization"):
            header = ("Proxy-Authenticate", 'Digest realm="carrier", nonce="n", algorithm=MD5')
            transaction.respond(request.response(407, to_tag=self.layer.tag() if begins else None, headers=(header,)))
            return
        if begins and request.uri.user != "112":
            chance = self.town.chance
            if chance.random() < 0.04:  # goes dead in mid-call
                self.clock.callLater(chance.uniform(1, 100), self._forget, request.call_id)
        super().request_received(transaction, request, source)  # type: ignore[arg-type]

    def contact(self) -> list[tuple[str, str]]:
        """It is told keys by INFO, and knows nothing else."""
        return [*super().contact(), ("Allow", "INVITE, ACK, BYE, CANCEL, INFO")]

    def description(self) -> bytes:
        return super().description().replace(b" 101", b"").replace(b"a=rtpmap:101", b"a=x")

    def forks(self) -> bool:
        return self.town.chance.random() < 0.05

    def _forget(self, call_id: str) -> None:
        for line in self.calls:
            if isinstance(line, Line) and line.request is not None and line.request.call_id == call_id:
                line.vanish()
