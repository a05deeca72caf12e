"""Loss and jitter as RFC 3550 counts them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minitelecom.media.reception import Reception
from minitelecom.media.rtp import Packet


def packet(number, ssrc=7, timestamp=None):
    stamp = 160 * number if timestamp is None else timestamp
    return Packet(8, False, number & 0xFFFF, stamp & 0xFFFFFFFF, ssrc, b"")


@given(st.integers(0, 0xFFFF), st.sets(st.integers(0, 300)))
def test_lost_is_what_is_missing_between_first_and_last_also_over_the_wrap(start, missing):
    reception = Reception()
    for step in range(-1, 302):
        if step not in missing:
            reception.arrived(packet(start + step), step * 0.02)
    assert reception.lost == len(missing)
    assert reception.received == 303 - len(missing)


def test_late_packets_are_not_lost_and_double_ones_hide_nothing_below_zero():
    reception = Reception()
    for number in (1, 2, 4, 3, 3, 3, 5):
        reception.arrived(packet(number), number * 0.02)
    assert reception.lost == 0


def test_a_new_source_begins_a_new_count_and_the_sums_go_on():
    reception = Reception()
    for number in (1, 3, 4):
        reception.arrived(packet(number), number * 0.02)
    for number in (50_000, 50_002):
        reception.arrived(packet(number, ssrc=8), 1.0)
    assert (reception.received, reception.lost) == (5, 2)


def test_jitter_is_nothing_on_a_steady_stream_and_settles_at_what_there_is():
    steady, shaken = Reception(), Reception()
    for number in range(500):
        steady.arrived(packet(number), number * 0.02)
        shaken.arrived(packet(number), number * 0.02 + (number % 2) * 0.01)
    assert steady.jitter_ms < 0.2
    assert shaken.jitter_ms == pytest.approx(10, abs=0.2)


def test_a_report_tells_the_fraction_lost_since_the_last_one():
    reception = Reception()
    assert reception.report(0, 0.0) is None
    for number in range(0, 100, 2):
        reception.arrived(packet(number), number * 0.02)
    first = reception.report(0xABCD, 0.5)
    assert (first.lost, first.fraction_lost, first.highest_sequence) == (49, 126, 98)
    assert (first.last_sender_report, first.delay) == (0xABCD, 0x8000)
    for number in range(99, 200):
        reception.arrived(packet(number), number * 0.02)
    assert reception.report(0, 0.0).fraction_lost == 0
