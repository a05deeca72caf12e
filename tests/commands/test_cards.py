"""Cards by the command line."""

import re

import pytest


def test_new_cards_are_printed_with_their_passwords(minitelecom):
    made = minitelecom("card", "add", "--count", 3, "--amount", 1500, "--activate", "first-use", "--json").data
    assert [set(card) for card in made] == [{"number", "password", "group"}] * 3
    assert len({card["number"] for card in made}) == 3
    assert len({card["group"] for card in made}) == 1
    assert all(re.fullmatch(r"\d{10}", card["number"]) and re.fullmatch(r"\d{8}", card["password"]) for card in made)


def test_without_json_they_are_a_table(minitelecom):
    told = minitelecom("card", "add", "--count", 2, "--amount", 1500, "--activate", "now")
    head, *rows = told.out.splitlines()
    assert head == "Number      Password"
    assert all(re.fullmatch(r"\d{10}  \d{8}", row) for row in rows)
    assert len(rows) == 2


@pytest.mark.parametrize(
    ("activation", "status"), [("now", "enabled"), ("first-use", "inactive"), ("later", "inactive")]
)
def test_a_card_is_shown_as_it_stands(minitelecom, activation, status):
    made = minitelecom("card", "add", "--count", 1, "--amount", 1500, "--activate", activation, "--json").data[0]
    shown = minitelecom("card", "show", made["number"], "--json").data
    assert set(shown) == {
        "number", "status", "balance", "reserved", "currency", "activated", "valid_until", "last_recharge",
    }  # fmt: skip
    assert (shown["status"], shown["balance"], shown["reserved"], shown["currency"]) == (status, "15.00", "0.00", "EUR")
    assert (shown["activated"] is None) == (shown["valid_until"] is None) == (activation != "now")
    assert shown["last_recharge"] is None
    if activation == "now":
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", shown["activated"])


def test_a_card_is_shown_to_people(minitelecom, card):
    told = minitelecom("card", "show", card["number"])
    assert "Balance      15.00 EUR\n" in told.out


def test_a_recharge_adds_money(minitelecom, card):
    told = minitelecom("card", "recharge", card["number"], "--amount", 250)
    assert told.out == f"{card['number']} was recharged with 2.50 EUR and has 17.50 EUR\n"
    shown = minitelecom("card", "show", card["number"], "--json").data
    assert shown["balance"] == "17.50"
    assert shown["last_recharge"] is not None


def test_a_card_is_disabled_and_enabled(minitelecom, card):
    for status in ("disabled", "enabled"):
        told = minitelecom("card", "set", card["number"], "--status", status)
        assert told.out == f"{card['number']} is {status}\n"
        assert minitelecom("card", "show", card["number"], "--json").data["status"] == status


def test_enabling_a_card_made_for_later_activates_it(minitelecom):
    made = minitelecom("card", "add", "--count", 1, "--amount", 1500, "--activate", "later", "--json").data[0]
    minitelecom("card", "set", made["number"], "--status", "enabled")
    assert minitelecom("card", "show", made["number"], "--json").data["activated"] is not None


@pytest.mark.parametrize(
    "words", [("show",), ("recharge", "--amount", "100"), ("set", "--status", "disabled")], ids=lambda words: words[0]
)
def test_an_unknown_card_is_said_so(minitelecom, words):
    told = minitelecom("card", words[0], "1234567897", *words[1:])
    assert (told.status, told.out, told.err) == (1, "", "minitelecom: there is no card 1234567897\n")


@pytest.mark.parametrize("amount", ["", "0", "-5", "1.50", "1,50", "x", "1" * 30, "١"])
def test_a_bad_amount_is_a_mistake_of_the_command_line(minitelecom, card, amount):
    told = minitelecom("card", "recharge", card["number"], f"--amount={amount}")
    assert told.status == 2
    assert told.err.count("\n") == 1
    assert "--amount: expected an amount in the minor unit (1500 is 15.00)" in told.err


def test_a_card_may_begin_empty(minitelecom):
    made = minitelecom("card", "add", "--count", 1, "--amount", 0, "--activate", "now", "--json").data[0]
    assert minitelecom("card", "show", made["number"], "--json").data["balance"] == "0.00"
