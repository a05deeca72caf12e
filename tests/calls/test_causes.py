"""What a refusal means, to everybody and by a carrier's own codes."""

import pytest

from minitelecom.calls.causes import meanings, verdict
from minitelecom.calls.leg import End, Ending

CODES = "404=next 503=stop 500=busy 5xx=rejected 486=failed 6xx=next"


@pytest.mark.parametrize(
    ("status", "codes", "cause", "goes_on"),
    [
        (486, "", "busy", False),
        (404, "", "rejected", False),
        (503, "", "failed", True),
        (603, "", "rejected", False),
        (404, CODES, "rejected", True),
        (503, CODES, "failed", False),
        (500, CODES, "busy", False),
        (502, CODES, "rejected", False),
        (486, CODES, "failed", True),
        (603, CODES, "rejected", True),
        (480, CODES, "no-answer", False),
    ],
)
def test_a_refusal(status: int, codes: str, cause: str, goes_on: bool) -> None:
    assert verdict(Ending(End.REFUSED, status), codes) == (cause, goes_on)


@pytest.mark.parametrize(
    ("end", "cause", "goes_on"),
    [(End.NO_ANSWER, "no-answer", False), (End.UNREACHABLE, "failed", True), (End.SILENT, "failed", True)],
)
def test_what_a_carrier_did_not_say_is_not_in_its_codes(end: End, cause: str, goes_on: bool) -> None:
    assert verdict(Ending(end, 408), "408=stop 4xx=next") == (cause, goes_on)


def test_codes_as_they_are_written() -> None:
    assert meanings("404=next 5xx=busy") == {"404": "next", "5xx": "busy"}
