"""`user add`: those who work with Web CashManager."""

import getpass
from argparse import Namespace

from minitelecom.commands.arguments import Nouns, Parser, add_command, add_noun, password_from_stdin, pattern
from minitelecom.commands.errors import Mistake
from minitelecom.commands.output import say
from minitelecom.commands.shop import now, shop_of, who
from minitelecom.store import operators
from minitelecom.store.operators import Role
from minitelecom.web.passwords import LONGEST_PASSWORD, SHORTEST_PASSWORD, hash_password

ROLES: dict[str, Role] = {"admin": "administrator", "operator": "operator"}


def add_to(nouns: "Nouns[Parser]") -> None:
    """The words of this noun."""
    commands = add_noun(nouns, "user", "who may log in to the web pages")
    parser = add_command(
        commands, "add", _add, "add a user, or give one another role and password; it is asked for, or read from stdin"
    )
    parser.add_argument("name", metavar="NAME", type=pattern(r"[^\s\x00-\x1f]{1,64}", "a name without spaces"))
    parser.add_argument("--role", required=True, choices=ROLES)


def _add(arguments: Namespace) -> int:
    password = _password(arguments)
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise Mistake(f"a password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters")
    role = ROLES[arguments.role]
    with shop_of(arguments) as shop:
        known = shop.do(operators.find(shop.database, arguments.name))
        shop.do(operators.add(shop.database, arguments.name, role, hash_password(password), now(), by=who()))
    return say(f"{arguments.name} is {'now' if known else 'a new'} {role}" + (", with a new password" if known else ""))


def _password(arguments: Namespace) -> str:
    if not arguments.stdin.isatty():
        return password_from_stdin(arguments)
    password = getpass.getpass(f"Password of {arguments.name}: ")
    if getpass.getpass("Once more: ") != password:
        raise Mistake("the two passwords are not the same")
    return password
