"""Who guesses, and when it is enough: at one name, at many, and with patience; and who is forgiven."""

import pytest

from minitelecom.calls.suspects import (
    MOST_FAILURES,
    MOST_FAILURES_OF_A_NAME,
    MOST_NAMES,
    MOST_NAMES_FAILED,
    MOST_SUSPECTS,
    WINDOW_SECONDS,
    Offence,
    Suspects,
)

OFFICE, ELSEWHERE = "192.0.2.1", "192.0.2.2"


@pytest.fixture
def known() -> Suspects:
    return Suspects()


def guesses(known: Suspects, count: int, now: float = 0.0, name: str = "101") -> list[Offence | None]:
    return [known.failed(OFFICE, name, now)[1] for _ in range(count)]


def test_every_fifth_wrong_password_is_enough_at_its_name(known: Suspects) -> None:
    told = [known.failed(OFFICE, "101", 0.0)[0] for _ in range(2 * MOST_FAILURES_OF_A_NAME)]
    assert told == ([False] * (MOST_FAILURES_OF_A_NAME - 1) + [True]) * 2


def test_a_hundred_at_one_name_are_enough_altogether(known: Suspects) -> None:
    assert guesses(known, MOST_FAILURES) == [None] * (MOST_FAILURES - 1) + [Offence.PASSWORDS]


def test_ten_names_are_enough_however_few_the_guesses(known: Suspects) -> None:
    told = [known.failed(OFFICE, f"{number}", 0.0)[1] for number in range(MOST_NAMES_FAILED)]
    assert told == [None] * (MOST_NAMES_FAILED - 1) + [Offence.NAMES]


def test_fifty_names_that_nobody_proves_are_enough(known: Suspects) -> None:
    told = [known.asked(OFFICE, f"{number}", 0.0) for number in range(MOST_NAMES)]
    assert told == [None] * (MOST_NAMES - 1) + [Offence.NAMES]
    assert known.asked(ELSEWHERE, "0", 0.0) is None


def test_knocking_at_closed_names_counts_with_the_guesses(known: Suspects) -> None:
    guesses(known, MOST_FAILURES - 2)
    assert (known.knocked(OFFICE, 0.0), known.knocked(OFFICE, 0.0)) == (None, Offence.PASSWORDS)


def test_a_right_password_forgives_its_network_but_not_what_was_guessed_at_other_names(known: Suspects) -> None:
    for number in range(MOST_NAMES - 1):
        known.asked(OFFICE, f"{number}", 0.0)
    for number in range(MOST_NAMES_FAILED - 1):
        known.failed(OFFICE, f"2{number}", 0.0)
    guesses(known, MOST_FAILURES - MOST_NAMES_FAILED, name="20")
    known.proved(OFFICE, "101")
    assert known.asked(OFFICE, "new", 0.0) is None
    assert known.failed(OFFICE, "20", 0.0)[1] is None
    assert known.failed(OFFICE, "new", 0.0)[1] is Offence.NAMES


def test_after_ten_minutes_all_begins_anew(known: Suspects) -> None:
    guesses(known, MOST_FAILURES - 1)
    assert guesses(known, 1, WINDOW_SECONDS) == [None]
    guesses(known, MOST_FAILURES - 2, WINDOW_SECONDS)
    assert guesses(known, 1, 2 * WINDOW_SECONDS - 1) == [Offence.PASSWORDS]


def test_of_ever_so_many_the_latest_are_remembered(known: Suspects) -> None:
    guesses(known, MOST_FAILURES - 1)
    for number in range(2 * MOST_SUSPECTS):
        if number == MOST_SUSPECTS:
            known.asked(OFFICE, "101", 0.0)
        known.asked(f"10.0.{number >> 8}.{number & 255}", "101", 0.0)
    assert len(known) <= 2 * MOST_SUSPECTS
    assert guesses(known, 1) == [Offence.PASSWORDS]
    for number in range(3 * MOST_SUSPECTS):
        known.asked(f"10.1.{number >> 8}.{number & 255}", "101", 0.0)
    assert guesses(known, 1) == [None]
    assert len(known) <= 2 * MOST_SUSPECTS
