"""`ban list`, `ban add`, `ban release`: hosts that are not listened to, and names that a host is not believed to be of."""

from argparse import ArgumentTypeError, Namespace
from datetime import timedelta
from ipaddress import ip_address

from minitelecom.commands.arguments import Nouns, Parser, add_command, add_noun, whole
from minitelecom.commands.errors import Mistake
from minitelecom.commands.output import instant_text, local_time, say, say_json, say_table
from minitelecom.commands.shop import Shop, now, shop_of, who
from minitelecom.sip.admission import network_of
from minitelecom.sip.uri import Uri
from minitelecom.store import bans, bindings, devices, trunks

MOST_MINUTES = 366 * 24 * 60


def add_to(nouns: "Nouns[Parser]") -> None:
    """The words of this noun."""
    commands = add_noun(nouns, "ban", "hosts that are not listened to")
    parser = add_command(commands, "list", _list, "list the bans that are in force, the latest first")
    parser.add_argument("--json", action="store_true")
    parser = _about_one(add_command(commands, "add", _add, "do not listen to an address any more"))
    parser.add_argument(
        "--minutes", type=whole(1, MOST_MINUTES), metavar="N", help="for so long; without it until it is released"
    )
    parser = _about_one(add_command(commands, "release", _release, "listen to an address again"))
    parser.add_argument("--name", metavar="NAME", help="only believe again that it is this SIP user")


def _about_one(parser: Parser) -> Parser:
    parser.add_argument("address", metavar="ADDRESS", type=_network, help="IPv4, or IPv6, whose first 64 bits count")
    return parser


def _network(text: str) -> str:
    try:
        return network_of(str(ip_address(text.removesuffix("/64"))))
    except ValueError:
        raise ArgumentTypeError(f"expected an address such as 203.0.113.9 or 2001:db8::9, not {text!r}") from None


def _list(arguments: Namespace) -> int:
    with shop_of(arguments) as shop:
        found = shop.do(bans.in_force(shop.database, now()))
    if arguments.json:
        return say_json(
            [
                {
                    "address": ban.address,
                    "name": ban.name,
                    "reason": ban.reason,
                    "since": instant_text(ban.since),
                    "until": instant_text(ban.until),
                    "times": ban.times,
                    "proved": ban.proved,
                }
                for ban in found
            ]
        )
    zone = shop.config.zone
    return say_table(
        ["Address", "Name", "Reason", "Since", "Until", "Times"],
        [
            (
                ban.address,
                ban.name,
                ban.reason if ban.proved else f"{ban.reason} (a datagram says so)",
                local_time(ban.since, zone),
                local_time(ban.until, zone) or "released",
                ban.times,
            )
            for ban in found
        ],
        nothing="nobody is banned",
        right="Times",
    )


def _add(arguments: Namespace) -> int:
    instant = now()
    until = None if arguments.minutes is None else instant + timedelta(minutes=arguments.minutes)
    with shop_of(arguments) as shop:
        _must_not_be_ours(shop, arguments.address)
        shop.do(bans.add(shop.database, arguments.address, until, who(), instant))
    how_long = "until it is released" if arguments.minutes is None else f"for {arguments.minutes} minutes"
    return say(f"{arguments.address} is banned {how_long}")


def _must_not_be_ours(shop: Shop, address: str) -> None:
    """A carrier and a telephone that is registered are always listened to, so such a ban would hold nobody off."""
    for trunk in shop.do(trunks.all_trunks(shop.database, shop.secrets)):
        if Uri.parse(trunk.uri).host.strip("[]") == address:
            raise Mistake(f"{address} is the address of trunk {trunk.name}: minitelecom trunk --help")
    for device in shop.do(devices.all_devices(shop.database, shop.secrets)):
        if device.address is not None and device.address.partition(":")[0] == address:
            raise Mistake(f"{address} is the address of telephone {device.name}: minitelecom device remove")
    for name, registrations in shop.do(bindings.load_all(shop.database)).items():
        if any(one.expires > now() and network_of(one.source[1]) == address for one in registrations):
            raise Mistake(f"telephone {name} is registered from {address}: minitelecom device remove")


def _release(arguments: Namespace) -> int:
    with shop_of(arguments) as shop:
        gone = shop.do(bans.release(shop.database, arguments.address, arguments.name, who(), now()))
    if not gone:
        at = arguments.address if arguments.name is None else f"{arguments.name} at {arguments.address}"
        raise Mistake(f"{at} is not banned: minitelecom ban list")
    for address, name in gone:
        say(f"{address} is released" if name is None else f"{name} at {address} is released")
    return 0
