"""The demo's configuration: a small file with ports that are free on this machine, written once and kept."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from minitelecom import config as configuration
from minitelecom.config import Config
from minitelecom.config_values import Endpoint

FILE = "minitelecom.toml"
EVERYWHERE = "0.0.0.0"  # noqa: S104 - telephones call from every network
SIP_PORT = 5060
WEB_PORT = 8080
PORTS_TRIED = 50

TEMPLATE = """\
# The demo shop of MiniTelecom, written by `minitelecom demo` and kept by it as it is.
# Every other option, with what it means: etc/minitelecom.toml of the program.

data     = "."
currency = "EUR"
timezone = "Europe/Sofia"
language = "{language}"

[sip]
listen = ["udp:{everywhere}:{sip}", "tcp:{everywhere}:{sip}"]

[web]
listen = "{everywhere}:{web}"
"""

IsFree = Callable[[Endpoint], bool]


class NoFreePort(OSError):
    """Every port tried is taken."""


def default_folder() -> Path:
    """Beside the data of a real shop, never in it."""
    return configuration.default_data().with_name("minitelecom-demo")


def ensure(folder: Path, is_free: IsFree, environment: Mapping[str, str] = os.environ) -> Config:
    """The configuration of the demo in this folder, written where there is none yet."""
    path = folder / FILE
    if not path.exists():
        folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        text = TEMPLATE.format(
            language=language(environment),
            everywhere=EVERYWHERE,
            sip=free_port("udp", EVERYWHERE, SIP_PORT, lambda udp: is_free(udp) and is_free(_by_tcp(udp))),
            web=free_port("tcp", EVERYWHERE, WEB_PORT, is_free),
        )
        path.write_text(text, encoding="utf-8")
    return configuration.load(path)


def language(environment: Mapping[str, str]) -> str:
    """Bulgarian where the machine speaks it, else English."""
    spoken = environment.get("LC_ALL") or environment.get("LANG") or ""
    return "bg" if spoken.startswith("bg") else "en"


def free_port(transport: str, host: str, first: int, is_free: IsFree) -> int:
    """The first free port from the usual one on; SIP's neighbours are even, as RTP's are."""
    step = 2 if transport == "udp" else 1
    for port in range(first, first + step * PORTS_TRIED, step):
        if is_free(Endpoint(transport, host, port)):
            return port
    raise NoFreePort(f"no {transport} port from {first} on is free")


def _by_tcp(endpoint: Endpoint) -> Endpoint:
    return endpoint._replace(transport="tcp")
