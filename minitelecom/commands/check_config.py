"""`check-config`: whether a configuration is right, before the daemon is started with it."""

from argparse import Namespace
from pathlib import Path

from minitelecom import config
from minitelecom.commands.arguments import Nouns, Parser, add_command
from minitelecom.commands.errors import Mistake
from minitelecom.commands.output import say


def add_to(nouns: "Nouns[Parser]") -> None:
    """The words of this noun."""
    parser = add_command(nouns, "check-config", _check, "say whether a configuration is right")
    parser.add_argument("file", metavar="FILE", type=Path, nargs="?")


def _check(arguments: Namespace) -> int:
    path = config.find(arguments.file or arguments.config)
    if path is None:
        raise Mistake(f"there is no {config.SYSTEM_FILE}: name a file")
    config.load(path)
    return say(f"{path} is right")
