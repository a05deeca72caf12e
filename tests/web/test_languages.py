"""Texts, numbers, money and days in Bulgarian and English."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from io import BytesIO
from zoneinfo import ZoneInfo

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

import minitelecom.web
from minitelecom.money import Money
from minitelecom.web.languages import FOLDER, accepted, day_bounds, duration, read_languages

SOFIA = ZoneInfo("Europe/Sofia")
METHODS = [("**.py", "python"), ("templates/**.html", "jinja2")]
KEYWORDS = {"mark": None, "_": None, "gettext": None, "ngettext": (1, 2)}
LANGUAGES = read_languages(SOFIA, "bg")


def messages() -> set[object]:
    found = extract_from_dir(
        minitelecom.web.__path__[0], METHODS, {"templates/**.html": {"trim_blocks": "true"}}, KEYWORDS
    )
    return {message for _, _, message, _, _ in found}


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.po")), ids=lambda path: path.stem)
def test_every_text_is_translated_and_no_translation_is_left_over(path) -> None:
    catalogue = read_po(BytesIO(path.read_bytes()), locale=path.stem)
    translated = {message.id for message in catalogue if message.id}
    assert messages() - translated == set()
    assert translated - messages() == set()
    for message in catalogue:
        if message.id:
            texts = [message.string] if isinstance(message.string, str) else message.string
            assert all(texts), message.id
            assert not list(message.check(catalogue)), message.id
            assert not message.fuzzy


def test_bulgarian_counts_one_and_many() -> None:
    ngettext = LANGUAGES["bg"].translations.ungettext
    count = [ngettext("%(num)s new user", "%(num)s new users", n) % {"num": n} for n in (1, 2, 21)]
    assert count == ["1 нов потребител", "2 нови потребители", "21 нови потребители"]


def plain(text: str) -> str:
    return re.sub(r"\s", " ", text)


@pytest.mark.parametrize(
    ("amount", "bulgarian", "english"),
    [
        ("15", "15,00 €", "€15.00"),
        ("0.019999", "0,01 €", "€0.01"),
        ("-0.001", "-0,01 €", "-€0.01"),
        ("1234.5", "1 234,50 €", "€1,234.50"),
        ("12345.5", "12 345,50 €", "€12,345.50"),
    ],
)
def test_a_balance_is_rounded_down(amount: str, bulgarian: str, english: str) -> None:
    money = Money(Decimal(amount), "EUR")
    assert plain(LANGUAGES["en"].money(money)) == english
    assert plain(LANGUAGES["bg"].money(money)) == bulgarian


def test_a_cost_has_every_digit() -> None:
    assert plain(LANGUAGES["bg"].cost(Money(Decimal("0.012345"), "EUR"))) == "0,012345 €"
    assert plain(LANGUAGES["en"].cost(Money(Decimal("0.500000"), "EUR"))) == "€0.50"
    assert plain(LANGUAGES["en"].cost(Money(Decimal(100), "EUR"))) == "€100.00"


def test_where_help_comes_from_is_said_in_each_language() -> None:
    """What a price list calls a place stays as it is."""
    for code, said in (("en", "emergency call"), ("bg", "спешно повикване")):
        places = [LANGUAGES[code].place(place) for place in ("emergency", "Germany", None)]
        assert places == [said, "Germany", ""]


def test_instants_are_shown_in_the_zone_of_the_shop() -> None:
    instant = datetime(2026, 5, 30, 21, 30, tzinfo=UTC)
    assert plain(LANGUAGES["bg"].moment(instant)) == "31.05.26 г., 0:30"
    assert LANGUAGES["en"].day(instant) == "31 May 2026"
    assert LANGUAGES["en"].today(instant) == date(2026, 5, 31)


def test_days_of_the_clock_change_have_23_and_25_hours() -> None:
    hours = [(end - begin).total_seconds() / 3600 for begin, end in map(bounds, (29, 30))]
    assert hours == [23, 24]
    begin, end = day_bounds(date(2026, 10, 25), SOFIA)
    assert (end - begin).total_seconds() == 25 * 3600


def bounds(day: int) -> tuple[datetime, datetime]:
    return day_bounds(date(2026, 3, day), SOFIA)


def test_durations() -> None:
    assert [duration(seconds) for seconds in (0, 59, 60, 3599, 3600, 36_061)] == [
        "0:00",
        "0:59",
        "1:00",
        "59:59",
        "1:00:00",
        "10:01:01",
    ]


def test_the_browsers_wish_and_the_shops_own() -> None:
    assert next(iter(LANGUAGES)) == "bg"
    wished = accepted("de-DE,de;q=0.9,en-GB;q=0.8", LANGUAGES)
    assert wished is not None
    assert wished.code == "en"
    assert accepted("de", LANGUAGES) is None
    assert next(iter(read_languages(SOFIA, "xx"))) == "en"
