"""`exchange set`, `exchange list`: what the currencies of carriers are worth."""

from argparse import ArgumentTypeError, Namespace
from decimal import Decimal

from minitelecom.commands.arguments import Nouns, Parser, add_command, add_noun, pattern
from minitelecom.commands.errors import Mistake
from minitelecom.commands.output import instant_text, local_time, say, say_json, say_table
from minitelecom.commands.shop import now, shop_of, who
from minitelecom.money import MINOR_DIGITS
from minitelecom.rating.exchange import FIXED
from minitelecom.store import exchange_rates

PLACES = 10


def add_to(nouns: "Nouns[Parser]") -> None:
    """The words of this noun."""
    commands = add_noun(nouns, "exchange", "what other currencies are worth")
    parser = add_command(commands, "set", _set, "a currency is worth so much of the house's from now on")
    parser.add_argument("currency", metavar="CURRENCY", type=_currency, help="such as USD")
    parser.add_argument("rate", metavar="RATE", type=_rate, help="units of the house's currency for one of it: 0.92")
    parser = add_command(commands, "list", _list, "list what is known")
    parser.add_argument("--json", action="store_true")


def _currency(text: str) -> str:
    if text not in MINOR_DIGITS:
        raise ArgumentTypeError(f"expected a currency code of ISO 4217 such as USD, not {text!r}")
    return text


def _rate(text: str) -> Decimal:
    rate = Decimal(pattern(rf"[0-9]{{1,9}}(\.[0-9]{{1,{PLACES}}})?", "a rate such as 0.92")(text))
    if not rate:
        raise ArgumentTypeError("a currency that is worth nothing buys nothing")
    return rate


def _set(arguments: Namespace) -> int:
    currency = arguments.currency
    with shop_of(arguments) as shop:
        house = shop.config.currency
        if currency == house:
            raise Mistake(f"{house} is the house's own currency")
        if (house, currency) in FIXED:
            raise Mistake(f"the rate of {currency} in {house} is fixed by law")
        shop.do(exchange_rates.add(shop.database, house, currency, arguments.rate, who(), now()))
    return say(f"one {currency} is {arguments.rate:f} {house} from now on")


def _list(arguments: Namespace) -> int:
    with shop_of(arguments) as shop:
        known = shop.do(exchange_rates.at(shop.database, shop.config.currency, now()))
    if arguments.json:
        return say_json(
            [
                {
                    "currency": one.currency,
                    "rate": f"{one.rate.normalize():f}",
                    "valid_from": instant_text(one.valid_from),
                    "operator": one.operator,
                }
                for one in known
            ]
        )
    return say_table(
        ["Currency", shop.config.currency, "Since", "Set by"],
        [
            (one.currency, f"{one.rate.normalize():f}", local_time(one.valid_from, shop.config.zone), one.operator)
            for one in known
        ],
        nothing="no exchange rates yet: minitelecom exchange set USD 0.92",
        right=shop.config.currency,
    )
