"""
What a prompt sounds like: a list of wav ids ("bg/your-balance-is").  Pure; the languages' rules are in grammar.py.

Money is rounded down to the minor unit: nobody hears more than is there.
"""

from minitelecom.ivr.caller import Digits, Duration, In, Prompt
from minitelecom.ivr.grammar import LARGEST, Grammar, grammar
from minitelecom.money import Money, minor_digits

# Currencies with words of their own: <code>-one, <code>-other, <code>-minor-one…  Others are said neutrally.
CURRENCIES = frozenset({"EUR", "BGN", "USD", "GBP"})
_KEY_NAMES = {"*": "star", "#": "hash", "+": "plus"}


def say(language: str, prompt: Prompt) -> list[str]:
    """The wav ids of one prompt, each with the folder of its language."""
    if isinstance(prompt, In):
        return say(prompt.language, prompt.prompt)
    return [f"{language}/{id_}" for id_ in _ids(grammar(language), prompt)]


def _ids(rules: Grammar, prompt: str | Money | Duration | Digits) -> list[str]:
    match prompt:
        case str():
            return [prompt]
        case Money():
            return money(rules, prompt)
        case Duration():
            return duration(rules, prompt.seconds)
        case Digits():
            return [_KEY_NAMES.get(key, f"number-{key}") for key in prompt.keys if key in "0123456789*#+"]


def counted(rules: Grammar, count: int, unit: str) -> list[str]:
    """A number and its unit: двадесет и една минути."""
    return [*rules.number(min(count, LARGEST), unit), f"{unit}-{rules.form(count)}"]


def duration(rules: Grammar, seconds: int) -> list[str]:
    """Hours and minutes; seconds only below a minute."""
    if seconds < 60:
        return counted(rules, max(seconds, 0), "second")
    hours, minutes = divmod(seconds // 60, 60)
    parts = [counted(rules, count, unit) for count, unit in ((hours, "hour"), (minutes, "minute")) if count]
    return _joined(parts)


def money(rules: Grammar, amount: Money) -> list[str]:
    units = amount.minor_down()
    ids = ["minus"] if units < 0 else []
    digits = minor_digits(amount.currency)
    major, minor = divmod(abs(units), 10**digits)
    if amount.currency not in CURRENCIES:
        return ids + _neutral(rules, major, f"{minor:0{digits}}" if minor else "")
    unit = amount.currency.lower()
    parts = [counted(rules, major, unit)] if major or not minor else []
    if minor:
        parts.append(counted(rules, minor, f"{unit}-minor"))
    return ids + _joined(parts)


def _neutral(rules: Grammar, major: int, decimals: str) -> list[str]:
    """Twelve point five zero currency units."""
    if not decimals:
        return counted(rules, major, "currency")
    point = [*rules.number(min(major, LARGEST), ""), "point", *(f"number-{digit}" for digit in decimals)]
    return [*point, "currency-other"]


def _joined(parts: list[list[str]]) -> list[str]:
    first, *rest = parts
    return [*first, *(id_ for part in rest for id_ in ("and", *part))]
