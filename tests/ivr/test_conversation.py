"""Keys, prompts and pauses on a fake clock: what is pressed, what is heard, what a dialogue is answered."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from minitelecom.ivr.caller import Digits, HungUp
from minitelecom.ivr.conversation import (
    FIRST_PAUSE_SECONDS,
    MOST_KEYS,
    PAUSE_SECONDS,
    URGENT_PAUSE_SECONDS,
    Conversation,
    StarStar,
)
from tests.ivr.world import Speaker


class Room:
    """A conversation, its player (every prompt takes a second) and its clock."""

    def __init__(self, urgent=lambda entered: False):
        self.clock = Clock()
        self.speaker = Speaker(self.clock)
        self.conversation = Conversation(self.clock, self.speaker, "en", urgent=urgent)
        self.speaker.ended = self.conversation.play_finished
        self.answers = []

    def does(self, coroutine):
        """Start a piece of dialogue; what comes of it joins `answers`."""
        done = Deferred.fromCoroutine(coroutine)
        done.addCallbacks(self.answers.append, lambda failure: self.answers.append(failure.type))

    def press(self, keys):
        for key in keys:
            self.conversation.key_pressed(key)

    def asks(self, most=20):
        self.does(self.conversation.digits("enter-number", most=most))


@pytest.fixture
def room():
    return Room()


# Digits.


def test_hash_ends_the_number(room):
    room.asks()
    room.clock.advance(1)
    room.press("0888#")
    assert room.answers == ["0888"]
    assert room.clock.getDelayedCalls() == []


def test_a_pause_ends_the_number(room):
    room.asks()
    room.clock.advance(1)
    room.press("0888")
    room.clock.advance(PAUSE_SECONDS - 0.01)
    assert room.answers == []
    room.clock.advance(0.01)
    assert room.answers == ["0888"]


def test_each_key_begins_the_pause_anew(room):
    room.asks()
    room.clock.advance(1)
    for key in "0888":
        room.press(key)
        room.clock.advance(PAUSE_SECONDS - 0.01)
    room.press("1#")
    assert room.answers == ["08881"]


def test_the_first_key_may_take_longer_counted_from_the_end_of_the_prompt(room):
    room.asks()
    room.clock.advance(1)
    room.clock.advance(FIRST_PAUSE_SECONDS - 0.01)
    assert room.answers == []
    room.clock.advance(0.01)
    assert room.answers == [""]


def test_a_number_that_is_complete_by_itself_is_not_waited_for_as_long():
    room = Room(urgent=lambda entered: entered == "112")
    room.asks()
    room.press("112")
    room.clock.advance(URGENT_PAUSE_SECONDS)
    assert room.answers == ["112"]


def test_a_star_starts_over(room):
    room.asks()
    room.press("0888*")
    assert room.answers == [None]
    room.asks()
    room.press("0899#")
    assert room.answers == [None, "0899"]


def test_the_last_digit_ends_a_number_of_known_length(room):
    room.asks(most=4)
    room.press("1234")
    assert room.answers == ["1234"]


@pytest.mark.parametrize("late", [False, True])
def test_a_hash_after_the_last_digit_is_no_answer_to_the_next_question(room, late):
    """Whether it comes in the same breath or when the next prompt plays; and it doesn't cut that prompt short."""
    if late:
        room.asks(most=4)
        room.press("1234")
        room.asks(most=4)
        room.press("#")
    else:
        room.conversation.key_pressed("1")
        room.press("234#")
        room.asks(most=4)
        room.asks(most=4)
    assert room.answers == ["1234"]
    assert room.speaker.stopped == int(late)  # the first prompt, by the first digit; in the other case none had begun
    room.press("5678#")
    assert room.answers == ["1234", "5678"]


def test_only_one_such_hash_is_overlooked(room):
    room.asks(most=4)
    room.press("1234##")
    room.asks(most=4)
    assert room.answers == ["1234", ""]


def test_letters_are_no_answer(room):
    room.asks()
    room.press("0A8B8C8D")
    room.press("X")
    room.press("#")
    assert room.answers == ["0888"]


