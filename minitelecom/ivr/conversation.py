"""
Turns a player's and a keypad's events into what a dialogue awaits: play, tell, digits, key.

No instrument in particular: `calls` puts a SIP leg or a Quicknet line under it and adds bridge, emergency and step.
An event first changes our own state and wakes the one waiter last, for the dialogue runs on before the event returns.
"""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum, auto

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from minitelecom.ivr.caller import HungUp, Player, Prompt
from minitelecom.ivr.speech import say

FIRST_PAUSE_SECONDS = 10.0  # for the first key after the prompt
PAUSE_SECONDS = 5.0  # between keys
URGENT_PAUSE_SECONDS = 3.0  # after an emergency number, complete by itself: whoever is in need need not know of #
MOST_KEYS = 64  # kept ahead; more are dropped
STARS_SECONDS = 2.0  # two stars within this time are a **
_DIGITS = frozenset("0123456789")
_KEYS = _DIGITS | {"*", "#"}


def never(_entered: str) -> bool:
    return False


class _Awaiting(Enum):
    NOTHING = auto()
    PROMPT = auto()  # ends by itself or by a key
    MESSAGE = auto()  # ends by itself; keys are discarded
    KEY = auto()


class Conversation:
    """One caller's ear and keypad.  One dialogue at a time awaits it; after hung_up() the player is not touched again."""

    def __init__(
        self, clock: IReactorTime, player: Player, language: str, *, urgent: Callable[[str], bool] = never
    ) -> None:
        self.language = language
        self._clock = clock
        self._player = player
        self._urgent = urgent
        self._keys: deque[str] = deque()
        self._ended_by_length = False  # a # that follows closes the answer we have taken already
        self._elsewhere: Callable[[str], None] | None = None
        self._awaiting = _Awaiting.NOTHING
        self._waiter: Deferred[None] | None = None
        self._gone = False

    # What the instrument tells us.

    def key_pressed(self, key: str) -> None:
        """A key, once however it came; A to D are no answer to any question."""
        if self._gone or key not in _KEYS:
            return
        if self._elsewhere is not None:
            self._elsewhere(key)
            return
        late_end, self._ended_by_length = self._ended_by_length and key == "#", False
        if late_end or self._awaiting is _Awaiting.MESSAGE or len(self._keys) == MOST_KEYS:
            return
        self._keys.append(key)
        self._wake()

    def play_finished(self) -> None:
        """What we played came to its end by itself."""
        if self._awaiting in (_Awaiting.PROMPT, _Awaiting.MESSAGE):
            self._wake()

    def hung_up(self) -> None:
        self._gone = True
        self._wake()

    # What a dialogue asks of us.

    @property
    def gone(self) -> bool:
        return self._gone

    async def play(self, *prompts: Prompt) -> None:
        """See Caller."""
        self._check()
        if not self._keys:
            await self._speak(_Awaiting.PROMPT, prompts)

    async def tell(self, *prompts: Prompt) -> None:
        """See Caller."""
        self.discard_keys()
        await self._speak(_Awaiting.MESSAGE, prompts)

    async def digits(self, *prompts: Prompt, most: int) -> str | None:
        """See Caller."""
        await self.play(*prompts)
        entered = ""
        while len(entered) < most:
            key = await self._key(self._pause(entered))
            if key is None or key == "#":
                return entered
            if key == "*":
                return None
            entered += key
        self._ignore_end()
        return entered

    async def key(self, *prompts: Prompt, choices: str) -> str | None:
        """See Caller."""
        await self.play(*prompts)
        key = await self._key(FIRST_PAUSE_SECONDS)
        return key if key is not None and key in choices else None

    def discard_keys(self) -> None:
        self._keys.clear()
        self._ended_by_length = False

    @contextmanager
    def keys_to(self, listener: Callable[[str], None]) -> Iterator[None]:
        """While the caller talks to somebody: keys go to `listener`, are not kept and stop no sound."""
        self.discard_keys()
        self._elsewhere = listener
        try:
            yield
        finally:
            self._elsewhere = None

    # How.

    async def _speak(self, awaiting: _Awaiting, prompts: tuple[Prompt, ...]) -> None:
        self._check()
        sounds = [sound for prompt in prompts for sound in say(self.language, prompt)]
        if not sounds:
            return
        waiter = self._expect(awaiting)  # before play(): what is too short may end within it
        self._player.play(sounds)
        await waiter
        self._check()
        if self._keys:
            self._player.stop()
            self._check()

    async def _key(self, pause_seconds: float) -> str | None:
        """The next key, or None after the pause."""
        self._check()
        if not self._keys:
            waiter = self._expect(_Awaiting.KEY)
            pause = self._clock.callLater(pause_seconds, self._wake)
            try:
                await waiter
            finally:
                if pause.active():
                    pause.cancel()
            self._check()
        return self._keys.popleft() if self._keys else None

    def _pause(self, entered: str) -> float:
        if not entered:
            return FIRST_PAUSE_SECONDS
        return URGENT_PAUSE_SECONDS if self._urgent(entered) else PAUSE_SECONDS

    def _ignore_end(self) -> None:
        """Who presses # after the last digit means the same answer, not an empty next one."""
        if not self._keys:
            self._ended_by_length = True
        elif self._keys[0] == "#":
            self._keys.popleft()

    def _expect(self, awaiting: _Awaiting) -> Deferred[None]:
        assert self._waiter is None, "two dialogues on one caller"
        self._awaiting = awaiting
        self._waiter = Deferred()
        return self._waiter

    def _wake(self) -> None:
        """Resume the dialogue; always the last statement."""
        waiter, self._waiter = self._waiter, None
        self._awaiting = _Awaiting.NOTHING
        if waiter is not None:
            waiter.callback(None)

    def _check(self) -> None:
        if self._gone:
            raise HungUp


class StarStar:
    """Recognises ** among the keys of a call."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._star_at: float | None = None

    def pressed(self, key: str) -> bool:
        """True at the second * in a row."""
        before, now = self._star_at, self._clock.seconds()
        self._star_at = now if key == "*" else None
        if key != "*" or before is None or now - before > STARS_SECONDS:
            return False
        self._star_at = None
        return True
