"""Reading what was typed into a form: a value, or a sentence that says what is expected."""

from dataclasses import dataclass, field
from datetime import date
from typing import TypeVar

from minitelecom.web.languages import mark
from minitelecom.web.visit import Visit

Choice = TypeVar("Choice", bound=str)


@dataclass
class Form:
    """The fields of one form: what was typed is kept, so that a failed form comes back as it was."""

    visit: Visit
    errors: dict[str, str] = field(default_factory=dict)

    def typed(self, name: str) -> str:
        return self.visit.field(name)

    def fail(self, name: str, message: str, **values: object) -> None:
        """Puts a sentence under a field; the first one stays."""
        text = self.visit.language.text(message)
        self.errors.setdefault(name, text % values if values else text)

    def whole(self, name: str, least: int, most: int) -> int:
        """A whole number; blanks that group its digits are let through."""
        typed = "".join(self.typed(name).split())
        if not (typed.isascii() and typed.isdecimal() and len(typed) <= 18 and least <= int(typed) <= most):
            number = self.visit.language.number
            self.fail(name, mark("A whole number from %(least)s to %(most)s."), least=number(least), most=number(most))
            return least
        return int(typed)

    def choice(self, name: str, choices: tuple[Choice, ...]) -> Choice:
        for choice in choices:
            if choice == self.typed(name):
                return choice
        self.fail(name, mark("Choose one of these."))
        return choices[0]

    def day(self, name: str, otherwise: date) -> date:
        if not self.typed(name):
            return otherwise
        try:
            day = date.fromisoformat(self.typed(name))
        except ValueError:
            day = date.min
        if not 2000 <= day.year <= 2199:
            self.fail(name, mark("A date, like 2026-05-31."))
            return otherwise
        return day

    def number(self, name: str) -> str:
        """A card's or a telephone's number without the blanks and dashes people put into it; may be empty."""
        return "".join(letter for letter in self.typed(name) if letter not in " -()./\u00a0")
