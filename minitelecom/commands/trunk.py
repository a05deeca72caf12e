"""`trunk add`, `set`, `show`, `remove`, `list`: the carriers."""

from argparse import SUPPRESS, ArgumentTypeError, BooleanOptionalAction, Namespace
from collections.abc import Callable
from dataclasses import fields, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from minitelecom.commands.arguments import Nouns, Parser, add_command, add_noun, password_from_stdin, pattern, whole
from minitelecom.commands.errors import Mistake
from minitelecom.commands.output import Plain, instant_text, local_time, say, say_facts, say_json, say_table
from minitelecom.commands.shop import Shop, now, shop_of, who
from minitelecom.sip.grammar import BadSyntax
from minitelecom.sip.uri import Uri
from minitelecom.store import processes, trunks
from minitelecom.store.trunks import FORMATS, KEYS_BY, Trunk

PROPERTIES = frozenset(column.name for column in fields(Trunk)) - {"name", "password"}

TRANSPORTS = {"sip": ("udp", "tcp", "tls"), "sips": ("tcp", "tls")}


def add_to(nouns: "Nouns[Parser]") -> None:
    """The words of this noun."""
    commands = add_noun(nouns, "trunk", "the carriers that calls leave by and arrive from")
    parser = _about_one(add_command(commands, "add", _add, "add a trunk, or give one other data altogether"))
    parser.add_argument("--uri", required=True, type=carrier_uri, metavar="sip:HOST[:PORT]")
    _add_properties(parser)
    parser = _about_one(add_command(commands, "set", _set, "change some of a trunk's properties; calls that run go on"))
    parser.add_argument("--uri", default=SUPPRESS, type=carrier_uri, metavar="sip:HOST[:PORT]")
    _add_properties(parser)
    parser = _about_one(add_command(commands, "show", _show, "show a trunk"))
    parser.add_argument("--json", action="store_true")
    _about_one(add_command(commands, "remove", _remove, "remove a trunk"))
    parser = add_command(commands, "list", _list, "list the trunks, in the order of their priorities")
    parser.add_argument("--json", action="store_true")


def _about_one(parser: Parser) -> Parser:
    kind = pattern(r"[A-Za-z0-9._-]{1,64}", "a name of letters and digits")
    parser.add_argument("name", metavar="NAME", type=kind)
    return parser


def _add_properties(parser: Parser) -> None:
    """What may be said of a trunk; what isn't has its default, or in `set` stays as it is."""

    def says(option: str, metavar: str, kind: Callable[[str], Any], help_: str, dest: str | None = None) -> None:
        name = dest or option.removeprefix("--").replace("-", "_")
        parser.add_argument(option, default=SUPPRESS, type=kind, metavar=metavar, help=help_, dest=name)

    def is_(option: str, help_: str, dest: str | None = None) -> None:
        name = dest or option.removeprefix("--").replace("-", "_")
        parser.add_argument(option, default=SUPPRESS, action=BooleanOptionalAction, help=help_, dest=name)

    says("--user", "U", _or_none(pattern(r"\S{0,128}", "a user name")), "our name there; '' for none", "username")
    parser.add_argument("--password-stdin", action="store_true", help="its password is read from standard input")
    is_("--register", "register there, so that calls can arrive")
    is_("--enabled", "a trunk that is not serves for emergency calls only")
    says("--proxy", "sip:HOST[:PORT]", _or_none(carrier_uri), "everything goes by this proxy first; '' for none")
    prefix = pattern(r"[0-9]{0,20}", "the first digits of numbers, country code first")
    says("--match", "PREFIX", prefix, "numbers with this prefix go by it")
    parser.add_argument("--called-format", default=SUPPRESS, choices=FORMATS, help="how it wants the number called")
    parser.add_argument("--calling-format", default=SUPPRESS, choices=FORMATS, help="and that of the caller")
    says("--strip", "N", whole(0, 20), "so many signs are taken off the front of the number called")
    says("--add", "DIGITS", pattern(r"[0-9+*#]{0,20}", "digits"), "these are put there instead")
    says("--priority", "N", whole(-1000, 1000), "the lowest is tried first")
    says("--weight", "N", whole(0, 1000), "how often it is tried before others that cost the same")
    says("--capacity", "N", whole(0, 100_000), "the calls it takes at one time, both ways; 0: any number")
    code = r"[1-6]([0-9]{2}|xx)=(next|stop|busy|no-answer|rejected|failed)"
    codes = pattern(rf"({code}( {code})*)?", 'codes such as "404=next 5xx=busy"')
    says("--codes", "CODES", codes, "what its refusals mean: next, stop, busy, no-answer, rejected or failed")
    says("--progress-seconds", "N", whole(0, 180), "without ringing or answer, before the next is tried; 0: no limit")
    says("--check-seconds", "N", _zero_or(whole(5, 3600)), "between two OPTIONS that ask if it is there; 0: none")
    parser.add_argument(
        "--keys", default=SUPPRESS, choices=KEYS_BY, help="how it is told keys; learned: as it says itself"
    )
    is_("--allow-loss", "try it also where it asks more than the customer pays")
    is_("--account-in-from", "From names our account there, not the caller")
    caller_id = pattern(r"pass|hide|[0-9]{1,20}", "pass, hide, or a number, country code first")
    says("--caller-id", "pass|hide|NUMBER", caller_id, "what the called party sees of the caller")
    is_("--asserts", "tell the caller's number in P-Asserted-Identity (RFC 3325)")
    is_("--trusted", "believe whom it says a call is from, and tell it who a hidden caller is")
    is_("--diversion", "tell it who forwarded a call")
    is_("--redirects", "let it send calls on to other numbers and carriers, at the price of the number dialled")


