"""The log: what a line holds, for people and for the journal."""

import io
import re

import pytest
from twisted.logger import FilteringLogObserver, Logger, LogPublisher

from minitelecom import logbook


@pytest.fixture
def written():
    """Log with a layout and a level; what was written."""

    def write(tell, layout=logbook.for_people, level="info", namespace="minitelecom.calls.leg") -> str:
        file = io.StringIO()
        observer = logbook.observer(level, file, layout)
        assert isinstance(observer, FilteringLogObserver)
        tell(Logger(namespace=namespace, observer=LogPublisher(observer)))
        return file.getvalue()

    return write


def test_a_line_has_time_level_room_and_text(written):
    line = written(lambda log: log.warn("{number} is {what}", number=5060, what="taken"))
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d warn  calls\.leg: 5060 is taken\n", line)


def test_the_journal_is_told_the_level_and_knows_the_time(written):
    assert written(lambda log: log.error("no route"), logbook.for_journal) == "<3>calls.leg: no route\n"


def test_a_failure_brings_its_traceback_each_line_of_it_marked(written):
    def fail(log: Logger) -> None:
        try:
            raise RuntimeError("of no use")
        except RuntimeError:
            log.failure("it failed")

    lines = written(fail, logbook.for_journal).splitlines()
    assert lines[0] == "<2>calls.leg: it failed"
    assert lines[-1].endswith("RuntimeError: of no use")
    assert all(line.startswith("<2>") for line in lines)


@pytest.mark.parametrize(("level", "heard"), [("debug", 3), ("info", 2), ("warn", 1)])
def test_a_level_that_is_off_is_not_written(written, level, heard):
    def tell(log: Logger) -> None:
        log.debug("bytes")
        log.info("a call")
        log.warn("look here")

    assert written(tell, level=level).count("\n") == heard


@pytest.mark.parametrize("level", ["debug", "info", "warn"])
def test_of_twisted_only_warnings_are_written(written, level):
    def tell(log: Logger) -> None:
        log.info("Starting factory")
        log.warn("a warning")

    assert "Starting" not in written(tell, level=level, namespace="twisted.internet.tcp")
    assert "a warning" in written(tell, level=level, namespace="twisted.internet.tcp")
