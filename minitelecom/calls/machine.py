"""
An automat machine as legs use it.

Automat looks for an arrow by comparing with each in turn; a leg has seventy, and a call follows ten. What it found once is
remembered here, for all legs of a kind: the arrows of a machine that is built do not change.
"""

from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

from automat import TypeMachine, TypeMachineBuilder

Inputs = TypeVar("Inputs")
Core = TypeVar("Core")


def built(builder: "TypeMachineBuilder[Inputs, Core]") -> "TypeMachine[Inputs, Core]":
    """The machine that the builder describes."""
    machine = builder.build()
    automaton = machine.__automat_automaton__
    automaton.outputForInput = cache(automaton.outputForInput)  # type: ignore[method-assign]
    return machine


class Closed:
    """
    What a leg has instead of its machine once that is closed: whatever happens changes nothing. A machine holds its leg; a
    leg that held its machine for ever would be garbage for the collector alone.
    """

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *_: None


CLOSED: Any = Closed()
