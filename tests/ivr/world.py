"""Cards in memory, a caller with a script, and a telephone on a fake clock: what the stories of this folder happen in."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock, deferLater

from minitelecom.ivr.accounts import Refusal, Refused, SignInRefused
from minitelecom.ivr.caller import Caller, HungUp, Outcome, Prompt
from minitelecom.ivr.catalogue import load
from minitelecom.ivr.conversation import Conversation, StarStar
from minitelecom.ivr.speech import say
from minitelecom.money import Money

NUMBER, PASSWORD = "1234567897", "12345678"
HANGS_UP = object()
NOTHING = ""
STARTS_OVER = None


CATALOGUE = load()


def spoken(language: str, prompt: Prompt) -> str:
    """The words a caller hears; a prompt without a text is a KeyError."""
    return " ".join(CATALOGUE.text(wav_id) for wav_id in say(language, prompt))


class Emergencies:
    def is_emergency(self, dialled: str) -> bool:
        return dialled in {"112", "911"}


@dataclass
class Promise:
    seconds: int
    destination: str = "Germany"


@dataclass
class MemoryCard:
    """A euro is a minute.  What the store would refuse stands in `refuses`."""

    euros: Decimal = Decimal("12.50")
    number: str = NUMBER
    refuses: dict[str, Outcome | Refusal] = field(default_factory=dict)
    clock: Clock | None = None
    reserved: Decimal = Decimal(0)
    promised: list[str] = field(default_factory=list)

    async def balance(self) -> Money:
        await self.takes_time()
        return Money(self.euros, "EUR")

    async def takes_time(self) -> None:
        if self.clock is not None:
            await deferLater(self.clock, 0.3, lambda: None)

    @asynccontextmanager
    async def promise(self, dialled: str) -> AsyncIterator[Promise | Refused]:
        await self.takes_time()
        if dialled in self.refuses:
            yield Refused(self.refuses[dialled])
            return
        self.reserved = self.euros
        self.promised.append(dialled)
        try:
            yield Promise(int(self.euros * 60))
        finally:
            self.reserved = Decimal(0)


@dataclass
class MemoryCards:
    card: MemoryCard = field(default_factory=MemoryCard)
    refuses: list[SignInRefused] = field(default_factory=list)
    tried: list[tuple[str, str]] = field(default_factory=list)

    async def sign_in(self, number: str, password: str, caller: Caller) -> MemoryCard | SignInRefused:
        await self.card.takes_time()
        self.tried.append((number, password))
        if self.refuses:
            return self.refuses.pop(0)
        if (number, password) != (self.card.number, PASSWORD):
            return SignInRefused(Refusal.UNKNOWN)
        return self.card


@dataclass
class ScriptedCaller:
    """Gives one answer to each question, then is silent.  `heard` has what was said, `told` the error messages of it."""

    answers: list[Any]
    outcomes: list[Outcome] = field(default_factory=list)
    card: MemoryCard | None = None
    language: str = "bg"
    calling_number: str | None = "35921234567"
    heard: list[Prompt] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    asked: list[tuple[str, int]] = field(default_factory=list)
    bridged: list[int] = field(default_factory=list)
    emergencies: list[str] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)
    gone: bool = False

    async def play(self, *prompts: Prompt) -> None:
        self._check()
        assert all(spoken(self.language, prompt) for prompt in prompts)
        self.heard += prompts

    async def tell(self, *prompts: Prompt) -> None:
        await self.play(*prompts)
        self.told += [prompt for prompt in prompts if isinstance(prompt, str)]
        if self.card is not None:
            assert not self.card.reserved, "an error is told while money is held"

    async def digits(self, *prompts: Prompt, most: int) -> str | None:
        await self.play(*prompts)
        self.asked.append((str(prompts[-1]), most))
        return self._answer()

    async def key(self, *prompts: Prompt, choices: str) -> str | None:
        await self.play(*prompts)
        return self._answer() or None

    async def bridge(self, promise: Promise) -> Outcome:
        self._check()
        self.bridged.append(promise.seconds)
        return self.outcomes.pop(0) if self.outcomes else Outcome.ANSWERED

    async def emergency(self, number: str) -> Outcome:
        self._check()
        self.emergencies.append(number)
        return self.outcomes.pop(0) if self.outcomes else Outcome.ANSWERED

    @asynccontextmanager
    async def step(self, name: str) -> AsyncIterator[None]:
        self.steps.append(name)
        yield

    def _answer(self) -> Any:
        answer = self.answers.pop(0) if self.answers else NOTHING
        if answer is HANGS_UP:
            self.gone = True
        self._check()
        return answer

    def _check(self) -> None:
        if self.gone:
            raise HungUp


class Speaker:
    """A player whose every sound takes a while on the clock."""

    def __init__(self, clock: Clock, seconds: float = 1.0) -> None:
        self.clock = clock
        self.seconds = seconds
        self.played: list[list[str]] = []
        self.stopped = 0
        self.ended = lambda: None
        self.end: Any = None

    def play(self, sounds: Sequence[str]) -> None:
        self.silence()
        self.played.append(list(sounds))
        self.end = self.clock.callLater(self.seconds, self._finish)

    def stop(self) -> None:
        self.stopped += 1
        self.silence()

    def silence(self) -> None:
        if self.end is not None and self.end.active():
            self.end.cancel()

    def _finish(self) -> None:
        self.ended()

    @property
    def last(self) -> list[str]:
        return self.played[-1]


class Telephone(Conversation):
    """A whole caller on a fake clock: what `calls` makes of a leg, in small."""

    def __init__(self, clock: Clock, *, ring_seconds: float = 3.0) -> None:
        self.clock = clock
        self.speaker = Speaker(clock)
        super().__init__(clock, self.speaker, "bg", urgent=Emergencies().is_emergency)
        self.speaker.ended = self.play_finished
        self.calling_number = None
        self.ring_seconds = ring_seconds
        self.open_steps: list[str] = []
        self.talks = 0
        self.call: Deferred[Outcome] | None = None

    def lays_down(self) -> None:
        """Hang up, and the leg is cleared as `calls` would do it."""
        self.speaker.silence()
        self.hung_up()
        if self.call is not None:
            self.call.callback(Outcome.ANSWERED)

    async def bridge(self, promise: Promise) -> Outcome:
        self._check()
        self.call, self.talks = Deferred(), self.talks + 1
        stars = StarStar(self.clock)
        end = self.clock.callLater(self.ring_seconds, self.call.callback, Outcome.BUSY)

        def listen(key: str) -> None:
            if stars.pressed(key) and self.call is not None:
                self.call.callback(Outcome.NEXT)

        try:
            with self.keys_to(listen):
                outcome = await self.call
        finally:
            self.call = None
            if end.active():
                end.cancel()
        self._check()
        return outcome

    async def emergency(self, number: str) -> Outcome:
        return await self.bridge(Promise(0))

    @asynccontextmanager
    async def step(self, name: str) -> AsyncIterator[None]:
        self.open_steps.append(name)
        try:
            yield
        finally:
            self.open_steps.pop()
