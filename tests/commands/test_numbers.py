"""Numbers that carriers deliver, by the command line."""

import pytest

from minitelecom.store import audit
from minitelecom.store.synchronous import run

CABIN = "35929999999"


@pytest.fixture(autouse=True)
def telephone(minitelecom) -> None:
    minitelecom("device", "add", "cabin1", "--password-stdin", stdin="s3cret")


def test_a_number_leads_to_a_telephone_and_then_to_a_dialogue(minitelecom, database):
    assert minitelecom("number", "add", f"+{CABIN}", "--device", "cabin1").out == (
        f"number {CABIN} leads to telephone cabin1\n"
    )
    told = minitelecom("number", "add", CABIN, "--dialogue", "card", "--language", "en")
    assert told.out == f"number {CABIN} now leads to dialogue card\n"
    assert minitelecom("number", "list", "--json").data == [
        {"number": CABIN, "device": None, "dialogue": "card", "language": "en", "from": "database"}
    ]
    assert [entry.what for entry in run(audit.entries(database, subject=CABIN))] == ["number set", "number set"]


def test_numbers_of_the_configuration_are_listed_beside(minitelecom, config_file):
    config_file.write_text(config_file.read_text() + f'[access."{CABIN}"]\nlanguage = "bg"\n[access."35921111111"]\n')
    minitelecom("number", "add", CABIN, "--device", "cabin1")
    listed = minitelecom("number", "list", "--json").data
    assert [(one["number"], one["device"], one["dialogue"], one["from"]) for one in listed] == [
        ("35921111111", None, "card", "configuration"),
        (CABIN, "cabin1", None, "database"),
    ]
    assert "telephone cabin1" in minitelecom("number", "list").out
    assert minitelecom("number", "remove", CABIN).out.endswith("the configuration's [access] holds again\n")
    told = minitelecom("number", "remove", CABIN)
    assert (told.status, told.err.endswith("it stands in the configuration ([access])\n")) == (1, True)


def test_a_number_goes_with_its_telephone(minitelecom):
    minitelecom("number", "add", CABIN, "--device", "cabin1")
    minitelecom("device", "remove", "cabin1")
    assert minitelecom("number", "list", "--json").data == []
    assert "minitelecom number add" in minitelecom("number", "list").out


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("add", CABIN, "--device", "nobody"), "there is no telephone nobody"),
        (("add", CABIN, "--device", "cabin1", "--language", "en"), "only a dialogue speaks a language"),
        (("add", CABIN, "--dialogue", "card", "--language", "eo"), "expected one of [ivr] languages: bg, en"),
        (("add", "cabin1", "--device", "cabin1"), "expected a number such as 35929999999, not 'cabin1'"),
        (("add", CABIN), "one of the arguments --device --dialogue is required"),
        (("remove", CABIN), f"there is no number {CABIN} in the database: minitelecom number list"),
    ],
)
def test_what_a_number_cannot_be(minitelecom, words, line):
    told = minitelecom("number", *words)
    assert told.status != 0
    assert line in told.err
