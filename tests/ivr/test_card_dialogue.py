"""The card dialogue: each test is a visit."""

from decimal import Decimal

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from minitelecom.ivr import card_dialogue as dialogue
from minitelecom.ivr.accounts import Refusal, SignInRefused
from minitelecom.ivr.caller import Digits, Duration, HungUp, In, Outcome, Step
from minitelecom.ivr.card_dialogue import card_dialogue
from minitelecom.money import Money
from tests.ivr.world import (
    HANGS_UP,
    NOTHING,
    NUMBER,
    PASSWORD,
    STARTS_OVER,
    Emergencies,
    MemoryCard,
    MemoryCards,
    ScriptedCaller,
    Telephone,
)

SIGNS_IN = [NUMBER, PASSWORD]
GERMANY, FRANCE = "004930123456", "0033140123456"


def visits(caller, cards=None, languages=("bg",)):
    """The whole visit; the result is an exception's type if it ended by one."""
    ended = []
    cards = cards or MemoryCards()
    caller.card = cards.card
    visit = Deferred.fromCoroutine(card_dialogue(caller, cards, Emergencies(), languages))
    visit.addErrback(lambda failure: ended.append(failure.type))
    assert visit.called
    return ended[0] if ended else None


def euros(text):
    return Money(Decimal(text), "EUR")


def test_a_call():
    """Greeting, number, password, balance, number, promise, call; then the next question; silence ends the visit."""
    caller = ScriptedCaller([*SIGNS_IN, GERMANY])
    assert visits(caller) is None
    assert caller.heard[:9] == [
        "greeting",
        "enter-user-number",
        "enter-password",
        "your-balance-is",
        euros("12.50"),
        "enter-number",
        "you-can-talk-for",
        Duration(750),
        "your-balance-is",
    ]
    assert caller.heard[-1] == "goodbye"
    assert caller.bridged == [750]
    assert caller.told == ["goodbye"]


def test_the_steps_that_the_live_page_shows():
    caller = ScriptedCaller([*SIGNS_IN, GERMANY])
    visits(caller)
    visit = [Step.LANGUAGE, Step.USER_NUMBER, Step.PASSWORD, Step.SIGNING_IN]
    visit += [Step.BALANCE, Step.NUMBER, Step.CALLING, Step.BALANCE, Step.NUMBER, Step.GOODBYE]
    assert caller.steps == visit
    assert visit[-2] == "number"


# The language.


def test_each_language_is_offered_in_itself():
    caller = ScriptedCaller(["2", HANGS_UP])
    visits(caller, languages=("bg", "en"))
    offer = [
        In("bg", "press-for-language"),
        In("bg", Digits("1")),
        In("en", "press-for-language"),
        In("en", Digits("2")),
    ]
    assert caller.heard == ["greeting", *offer, "enter-user-number"]
    assert caller.language == "en"


def test_an_access_number_has_its_language():
    caller = ScriptedCaller([HANGS_UP])
    visits(caller, languages=("en",))
    assert caller.language == "en"
    assert caller.heard == ["greeting", "enter-user-number"]


def test_who_does_not_choose_a_language_gets_the_first():
    caller = ScriptedCaller([NOTHING, "7", NOTHING, *SIGNS_IN, GERMANY], language="en")
    visits(caller, languages=("bg", "en"))
    assert caller.language == "bg"
    assert caller.heard.count("greeting") == 1
    assert caller.bridged


# Signing in.


def test_three_tries_then_goodbye():
    caller, cards = ScriptedCaller([NUMBER, "1", "2", PASSWORD, NUMBER, "3", *SIGNS_IN]), MemoryCards()
    visits(caller, cards)
    assert caller.told == ["card-unknown"] * 3 + ["goodbye"]
    assert cards.tried == [(NUMBER, "1"), ("2", PASSWORD), (NUMBER, "3")]


def test_the_third_try_is_as_good_as_the_first():
    caller = ScriptedCaller(["1", "1", "2", "2", *SIGNS_IN, GERMANY])
    visits(caller)
    assert caller.bridged == [750]


