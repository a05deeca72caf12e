"""The command line: words to the command they mean, and whatever goes wrong there to one line and an exit status."""

import os
import sys
from argparse import Namespace
from collections.abc import Callable, Sequence
from io import TextIOWrapper
from typing import TextIO

from minitelecom.commands import (
    ban,
    calls,
    card,
    check_config,
    device,
    doctor,
    exchange,
    hold,
    ladder,
    limit,
    number,
    prices,
    status,
    trunk,
    user,
)
from minitelecom.commands.arguments import Nouns, Parser, with_config
from minitelecom.commands.errors import EXPECTED, sentence

Adder = Callable[["Nouns[Parser]"], None]

NOUNS: tuple[Adder, ...] = (
    user.add_to,
    card.add_to,
    device.add_to,
    trunk.add_to,
    number.add_to,
    prices.add_to,
    exchange.add_to,
    calls.add_to,
    ladder.add_to,
    limit.add_to,
    hold.add_to,
    ban.add_to,
    status.add_to,
    doctor.add_to,
    check_config.add_to,
)

FAILED = 1
INTERRUPTED = 130


def parser_of(others: Sequence[Adder] = ()) -> Parser:
    """Every command; `others` are those that run something."""
    parser = Parser(
        prog="minitelecom",
        description="MiniTelecom, a softswitch and billing daemon for call shops and calling cards.",
        parents=[with_config()],
    )
    parser.set_defaults(config=None)
    nouns = parser.add_subparsers(required=True, metavar="COMMAND", title="commands")
    for add in (*others, *NOUNS):
        add(nouns)
    return parser


def main(arguments: Sequence[str], others: Sequence[Adder] = (), stdin: TextIO = sys.stdin) -> int:
    """Do what the arguments say; the exit status.  A password is read from `stdin`."""
    if isinstance(sys.stdout, TextIOWrapper):  # a letter that the shell's encoding has not is no failure
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        namespace = parser_of(others).parse_args(arguments, Namespace(stdin=stdin))
        status: int = namespace.command(namespace)
        sys.stdout.flush()
    except SystemExit as left:  # argparse's way to say that it has said everything
        return left.code if isinstance(left.code, int) else FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # whoever read our output has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except EXPECTED as error:
        print(f"minitelecom: {sentence(error)}", file=sys.stderr)
        return FAILED
    return status
