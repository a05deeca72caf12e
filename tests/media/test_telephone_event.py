"""Keys as telephone-events over a network that loses, doubles and reorders."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from minitelecom.media.telephone_event import KEYS, Event, EventReceiver, parse, serialise

events = st.builds(Event, st.integers(0, 255), st.booleans(), st.integers(0, 63), st.integers(0, 0xFFFF))


def run_of(key, start, steps=5, step=160):
    """The packets of one key: each 20 ms, the last three times."""
    code = KEYS.index(key)
    going = [(Event(code, False, 10, step * n), start & 0xFFFFFFFF) for n in range(1, steps)]
    return going + [(Event(code, True, 10, step * steps), start & 0xFFFFFFFF)] * 3


def heard(packets, receiver=None, ssrc=7):
    receiver = receiver or EventReceiver()
    keys = [receiver.received(event, timestamp, ssrc) for event, timestamp in packets]
    return "".join(key for key in keys if key)


@given(events)
def test_an_event_comes_back_as_it_was(event):
    assert parse(serialise(event)) == event
    assert parse(serialise(event) + b"more") == event


def test_less_than_an_event_is_none():
    assert parse(b"\1\2\3") is None


@given(
    st.text(KEYS, min_size=1, max_size=12),
    st.integers(0, 0xFFFFFFFF),
    st.integers(1, 40),
    st.integers(400, 20_000),
    st.integers(0, 2**32),
)
def test_each_key_of_which_anything_arrives_is_heard_once_and_in_order(keys, start, steps, pause, seed):
    random = Random(seed)
    loss, arrived, delivered = random.choice([0.0, 0.2, 0.6]), "", []
    for key in keys:
        packets = [packet for packet in run_of(key, start, steps) if random.random() >= loss]
        packets += [packet for packet in packets if random.random() < 0.2]
        delivered += sorted(packets, key=lambda packet: packet[0].duration + random.uniform(-400, 400))
        arrived += key if packets else ""
        start += 160 * steps + pause
    assert heard(delivered) == arrived


def test_a_packet_that_comes_after_the_next_key_is_not_a_key():
    first, second = run_of("1", 1000), run_of("2", 3000)
    assert heard([*first[:-1], *second[:2], first[-1], *second[2:]]) == "12"


def test_the_same_key_twice_is_two_keys_though_ends_and_markers_are_lost():
    assert heard(run_of("5", 1000)[:3] + run_of("5", 2200)[1:3]) == "55"


def test_a_key_held_for_long_goes_on_under_new_timestamps():
    segments = [(Event(5, False, 10, 0xFFFF), 1000), (Event(5, False, 10, 800), 1000 + 0xFFFF)]
    assert heard(segments + run_of("5", 1000 + 0xFFFF + 2000)) == "55"


def test_a_device_that_moves_the_timestamp_with_each_packet_presses_once():
    moving = [(Event(5, n == 5, 10, 160 * n), 1000 + 160 * (n - 1)) for n in range(1, 6)]
    assert heard(moving + run_of("5", 4000)) == "55"


def test_a_new_source_and_a_source_that_begins_anew_are_heard():
    receiver = EventReceiver()
    assert heard(run_of("1", 900_000), receiver) == "1"
    assert heard(run_of("1", 900_000), receiver, ssrc=8) == "1"
    assert heard(run_of("2", 100), receiver, ssrc=8) == "2"


def test_a_flash_is_no_key_but_the_key_after_it_is():
    assert heard([(Event(16, True, 0, 160), 100), *run_of("3", 2000)]) == "3"
