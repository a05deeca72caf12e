"""`device set`, `device profiles`: how the telephones of the shop are treated, where that is not the usual way."""

from argparse import ArgumentTypeError, Namespace
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from minitelecom.calls.profiles import PROFILES, PROPERTIES, words_of
from minitelecom.commands.arguments import Nouns, Parser, add_command, pattern, whole
from minitelecom.commands.errors import Mistake
from minitelecom.commands.output import say, say_json, say_table
from minitelecom.commands.shop import Shop, now, shop_of, who
from minitelecom.sip.registration import MOST_BINDINGS
from minitelecom.store import devices
from minitelecom.store.devices import RINGS, Device, Settings

AUTO = "auto"
MOST_CALLS = 1000
ANSWERS = {"yes": True, "no": False, AUTO: None}


def add_to(commands: "Nouns[Parser]") -> None:
    """The words of these commands."""
    parser = about_one(add_command(commands, "set", _set, "settle how a telephone is treated; auto: as usual"))
    parser.add_argument(
        "--profile",
        choices=(*PROFILES, AUTO),
        metavar="PROFILE",
        help="how it is spoken to (see device profiles); auto: by what it calls itself",
    )
    parser.add_argument(
        "--property",
        action="append",
        type=_property,
        metavar="NAME=VALUE",
        help="one property in which it differs from its profile; NAME=auto takes it back",
    )
    parser.add_argument(
        "--calls", type=_or_auto(whole(1, MOST_CALLS)), metavar="N", help="at one time; 1 for a cabin; auto: any number"
    )
    parser.add_argument(
        "--transfer", choices=ANSWERS, help="may it transfer calls?  auto: unless it has one call at a time"
    )
    parser.add_argument(
        "--contacts",
        type=_or_auto(whole(1, MOST_BINDINGS)),
        metavar="N",
        help=f"places it may be registered at; auto: {MOST_BINDINGS}",
    )
    parser.add_argument("--ring", choices=RINGS, help="the preferred contact first (q), all together, or the latest")
    parser = add_command(commands, "profiles", _profiles, "list the profiles of telephones and their properties")
    parser.add_argument("--json", action="store_true")


def about_one(parser: Parser) -> Parser:
    parser.add_argument("name", metavar="NAME", type=pattern(r"\S{1,64}", "a telephone's name"))
    return parser


def found(shop: Shop, name: str) -> Device:
    device = shop.do(devices.find(shop.database, shop.secrets, name))
    if device is None:
        raise Mistake(f"there is no telephone {name}: minitelecom device list")
    return device


def _or_auto(read: Callable[[str], int]) -> Callable[[str], int | str]:
    return lambda text: AUTO if text == AUTO else read(text)


def _property(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    if name not in PROPERTIES:
        raise ArgumentTypeError(f"expected one of {', '.join(PROPERTIES)}, not {name!r}")
    if value != AUTO and value not in PROPERTIES[name]:
        raise ArgumentTypeError(f"{name}: expected {', '.join(PROPERTIES[name])} or {AUTO}, not {value!r}")
    return name, value


def _set(arguments: Namespace) -> int:
    with shop_of(arguments) as shop:
        device = found(shop, arguments.name)
        settings = _changed(device.settings, arguments)
        if settings == device.settings:
            return say(f"telephone {device.name} is as it was")
        if not shop.do(devices.configure(shop.database, device, settings, who(), now())):
            raise Mistake(f"telephone {device.name} has just been removed")
    return say(f"telephone {device.name} is changed")


def _changed(settings: Settings, arguments: Namespace) -> Settings:
    given = {
        "profile": arguments.profile,
        "most_calls": arguments.calls,
        "most_contacts": arguments.contacts,
    }
    changes: dict[str, Any] = {
        name: None if value == AUTO else value for name, value in given.items() if value is not None
    }
    if arguments.transfer is not None:
        changes["transfer"] = ANSWERS[arguments.transfer]
    if arguments.ring is not None:
        changes["ring"] = arguments.ring
    if arguments.property:
        told = {**settings.properties, **dict(arguments.property)}
        changes["properties"] = {name: value for name, value in told.items() if value != AUTO}
    if not changes:
        raise Mistake("nothing to change: give --profile, --property, --calls, --transfer, --contacts or --ring")
    return replace(settings, **changes)


def _profiles(arguments: Namespace) -> int:
    shown = [{"name": profile.name, **words_of(profile)} for profile in PROFILES.values()]
    if arguments.json:
        return say_json(shown)
    return say_table(list(shown[0]), [list(row.values()) for row in shown], nothing="")
