"""
The values that an option of the configuration may take: each reader turns what TOML gives into what the product uses, or
raises Expected, which says what the option takes.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import MISSING, field
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from minitelecom.money import minor_digits

FIRST_FREE_PORT = 1024
LARGEST_PORT = 65535


class Expected(ValueError):
    """A value is not what an option takes; says what it takes."""


class Endpoint(NamedTuple):
    """Where a socket listens."""

    transport: str
    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.transport}:{host}:{self.port}"


def option(read: Callable[[object], Any], default: Any = MISSING, default_factory: Any = MISSING) -> Any:
    """A field of a table: how its value is read, and its value when the file does not give one."""
    if default_factory is not MISSING:
        return field(default_factory=default_factory, metadata={"read": read})
    return field(default=default, metadata={"read": read})


def text(value: object) -> str:
    if not isinstance(value, str):
        raise Expected(f"a text in quotes, not {value!r}")
    return value


def pattern(regular: str, expected: str) -> Callable[[object], str]:
    def read(value: object) -> str:
        if not re.fullmatch(regular, text(value), re.ASCII):
            raise Expected(f"{expected}, not {value!r}")
        return text(value)

    return read


def one_of(*choices: str) -> Callable[[object], str]:
    def read(value: object) -> str:
        if value not in choices:
            raise Expected(f"{' or '.join(choices)}, not {value!r}")
        return text(value)

    return read


def whole(least: int, most: int) -> Callable[[object], int]:
    def read(value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise Expected(f"a whole number from {least} to {most}, not {value!r}")
        return value

    return read


def whole_or_none(least: int, most: int) -> Callable[[object], int]:
    """A whole number of these, or 0 for none."""
    among = whole(least, most)

    def read(value: object) -> int:
        try:
            return 0 if value == 0 and not isinstance(value, bool | float) else among(value)
        except Expected as expected:
            raise Expected(f"0 or {expected}") from None

    return read


def list_of(read_one: Callable[[object], Any], expected: str) -> Callable[[object], tuple[Any, ...]]:
    def read(value: object) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise Expected(f"a list such as {expected}, not {value!r}")
        items = tuple(read_one(item) for item in value)
        if len(set(items)) < len(items):
            raise Expected("a list in which nothing stands twice")
        return items

    return read


def folder(value: object) -> Path:
    try:
        if text(value) and "\0" not in text(value):
            return Path(text(value)).expanduser()
    except RuntimeError:  # ~user, and there is no such user
        pass
    raise Expected("a folder")


def music(value: object) -> str:
    if value in {"house", "off"} or Path(text(value)).is_absolute():
        return text(value)
    raise Expected(f'"house", "off", or the whole path of a wav file, not {value!r}')


def file(value: object) -> Path | None:
    path = text(value)
    return folder(path) if path else None


def database(value: object) -> str | None:
    url = text(value)
    if url and not re.match(r"postgres(ql)?://", url):  # not repeated in the message: it may hold a password
        raise Expected('"postgresql://user@host/database", or "" for a private server')
    return url or None


def currency(value: object) -> str:
    try:
        minor_digits(text(value))
    except ValueError:
        raise Expected(f'a currency code of ISO 4217 such as "EUR", not {value!r}') from None
    return text(value)


def timezone(value: object) -> str:
    try:
        ZoneInfo(text(value))
    except (ValueError, OSError, KeyError):
        raise Expected(f'a time zone such as "Europe/Sofia", not {value!r}') from None
    return text(value)


def _port(number: str) -> int | None:
    return int(number) if re.fullmatch(r"\d{1,5}", number, re.ASCII) and int(number) <= LARGEST_PORT else None


def _host_port(value: object, expected: str) -> tuple[str, int]:
    host, colon, port_text = text(value).rpartition(":")
    port = _port(port_text)
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if not colon or port is None or not _is_address(bare) or (":" in bare) != (bare != host):
        raise Expected(f"{expected}, not {value!r}")
    return bare, port


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def sip_endpoint(value: object) -> Endpoint:
    transport, _, rest = text(value).partition(":")
    expected = 'an endpoint such as "udp:0.0.0.0:5060"'
    if transport not in {"udp", "tcp", "tls"}:
        raise Expected(f"{expected}, not {value!r}")
    return Endpoint(transport, *_host_port(rest, expected))


def web_endpoint(value: object) -> Endpoint:
    return Endpoint("tcp", *_host_port(value, 'an address and port such as "127.0.0.1:8080"'))


def external(value: object) -> str:
    if value != "" and not _is_address(text(value)):
        raise Expected(f'an address such as "203.0.113.5", or "" when no router is in between, not {value!r}')
    return text(value)


def network(value: object) -> str:
    try:
        return str(ip_network(text(value)))
    except ValueError:
        raise Expected(f'a network such as "192.168.0.0/16", not {value!r}') from None


def port_range(value: object) -> range:
    found = re.fullmatch(r"(\d{1,5})-(\d{1,5})", text(value), re.ASCII)
    if found:
        first, last = int(found[1]), int(found[2])
        if first % 2 == 0 and first >= FIRST_FREE_PORT and first + 3 <= last <= LARGEST_PORT:
            return range(first, last + 1)
    raise Expected(f'ports such as "16384-32767": from an even one, 1024 to 65535, at least four, not {value!r}')


digits = pattern(r"[0-9]{1,15}", "a number of digits in quotes")
language = pattern(r"[a-z]{2,3}", 'a language code such as "bg"')
name = pattern(r"[A-Za-z0-9._-]{0,64}", "a name of letters, digits, dots and dashes")
