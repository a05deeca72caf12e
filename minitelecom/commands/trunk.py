"""`trunk add`: the carriers."""

from argparse import ArgumentTypeError, Namespace

from minitelecom.commands.arguments import Nouns, Parser, add_command, add_noun, password_from_stdin, pattern, whole
from minitelecom.commands.errors import Mistake
from minitelecom.commands.output import say
from minitelecom.commands.shop import now, shop_of, who
from minitelecom.sip.grammar import BadSyntax
from minitelecom.sip.uri import Uri
from minitelecom.store import trunks
from minitelecom.store.trunks import Trunk


def add_to(nouns: "Nouns[Parser]") -> None:
    """The words of this noun."""
    commands = add_noun(nouns, "trunk", "the carriers that calls leave by and arrive from")
    parser = add_command(commands, "add", _add, "add a trunk, or give one other data")
    parser.add_argument("name", metavar="NAME", type=pattern(r"[A-Za-z0-9._-]{1,64}", "a name of letters and digits"))
    parser.add_argument("--uri", required=True, type=carrier_uri, metavar="sip:HOST[:PORT]")
    parser.add_argument("--user", metavar="U", type=pattern(r"\S{1,128}", "a user name"))
    parser.add_argument("--password-stdin", action="store_true", help="its password is read from standard input")
    parser.add_argument("--register", action="store_true", help="register there, so that calls can arrive")
    prefix = pattern(r"[0-9]{0,20}", "the first digits of numbers, country code first")
    parser.add_argument("--match", default="", type=prefix, metavar="PREFIX", help="numbers with this prefix go by it")
    parser.add_argument(
        "--strip", default=0, type=whole(0, 20), metavar="N", help="so many digits are taken off a number's front"
    )
    parser.add_argument(
        "--add",
        default="",
        type=pattern(r"[0-9+*#]{0,20}", "digits"),
        metavar="DIGITS",
        help="these are put there instead",
    )
    parser.add_argument("--priority", default=0, type=whole(-1000, 1000), metavar="N", help="the lowest is tried first")


def carrier_uri(text: str) -> str:
    """sip:HOST[:PORT] and no more."""
    try:
        uri = Uri.parse(text)
    except BadSyntax:
        uri = None
    if uri is None or uri.scheme != "sip" or not uri.host or uri.port == 0 or uri.user or uri.parameters or uri.headers:
        raise ArgumentTypeError(f"expected sip:HOST or sip:HOST:PORT, not {text!r}")
    return text


def _add(arguments: Namespace) -> int:
    if (arguments.password_stdin or arguments.register) and arguments.user is None:
        raise Mistake("a carrier that asks for a password or a registration knows us by a name: --user")
    trunk = Trunk(
        name=arguments.name,
        uri=arguments.uri,
        username=arguments.user,
        password=password_from_stdin() if arguments.password_stdin else None,
        register=arguments.register,
        match=arguments.match,
        strip=arguments.strip,
        add=arguments.add,
        priority=arguments.priority,
    )
    with shop_of(arguments) as shop:
        known = {one.name for one in shop.do(trunks.all_trunks(shop.database, shop.secrets))}
        shop.do(trunks.add(shop.database, shop.secrets, trunk, operator=who(), instant=now()))
    return say(f"trunk {trunk.name} is {'changed' if trunk.name in known else 'added'}")
