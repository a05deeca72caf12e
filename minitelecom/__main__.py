"""
The command line's door, and the only module that knows the real reactor.

What only `run` and `demo` need is imported by them: the other commands start in half the time.
"""
# ruff: noqa: PLC0415

import os
import signal
import sys
import time
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from minitelecom.commands import line
from minitelecom.commands.arguments import Nouns, Parser, add_command
from minitelecom.commands.checks import is_free, spoken
from minitelecom.commands.errors import Mistake
from minitelecom.commands.shop import config_of, now, opened
from minitelecom.config import Config
from minitelecom.store.migrations import migrate
from minitelecom.store.private_server import PrivateServer

if TYPE_CHECKING:
    from minitelecom.daemon import Reached
    from minitelecom.lifetime import Running

LEVELS = ("debug", "info", "warn")
SOMEWHERE = "198.51.100.1"  # RFC 5737: nobody's; the way to it shows our own address


def main() -> None:
    """Do what the command line says; SIGTERM ends it as Ctrl-C does, with what is open put away."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(line.main(sys.argv[1:], [_add_run, _add_demo]))


def _add_run(nouns: "Nouns[Parser]") -> None:
    parser = add_command(nouns, "run", _run, "run the daemon, until SIGTERM or Ctrl-C")
    parser.add_argument("--log", choices=LEVELS, default="info", help="how much is told on standard error")


def _add_demo(nouns: "Nouns[Parser]") -> None:
    parser = add_command(nouns, "demo", _demo, "run a shop to try: prices, cards, telephones, a test carrier")
    parser.add_argument("--data", metavar="DIR", type=Path, help="where it is kept")
    parser.add_argument("--log", choices=LEVELS, default="warn", help="how much is told on standard error")


def _run(arguments: Namespace) -> int:
    from twisted.logger import Logger

    from minitelecom import logbook
    from minitelecom.daemon import Daemon

    config = config_of(arguments)
    logbook.begin(arguments.log)
    log = Logger()
    where = ", ".join(map(str, spoken(config)))
    with _reached(config) as reached:
        return _spend(
            config, lambda: Daemon(_reactor(), config, reached), lambda: log.info("ready on {where}", where=where)
        )


def _demo(arguments: Namespace) -> int:
    from minitelecom import logbook
    from minitelecom.calls.voice import Voice
    from minitelecom.daemon import Daemon, route
    from minitelecom.demo import carrier, furniture, settings
    from minitelecom.demo.notice import notice
    from minitelecom.demo.premises import LoopbackCarrier, Premises
    from minitelecom.ivr import catalogue

    folder: Path = (arguments.data or settings.default_folder()).absolute()
    logbook.begin(arguments.log)
    print(f"Opening a demo shop in {folder} …", file=sys.stderr, flush=True)
    config = settings.ensure(folder, is_free)
    with _reached(config) as reached:
        with opened(config) as shop:
            placed = shop.do(furniture.furnish(shop.database, shop.secrets, config, now(), is_free))
        sentence = carrier.sentences(Voice(catalogue.load()).say, config.language, config.emergency.numbers)

        def premises() -> Premises:
            carrier_there = LoopbackCarrier(_reactor(), placed.carrier_port, sentence)
            return Premises((carrier_there, Daemon(_reactor(), config, reached)))

        lines = notice(config, folder / settings.FILE, placed, route(SOMEWHERE))
        return _spend(config, premises, lambda: print(*lines, sep="\n", flush=True))


@contextmanager
def _reached(config: Config) -> "Iterator[Reached]":
    """The database of a daemon, which has it to itself; let go of at the end, if the daemon has not done so."""
    from twisted.logger import Logger

    from minitelecom.daemon import Reached
    from minitelecom.lifetime import RunsAlready, only_one

    try:
        lock = only_one(config.data)
    except RunsAlready as other:
        raise Mistake(str(other)) from None
    server = None
    url = config.database
    try:
        if url is None:
            Logger().info("PostgreSQL in {data} …", data=config.data)
            server = PrivateServer(config.data)
            url = server.ensure()
        migrate(url)
        yield Reached(url, server)
    finally:
        if server is not None:
            server.release()
        os.close(lock)


def _spend(config: Config, build: "Callable[[], Running]", ready: "Callable[[], None]") -> int:
    """Run it; the exit status."""
    from twisted.internet.error import CannotListenError

    from minitelecom.lifetime import Lifetime
    from minitelecom.sip.tls import BadCertificate

    try:
        return Lifetime(_reactor(), build(), ready).spend()
    except BadCertificate as bad:
        raise Mistake(f"{bad}; see [sip] certificate, key and authorities") from None
    except CannotListenError as taken:
        key = "[web] listen" if taken.port == config.web.listen.port else "[sip] listen"
        reason = getattr(taken.socketError, "strerror", None) or taken.socketError
        raise Mistake(
            f"cannot listen on {taken.interface}:{taken.port} ({key}): {reason}; see minitelecom doctor"
        ) from None


def _reactor() -> Any:
    """The reactor, by a clock that nobody sets: a corrected system time must not lengthen or cut a call."""
    from twisted.internet import reactor

    reactor.seconds = time.monotonic  # type: ignore[method-assign]
    return reactor


if __name__ == "__main__":
    main()
