"""The shop as a command sees it: its configuration, and its database, made reachable for as long as the command lasts."""

import os
import pwd
from argparse import Namespace
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from minitelecom import config as configuration
from minitelecom.commands.errors import Mistake
from minitelecom.config import Config
from minitelecom.store.migrations import migrate
from minitelecom.store.private_server import PrivateServer
from minitelecom.store.secrets import Secrets
from minitelecom.store.synchronous import SynchronousDatabase, run

T = TypeVar("T")

SECRET_KEY = "secret.key"  # noqa: S105 - a file's name


def now() -> datetime:
    """The present instant."""
    return datetime.now(UTC)


def who() -> str:
    """Who gives this command, for the audit."""
    name = os.environ.get("SUDO_USER")
    if not name:
        try:
            name = pwd.getpwuid(os.geteuid()).pw_name
        except KeyError:
            name = str(os.geteuid())
    return f"command line ({name})"


@dataclass
class Shop:
    """An open shop; `do` runs what the store's functions give."""

    config: Config
    database: SynchronousDatabase
    url: str

    @cached_property
    def secrets(self) -> Secrets:
        return read_secrets(self.config.data / SECRET_KEY)

    def do(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return run(coroutine)


def read_secrets(path: Path) -> Secrets:
    """The key of everything sealed; made where there is none."""
    try:
        return Secrets.from_file(path)
    except ValueError as error:
        raise Mistake(f"{path} is damaged: {error}; put it back from a backup") from None


def config_of(arguments: Namespace) -> Config:
    """The configuration that the arguments or the environment name."""
    return configuration.load(configuration.find(arguments.config))


@contextmanager
def opened(config: Config) -> Iterator[Shop]:
    """The shop's database, started for us where nobody runs it, and with this program's schema."""
    server = PrivateServer(config.data) if config.database is None else None
    try:
        config.data.mkdir(mode=0o755, parents=True, exist_ok=True)
    except FileExistsError:
        raise Mistake(f"{config.data} is a file: make it a folder, or change `data`") from None
    try:
        url = config.database or (server.ensure() if server is not None else "")
        migrate(url)
        with SynchronousDatabase(url) as database:
            yield Shop(config, database, url)
    finally:
        if server is not None:
            server.release()


@contextmanager
def shop_of(arguments: Namespace) -> Iterator[Shop]:
    """The shop that the arguments name."""
    with opened(config_of(arguments)) as shop:
        yield shop