# Prompts and keys.


def test_a_prompt_plays_in_the_callers_language(room):
    room.does(room.conversation.play("your-balance-is", Digits("12")))
    assert room.speaker.played == [["en/your-balance-is", "en/number-1", "en/number-2"]]
    room.conversation.language = "bg"
    room.clock.advance(1)
    room.does(room.conversation.play("goodbye"))
    assert room.speaker.last == ["bg/goodbye"]
    assert room.speaker.stopped == 0


def test_a_key_cuts_a_prompt_short_and_is_kept(room):
    room.does(room.conversation.play("greeting"))
    room.press("1")
    assert room.answers == [None]
    assert room.speaker.stopped == 1
    room.asks()
    room.press("2#")
    assert room.answers == [None, "12"]
    assert len(room.speaker.played) == 1


def test_keys_ahead_skip_the_prompts_they_answer(room):
    """The whole visit by heart, before the first word."""
    room.press("1234#99#5#")
    for _ in range(3):
        room.asks()
    assert room.answers == ["1234", "99", "5"]
    assert room.speaker.played == []


def test_an_error_message_discards_the_keys_before_and_during_it(room):
    """One impatient key must not answer the next question."""
    room.press("12")
    room.does(room.conversation.tell("card-unknown"))
    room.press("3#")
    assert room.answers == []
    assert room.speaker.stopped == 0
    room.clock.advance(1)
    room.asks()
    assert room.speaker.last == ["en/enter-number"]
    room.press("4#")
    assert room.answers == [None, "4"]


def test_nothing_to_say_takes_no_time(room):
    room.does(room.conversation.play())
    room.does(room.conversation.tell())
    assert room.answers == [None, None]
    assert room.speaker.played == []


def test_one_key_of_a_choice(room):
    for _ in range(4):
        room.does(room.conversation.key("press-for-language", choices="12"))
        room.press(
            "2" if not room.answers else "7" if len(room.answers) == 1 else "#" if len(room.answers) == 2 else ""
        )
    room.clock.advance(1)
    room.clock.advance(FIRST_PAUSE_SECONDS)
    assert room.answers == ["2", None, None, None]


def test_the_end_of_nothing_is_ignored(room):
    room.asks()
    room.clock.advance(1)
    room.conversation.play_finished()
    room.press("1")
    room.conversation.play_finished()
    room.press("#")
    assert room.answers == ["1"]


def test_keys_ahead_are_bounded(room):
    room.press("1" * 1000)
    room.asks(most=1000)
    room.clock.advance(PAUSE_SECONDS)
    assert room.answers == ["1" * MOST_KEYS]


# Events that come within our own calls.


def test_a_player_that_ends_at_once(room):
    """Nothing to hear: the end is told within play()."""
    room.speaker.play = lambda sounds: room.conversation.play_finished()
    room.does(room.conversation.play("greeting"))
    room.does(room.conversation.tell("greeting"))
    assert room.answers == [None, None]


def test_a_key_that_comes_while_the_player_starts_or_stops(room):
    """Digits were lost here once: stopping told an end, and the end woke the dialogue before the key did."""
    start, stop = room.speaker.play, room.speaker.stop

    def eager_start(sounds):
        start(sounds)
        room.press("1")

    def eager_stop():
        stop()
        room.conversation.play_finished()
        room.press("2")

    room.speaker.play, room.speaker.stop = eager_start, eager_stop
    room.asks()
    room.press("3#")
    assert room.answers == ["123"]


def test_a_dialogue_that_asks_on_within_the_event(room):
    async def two_questions():
        first = await room.conversation.digits("enter-user-number", most=2)
        return first, await room.conversation.digits("enter-password", most=2)

    room.does(two_questions())
    room.press("12345")
    assert room.answers == [("12", "34")]


def test_two_dialogues_on_one_caller_are_a_mistake(room):
    room.asks()
    room.asks()
    assert room.answers == [AssertionError]


