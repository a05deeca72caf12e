"""English numbers, the British way: one hundred *and* one, one thousand *and* one."""

from minitelecom.ivr.grammar import Grammar, plain_number


def form(count: int) -> str:
    return "one" if count == 1 else "other"


def number(count: int, _unit: str) -> list[str]:
    return plain_number(count, form, ["and"])


GRAMMAR = Grammar(number=number, form=form)
