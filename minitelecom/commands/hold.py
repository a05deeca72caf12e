"""`hold list`, `hold add`, `hold release`: numbers that are not to be called until somebody releases them."""

from argparse import Namespace

from minitelecom.commands import card
from minitelecom.commands.arguments import Nouns, Parser, add_command, add_noun, pattern, whole
from minitelecom.commands.errors import Mistake
from minitelecom.commands.output import instant_text, local_time, say, say_json, say_table
from minitelecom.commands.shop import now, shop_of, who
from minitelecom.store import limits

LARGEST_ID = 10**12


def add_to(nouns: "Nouns[Parser]") -> None:
    """The words of this noun."""
    commands = add_noun(nouns, "hold", "numbers that are not to be called")
    parser = add_command(commands, "list", _list, "list the holds, the latest first")
    parser.add_argument("--json", action="store_true")
    parser = add_command(commands, "add", _add, "let nobody, or one card, call the numbers with a prefix")
    digits = pattern(r"[0-9]{1,15}", "the first digits of numbers, country code first")
    parser.add_argument("prefix", metavar="PREFIX", type=digits, help="such as 53 for Cuba")
    parser.add_argument("--account", metavar="NUMBER", type=pattern(r"[0-9]{1,20}", "a card's number"))
    parser = add_command(commands, "release", _release, "let them be called again; a first call until the month ends")
    parser.add_argument("id", metavar="ID", type=whole(1, LARGEST_ID), help="as hold list shows it")


def _list(arguments: Namespace) -> int:
    with shop_of(arguments) as shop:
        found = shop.do(limits.holds(shop.database))
    if arguments.json:
        return say_json(
            [
                {
                    "id": hold.id,
                    "account": hold.account,
                    "prefix": hold.prefix,
                    "destination": hold.destination,
                    "since": instant_text(hold.since),
                }
                for hold in found
            ]
        )
    return say_table(
        ["Id", "Account", "Numbers", "Since"],
        [
            (
                hold.id,
                hold.account or "everybody",
                f"{hold.prefix}…" if hold.prefix else f"first call to {hold.destination}",
                local_time(hold.since, shop.config.zone),
            )
            for hold in found
        ],
        nothing="nothing is held",
        right="Id",
    )


def _add(arguments: Namespace) -> int:
    with shop_of(arguments) as shop:
        account_id = None if arguments.account is None else card.found(shop, arguments.account).account_id
        is_new = shop.do(limits.hold(shop.database, account_id, arguments.prefix, who(), now()))
    if not is_new:
        raise Mistake(f"{arguments.prefix} is held already: minitelecom hold list")
    return say(f"{arguments.prefix}… is held for {arguments.account or 'everybody'}")


def _release(arguments: Namespace) -> int:
    with shop_of(arguments) as shop:
        gone = shop.do(limits.release(shop.database, arguments.id, who(), now()))
    if not gone:
        raise Mistake(f"there is no hold {arguments.id}: minitelecom hold list")
    return say(f"hold {arguments.id} is released")
