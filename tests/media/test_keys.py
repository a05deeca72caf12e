"""A press told in several ways is one key."""

from hypothesis import given
from hypothesis import strategies as st

from minitelecom.media.keys import WINDOW_SECONDS, KeyPresses, Way


def counted(*reports):
    presses = KeyPresses()
    return "".join(key for key, way, now in reports if presses.counts(key, way, now))


def test_one_way_counts_every_report():
    assert counted(("1", Way.INFO, 0.0), ("1", Way.INFO, 0.1), ("2", Way.INFO, 0.2)) == "112"


def test_the_second_way_adds_nothing_whichever_is_first():
    for first, second in ((Way.INFO, Way.TELEPHONE_EVENT), (Way.SOUND, Way.INFO)):
        assert counted(("1", first, 0.0), ("1", second, 0.3), ("1", first, 0.5), ("1", second, 0.9)) == "11"


def test_a_late_second_way_still_adds_nothing():
    event, info = Way.TELEPHONE_EVENT, Way.INFO
    assert counted(("1", event, 0), ("2", event, 0.2), ("1", event, 0.4), ("1", info, 0.5), ("2", info, 0.6)) == "121"


def test_after_a_while_another_way_is_another_press():
    assert counted(("1", Way.INFO, 0.0), ("1", Way.SOUND, WINDOW_SECONDS + 0.1)) == "11"


@given(st.text("123", max_size=20), st.lists(st.floats(0.0, 0.9), min_size=20, max_size=20))
def test_two_complete_ways_count_as_one_however_they_interleave(keys, delays):
    events = [(0.3 * n, key, Way.TELEPHONE_EVENT) for n, key in enumerate(keys)]
    # INFO requests of one dialog are sent one after the other, so they keep their order.
    infos, latest = [], 0.0
    for n, key in enumerate(keys):
        latest = max(latest, 0.3 * n + delays[n])
        infos.append((latest, key, Way.INFO))
    reports = [(key, way, now) for now, key, way in sorted([*events, *infos], key=lambda report: report[0])]
    assert counted(*reports) == keys
