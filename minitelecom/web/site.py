"""The web site as something to listen with: everything that the pages need, built from what the daemon has."""

import secrets as system_secrets
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TypeVar

from twisted.internet import threads
from twisted.internet.defer import DeferredLock
from twisted.internet.interfaces import IReactorTime

from minitelecom.calls.live import LiveCalls
from minitelecom.config import Config
from minitelecom.store.database import Database
from minitelecom.store.secrets import Secrets
from minitelecom.web.application import Application
from minitelecom.web.bounds import BoundedSite
from minitelecom.web.feed import LiveFeed
from minitelecom.web.languages import read_languages
from minitelecom.web.passwords import InThread
from minitelecom.web.rendering import Renderer, StaticFiles
from minitelecom.web.throttle import Throttle
from minitelecom.web.visit import Shop

T = TypeVar("T")


def one_at_a_time() -> InThread:
    """Runs what blocks in a thread, one after the other: passwords may not take both cores from the calls."""
    turn = DeferredLock()

    async def in_thread(function: Callable[..., T], *arguments: object) -> T:
        return await turn.run(threads.deferToThread, function, *arguments)

    return in_thread


async def no_ladder(session: str) -> None:
    """Nothing to write: the pages are of another process."""


def make_site(
    database: Database,
    config: Config,
    live: LiveCalls,
    now: Callable[[], datetime],
    secrets: Secrets,
    clock: IReactorTime,
    in_thread: InThread | None = None,
    write_ladder: Callable[[str], Awaitable[None]] = no_ladder,
) -> BoundedSite:
    """Everything that the pages need, built once; the daemon listens with what is returned."""
    languages = read_languages(config.zone, config.language)
    static = StaticFiles()
    shop = Shop(
        database=database,
        secrets=secrets,
        feed=LiveFeed(live, clock),
        throttle=Throttle(clock),
        clock=clock,
        now=now,
        token=lambda: system_secrets.token_urlsafe(32),
        random=system_secrets.SystemRandom(),
        in_thread=in_thread or one_at_a_time(),
        currency=config.currency,
        numbers=config.numbers,
        zone=config.zone,
        languages=languages,
        write_ladder=write_ladder,
    )
    application = Application(shop, Renderer(languages, static, clock), static, system_secrets.token_bytes(32))
    return BoundedSite(application.resource(), clock)
