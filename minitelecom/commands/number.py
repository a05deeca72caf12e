"""`number add`, `number list`, `number remove`: what a number that carriers deliver to us leads to."""

from argparse import ArgumentTypeError, Namespace

from minitelecom.commands.arguments import Nouns, Parser, add_command, add_noun
from minitelecom.commands.device_settings import found
from minitelecom.commands.errors import Mistake
from minitelecom.commands.output import say, say_json, say_table
from minitelecom.commands.shop import now, shop_of, who
from minitelecom.config import DIALOGUES, Config
from minitelecom.store import numbers
from minitelecom.store.numbers import Number

LONGEST = 15  # digits, E.164


def add_to(nouns: "Nouns[Parser]") -> None:
    """The words of this noun."""
    commands = add_noun(nouns, "number", "numbers that carriers deliver to us")
    parser = _about_one(add_command(commands, "add", _add, "lead a number to a telephone or to a dialogue"))
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--device", metavar="NAME", help="the telephone that rings")
    where.add_argument("--dialogue", choices=DIALOGUES, help="the dialogue that answers")
    parser.add_argument("--language", metavar="CODE", help="of the dialogue; without it the caller chooses")
    parser = add_command(commands, "list", _list, "list the numbers, with those of the configuration")
    parser.add_argument("--json", action="store_true")
    _about_one(add_command(commands, "remove", _remove, "remove a number"))


def _about_one(parser: Parser) -> Parser:
    parser.add_argument("number", metavar="NUMBER", type=_digits, help="as the carrier delivers it: 35929999999")
    return parser


def _digits(text: str) -> str:
    digits = text.removeprefix("+")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= LONGEST):
        raise ArgumentTypeError(f"expected a number such as 35929999999, not {text!r}")
    return digits


def _add(arguments: Namespace) -> int:
    with shop_of(arguments) as shop:
        if arguments.device is not None:
            found(shop, arguments.device)
        _check_language(arguments, shop.config)
        number = Number(arguments.number, arguments.device, arguments.dialogue, arguments.language)
        is_new = shop.do(numbers.add(shop.database, number, who(), now()))
    return say(f"number {number.number} {'leads' if is_new else 'now leads'} to {_where(number)}")


def _check_language(arguments: Namespace, config: Config) -> None:
    if arguments.language is None:
        return
    if arguments.dialogue is None:
        raise Mistake("only a dialogue speaks a language: --dialogue")
    if arguments.language not in config.ivr.languages:
        raise Mistake(f"expected one of [ivr] languages: {', '.join(config.ivr.languages)}")


def _where(number: Number) -> str:
    return f"telephone {number.device}" if number.device is not None else f"dialogue {number.dialogue}"


def _list(arguments: Namespace) -> int:
    with shop_of(arguments) as shop:
        stored = shop.do(numbers.all_numbers(shop.database))
    taken = {number.number for number in stored}
    configured = [
        Number(number, None, entry.dialogue, entry.language)
        for number, entry in shop.config.access.items()
        if number not in taken
    ]
    rows = sorted(
        [(number, "database") for number in stored] + [(number, "configuration") for number in configured],
        key=lambda row: row[0].number,
    )
    if arguments.json:
        return say_json(
            [
                {
                    "number": number.number,
                    "device": number.device,
                    "dialogue": number.dialogue,
                    "language": number.language,
                    "from": origin,
                }
                for number, origin in rows
            ]
        )
    return say_table(
        ["Number", "Leads to", "Language", "Kept in"],
        [(number.number, _where(number), number.language, origin) for number, origin in rows],
        nothing="no numbers yet: minitelecom number add NUMBER --device NAME",
    )


def _remove(arguments: Namespace) -> int:
    with shop_of(arguments) as shop:
        gone = shop.do(numbers.remove(shop.database, arguments.number, who(), now()))
        configured = arguments.number in shop.config.access
    if not gone:
        hint = "it stands in the configuration ([access])" if configured else "minitelecom number list"
        raise Mistake(f"there is no number {arguments.number} in the database: {hint}")
    return say(
        f"number {arguments.number} is removed" + ("; the configuration's [access] holds again" if configured else "")
    )
