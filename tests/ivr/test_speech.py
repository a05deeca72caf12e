"""Numbers, money and time as a Bulgarian and an English ear expect them, compared by the catalogue's own texts."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minitelecom.ivr.caller import Digits, Duration, In
from minitelecom.ivr.grammar import LARGEST, general, grammar, plain_number
from minitelecom.ivr.speech import say
from minitelecom.money import MINOR_DIGITS, Money
from tests.ivr.world import CATALOGUE, spoken


def number(language: str, count: int, unit: str = "") -> str:
    return " ".join(CATALOGUE.text(f"{language}/{id_}") for id_ in grammar(language).number(count, unit))


@pytest.mark.parametrize(
    ("count", "bulgarian", "english"),
    [
        (0, "нула", "zero"),
        (1, "едно", "one"),
        (2, "две", "two"),
        (10, "десет", "ten"),
        (11, "единадесет", "eleven"),
        (12, "дванадесет", "twelve"),
        (20, "двадесет", "twenty"),
        (21, "двадесет и едно", "twenty-one"),
        (99, "деветдесет и девет", "ninety-nine"),
        (100, "сто", "one hundred"),
        (101, "сто и едно", "one hundred and one"),
        (112, "сто и дванадесет", "one hundred and twelve"),
        (120, "сто и двадесет", "one hundred and twenty"),
        (121, "сто двадесет и едно", "one hundred and twenty-one"),
        (200, "двеста", "two hundred"),
        (999, "деветстотин деветдесет и девет", "nine hundred and ninety-nine"),
        (1000, "хиляда", "one thousand"),
        (1001, "хиляда и едно", "one thousand and one"),
        (1021, "хиляда двадесет и едно", "one thousand and twenty-one"),
        (1100, "хиляда и сто", "one thousand one hundred"),
        (1120, "хиляда сто и двадесет", "one thousand one hundred and twenty"),
        (2002, "две хиляди и две", "two thousand and two"),
        (21_000, "двадесет и една хиляди", "twenty-one thousand"),
        (101_300, "сто и една хиляди и триста", "one hundred and one thousand three hundred"),
        (1_000_000, "един милион", "one million"),
        (2_000_001, "два милиона и едно", "two million and one"),
    ],
)
def test_numbers(count, bulgarian, english):
    assert (number("bg", count), number("en", count)) == (bulgarian, english)


@pytest.mark.parametrize(
    ("amount", "bulgarian", "english"),
    [
        ("0 EUR", "нула евро", "zero euros"),
        ("1 EUR", "едно евро", "one euro"),
        ("2 EUR", "две евро", "two euros"),
        ("11 EUR", "единадесет евро", "eleven euros"),
        ("12 EUR", "дванадесет евро", "twelve euros"),
        ("21 EUR", "двадесет и едно евро", "twenty-one euros"),
        ("100 EUR", "сто евро", "one hundred euros"),
        ("101 EUR", "сто и едно евро", "one hundred and one euros"),
        ("1001 EUR", "хиляда и едно евро", "one thousand and one euros"),
        ("0.01 EUR", "един цент", "one cent"),
        ("0.02 EUR", "два цента", "two cents"),
        ("0.21 EUR", "двадесет и един цента", "twenty-one cents"),
        ("12.50 EUR", "дванадесет евро и петдесет цента", "twelve euros and fifty cents"),
        ("1 BGN", "един лев", "one lev"),
        ("2 BGN", "два лева", "two leva"),
        ("21 BGN", "двадесет и един лева", "twenty-one leva"),
        ("101.01 BGN", "сто и един лева и една стотинка", "one hundred and one leva and one stotinka"),
        (
            "1002.22 BGN",
            "хиляда и два лева и двадесет и две стотинки",
            "one thousand and two leva and twenty-two stotinki",
        ),
        ("1.02 USD", "един долар и два цента", "one dollar and two cents"),
        ("2.01 GBP", "два паунда и един пенс", "two pounds and one penny"),
        ("-1.50 EUR", "минус едно евро и петдесет цента", "minus one euro and fifty cents"),
        ("12.50 CHF", "дванадесет цяло и пет нула парични единици", "twelve point five zero currency units"),
        ("1 CHF", "една парична единица", "one currency unit"),
        ("2 JPY", "две парични единици", "two currency units"),
        ("1.005 KWD", "едно цяло и нула нула пет парични единици", "one point zero zero five currency units"),
    ],
)
def test_money(amount, bulgarian, english):
    digits, currency = amount.split()
    money = Money(Decimal(digits), currency)
    assert (spoken("bg", money), spoken("en", money)) == (bulgarian, english)


def test_money_is_rounded_down_to_the_minor_unit():
    """Nobody hears a cent that is not there."""
    assert spoken("en", Money(Decimal("1.019999"), "EUR")) == "one euro and one cent"
    assert spoken("en", Money(Decimal("0.009999"), "EUR")) == "zero euros"


@pytest.mark.parametrize(
    ("seconds", "bulgarian", "english"),
    [
        (0, "нула секунди", "zero seconds"),
        (1, "една секунда", "one second"),
        (2, "две секунди", "two seconds"),
        (59, "петдесет и девет секунди", "fifty-nine seconds"),
        (60, "една минута", "one minute"),
        (119, "една минута", "one minute"),
        (120, "две минути", "two minutes"),
        (21 * 60 + 5, "двадесет и една минути", "twenty-one minutes"),
        (3600, "един час", "one hour"),
        (2 * 3600, "два часа", "two hours"),
        (3660, "един час и една минута", "one hour and one minute"),
        (21 * 3600 + 12 * 60, "двадесет и един часа и дванадесет минути", "twenty-one hours and twelve minutes"),
        (101 * 3600, "сто и един часа", "one hundred and one hours"),
    ],
)
def test_durations(seconds, bulgarian, english):
    assert (spoken("bg", Duration(seconds)), spoken("en", Duration(seconds))) == (bulgarian, english)


def test_digits_one_by_one():
    assert spoken("en", Digits("+0888*#")) == "plus zero eight eight eight star hash"
    assert spoken("bg", Digits("12")) == "едно две"


def test_another_language_for_one_prompt():
    """The choice of language is offered in each of them."""
    assert say("bg", In("en", "press-for-language")) == ["en/press-for-language"]
    assert say("bg", In("en", Digits("2"))) == ["en/number-2"]


@given(count=st.integers(0, LARGEST), language=st.sampled_from(CATALOGUE.languages))
def test_whatever_the_number_there_are_prompts_for_it(count, language):
    for unit in ("", "eur", "eur-minor", "bgn", "bgn-minor", "minute"):
        assert number(language, count, unit)


@given(
    minor=st.integers(-(10**9), 10**13),
    currency=st.sampled_from(sorted(MINOR_DIGITS)),
    language=st.sampled_from(CATALOGUE.languages),
)
def test_whatever_the_amount_there_are_prompts_for_it(minor, currency, language):
    assert spoken(language, Money.from_minor(minor, currency))


@given(seconds=st.integers(-1, 10**10), language=st.sampled_from(CATALOGUE.languages))
def test_whatever_the_time_there_are_prompts_for_it(seconds, language):
    assert spoken(language, Duration(seconds))


@given(st.integers(0, 9999), st.integers(0, 9999), st.sampled_from(["bg", "en"]))
def test_two_numbers_never_sound_alike(one, other, language):
    assert (number(language, one) == number(language, other)) == (one == other)


def test_a_language_without_a_module_speaks_by_general_rules():
    """Russian counts in three forms; CLDR knows them."""
    russian = grammar("ru")
    assert [russian.form(count) for count in (1, 2, 5, 21, 22, 25)] == ["one", "few", "many", "one", "few", "many"]
    assert russian.number(21_105, "minute") == ["number-21", "thousand-one", "number-1", "hundred", "number-5"]
    assert say("ru", Duration(22 * 60)) == ["ru/number-22", "ru/minute-few"]


def test_a_folder_that_is_no_known_language_counts_as_english_does():
    house = general("our-voice")
    assert [house.form(1), house.form(2)] == ["one", "other"]
    assert plain_number(0, house.form) == ["number-0"]
    assert grammar("../etc").form(1) == "one"