def _or_none(kind: Callable[[str], str]) -> Callable[[str], str | None]:
    return lambda text: kind(text) if text else None


def _zero_or(kind: Callable[[str], int]) -> Callable[[str], int]:
    return lambda text: 0 if text == "0" else kind(text)


def carrier_uri(text: str) -> str:
    """sip:HOST[:PORT], perhaps with its transport, and no more."""
    try:
        uri = Uri.parse(text)
    except BadSyntax:
        uri = None
    if uri is None or not uri.is_sip or not uri.host or uri.port == 0 or uri.user or uri.headers or not _is_way(uri):
        expected = "sip:HOST, sip:HOST:PORT, either with ;transport=udp, tcp or tls, or sips:HOST"
        raise ArgumentTypeError(f"expected {expected}, not {text!r}")
    return text


def _is_way(uri: Uri) -> bool:
    """Whether its parameters say nothing but the transport, and not one that contradicts TLS."""
    transport = uri.parameters.get("transport", "tls" if uri.scheme == "sips" else "udp")
    return set(uri.parameters) <= {"transport"} and transport in TRANSPORTS[uri.scheme]


def _add(arguments: Namespace) -> int:
    trunk = Trunk(arguments.name, **_given(arguments))
    with shop_of(arguments) as shop:
        known = shop.do(trunks.find(shop.database, shop.secrets, trunk.name))
        _write(shop, trunk)
    return say(f"trunk {trunk.name} is {'changed' if known else 'added'}")


def _set(arguments: Namespace) -> int:
    given = _given(arguments)
    if not given:
        raise Mistake("nothing was said that could be changed (see minitelecom trunk set --help)")
    with shop_of(arguments) as shop:
        _write(shop, replace(_found(shop, arguments.name), **given))
    return say(f"trunk {arguments.name} is changed")


def _given(arguments: Namespace) -> dict[str, Any]:
    """The properties that the command line names."""
    given = {name: value for name, value in vars(arguments).items() if name in PROPERTIES}
    if arguments.password_stdin:
        given["password"] = password_from_stdin(arguments)
    return given


def _write(shop: Shop, trunk: Trunk) -> None:
    if (trunk.password is not None or trunk.register or trunk.account_in_from) and trunk.username is None:
        raise Mistake("a carrier that asks for a password, a registration or our account knows us by a name: --user")
    shop.do(trunks.add(shop.database, shop.secrets, trunk, operator=who(), instant=now()))


def _found(shop: Shop, name: str) -> Trunk:
    trunk = shop.do(trunks.find(shop.database, shop.secrets, name))
    if trunk is None:
        raise Mistake(f"there is no trunk {name}")
    return trunk


def _remove(arguments: Namespace) -> int:
    with shop_of(arguments) as shop:
        if not shop.do(trunks.remove(shop.database, arguments.name, who(), now())):
            raise Mistake(f"there is no trunk {arguments.name}")
    return say(f"trunk {arguments.name} is removed")


STATES = ("up", "up_since", "health_failure", "registered_until", "registration_failure")


def states(shop: Shop) -> dict[str, dict[str, Any]]:
    """How the trunks are doing, as the daemons that run said with their last heartbeat."""
    found: dict[str, dict[str, Any]] = {}
    for process in shop.do(processes.running(shop.database, now())):
        for name, state in process.counters.get("trunks", {}).items():
            calls = found.get(name, {}).get("calls", 0)
            found[name] = {**state, "calls": calls + state["calls"]}
    return found


def plain(trunk: Trunk, state: Plain) -> Plain:
    """A trunk as the outer contract shows it: everything but its password, and how it is doing."""
    doing = {name: state.get(name) for name in STATES}
    for name in ("up_since", "registered_until"):
        doing[name] = instant_text(_instant(doing[name]))
    return {**trunks.described(trunk), "calls": state.get("calls", 0), **doing}


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _show(arguments: Namespace) -> int:
    with shop_of(arguments) as shop:
        trunk = _found(shop, arguments.name)
        shown = plain(trunk, states(shop).get(trunk.name, {}))
    if arguments.json:
        return say_json(shown)
    return say_facts((name.replace("_", " "), _shown(value)) for name, value in shown.items())


def _shown(value: object) -> object:
    return {True: "yes", False: "no", None: ""}.get(value, value) if isinstance(value, bool | None) else value


def _list(arguments: Namespace) -> int:
    with shop_of(arguments) as shop:
        found = shop.do(trunks.all_trunks(shop.database, shop.secrets))
        doing = states(shop)
    if arguments.json:
        return say_json([plain(trunk, doing.get(trunk.name, {})) for trunk in found])
    return say_table(
        ["Name", "Carrier", "Priority", "Numbers", "Calls", "State"],
        [
            (
                trunk.name,
                trunk.uri,
                trunk.priority,
                trunk.match or "all",
                doing.get(trunk.name, {}).get("calls", 0),
                _state(trunk, doing.get(trunk.name, {}), shop.config.zone),
            )
            for trunk in found
        ],
        nothing="no trunks yet: minitelecom trunk add NAME --uri sip:HOST",
        right="Priority|Calls",
    )


def _state(trunk: Trunk, state: Plain, zone: ZoneInfo) -> str:
    """What an operator would ask first, in words."""
    if not trunk.enabled:
        return "disabled"
    words = []
    if state.get("up") is not None:
        since = local_time(_instant(state["up_since"]), zone)
        words.append(f"up since {since}" if state["up"] else f"down since {since}: {state['health_failure']}")
    if state.get("registered_until") is not None:
        words.append(f"registered until {local_time(_instant(state['registered_until']), zone)}")
    elif state.get("registration_failure") is not None:
        words.append(f"not registered: {state['registration_failure']}")
    return "; ".join(words) or "enabled"
