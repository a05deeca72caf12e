"""The command line as argparse sees it: values with sentences for those who mistype them, and errors of one line."""

import argparse
import re
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from minitelecom.commands.errors import Mistake

Command = Callable[[argparse.Namespace], int]
"""Does what was asked for; the exit status."""

USAGE = 2
MOST_MINOR_UNITS = 10**12


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, and never guesses at half an option."""

    def __init__(self, **options: object) -> None:
        super().__init__(**{"allow_abbrev": False, **options})  # type: ignore[arg-type]

    def error(self, message: str) -> NoReturn:
        self.exit(USAGE, f"{self.prog}: {message} (see {self.prog} --help)\n")


Nouns = argparse._SubParsersAction  # noqa: SLF001 - argparse has no public name for it


def with_config() -> Parser:
    """The option that every command takes, before its name or after it."""
    parent = Parser(add_help=False)
    parent.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        default=argparse.SUPPRESS,
        help="the configuration (otherwise $MINITELECOM_CONFIG, otherwise /etc/minitelecom.toml)",
    )
    return parent


def add_command(nouns: "Nouns[Parser]", name: str, command: Command, help_: str) -> Parser:
    """A word that does something."""
    parser = nouns.add_parser(name, help=help_, description=_sentence(help_), parents=[with_config()])
    parser.set_defaults(command=command)
    return parser


def add_noun(nouns: "Nouns[Parser]", name: str, help_: str) -> "Nouns[Parser]":
    """A word with others behind it."""
    parser = nouns.add_parser(name, help=help_, description=_sentence(help_), parents=[with_config()])
    return parser.add_subparsers(required=True, metavar="COMMAND")


def _sentence(help_: str) -> str:
    return help_[0].upper() + help_[1:] + "."


# Values.


def pattern(regular: str, expected: str) -> Callable[[str], str]:
    """A reader of words that look like this."""

    def read(text: str) -> str:
        if not re.fullmatch(regular, text, re.ASCII) or not text.isprintable():
            raise argparse.ArgumentTypeError(f"expected {expected}, not {text!r}")
        return text

    return read


def whole(least: int, most: int, what: str = "a whole number") -> Callable[[str], int]:
    """A reader of whole numbers."""

    def read(text: str) -> int:
        if not re.fullmatch(r"-?[0-9]{1,15}", text, re.ASCII) or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"expected {what} from {least} to {most}, not {text!r}")
        return int(text)

    return read


def minor_units(least: int) -> Callable[[str], int]:
    """A reader of amounts."""
    return whole(least, MOST_MINOR_UNITS, "an amount in the minor unit (1500 is 15.00)")


def password_from_stdin(arguments: argparse.Namespace) -> str:
    """The first line of standard input."""
    try:
        password: str = arguments.stdin.readline().rstrip("\r\n")
        password.encode()
    except UnicodeError:
        raise Mistake("the password on standard input is not UTF-8 text") from None
    if not password:
        raise Mistake("standard input holds no password")
    return password
