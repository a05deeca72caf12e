"""What a workload prints: a line a figure, with its target and how much of it is used."""

from collections.abc import Sequence
from typing import NamedTuple


class Figure(NamedTuple):
    """Something measured; ``most`` is the target, where there is one."""

    name: str
    measured: float
    unit: str
    most: float | None = None


def show(title: str, figures: Sequence[Figure]) -> None:
    """Print the table."""
    print(f"\n{title}")
    print(f"  {'':<44}{'measured':>12}  {'':<6}{'at most':>9}{'ratio':>8}")
    for name, measured, unit, most in figures:
        target = "" if most is None else f"{most:>9g}{_ratio(measured, most):>8}"
        print(f"  {name:<44}{_number(measured):>12}  {unit:<6}{target}".rstrip())


def _number(measured: float) -> str:
    return f"{measured:,}" if isinstance(measured, int) else f"{measured:,.2f}"


def _ratio(measured: float, most: float) -> str:
    if most:
        return f"{measured / most:.2f}"
    return "met" if not measured else "missed"
