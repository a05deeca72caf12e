"""English numbers, the British way: one hundred *and* one, one thousand *and* one."""

from minitelecom.ivr.grammar import Grammar, plain_number


def form(count: int) -> str:
    return "one" if count == 1 else "other"


def number(count: int, _unit: str) -> list[str]:
    ids = plain_number(count, form)
    if count > 100 and count % 100:
        ids.insert(-1, "and")
    return ids


GRAMMAR = Grammar(number=number, form=form)
