"""Limits and holds, by command."""

from typing import Any

import pytest

from tests.commands.conftest import Minitelecom


def test_limits_are_set_one_by_one_and_listed(minitelecom: Minitelecom, card: dict[str, Any]) -> None:
    assert minitelecom("limit", "set", "--everybody", "--calls-at-once", 2).out == "the limits of everybody are set\n"
    minitelecom("limit", "set", "--account", card["number"], "--price-a-minute", 50, "--hold-first-calls", "yes")
    minitelecom("limit", "set", "--account", card["number"], "--money-an-hour", 2000)
    assert minitelecom("limit", "list", "--json").data == [
        {
            "account": None,
            "calls_at_once": 2,
            "calls_a_minute": None,
            "price_a_minute": None,
            "money_an_hour": None,
            "first_calls_held": None,
        },
        {
            "account": card["number"],
            "calls_at_once": None,
            "calls_a_minute": None,
            "price_a_minute": "0.50",
            "money_an_hour": "20.00",
            "first_calls_held": True,
        },
    ]
    assert "everybody" in minitelecom("limit", "list").out


def test_no_limit_is_not_shown_as_none_at_all(minitelecom: Minitelecom) -> None:
    minitelecom("limit", "set", "--everybody", "--calls-at-once", 0, "--money-an-hour", 0, "--calls-a-minute", 5)
    assert minitelecom("limit", "list").out.splitlines()[1].split() == ["everybody", "no", "limit", "5", "no", "limit"]


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["limit", "set", "--everybody"], "expected a limit"),
        (["limit", "set", "--account", "1", "--calls-at-once", "1"], "there is no card 1"),
        (["limit", "set", "--calls-at-once", "1"], "one of the arguments"),
        (["limit", "set", "--everybody", "--calls-at-once", "-1"], "a whole number from 0"),
        (["hold", "add", "+53"], "the first digits of numbers"),
        (["hold", "release", "7"], "there is no hold 7"),
    ],
)
def test_what_cannot_be_meant(minitelecom: Minitelecom, words: list[str], complaint: str) -> None:
    told = minitelecom(*words)
    assert told.status != 0
    assert complaint in told.err


def test_a_country_is_held_and_released(minitelecom: Minitelecom, card: dict[str, Any]) -> None:
    assert minitelecom("hold", "list").out == "nothing is held\n"
    assert minitelecom("hold", "add", "53").out == "53… is held for everybody\n"
    assert minitelecom("hold", "add", "53").status == 1
    minitelecom("hold", "add", "53", "--account", card["number"])
    ours, all_ = minitelecom("hold", "list", "--json").data
    assert (ours["account"], all_["account"], all_["prefix"]) == (card["number"], None, "53")
    assert minitelecom("hold", "release", all_["id"]).out == f"hold {all_['id']} is released\n"
    assert [hold["id"] for hold in minitelecom("hold", "list", "--json").data] == [ours["id"]]
