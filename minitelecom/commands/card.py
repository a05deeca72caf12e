"""`card add`, `card show`, `card recharge`, `card set`: prepaid cards."""

import uuid
from argparse import Namespace
from random import SystemRandom

from minitelecom.commands.arguments import Nouns, Parser, add_command, add_noun, minor_units, pattern, whole
from minitelecom.commands.errors import Mistake
from minitelecom.commands.output import amount_text, instant_text, local_time, say, say_facts, say_json, say_table
from minitelecom.commands.shop import Shop, now, shop_of, who
from minitelecom.money import Money
from minitelecom.store import cards, ledger
from minitelecom.store.cards import Card

ACTIVATIONS = ("first-use", "later", "now")
STATUSES = ("enabled", "disabled")


def add_to(nouns: "Nouns[Parser]") -> None:
    """The words of this noun."""
    commands = add_noun(nouns, "card", "prepaid cards")
    parser = add_command(commands, "add", _add, "make new cards and print their numbers and passwords")
    parser.add_argument("--count", required=True, type=whole(1, cards.MOST_CARDS, "a number of cards"), metavar="N")
    parser.add_argument("--amount", required=True, type=minor_units(0), metavar="MINOR", help="1500 is 15.00")
    parser.add_argument("--activate", required=True, choices=ACTIVATIONS)
    parser.add_argument("--json", action="store_true")
    parser = _about_one(add_command(commands, "show", _show, "show a card"))
    parser.add_argument("--json", action="store_true")
    parser = _about_one(add_command(commands, "recharge", _recharge, "add money to a card"))
    parser.add_argument("--amount", required=True, type=minor_units(1), metavar="MINOR", help="1500 is 15.00")
    parser = _about_one(add_command(commands, "set", _set, "enable or disable a card"))
    parser.add_argument("--status", required=True, choices=STATUSES)


def _about_one(parser: Parser) -> Parser:
    parser.add_argument("number", metavar="NUMBER", type=pattern(r"[0-9]{1,20}", "a card's number"))
    return parser


def _add(arguments: Namespace) -> int:
    with shop_of(arguments) as shop:
        config = shop.config
        group, made = shop.do(
            cards.add_group(
                shop.database,
                arguments.count,
                Money.from_minor(arguments.amount, config.currency),
                arguments.activate,
                who(),
                now(),
                shop.secrets,
                SystemRandom(),
                zone=config.zone,
            )
        )
    if arguments.json:
        return say_json([{"number": card.number, "password": card.password, "group": group} for card in made])
    return say_table(["Number", "Password"], [(card.number, card.password) for card in made], nothing="")


def found(shop: Shop, number: str) -> Card:
    """The card of this number, or a Mistake."""
    card = shop.do(cards.find(shop.database, number, now()))
    if card is None:
        raise Mistake(f"there is no card {number}")
    return card


def _show(arguments: Namespace) -> int:
    with shop_of(arguments) as shop:
        card = found(shop, arguments.number)
    if arguments.json:
        return say_json(
            {
                "number": card.number,
                "status": card.status,
                "balance": amount_text(card.balance),
                "reserved": amount_text(card.reserved),
                "currency": card.currency,
                "activated": instant_text(card.activated),
                "valid_until": instant_text(card.valid_until),
                "last_recharge": instant_text(card.last_recharge),
            }
        )
    zone = shop.config.zone
    return say_facts(
        [
            ("Number", card.number),
            ("Status", card.status),
            ("Balance", card.balance),
            ("Reserved", "" if card.reserved.is_zero else card.reserved),
            ("Activated", local_time(card.activated, zone) or "not yet"),
            ("Valid until", local_time(card.valid_until, zone)),
            ("Last recharge", local_time(card.last_recharge, zone)),
        ]
    )


def _recharge(arguments: Namespace) -> int:
    key = f"recharge:{uuid.uuid4()}"
    with shop_of(arguments) as shop:
        amount = Money.from_minor(arguments.amount, shop.config.currency)
        done = shop.do(ledger.recharge(shop.database, arguments.number, amount, key, who(), now()))
    return say(f"{arguments.number} was recharged with {amount} and has {done.balance_after}")


def _set(arguments: Namespace) -> int:
    with shop_of(arguments) as shop:
        found(shop, arguments.number)
        shop.do(cards.set_status(shop.database, arguments.number, arguments.status, who(), now()))
        status = found(shop, arguments.number).status
    return say(f"{arguments.number} is {status}")
