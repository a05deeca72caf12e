"""RFC 4028 as a table: what is asked, what is answered, and who refreshes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minitelecom.sip.message import Request
from minitelecom.sip.session_timer import (
    LEAST_SECONDS,
    Interval,
    Refresher,
    SessionExpires,
    TooSmall,
    as_uac,
    as_uas,
    decide,
    headers_of_request,
    headers_of_success,
    min_se,
    session_expires,
)


def invite(*headers: tuple[str, str]) -> Request:
    return Request.create("INVITE", "sip:a@b", headers)


def asking(expires: str | None, *, supported: bool, least: int | None = None) -> Request:
    lines = [("Supported", "replaces, timer")] if supported else [("Supported", "replaces")]
    lines += [("Session-Expires", expires)] if expires is not None else []
    lines += [("Min-SE", str(least))] if least is not None else []
    return invite(*lines)


# Section 9, table 2, and what stands beside it in words.
@pytest.mark.parametrize(
    ("supported", "asked", "decided"),
    [
        (False, "1800", "1800;refresher=uas"),
        (False, "1800;refresher=uac", "1800;refresher=uas"),  # the table's NA: it cannot refresh
        (False, "1800;refresher=uas", "1800;refresher=uas"),
        (True, "1800", "1800;refresher=uas"),
        (True, "1800;refresher=uac", "1800;refresher=uac"),
        (True, "1800;refresher=uas", "1800;refresher=uas"),
        (False, None, None),
        (True, None, "1800;refresher=uas"),
    ],
)
def test_who_refreshes(supported, asked, decided):
    found = decide(asking(asked, supported=supported), 1800)
    assert (None if found is None else str(found)) == decided


@pytest.mark.parametrize(
    ("asked", "least", "wanted", "decided"),
    [
        (3600, None, 1800, 1800),  # lowered
        (600, None, 1800, 600),  # never raised
        (3600, 2400, 1800, 2400),  # not below what somebody on the way takes
        (90, None, 1800, 90),
        (None, 2400, 1800, 2400),
        (None, None, 1800, 1800),
    ],
)
def test_how_long(asked, least, wanted, decided):
    found = decide(asking(None if asked is None else str(asked), supported=True, least=least), wanted)
    assert isinstance(found, SessionExpires)
    assert found.seconds == decided


def test_an_interval_that_is_too_small_is_422_for_those_who_understand_it():
    assert decide(asking("89", supported=True), 1800) == TooSmall(90)
    assert decide(asking("200", supported=True), 1800, least=300) == TooSmall(300)
    assert decide(asking("89", supported=False), 1800) == SessionExpires(90, Refresher.UAS)


@pytest.mark.parametrize(("supported", "require"), [(True, [("Require", "timer")]), (False, [])])
def test_a_caller_who_supports_it_is_told_that_it_counts(supported, require):
    request = asking("600", supported=supported)
    decided = decide(request, 1800)
    assert headers_of_success(decided, request) == [("Session-Expires", "600;refresher=uas"), *require]


@pytest.mark.parametrize(
    ("answered", "interval"),
    [
        (None, None),
        ("nonsense", None),
        ("1800;refresher=uac", Interval(1800, we_refresh=True)),
        ("1800;refresher=uas", Interval(1800, we_refresh=False)),
        ("1800", Interval(1800, we_refresh=True)),
        ("10;refresher=uac", Interval(90, we_refresh=True)),
    ],
)
def test_what_a_2xx_has_settled(answered, interval):
    headers = [] if answered is None else [("Session-Expires", answered)]
    assert as_uac(invite().response(200, headers=headers)) == interval


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("1800", SessionExpires(1800)),
        ("1800;refresher=uac", SessionExpires(1800, Refresher.UAC)),
        ("1800 ; Refresher = UAS ;x=y", SessionExpires(1800, Refresher.UAS)),
        ("1800;refresher=both", SessionExpires(1800)),
        ("1800;xrefresher=uac", SessionExpires(1800)),
        ("", None),
        ("-5", None),
        ("99999999999999", None),
    ],
)
def test_reading(value, read):
    assert session_expires(invite(("Session-Expires", value))) == read
    assert session_expires(invite(("x", value))) == read


def test_least():
    assert [min_se(invite(*lines)) for lines in ([], [("Min-SE", "300")], [("Min-SE", "5")], [("Min-SE", "x")])] == [
        90,
        300,
        90,
        90,
    ]


def test_what_we_ask_for():
    assert headers_of_request(1800, 90) == [("Session-Expires", "1800")]
    assert headers_of_request(1800, 2400, Refresher.UAC) == [
        ("Session-Expires", "2400;refresher=uac"),
        ("Min-SE", "2400"),
    ]


@given(st.integers(1, 10**6), st.integers(LEAST_SECONDS, 10**5), st.booleans(), st.sampled_from([None, *Refresher]))
def test_two_of_us_agree_on_who_refreshes_and_for_how_long(seconds, wanted, supported, refresher):
    request = asking(str(SessionExpires(seconds, refresher)), supported=supported)
    decided = decide(request, wanted)
    if isinstance(decided, TooSmall):
        assert seconds < LEAST_SECONDS
        return
    here = as_uas(decided)
    there = as_uac(request.response(200, headers=headers_of_success(decided, request)))
    assert there is not None
    assert there.seconds == here.seconds >= LEAST_SECONDS
    assert there.we_refresh is not here.we_refresh
    assert here.refresh_seconds < here.patience_seconds < here.seconds
    assert supported or here.we_refresh
