"""
What a language must know to speak numbers, and the rules for any language that has no module of its own.

A grammar is two plain functions; the forms of a counted word are CLDR's plural categories, so Babel knows them for
every language.  A language whose numbers need more (gender, "and") has a module `speech_<folder>.py` with a GRAMMAR.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.util import find_spec

from babel import Locale, UnknownLocaleError

LARGEST = 999_999_999
_SCALES = ((1_000_000, "million"), (1_000, "thousand"))


@dataclass(frozen=True, slots=True)
class Grammar:
    """Ids here are those of one language's catalogue, without the folder's name."""

    number: Callable[[int, str], list[str]]
    """(0 … LARGEST, counted unit: "eur", "minute"… or "" for none) → ids."""

    form: Callable[[int], str]
    """count → the form of the counted word: "one", "few", "other"…; the unit's id is f"{unit}-{form}"."""


def plain_number(count: int, form: Callable[[int], str], joint: Sequence[str] = ()) -> list[str]:
    """
    Scale by scale: number-0 … number-99 are prompts of their own, then hundred, thousand-one, thousand-other…

    `joint` is said before what is below a hundred: one thousand *and* one.
    """
    ids: list[str] = []
    for scale, word in _SCALES:
        thousands, count = divmod(count, scale)
        if thousands:
            ids += [*plain_number(thousands, form, joint), f"{word}-{form(thousands)}"]
    hundreds, count = divmod(count, 100)
    if hundreds:
        ids += [f"number-{hundreds}", "hundred"]
    if count and ids:
        ids += joint
    if count or not ids:
        ids.append(f"number-{count}")
    return ids


def general(language: str) -> Grammar:
    """For a folder of prompts without a module: CLDR's plural categories, plain numbers."""
    try:
        plural = Locale.parse(language).plural_form
    except (UnknownLocaleError, ValueError):
        plural = Locale("en").plural_form

    def form(count: int) -> str:
        return str(plural(count))

    return Grammar(number=lambda count, _unit: plain_number(count, form), form=form)


@cache
def grammar(language: str) -> Grammar:
    """By the name of the folder of prompts."""
    module = f"{__package__}.speech_{language}"
    if not language.isidentifier() or find_spec(module) is None:
        return general(language)
    found: Grammar = import_module(module).GRAMMAR
    return found
