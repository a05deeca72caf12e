"""
Bulgarian numbers.

One and two have a gender, also within 21, 22, 31…: един лев, една минута, едно евро; два лева, две минути, две евро.
A single и stands before the last word: сто и едно, сто двадесет и едно, хиляда и сто, хиляда сто и двадесет.
Masculine words take the counted form after every number but one alone: двадесет и един лева.
"""

from minitelecom.ivr.grammar import Grammar

# The unit's gender; whatever is not here is neuter, as counting itself is: едно, две, три.
_GENDERS = {
    **dict.fromkeys(("bgn", "eur-minor", "usd", "usd-minor", "gbp", "gbp-minor", "hour", "million"), "m"),
    **dict.fromkeys(("bgn-minor", "minute", "second", "currency", "thousand"), "f"),
}


def form(count: int) -> str:
    return "one" if count == 1 else "other"


def number(count: int, unit: str) -> list[str]:
    millions, rest = divmod(count, 1_000_000)
    thousands, units = divmod(rest, 1_000)
    parts: list[list[str]] = []  # each but the last ends in the name of its scale
    if millions:
        parts.append([*number(millions, "million"), f"million-{form(millions)}"])
    if thousands == 1:
        parts.append(["thousand-one"])
    elif thousands:
        parts.append([*number(thousands, "thousand"), "thousand-other"])
    if units or not parts:
        parts.append(_below_thousand(units, unit))
        if len(parts) > 1 and _is_one_word(units):
            parts.insert(-1, ["and"])
    return [id_ for part in parts for id_ in part]


def _below_thousand(count: int, unit: str) -> list[str]:
    hundreds, rest = divmod(count, 100)
    ids = [f"number-{hundreds}00"] if hundreds else []
    if hundreds and rest and _is_one_word(rest):
        ids.append("and")
    if rest or not hundreds:
        ids.append(_below_hundred(rest, unit))
    return ids


def _below_hundred(count: int, unit: str) -> str:
    gender = _GENDERS.get(unit, "n")
    last = 0 if 10 <= count < 20 else count % 10
    if (last == 1 and gender in "mf") or (last == 2 and gender == "m"):
        return f"number-{count}-{gender}"
    return f"number-{count}"


def _is_one_word(count: int) -> bool:
    """Twenty-one has its own и; one hundred does for itself."""
    return count <= 20 or count % 10 == 0 if count < 100 else count % 100 == 0


GRAMMAR = Grammar(number=number, form=form)
