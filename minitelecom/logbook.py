"""
The log on standard error: a line an event, with its level and the room it comes from; a failure with its traceback.

Under systemd the journal knows the time, and reads the level from a number in front of each line (sd-daemon(3)).
"""

import os
import sys
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TextIO

from twisted.logger import (
    FileLogObserver,
    FilteringLogObserver,
    LogLevel,
    LogLevelFilterPredicate,
    eventAsText,
    globalLogBeginner,
)

QUIET = {"twisted": LogLevel.warn, "log_legacy": LogLevel.warn}
"""Twisted tells of every socket that it opens; its warnings are enough."""

PRIORITIES = {"debug": 7, "info": 6, "warn": 4, "error": 3, "critical": 2}  # syslog(3)


Layout = Callable[[dict[str, Any]], str]


def begin(level: str, file: TextIO = sys.stderr, environment: Mapping[str, str] = os.environ) -> None:
    """Write what happens from now on, and what was noted since the program began."""
    layout = for_journal if "JOURNAL_STREAM" in environment else for_people
    globalLogBeginner.beginLoggingTo([observer(level, file, layout)], redirectStandardIO=False)


def observer(level: str, file: TextIO, layout: Layout) -> FilteringLogObserver:
    """Who writes events of a level and above; nothing is formatted for a level that is off."""
    predicate = LogLevelFilterPredicate(defaultLogLevel=LogLevel.levelWithName(level))
    for namespace, quiet in QUIET.items():
        predicate.setLogLevelForNamespace(namespace, quiet)
    return FilteringLogObserver(FileLogObserver(file, layout), [predicate])


def for_people(event: dict[str, Any]) -> str:
    """2026-07-03 14:05:09 warn daemon: PostgreSQL is gone; starting it again"""
    time = datetime.fromtimestamp(event["log_time"]).astimezone()
    return f"{time:%Y-%m-%d %H:%M:%S} {_level(event):<5} {_room(event)}: {_text(event)}\n"


def for_journal(event: dict[str, Any]) -> str:
    """The same, every line with its priority."""
    priority = PRIORITIES.get(_level(event), 6)
    text = f"{_room(event)}: {_text(event)}"
    return "".join(f"<{priority}>{line}\n" for line in text.splitlines())


def _level(event: dict[str, Any]) -> str:
    level = event.get("log_level")
    return "info" if level is None else str(level.name)


def _room(event: dict[str, Any]) -> str:
    return str(event.get("log_namespace") or "-").removeprefix("minitelecom.")


def _text(event: dict[str, Any]) -> str:
    return eventAsText(event, includeTraceback=True, includeTimestamp=False, includeSystem=False).rstrip()