@pytest.mark.parametrize(
    ("refused", "told"),
    [
        (SignInRefused(Refusal.UNKNOWN), ["card-unknown"]),
        (SignInRefused(Refusal.EXPIRED), ["card-expired"]),
        (SignInRefused(Refusal.DISABLED), ["card-disabled"]),
        (SignInRefused(Refusal.INACTIVE), ["card-inactive"]),
        (SignInRefused(Refusal.CLOSED), ["card-closed"]),
        (SignInRefused(Refusal.EMPTY), ["card-empty"]),
        (SignInRefused(Refusal.BUSY), ["card-busy"]),
    ],
)
def test_each_hears_why_and_may_try_another_card(refused, told):
    caller = ScriptedCaller(["99", "99", *SIGNS_IN, GERMANY])
    visits(caller, MemoryCards(refuses=[refused]))
    assert caller.told == [*told, "goodbye"]
    assert caller.bridged == [750]


def test_a_growing_delay_is_said():
    caller = ScriptedCaller(["99", "99", "99", "99", *SIGNS_IN, GERMANY])
    delays = [SignInRefused(Refusal.UNKNOWN, 2), SignInRefused(Refusal.LOCKED, 30)]
    visits(caller, MemoryCards(refuses=delays))
    assert caller.told == ["card-unknown", "try-again-in", "card-locked", "try-again-in", "goodbye"]
    assert [prompt for prompt in caller.heard if isinstance(prompt, Duration)][:2] == [Duration(2), Duration(30)]
    assert caller.bridged == [750]


def test_a_long_lock_ends_the_visit_and_is_never_said_too_short():
    caller = ScriptedCaller(["99", "99", *SIGNS_IN])
    visits(caller, MemoryCards(refuses=[SignInRefused(Refusal.LOCKED, 61)]))
    assert caller.heard[-4:] == ["card-locked", "try-again-in", Duration(120), "goodbye"]
    assert not caller.bridged


def test_when_the_database_is_away_we_say_so_and_goodbye():
    caller = ScriptedCaller([*SIGNS_IN, *SIGNS_IN])
    visits(caller, MemoryCards(refuses=[SignInRefused(Refusal.UNAVAILABLE)]))
    assert caller.told == ["service-unavailable", "goodbye"]


@pytest.mark.parametrize("left", ["0", "0.009999"])
def test_an_empty_card(left):
    """Less than a cent is nothing."""
    caller = ScriptedCaller([*SIGNS_IN, GERMANY])
    visits(caller, MemoryCards(MemoryCard(Decimal(left))))
    assert caller.told == ["card-empty", "goodbye"]
    assert not caller.bridged


# Calls.


@pytest.mark.parametrize(
    ("outcome", "told"),
    [
        (Outcome.BUSY, "call-busy"),
        (Outcome.NO_ANSWER, "call-no-answer"),
        (Outcome.REJECTED, "call-rejected"),
        (Outcome.WRONG_NUMBER, "call-wrong-number"),
        (Outcome.NO_ROUTE, "call-no-route"),
        (Outcome.NO_PRICE, "call-no-price"),
        (Outcome.NO_CREDIT, "call-no-credit"),
        (Outcome.FAILED, "call-failed"),
    ],
)
def test_a_failed_call_is_explained_and_another_number_asked(outcome, told):
    """Whether it failed on the line or was refused before dialling; the balance has not changed and isn't repeated."""
    on_the_line = ScriptedCaller([*SIGNS_IN, GERMANY, FRANCE], outcomes=[outcome])
    visits(on_the_line)
    before_dialling = ScriptedCaller([*SIGNS_IN, GERMANY, FRANCE])
    visits(before_dialling, MemoryCards(MemoryCard(refuses={GERMANY: outcome})))
    for caller in (on_the_line, before_dialling):
        assert caller.told == [told, "goodbye"]
        assert caller.heard.count("your-balance-is") == 2  # the first, and after the call to France
    assert (len(on_the_line.bridged), len(before_dialling.bridged)) == (2, 1)


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        (Refusal.EXPIRED, "card-expired"),
        (Refusal.DISABLED, "card-disabled"),
        (Refusal.CLOSED, "card-closed"),
        (Refusal.EMPTY, "card-empty"),
        (Refusal.UNAVAILABLE, "service-unavailable"),
        (Outcome.BLOCKED, "card-disabled"),
    ],
)
def test_a_card_that_fails_in_mid_visit_ends_it(reason, told):
    caller = ScriptedCaller([*SIGNS_IN, GERMANY, FRANCE])
    visits(caller, MemoryCards(MemoryCard(refuses={GERMANY: reason})))
    assert caller.told == [told, "goodbye"]


