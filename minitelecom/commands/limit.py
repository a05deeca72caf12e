"""`limit set`, `limit list`: what an account may do at once, in a minute and in an hour."""

from argparse import Namespace
from dataclasses import replace

from minitelecom.commands import card
from minitelecom.commands.arguments import Nouns, Parser, add_command, add_noun, minor_units, pattern, whole
from minitelecom.commands.errors import Mistake
from minitelecom.commands.output import amount_text, say, say_json, say_table
from minitelecom.commands.shop import now, shop_of, who
from minitelecom.money import Money
from minitelecom.store import limits
from minitelecom.store.limits import Limits

MOST_CALLS = 100_000


def add_to(nouns: "Nouns[Parser]") -> None:
    """The words of this noun."""
    commands = add_noun(nouns, "limit", "what an account may do at once, in a minute and in an hour")
    parser = add_command(commands, "list", _list, "list the limits of everybody, and of accounts with their own")
    parser.add_argument("--json", action="store_true")
    parser = add_command(commands, "set", _set, "set limits; those not named stay, 0 is no limit")
    whose = parser.add_mutually_exclusive_group(required=True)
    whose.add_argument("--everybody", action="store_true", help="of every account that has none of its own")
    whose.add_argument("--account", metavar="NUMBER", type=pattern(r"[0-9]{1,20}", "a card's number"))
    parser.add_argument("--calls-at-once", type=whole(0, MOST_CALLS), metavar="N")
    parser.add_argument("--calls-a-minute", type=whole(0, MOST_CALLS), metavar="N", help="calls that may begin")
    parser.add_argument("--price-a-minute", type=minor_units(0), metavar="MINOR", help="dearer numbers are not called")
    parser.add_argument(
        "--money-an-hour", type=minor_units(0), metavar="MINOR", help="what calls begun within an hour may cost"
    )
    parser.add_argument(
        "--hold-first-calls",
        choices=("yes", "no"),
        help="the first call of a month to a destination waits to be released (minitelecom hold)",
    )


def _set(arguments: Namespace) -> int:
    with shop_of(arguments) as shop:
        currency = shop.config.currency
        price, money, first = arguments.price_a_minute, arguments.money_an_hour, arguments.hold_first_calls
        told = {
            "calls_at_once": arguments.calls_at_once,
            "calls_a_minute": arguments.calls_a_minute,
            "price_a_minute": None if price is None else Money.from_minor(price, currency),
            "money_an_hour": None if money is None else Money.from_minor(money, currency),
            "first_calls_held": None if first is None else first == "yes",
        }
        if all(value is None for value in told.values()):
            raise Mistake("expected a limit, such as --calls-at-once 2")
        account_id = None if arguments.everybody else card.found(shop, arguments.account).account_id
        known = {of: one for _, of, one in shop.do(limits.all_limits(shop.database, currency))}
        changed = {name: value for name, value in told.items() if value is not None}
        after = replace(known.get(account_id, Limits()), **changed)
        shop.do(limits.put(shop.database, account_id, after, who(), now()))
    return say(f"the limits of {arguments.account or 'everybody'} are set")


def _list(arguments: Namespace) -> int:
    with shop_of(arguments) as shop:
        found = shop.do(limits.all_limits(shop.database, shop.config.currency))
    if arguments.json:
        return say_json(
            [
                {
                    "account": number,
                    "calls_at_once": one.calls_at_once,
                    "calls_a_minute": one.calls_a_minute,
                    "price_a_minute": amount_text(one.price_a_minute),
                    "money_an_hour": amount_text(one.money_an_hour),
                    "first_calls_held": one.first_calls_held,
                }
                for number, _, one in found
            ]
        )
    return say_table(
        ["Account", "Calls at once", "Calls a minute", "Price a minute", "Money an hour", "First calls held"],
        [
            (
                number or "everybody",
                _shown(one.calls_at_once),
                _shown(one.calls_a_minute),
                _shown(one.price_a_minute),
                _shown(one.money_an_hour),
                {True: "yes", False: "no", None: None}[one.first_calls_held],
            )
            for number, _, one in found
        ],
        nothing="no limits yet: minitelecom limit set --everybody --calls-at-once 2",
        right="Calls at once|Calls a minute|Price a minute|Money an hour",
    )


def _shown(limit: int | Money | None) -> int | Money | str | None:
    """Nobody may take a 0 for "none at all"."""
    amount = limit.amount if isinstance(limit, Money) else limit
    return "no limit" if amount == 0 else limit
