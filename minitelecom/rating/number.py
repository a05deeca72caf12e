"""
What was dialled → the number as carriers and price lists know it: country code first, digits only (E.164 without "+").
"""

from __future__ import annotations

LONGEST = 15
"""Digits of the longest number, E.164 section 6.2.1."""

_MARKS_OF_PAPER = str.maketrans("", "", " -./()")


def normalise(
    dialled: str, country_code: str = "359", *, international_prefix: str = "00", national_prefix: str = "0"
) -> str | None:
    """
    "+49 30…" and "0049 30…" → "4930…"; national "0888…" → "359888…"; other digits as they are; None: not a number.

    A country without a national prefix gives "" for it.
    """
    digits = without_marks(dialled)
    international = digits.startswith("+")
    digits = digits.removeprefix("+")
    if not (digits.isascii() and digits.isdigit()):
        return None
    if not international:
        if international_prefix and digits.startswith(international_prefix):
            digits, international = digits.removeprefix(international_prefix), True
        elif national_prefix and digits.startswith(national_prefix):
            digits, international = country_code + digits.removeprefix(national_prefix), True
            if digits == country_code:
                return None
    if not digits or len(digits) > LONGEST or (international and digits.startswith("0")):
        return None
    return digits


def without_marks(dialled: str) -> str:
    """As a number is keyed in, whatever marks of paper it was copied with: "1-1-2 " is "112"."""
    return dialled.strip().translate(_MARKS_OF_PAPER)


def written(
    number: str,
    form: str,
    country_code: str = "359",
    *,
    international_prefix: str = "00",
    national_prefix: str = "0",
) -> str:
    """
    A number of `normalise` as others want it: "e164" as it is, "plus" +4930…, "international" 004930…; "national" as it is
    dialled in this country.
    """
    match form:
        case "plus":
            return f"+{number}"
        case "national" if number.startswith(country_code):
            return national_prefix + number.removeprefix(country_code)
        case "national" | "international":
            return international_prefix + number
    return number
