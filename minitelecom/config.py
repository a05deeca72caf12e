"""
The configuration file (TOML) → frozen dataclasses.

Every option stands once: its name, its default and how it is read, as a field of a dataclass below; etc/minitelecom.toml
shows them all.  Whatever is wrong with a file ends in BadConfig: one line that names file, line, key and what is expected.
"""

from __future__ import annotations

import dataclasses
import os
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from minitelecom import config_values as values
from minitelecom.config_values import Endpoint, Expected, option

SYSTEM_FILE = Path("/etc/minitelecom.toml")
SYSTEM_DATA = Path("/var/lib/minitelecom")
VARIABLE = "MINITELECOM_CONFIG"
MOST_BYTES = 1_000_000
DIALOGUES = ("card",)

Key = tuple[str, ...]


class BadConfig(Exception):
    """One line for the person who wrote the file: "file:line: key: what is expected"."""


def default_data(*, root: bool | None = None, environment: Mapping[str, str] = os.environ) -> Path:
    """The system's folder for root and the service; for a plain user the one of the XDG base directories."""
    if os.geteuid() == 0 if root is None else root:
        return SYSTEM_DATA
    return Path(environment.get("XDG_DATA_HOME") or "~/.local/share").expanduser() / "minitelecom"


# --- the options -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """How numbers are dialled in this country."""

    country_code: str = option(values.pattern(r"[1-9][0-9]{0,3}", 'a country code such as "359"'), "359")
    international_prefix: str = option(values.pattern(r"[0-9]{0,5}", "a few digits"), "00")
    national_prefix: str = option(values.pattern(r"[0-9]{0,3}", "a few digits"), "0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sip:
    """Where we listen for telephones and carriers, and as whom they see us."""

    listen: tuple[Endpoint, ...] = option(
        values.list_of(values.sip_endpoint, '["udp:0.0.0.0:5060"]'),
        (Endpoint("udp", "0.0.0.0", 5060), Endpoint("tcp", "0.0.0.0", 5060)),
    )
    external: str = option(values.external, "")
    local: tuple[str, ...] = option(
        values.list_of(values.network, '["192.168.0.0/16"]'), ("192.168.0.0/16", "10.0.0.0/8", "172.16.0.0/12")
    )
    ladder_hours: int = option(values.whole(0, 24 * 90), 48)

    certificate: Path | None = option(values.file, None)
    key: Path | None = option(values.file, None)
    authorities: Path | None = option(values.file, None)

    @property
    def speaks_ipv6(self) -> bool:
        return any(":" in endpoint.host for endpoint in self.listen)

    @property
    def ports(self) -> dict[str, int]:
        """The port to tell others for each transport: the first."""
        return {endpoint.transport: endpoint.port for endpoint in reversed(self.listen)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rtp:
    """Ports for sound, two a leg of a call: RTP on the even one, RTCP on the next; and what sound is made of."""

    ports: range = option(values.port_range, range(16384, 32768))
    codecs: tuple[str, ...] = option(
        values.list_of(values.one_of("PCMA", "PCMU"), '["PCMA", "PCMU"]'), ("PCMA", "PCMU")
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Web:
    """Where Web CashManager listens."""

    listen: Endpoint = option(values.web_endpoint, Endpoint("tcp", "127.0.0.1", 8080))


@dataclass(frozen=True, slots=True, kw_only=True)
class Ivr:
    """The voice menus."""

    card: str = option(values.digits, "100")
    languages: tuple[str, ...] = option(values.list_of(values.language, '["bg", "en"]'), ("bg", "en"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What a number does that a carrier delivers to us; without a language the caller chooses."""

    dialogue: str = option(values.one_of(*DIALOGUES), "card")
    language: str | None = option(values.language, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Emergency:
    """Numbers that are connected whatever happens, free, by the trunk of that name; "": by the first that takes them."""

    numbers: tuple[str, ...] = option(values.list_of(values.digits, '["112"]'), ("112",))
    trunk: str = option(values.name, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Calls:
    """Limits on the time of a call, and what is heard on hold."""

    longest_minutes: int = option(values.whole(1, 1440), 240)
    ringing_seconds: int = option(values.whole(10, 600), 90)
    silence_seconds: int = option(values.whole(5, 3600), 60)
    drain_seconds: int = option(values.whole(0, 3600), 0)
    session_seconds: int = option(values.whole_or_none(90, 86400), 1800)
    music: str = option(values.music, "house")

    @property
    def longest_seconds(self) -> int:
        return self.longest_minutes * 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything that the daemon and the commands are told."""

    data: Path = option(values.folder, default_factory=default_data)
    database: str | None = option(values.database, None)
    currency: str = option(values.currency, "EUR")
    timezone: str = option(values.timezone, "Europe/Sofia")
    language: str = option(values.language, "bg")
    numbers: Numbers = Numbers()
    sip: Sip = Sip()
    rtp: Rtp = Rtp()
    web: Web = Web()
    ivr: Ivr = Ivr()
    access: Mapping[str, Access] = field(default_factory=dict)
    emergency: Emergency = Emergency()
    calls: Calls = Calls()

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)


TABLES: Mapping[str, type] = {
    "numbers": Numbers,
    "sip": Sip,
    "rtp": Rtp,
    "web": Web,
    "ivr": Ivr,
    "emergency": Emergency,
    "calls": Calls,
}


# --- reading a file --------------------------------------------------------------------------------------------------


def find(argument: Path | None, environment: Mapping[str, str] = os.environ) -> Path | None:
    """The file to read: the one given, else $MINITELECOM_CONFIG, else the system's if there is one; None: all defaults."""
    if argument is not None:
        return argument
    if environment.get(VARIABLE):
        return Path(environment[VARIABLE])
    return SYSTEM_FILE if SYSTEM_FILE.exists() else None


def load(path: Path | None) -> Config:
    """The configuration in a file; without a file the defaults.  Raises BadConfig."""
    if path is None:
        return Config()
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise BadConfig(f"{path}: the configuration cannot be read: {error.strerror}") from None
    if len(data) > MOST_BYTES:
        raise BadConfig(f"{path}: a configuration has at most {MOST_BYTES} bytes")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise BadConfig(f"{path}:{line}: the file is not UTF-8 text") from None
    return parse(text, path)


def parse(text: str, path: Path) -> Config:
    """The configuration in a text; `path` is for messages, and its folder is where a relative `data` begins."""
    try:
        tables = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # the reader's own, and its limits
        raise BadConfig(_syntax_error(str(error), text, path)) from None
    try:
        return _config(tables, path.parent)
    except _At as wrong:
        key = ".".join(name if re.fullmatch(r"[\w-]+", name, re.ASCII) else f'"{name}"' for name in wrong.key)
        raise BadConfig(f"{path}:{_line(text, wrong.key)}: {key}: {wrong.expected}") from None


class _At(Exception):
    """What is expected at a key."""

    def __init__(self, key: Key, expected: str) -> None:
        super().__init__(key, expected)
        self.key = key
        self.expected = expected


def _config(tables: dict[str, Any], folder: Path) -> Config:
    read: dict[str, Any] = {}
    for name, table in TABLES.items():
        if name in tables:
            read[name] = _table((name,), tables.pop(name), table)
    access = tables.pop("access", {})
    if not isinstance(access, dict):
        raise _At(("access",), 'expected a table for each number: [access."35921234567"]')
    for number, entry in access.items():
        if not re.fullmatch(r"[0-9]{1,15}", number, re.ASCII):
            raise _At(("access", number), "expected digits: the number as the carrier delivers it, without +")
        access[number] = _table(("access", number), entry, Access)
    if "sip" in read:
        read["sip"] = _files_beside(folder, read["sip"])
    settings = _table((), tables, Config, others=[*TABLES, "access"])
    config: Config = dataclasses.replace(settings, **read, access=access, data=folder / settings.data)
    if config.ivr.card in config.emergency.numbers:
        raise _At(("ivr", "card"), "expected a number that is not an emergency number")
    for key, given in {
        ("ivr", "languages"): config.ivr.languages,
        ("sip", "listen"): config.sip.listen,
        ("rtp", "codecs"): config.rtp.codecs,
    }.items():
        if not given:
            raise _At(key, "expected at least one")
    if all(endpoint.transport != "udp" for endpoint in config.sip.listen):
        raise _At(("sip", "listen"), 'expected a udp endpoint among them, such as "udp:0.0.0.0:5060"')
    for number, entry in config.access.items():
        if entry.language not in {None, *config.ivr.languages}:
            raise _At(
                ("access", number, "language"), f"expected one of [ivr] languages: {', '.join(config.ivr.languages)}"
            )
    return config


def _files_beside(folder: Path, sip: Sip) -> Sip:
    """Paths begin at the file; TLS needs what it is shown by."""
    for name in ("certificate", "key"):
        if getattr(sip, name) is None and any(endpoint.transport == "tls" for endpoint in sip.listen):
            raise _At(("sip", "listen"), f"expected [sip] {name} beside a tls endpoint: the path of a PEM file")
    paths = {name: getattr(sip, name) for name in ("certificate", "key", "authorities")}
    return dataclasses.replace(sip, **{name: folder / path for name, path in paths.items() if path is not None})


def _table(at: Key, table: object, kind: type, others: Sequence[str] = ()) -> Any:
    """The dataclass of one table of the file; `others` are the tables in it that are read elsewhere."""
    if not isinstance(table, dict):
        raise _At(at, f"expected a table: [{'.'.join(at)}]")
    options = {option.name: option.metadata["read"] for option in dataclasses.fields(kind) if "read" in option.metadata}
    given = {}
    for name, value in table.items():
        if name not in options:
            close = get_close_matches(name, [*options, *others], 1)
            hint = f"; did you mean {close[0]}?" if close else f"; there are {', '.join(sorted([*options, *others]))}"
            raise _At((*at, name), f"no such option{hint}")
        try:
            given[name] = options[name](value)
        except Expected as expected:
            raise _At((*at, name), f"expected {expected}") from None
    return kind(**given)


def _syntax_error(message: str, text: str, path: Path) -> str:
    """The reader's own words, with the line where we have it."""
    found = re.fullmatch(r"(.*) \(at (?:line (\d+), column \d+|end of document)\)", message, re.DOTALL)
    what, line = (found[1], found[2]) if found else (message, None)
    return f"{path}:{line or max(1, len(text.splitlines()))}: the file is not TOML: {what}"


def _line(text: str, key: Key) -> int:
    """
    The line on which a key stands, which tomllib does not tell.

    The text is known to be right, so each statement is the shortest run of lines that is TOML by itself.
    """
    table: Key = ()
    statement = ""
    first = 1
    for number, line in enumerate(text.split("\n"), 1):
        if not statement:
            first = number
        statement += line + "\n"
        try:
            content = tomllib.loads(statement)
        except tomllib.TOMLDecodeError:
            continue
        paths = [*_paths(content)]
        if statement.lstrip().startswith("["):
            table = paths[-1] if paths else ()
            paths = [table]
        else:
            paths = [(*table, *path) for path in paths]
        if key in paths:
            return first
        statement = ""
    return 1


def _paths(table: dict[str, Any]) -> Iterator[Key]:
    """Every key in a piece of TOML, outer before inner."""
    for name, value in table.items():
        yield (name,)
        if isinstance(value, dict):
            yield from ((name, *inner) for inner in _paths(value))
