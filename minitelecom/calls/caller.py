"""A caller on a SIP leg, as a dialogue sees one (ivr.caller.Caller)."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from minitelecom.calls.call import Call
from minitelecom.calls.cards import LivePromise
from minitelecom.calls.dialling import Dialling, Prepared
from minitelecom.calls.ended import Ended
from minitelecom.calls.incoming_leg import IncomingLeg
from minitelecom.calls.leg import Ending, Leg
from minitelecom.calls.live import LiveCalls
from minitelecom.calls.running import RunningCalls
from minitelecom.calls.switch import Switch
from minitelecom.calls.visitor import Visitor
from minitelecom.calls.voice import Voice
from minitelecom.ivr.caller import HungUp, Outcome, Promise, Prompt
from minitelecom.ivr.conversation import Conversation, StarStar
from minitelecom.media.sound import Sound

OUTCOMES = {
    "normal": Outcome.ANSWERED,
    "busy": Outcome.BUSY,
    "no-answer": Outcome.NO_ANSWER,
    "rejected": Outcome.REJECTED,
    "credit-exhausted": Outcome.CREDIT_EXHAUSTED,
    "blocked": Outcome.BLOCKED,
}
WRONG_NUMBER = {404, 410, 484, 604}
NEXT = Ended("normal", None, "caller", answered=True)
NEXT_UNANSWERED = Ended("cancelled", 487, "caller", answered=False)


class LegPlayer:
    """A leg's media port as the player of a conversation."""

    def __init__(self, leg: IncomingLeg, voice: Voice) -> None:
        self._leg = leg
        self._voice = voice

    def play(self, sounds: Sequence[str]) -> None:
        """Where there is nothing to be heard, it is heard at once."""
        recordings = self._voice.recordings(sounds)
        if self._leg.port is None or not recordings:
            self._leg.play_finished()
        else:
            self._leg.port.play(recordings)

    def stop(self) -> None:
        if self._leg.port is not None:
            self._leg.port.stop()


class LegCaller:
    """A visit: the leg's events go to the conversation, or to the call that runs."""

    def __init__(
        self,
        switch: Switch,
        leg: IncomingLeg,
        visitor: Visitor,
        voice: Voice,
        dialling: Dialling,
        live: LiveCalls,
        running: RunningCalls,
        language: str,
        urgent: Callable[[str], bool],
    ) -> None:
        self.leg = leg
        self.visitor = visitor
        self._switch = switch
        self._voice = voice
        self._dialling = dialling
        self._live = live
        self._running = running
        self._conversation = Conversation(switch.clock, LegPlayer(leg, voice), language, urgent=urgent)
        self._call: Call | None = None
        leg.user = self

    # What the leg tells (LegUser).

    def key_pressed(self, leg: Leg, key: str) -> None:
        self._conversation.key_pressed(key)

    def play_finished(self, leg: Leg) -> None:
        if self._call is not None:
            self._call.play_finished(leg)
        self._conversation.play_finished()

    def media_silent(self, leg: Leg) -> None:
        """A silent caller is asked for keys and then dismissed by the dialogue; a silent call is the call's matter."""
        if self._call is not None:
            self._call.media_silent(leg)

    def leg_progressed(self, leg: Leg, *, sound: bool) -> None:
        """Only legs that we call progress."""

    def leg_answered(self, leg: Leg) -> None:
        """Only legs that we call are answered."""

    def hold_changed(self, leg: Leg) -> None:
        if self._call is not None:
            self._call.hold_changed(leg)

    def leg_ended(self, leg: Leg, ending: Ending) -> None:
        call = self._call
        self._conversation.hung_up()
        if call is not None:
            call.caller_left(ending)

    # What a dialogue asks (ivr.caller.Caller).

    @property
    def language(self) -> str:
        return self._conversation.language

    @language.setter
    def language(self, language: str) -> None:
        self._conversation.language = language

    @property
    def calling_number(self) -> str | None:
        return self.visitor.calling_number

    async def play(self, *prompts: Prompt) -> None:
        await self._conversation.play(*prompts)

    async def tell(self, *prompts: Prompt) -> None:
        await self._conversation.tell(*prompts)

    async def digits(self, *prompts: Prompt, most: int) -> str | None:
        return await self._conversation.digits(*prompts, most=most)

    async def key(self, *prompts: Prompt, choices: str) -> str | None:
        return await self._conversation.key(*prompts, choices=choices)

    async def bridge(self, promise: Promise) -> Outcome:
        assert isinstance(promise, LivePromise), "a promise of another house"
        promise.bridged = True
        return await self._connect(promise.prepared, promise.account)

    async def emergency(self, number: str) -> Outcome:
        if self._conversation.gone:
            raise HungUp
        return await self._connect(await self._dialling.emergency(self.visitor, number), None)

    @asynccontextmanager
    async def step(self, name: str) -> AsyncIterator[None]:
        """The step shows until the next one replaces it."""
        self._live.change(self.visitor.session, step=str(name))
        yield

    async def _connect(self, prepared: Prepared, account: str | None) -> Outcome:
        record = prepared.record
        call = Call(self._switch, self.leg, record, prepared.attempts, self._warning)
        if self._conversation.gone:
            call.finish(NEXT_UNANSWERED)
            raise HungUp
        stars = StarStar(self._switch.clock)

        def pressed(key: str) -> None:
            if stars.pressed(key):
                call.finish(NEXT if call.answered_at is not None else NEXT_UNANSWERED)

        self._call = call
        with self._conversation.keys_to(pressed), self._running.run(self.visitor.session, call, account, prepared):
            call.start()
            ended = await call.done
        self._call = None
        self.leg.reason = ""  # a matter of that call; the caller may make another
        if ended.by == "silence":  # nobody is there to be asked for another number
            self._conversation.hung_up()
        if self._conversation.gone:
            raise HungUp
        if ended is NEXT or ended is NEXT_UNANSWERED:
            return Outcome.NEXT
        return outcome_of(ended)

    def _warning(self, seconds: int) -> Sequence[Sound]:
        return self._voice.warning(self.language, seconds)


def outcome_of(ended: Ended) -> Outcome:
    """What a dialogue is told of a call's end."""
    if ended.sip_status in WRONG_NUMBER and not ended.answered:
        return Outcome.WRONG_NUMBER
    return OUTCOMES.get(ended.cause, Outcome.FAILED)
