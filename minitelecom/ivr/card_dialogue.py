"""
The calling-card dialogue: which language, who are you, what have you got, whom shall I call?

One coroutine a visit.  It never catches HungUp: what must be undone stands in the promise's `async with`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from minitelecom.ivr.accounts import Card, Cards, Emergency, Refusal, Refused, SignInRefused
from minitelecom.ivr.caller import Caller, Digits, Duration, In, Outcome, Step
from minitelecom.ivr.reasons import sentence

USER_NUMBER_DIGITS = 10
PASSWORD_DIGITS = 8
MOST_DIGITS = 20  # of a number to call: 15 by E.164, a prefix to dial out, and some room
MOST_LANGUAGES = 9  # one key each
MOST_TRIES = 3  # of user number and password
MOST_IDLE = 3  # questions in a row that get no answer
MOST_ROUNDS = 10  # times one question is asked, however it is started over
MOST_CALLS = 50  # numbers dialled in one visit
SHORT_WAIT_SECONDS = 30  # a lock as short as this is worth waiting for on the line

# After these no other number can help.
_LAST = {
    Refusal.UNKNOWN,
    Refusal.LOCKED,
    Refusal.INACTIVE,
    Refusal.EXPIRED,
    Refusal.DISABLED,
    Refusal.CLOSED,
    Refusal.EMPTY,
    Refusal.UNAVAILABLE,
    Outcome.BLOCKED,
}
# After these the balance is another one, and is said again.
_SPENT = {Outcome.ANSWERED, Outcome.NEXT, Outcome.CREDIT_EXHAUSTED}


async def card_dialogue(caller: Caller, cards: Cards, emergency: Emergency, languages: Sequence[str]) -> None:
    """
    One whole visit; returns when we have said goodbye, raises HungUp when the caller leaves.

    `languages` are those the caller may choose from; one alone (an access number's) is not asked about.
    """
    async with caller.step(Step.LANGUAGE):
        keyed = await choose_language(caller, languages)
    questions = Questions(caller, emergency, keyed)
    card = await sign_in(caller, cards, questions)
    if card is not None:
        await make_calls(caller, card, questions)
    async with caller.step(Step.GOODBYE):
        await caller.tell("goodbye")


async def choose_language(caller: Caller, languages: Sequence[str]) -> str:
    """Greet, and set the caller's language: by key, else the first.  Returns the digits keyed."""
    offered = languages[:MOST_LANGUAGES]
    caller.language = offered[0]
    if len(offered) == 1:
        await caller.play("greeting")
        return ""
    positions = [str(position) for position in range(1, len(offered) + 1)]
    choices = [
        prompt
        for position, language in zip(positions, offered, strict=True)
        for prompt in (In(language, "press-for-language"), In(language, Digits(position)))
    ]
    keyed = ""
    for attempt in range(MOST_IDLE):
        key = await caller.key(*([] if attempt else ["greeting"]), *choices, choices="0123456789")
        keyed += key or ""
        if key in positions:
            caller.language = offered[positions.index(key)]
            break
    return keyed


@dataclass
class Questions:
    """Asks for digits; an emergency number is an answer to any question."""

    caller: Caller
    emergency: Emergency
    keyed: str = ""
    """Digits that went into the choice of a language: who dials 112 into our greeting has chosen language 1."""

    async def ask(self, prompt: str, *, most: int) -> str | None:
        """What the caller keys in, or None if nothing comes."""
        idle = rounds = 0
        while idle < MOST_IDLE and rounds < MOST_ROUNDS:
            entered = await self.caller.digits(prompt, most=most)
            if entered and await self._was_emergency(entered):
                idle = rounds = 0
                continue
            if entered:
                return entered
            rounds += 1
            if entered is not None:  # silence, or # alone; None is somebody who started over
                idle += 1
                await self.caller.play("nothing-entered")
        return None

    async def _was_emergency(self, entered: str) -> bool:
        number = next((n for n in (entered, self.keyed + entered) if self.emergency.is_emergency(n)), None)
        self.keyed = ""
        if number is None:
            return False
        async with self.caller.step(Step.EMERGENCY):
            said = sentence(await self.caller.emergency(number))
            if said is not None:
                await self.caller.tell(said)
        return True


async def sign_in(caller: Caller, cards: Cards, questions: Questions) -> Card | None:
    """Three tries of user number and password."""
    for _ in range(MOST_TRIES):
        async with caller.step(Step.USER_NUMBER):
            number = await questions.ask("enter-user-number", most=USER_NUMBER_DIGITS)
        if number is None:
            return None
        async with caller.step(Step.PASSWORD):
            password = await questions.ask("enter-password", most=PASSWORD_DIGITS)
        if password is None:
            return None
        async with caller.step(Step.SIGNING_IN):
            answer = await cards.sign_in(number, password, caller)
            if not isinstance(answer, SignInRefused):
                return answer
            await tell_refused(caller, answer)
        if answer.reason is Refusal.UNAVAILABLE or answer.delay_seconds > SHORT_WAIT_SECONDS:
            return None
    return None


async def tell_refused(caller: Caller, refused: SignInRefused) -> None:
    said = sentence(refused.reason)
    assert said is not None, refused
    if not refused.delay_seconds:
        await caller.tell(said)
        return
    seconds = refused.delay_seconds
    if seconds > 60:  # minutes are said rounded down; here the caller must not come too early
        seconds += -seconds % 60
    await caller.tell(said, "try-again-in", Duration(seconds))


async def make_calls(caller: Caller, card: Card, questions: Questions) -> None:
    """Balance, number, call, and again until the caller is silent or the card is empty."""
    ended: Outcome | Refusal = Outcome.ANSWERED
    for _ in range(MOST_CALLS):
        if ended in _SPENT and not await say_balance(caller, card, ended):
            return
        async with caller.step(Step.NUMBER):
            number = await questions.ask("enter-number", most=MOST_DIGITS)
        if number is None:
            return
        ended = await make_call(caller, card, number)
        said = sentence(ended)
        if said is not None:
            await caller.tell(said)
        if ended in _LAST:
            return


async def say_balance(caller: Caller, card: Card, ended: Outcome | Refusal) -> bool:
    """False if there is none left; one that is not known is not said."""
    async with caller.step(Step.BALANCE):
        balance = await card.balance()
        if balance is None:
            return True
        if balance.minor_down() > 0:
            await caller.play("your-balance-is", balance)
            return True
        if ended is not Outcome.CREDIT_EXHAUSTED:  # they have just heard so
            await caller.tell("card-empty")
        return False


async def make_call(caller: Caller, card: Card, number: str) -> Outcome | Refusal:
    """Say how long one can talk, which is reserved by then, and connect."""
    async with caller.step(Step.CALLING), card.promise(number) as promise:
        if isinstance(promise, Refused):
            return promise.reason
        await caller.play("you-can-talk-for", Duration(promise.seconds))
        return await caller.bridge(promise)
