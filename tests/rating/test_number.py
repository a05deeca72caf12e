import pytest
from hypothesis import given
from hypothesis import strategies as st

from minitelecom.rating.number import normalise, written


@pytest.mark.parametrize(
    ("dialled", "number"),
    [
        ("+49301234567", "49301234567"),
        ("0049301234567", "49301234567"),
        ("0888123456", "359888123456"),
        ("02 987-65-43", "35929876543"),
        ("+359 (2) 987.65.43", "35929876543"),
        ("49301234567", "49301234567"),
        ("100", "100"),
        (" 112 ", "112"),
    ],
)
def test_numbers_as_people_dial_them(dialled, number):
    assert normalise(dialled) == number


@pytest.mark.parametrize(
    "dialled", ["", "+", "00", "0", "000", "+0888", "*100#", "49a", "++49", "4+9", "٣٥٩", "²", "1" * 16, "sip:49"]
)
def test_what_is_not_a_number(dialled):
    assert normalise(dialled) is None


def test_other_countries_dial_otherwise():
    assert normalise("01149301", "1", international_prefix="011", national_prefix="1") == "49301"
    assert normalise("12125551234", "1", international_prefix="011", national_prefix="1") == "12125551234"
    assert normalise("6912345678", "30", national_prefix="") == "6912345678"


@given(st.text())
def test_the_answer_is_digits_or_nothing(dialled):
    number = normalise(dialled)
    assert number is None or (number.isascii() and number.isdigit() and 1 <= len(number) <= 15)


@pytest.mark.parametrize(
    ("number", "form", "expected"),
    [
        ("359888123456", "e164", "359888123456"),
        ("359888123456", "plus", "+359888123456"),
        ("359888123456", "international", "00359888123456"),
        ("359888123456", "national", "0888123456"),
        ("49301234567", "national", "0049301234567"),
    ],
)
def test_numbers_as_carriers_want_them(number, form, expected):
    assert written(number, form) == expected


@given(
    st.from_regex(r"[1-9][0-9]{6,14}", fullmatch=True), st.sampled_from(["e164", "plus", "international", "national"])
)
def test_whoever_dials_what_was_written_means_the_same_number(number, form):
    assert normalise(written(number, form)) == number or (form == "national" and number.startswith("3590"))