# Hanging up.


OPERATIONS = {
    "play": lambda c: c.play("greeting"),
    "tell": lambda c: c.tell("card-unknown"),
    "digits": lambda c: c.digits("enter-number", most=9),
    "key": lambda c: c.key("press-for-language", choices="12"),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_hanging_up_ends_what_waits_and_whatever_comes_after(room, name):
    room.does(OPERATIONS[name](room.conversation))
    room.conversation.hung_up()
    assert room.answers == [HungUp]
    assert room.speaker.stopped == 0, "a leg that is gone has no player to stop"
    room.speaker.silence()
    for operation in OPERATIONS.values():
        room.does(operation(room.conversation))
    assert room.answers == [HungUp] * 5
    assert len(room.speaker.played) == 1
    assert room.clock.getDelayedCalls() == []
    assert room.conversation.gone


def test_hanging_up_between_the_digits(room):
    room.asks()
    room.press("08")
    room.conversation.hung_up()
    assert room.answers == [HungUp]
    assert room.clock.getDelayedCalls() == []


def test_keys_before_hanging_up_answer_nothing(room):
    room.press("0888#")
    room.conversation.hung_up()
    room.conversation.hung_up()
    room.press("1")
    room.asks()
    assert room.answers == [HungUp]


def test_hanging_up_while_a_prompt_is_being_stopped(room):
    room.speaker.stop = room.conversation.hung_up
    room.asks()
    room.press("1")
    room.speaker.silence()
    assert room.answers == [HungUp]
    assert room.clock.getDelayedCalls() == []


# A call.


def test_keys_of_a_call_go_to_the_call_only(room):
    heard = []
    room.press("12")
    with room.conversation.keys_to(heard.append):
        room.press("34**")
    room.asks()
    room.press("5#")
    assert heard == ["3", "4", "*", "*"]
    assert room.answers == ["5"]


def test_two_stars_in_a_row():
    clock = Clock()
    stars = StarStar(clock)
    assert [stars.pressed(key) for key in "1*2**"] == [False, False, False, False, True]
    assert [stars.pressed(key) for key in "***"] == [False, True, False]
    stars = StarStar(clock)
    assert not stars.pressed("*")
    clock.advance(2.1)
    assert not stars.pressed("*")
    clock.advance(2.0)
    assert stars.pressed("*")


# Whatever the rhythm.


@given(
    keys=st.text("0123456789", max_size=60),
    gaps=st.lists(st.sampled_from([0, 0, 0, 0.1, 0.5, 1.0, 2.5, 4.9, 5.0, 7.0, 11.0]), min_size=60, max_size=60),
    lengths=st.lists(st.integers(1, 12), min_size=1, max_size=12),
    slow=st.sampled_from([0, 0.3]),
)
def test_no_digit_is_lost_or_doubled(keys, gaps, lengths, slow):
    """Questions of any length, prompts between them, keys at any time: the answers together are what was pressed."""
    room = Room()

    async def questions():
        entered = []
        for length in lengths * 100:
            entered.append(await room.conversation.digits("enter-number", most=length))
            await room.conversation.play("greeting")
            room.answers[:] = entered
            if slow:  # the store takes its time
                pause = Deferred()
                room.clock.callLater(slow, pause.callback, None)
                await pause

    room.does(questions())
    for key, gap in zip(keys, gaps, strict=False):
        for _ in range(round(gap * 10)):
            room.clock.advance(0.1)
        room.press(key)
    for _ in range(300):
        room.clock.advance(0.1)
    assert "".join(room.answers) == keys
    assert all(len(answer) <= max(lengths) for answer in room.answers)


@given(before=st.text("0123456789#*", max_size=20), during=st.text("0123456789#*", max_size=20))
def test_after_an_error_every_question_starts_clean(before, during):
    room = Room()
    room.press(before)
    room.does(room.conversation.tell("call-busy"))
    room.press(during)
    room.clock.advance(1)
    room.asks()
    room.press("42#")
    assert room.answers == [None, "42"]