def test_a_card_in_use_may_be_free_for_the_next_number():
    caller = ScriptedCaller([*SIGNS_IN, GERMANY, FRANCE])
    visits(caller, MemoryCards(MemoryCard(refuses={GERMANY: Refusal.BUSY})))
    assert caller.told == ["card-busy", "goodbye"]
    assert caller.bridged == [750]


def test_two_stars_lead_to_the_next_number():
    caller = ScriptedCaller([*SIGNS_IN, GERMANY, FRANCE], outcomes=[Outcome.NEXT])
    visits(caller)
    assert caller.told == ["goodbye"]
    assert len(caller.bridged) == 2


def test_credit_exhausted_is_said_once():
    class Spent(ScriptedCaller):
        async def bridge(self, promise):
            card.euros = Decimal("0.000001")
            return await super().bridge(promise)

    card = MemoryCard()
    caller = Spent([*SIGNS_IN, GERMANY, FRANCE], outcomes=[Outcome.CREDIT_EXHAUSTED])
    visits(caller, MemoryCards(card))
    assert caller.told == ["credit-exhausted", "goodbye"]


def test_what_is_left_after_the_promise_may_do_for_another_call():
    """A recharge meanwhile, or a last step that was too dear."""
    caller = ScriptedCaller([*SIGNS_IN, GERMANY, FRANCE], outcomes=[Outcome.CREDIT_EXHAUSTED])
    visits(caller)
    assert caller.told == ["credit-exhausted", "goodbye"]
    assert len(caller.bridged) == 2


def test_the_minutes_are_reserved_before_they_are_said():
    class Listening(ScriptedCaller):
        async def play(self, *prompts):
            if "you-can-talk-for" in prompts:
                held.append(card.reserved)
            await super().play(*prompts)

    held, card = [], MemoryCard()
    visits(Listening([*SIGNS_IN, GERMANY]), MemoryCards(card))
    assert held == [Decimal("12.50")]
    assert card.reserved == 0


# Answers that don't come.


@pytest.mark.parametrize("before", [[], [NUMBER], SIGNS_IN])
def test_silence_three_times_is_goodbye(before):
    caller = ScriptedCaller([*before, NOTHING, NOTHING, NOTHING, *SIGNS_IN])
    visits(caller)
    assert caller.heard.count("nothing-entered") == 3
    assert caller.heard[-1] == "goodbye"


def test_a_star_asks_again_without_blame():
    caller = ScriptedCaller([STARTS_OVER, *SIGNS_IN, STARTS_OVER, STARTS_OVER, GERMANY])
    visits(caller)
    assert caller.bridged == [750]
    assert caller.told == ["goodbye"]
    assert "nothing-entered" not in caller.heard[: caller.heard.index("you-can-talk-for")]


def test_nobody_starts_over_for_ever():
    caller = ScriptedCaller([STARTS_OVER] * 1000)
    visits(caller)
    assert len(caller.asked) == dialogue.MOST_ROUNDS


def test_nobody_dials_for_ever():
    caller = ScriptedCaller([*SIGNS_IN, *[GERMANY] * 1000], outcomes=[Outcome.BUSY] * 1000)
    visits(caller)
    assert len(caller.bridged) == dialogue.MOST_CALLS
    assert caller.told[-1] == "goodbye"


def test_how_many_digits_each_question_takes():
    caller = ScriptedCaller([*SIGNS_IN, GERMANY])
    visits(caller)
    assert caller.asked[:3] == [("enter-user-number", 10), ("enter-password", 8), ("enter-number", 20)]


