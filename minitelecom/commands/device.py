"""`device add`, `device list`, `device show`, `device remove`: the telephones of the shop."""

import socket
from argparse import Namespace
from datetime import datetime
from ipaddress import ip_address

from minitelecom.calls.profiles import profile_of, words_of
from minitelecom.calls.restarting import SYS_CONTROL
from minitelecom.commands import card, device_settings
from minitelecom.commands.arguments import Nouns, Parser, add_command, add_noun, password_from_stdin, pattern
from minitelecom.commands.device_settings import about_one, found
from minitelecom.commands.errors import Mistake
from minitelecom.commands.output import Plain, instant_text, local_time, say, say_facts, say_json, say_table
from minitelecom.commands.shop import Shop, now, shop_of, who
from minitelecom.config import Config
from minitelecom.store import bindings, devices
from minitelecom.store.bindings import StoredBinding
from minitelecom.store.devices import Device

LARGEST_PORT = 65535
NO_ACCOUNT = "none"


def add_to(nouns: "Nouns[Parser]") -> None:
    """The words of this noun."""
    commands = add_noun(nouns, "device", "telephones of the shop")
    parser = add_command(commands, "add", _add, "add a telephone, or give one another password, address or account")
    parser.add_argument(
        "name",
        metavar="NAME",
        type=pattern(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", "a name of letters, digits, dots and dashes"),
        help="its SIP user, and what others dial to ring it",
    )
    known_by = parser.add_mutually_exclusive_group(required=True)
    known_by.add_argument("--password-stdin", action="store_true", help="its SIP password is read from standard input")
    known_by.add_argument("--address", metavar="HOST[:PORT]", help="it is known by where its requests come from")
    parser.add_argument(
        "--account",
        metavar="NUMBER",
        type=pattern(rf"[0-9]{{1,20}}|{NO_ACCOUNT}", f"a card's number, or {NO_ACCOUNT}"),
        help=f"the card that pays for its calls to the outside, or {NO_ACCOUNT}; without it as before",
    )
    parser = add_command(commands, "list", _list, "list the telephones and where they are registered")
    parser.add_argument("--json", action="store_true")
    parser = about_one(add_command(commands, "show", _show, "show a telephone, its settings and its registrations"))
    parser.add_argument("--json", action="store_true")
    about_one(add_command(commands, "remove", _remove, "remove a telephone and its registrations"))
    parser = about_one(add_command(commands, "restart", _restart, "have a telephone fetch its configuration anew"))
    parser.add_argument(
        "--mac",
        type=pattern(r"[0-9A-Fa-f]{12}", "twelve hexadecimal digits"),
        help="its hardware address, which the first Grandstream telephones want in the order",
    )
    device_settings.add_to(commands)


def _add(arguments: Namespace) -> int:
    password = password_from_stdin(arguments) if arguments.password_stdin else None
    address = None if arguments.address is None else resolved(arguments.address)
    with shop_of(arguments) as shop:
        _must_be_free(arguments.name, shop.config)
        known = shop.do(devices.find(shop.database, shop.secrets, arguments.name))
        shop.do(
            devices.add(
                shop.database,
                shop.secrets,
                arguments.name,
                account_id=_account(shop, arguments.account, known),
                address=address,
                password=password,
                operator=who(),
                instant=now(),
            )
        )
    where = "" if address is None else f", known by the address {address}"
    return say(f"telephone {arguments.name} is {'changed' if known else 'added'}{where}")


def _must_be_free(name: str, config: Config) -> None:
    """A telephone may not take a number that means something else to everybody."""
    if name in config.emergency.numbers:
        raise Mistake(f"{name} is an emergency number")
    if name == config.ivr.card:
        raise Mistake(f"{name} is the number of the card dialogue ([ivr] card)")


def _account(shop: Shop, number: str | None, known: Device | None) -> int | None:
    if number is None:
        return None if known is None else known.account_id
    if number == NO_ACCOUNT:
        return None
    payer = card.found(shop, number)
    if payer.status == "closed":
        raise Mistake(f"card {number} is closed")
    return payer.account_id


def resolved(address: str) -> str:
    """HOST[:PORT] with the host as an address, since an address is what requests come from; IPv6 in brackets."""
    host, colon, port = address.partition(":")
    if address.startswith("["):
        host, _, rest = address[1:].partition("]")
        colon, port = rest[:1], rest[1:]
        if colon not in ("", ":") or ":" not in host:
            raise Mistake(f"expected an address such as [2001:db8::20] or [2001:db8::20]:5060, not {address!r}")
    if colon and not (port.isascii() and port.isdigit() and 0 < int(port[:6]) <= LARGEST_PORT):
        raise Mistake(f"expected an address such as 192.168.1.20 or 192.168.1.20:5060, not {address!r}")
    return _found(host) + colon + port


def _found(host: str) -> str:
    """A host as an address, written as in a URI."""
    try:
        found = ip_address(host)
    except ValueError:
        try:
            return str(socket.getaddrinfo(host, None, socket.AF_INET)[0][4][0])
        except (OSError, UnicodeError):
            raise Mistake(f"{host!r} is neither an address nor the name of one") from None
    return f"[{found}]" if found.version == 6 else str(found)


def _list(arguments: Namespace) -> int:
    with shop_of(arguments) as shop:
        known = shop.do(devices.all_devices(shop.database, shop.secrets))
        registered = shop.do(bindings.load_all(shop.database))
    instant = now()
    rows = [(device, _latest(registered.get(device.name, []), instant)) for device in known]
    if arguments.json:
        return say_json([{**_registration(device, binding), **_treatment(device, binding)} for device, binding in rows])
    return say_table(
        ["Name", "Account", "Known by", "Contact", "Until", "User agent"],
        [
            (
                device.name,
                device.account_number,
                device.address or "password",
                "not registered" if binding is None and device.address is None else binding and binding.contact,
                binding and local_time(binding.expires, shop.config.zone),
                binding and binding.user_agent,
            )
            for device, binding in rows
        ],
        nothing="no telephones yet: minitelecom device add NAME --password-stdin",
    )


def _registration(device: Device, binding: StoredBinding | None) -> Plain:
    """What scripts have always been told of a telephone."""
    return {
        "name": device.name,
        "registered": binding is not None,
        "contact": None if binding is None else binding.contact,
        "user_agent": None if binding is None else binding.user_agent,
        "expires": None if binding is None else instant_text(binding.expires),
    }


def _treatment(device: Device, binding: StoredBinding | None) -> Plain:
    """How it is treated."""
    settings = device.settings
    agent = (None if binding is None else binding.user_agent) or ""
    return {
        "account": device.account_number,
        "profile": profile_of(agent, settings.profile, settings.properties).name,
        "profile_learned": settings.profile is None,
        "calls": settings.most_calls,
        "transfer": device.may_transfer,
        "contacts": settings.most_contacts,
        "ring": settings.ring,
    }


def _show(arguments: Namespace) -> int:
    instant = now()
    with shop_of(arguments) as shop:
        device = found(shop, arguments.name)
        registered = shop.do(bindings.load_all(shop.database)).get(device.name, [])
    alive = [binding for binding in registered if binding.expires > instant]
    latest = _latest(alive, instant)
    settings = device.settings
    profile = profile_of((latest and latest.user_agent) or "", settings.profile, settings.properties)
    if arguments.json:
        return say_json(
            {
                **_registration(device, latest),
                **_treatment(device, latest),
                "address": device.address,
                "properties": words_of(profile),
                "changed_properties": dict(settings.properties),
                "registrations": [_place(binding) for binding in alive],
            }
        )
    return say_facts(
        [
            ("Name", device.name),
            ("Account", device.account_number),
            ("Known by", device.address or "password"),
            ("Profile", f"{profile.name} ({'learned' if settings.profile is None else 'given'})"),
            ("Properties", ", ".join(f"{name}={value}" for name, value in words_of(profile).items())),
            ("Changed", ", ".join(f"{name}={value}" for name, value in settings.properties.items())),
            ("Calls at a time", settings.most_calls or "any number"),
            ("May transfer", "yes" if device.may_transfer else "no"),
            ("Contacts", settings.most_contacts),
            ("Rings", settings.ring),
            *(
                ("Registered", f"{one.contact} until {local_time(one.expires, shop.config.zone)} ({one.user_agent})")
                for one in alive
            ),
        ]
    )


def _place(binding: StoredBinding) -> Plain:
    transport, host, port = binding.source
    return {
        "contact": binding.contact,
        "source": f"{transport}:{host}:{port}",
        "path": list(binding.path),
        "instance": binding.instance or None,
        "user_agent": binding.user_agent,
        "expires": instant_text(binding.expires),
    }


def _restart(arguments: Namespace) -> int:
    with shop_of(arguments) as shop:
        device = found(shop, arguments.name)
        latest = _latest(shop.do(bindings.load_all(shop.database)).get(device.name, []), now())
        if latest is None:
            raise Mistake(f"telephone {device.name} is not registered")
        profile = profile_of(latest.user_agent or "", device.settings.profile, device.settings.properties)
        if profile.restart == "none":
            raise Mistake(f"telephone {device.name} ({profile.name}) knows no such order: restart it by hand")
        if profile.restart == SYS_CONTROL and arguments.mac is None:
            raise Mistake(f"telephone {device.name} takes the order only with its hardware address: --mac")
        shop.do(devices.restart(shop.database, device.name, arguments.mac, who(), now()))
    return say(f"telephone {device.name} is told to fetch its configuration ({profile.restart})")


def _remove(arguments: Namespace) -> int:
    with shop_of(arguments) as shop:
        if not shop.do(devices.remove(shop.database, arguments.name, who(), now())):
            raise Mistake(f"there is no telephone {arguments.name}: minitelecom device list")
    return say(f"telephone {arguments.name} is removed")


def _latest(registrations: list[StoredBinding], instant: datetime) -> StoredBinding | None:
    """The registration that lasts longest, of those that have not expired."""
    return max(
        (one for one in registrations if one.expires > instant), key=lambda binding: binding.expires, default=None
    )
