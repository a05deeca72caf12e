"""Which of several ends of a call its caller hears of: RFC 3261 16.7.6."""

from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as some

from minitelecom.calls.causes import cause_of
from minitelecom.calls.ended import Ended, best, status_of
from minitelecom.calls.leg import End, Ending


def refused(status: int) -> Ended:
    return Ended(cause_of(Ending(End.REFUSED, status)), status, "callee", answered=False)


@pytest.mark.parametrize(
    ("statuses", "heard"),
    [
        ([486], 486),
        ([404, 603], 603),
        ([600, 404], 600),
        ([503], 500),
        ([503, 404], 404),
        ([404, 503], 404),
        ([484, 404], 484),
        ([408, 486, 408], 486),
        ([407, 401], 500),
        ([407, 486], 486),
        ([486, 404], 404),
    ],
)
def test_what_the_caller_hears(statuses: list[int], heard: int) -> None:
    assert status_of(reduce(best, map(refused, statuses))) == heard


def test_503_is_ours_alone() -> None:
    full = Ended("failed", 503, "switch", answered=False)
    assert status_of(full) == 503
    assert status_of(Ended("failed", 408, "switch", answered=False)) == 500


statuses = some.lists(some.integers(300, 699), min_size=1, max_size=5)


@given(statuses)
def test_a_6xx_speaks_for_everybody_and_no_class_is_passed_over_for_a_higher_one(found: list[int]) -> None:
    chosen = reduce(best, map(refused, found))
    about_the_number = [status for status in found if refused(status).cause != "failed"]
    if any(status >= 600 for status in found):
        assert chosen.sip_status is not None
        assert chosen.sip_status >= 600
    elif about_the_number:
        assert (chosen.sip_status or 0) // 100 == min(about_the_number) // 100
    else:
        assert status_of(chosen) == 500


@given(statuses, some.randoms())
def test_who_refuses_first_matters_only_among_equals(found: list[int], random: object) -> None:
    other = list(found)
    random.shuffle(other)  # type: ignore[attr-defined]
    one, two = reduce(best, map(refused, found)), reduce(best, map(refused, other))
    assert best(one, two) == two
    assert best(two, one) == one