# Numbers of life.


@pytest.mark.parametrize("before", [[], [NUMBER], SIGNS_IN])
def test_an_emergency_number_answers_any_question(before):
    """At the number prompt, and before one has said who one is; then the question stands again."""
    caller, cards = ScriptedCaller([*before, "112"]), MemoryCards()
    visits(caller, cards)
    assert caller.emergencies == ["112"]
    assert cards.card.promised == []
    assert caller.heard[-1] == "goodbye"


def test_112_into_the_greeting():
    """The first 1 has chosen Bulgarian; 12 is no user number."""
    caller = ScriptedCaller(["1", "12", HANGS_UP])
    visits(caller, languages=("bg", "en"))
    assert caller.emergencies == ["112"]


def test_911_into_the_greeting():
    """9 chooses nothing, 1 chooses Bulgarian."""
    caller = ScriptedCaller(["9", "1", "1", HANGS_UP])
    visits(caller, languages=("bg", "en"))
    assert caller.emergencies == ["911"]


def test_the_key_of_the_language_counts_only_for_the_first_answer():
    caller = ScriptedCaller(["1", NUMBER, "12", "12", HANGS_UP])
    visits(caller, languages=("bg", "en"))
    assert caller.emergencies == []


def test_an_emergency_call_that_fails_is_explained():
    caller = ScriptedCaller(["112", "112", HANGS_UP], outcomes=[Outcome.BUSY])
    visits(caller)
    assert caller.told == ["call-busy"]
    assert caller.emergencies == ["112", "112"]


def test_emergencies_are_no_idle_rounds():
    caller = ScriptedCaller([NOTHING, NOTHING, "112", NOTHING, NOTHING, *SIGNS_IN, GERMANY])
    visits(caller)
    assert caller.bridged == [750]


# Hanging up.


@pytest.mark.parametrize("answered", range(4))
def test_hanging_up_at_a_question(answered):
    caller, cards = ScriptedCaller([*[*SIGNS_IN, GERMANY][:answered], HANGS_UP]), MemoryCards()
    assert visits(caller, cards) is HungUp
    assert cards.card.reserved == 0


SCRIPT = (
    (1.5, "1"),
    (4.0, NUMBER + "#"),
    (7.0, PASSWORD),
    (11.0, GERMANY + "#"),
    (16.0, "**"),
    (20.5, FRANCE),
    (34.0, "112"),
)
TICK = 0.25
TICKS = int(45 / TICK)


def visit_until(tick):
    """A visit by real keys on a fake clock; the caller lays down the handset at the given tick."""
    clock = Clock()
    telephone, card, ended = Telephone(clock), MemoryCard(clock=clock), []
    visit = Deferred.fromCoroutine(card_dialogue(telephone, MemoryCards(card), Emergencies(), ("bg", "en")))
    visit.addBoth(lambda result: ended.append(getattr(result, "type", None)))
    keys = list(SCRIPT)
    for _ in range(tick):
        clock.advance(TICK)
        while keys and keys[0][0] <= clock.seconds():
            for key in keys.pop(0)[1]:
                telephone.key_pressed(key)
    telephone.lays_down()
    clock.pump([1, 1])  # queries that are under way come back to nobody
    return telephone, card, ended, clock


@pytest.mark.parametrize("tick", range(TICKS))
def test_hanging_up_at_any_moment_releases_everything(tick):
    telephone, card, ended, clock = visit_until(tick)
    assert ended == [HungUp]
    assert card.reserved == 0
    assert telephone.open_steps == []
    assert clock.getDelayedCalls() == []


def test_the_visit_that_is_hung_up_on_goes_through_everything():
    """Else the test above would prove little."""
    telephone, card, _, _ = visit_until(TICKS)
    assert card.promised == [GERMANY, FRANCE]
    assert telephone.talks == 3  # the last one is 112
    heard = {sound for sounds in telephone.speaker.played for sound in sounds}
    assert {"bg/greeting", "bg/your-balance-is", "bg/you-can-talk-for", "bg/call-busy"} <= heard
