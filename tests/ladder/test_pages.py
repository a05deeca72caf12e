"""A page gives back what was written on it."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from minitelecom.ladder import pages
from minitelecom.ladder.redaction import redacted, without_uri_passwords
from minitelecom.ladder.seen import Leg, Seen, of_call
from minitelecom.sip.hop import Hop

BEGUN = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
CALLER = Leg("caller's", "cabin1")

hops = st.builds(
    Hop, st.sampled_from(["udp", "tcp"]), st.sampled_from(["10.0.0.1", "2001:db8::1"]), st.integers(1, 65535)
)
legs = st.builds(
    Leg,
    st.text(max_size=20),
    st.text(max_size=5),
    st.none() | st.datetimes(datetime(2020, 1, 1), timezones=st.just(UTC)),
)
taken = st.tuples(
    st.integers(0, 10**7).map(lambda micros: micros / 1e6), st.booleans(), hops, legs, st.binary(max_size=99)
)


@given(st.lists(taken, min_size=1, max_size=9))
def test_what_is_read_is_what_was_written_but_for_secrets(messages: list[pages.Taken]) -> None:
    messages.sort(key=lambda one: one[0])
    read = pages.read(BEGUN, pages.write(messages, lambda hop: ("10.0.0.9", 5060)))
    begun = messages[0][0]
    assert read == [
        Seen(
            BEGUN + timedelta(microseconds=round((seconds - begun) * 1e6)),
            sent,
            leg,
            Hop(hop.transport, hop.host, hop.port),
            Hop(hop.transport, "10.0.0.9", 5060),
            without_uri_passwords(redacted(data)),
        )
        for seconds, sent, hop, leg, data in messages
    ]


def seen(seconds: float, leg: Leg) -> Seen:
    hop = Hop("udp", "10.0.0.1", 5060)
    return Seen(BEGUN + timedelta(seconds=seconds), False, leg, hop, hop, b"")


def test_a_visit_of_two_numbers_is_divided_between_them() -> None:
    first, second = BEGUN + timedelta(seconds=20), BEGUN + timedelta(seconds=60)
    berlin, london = Leg("b", "carrier", first), Leg("l", "carrier", second)
    visit = [
        seen(0, CALLER),
        seen(21, berlin),
        seen(22, CALLER),
        seen(40, berlin),
        seen(41, CALLER),
        seen(61, london),
        seen(70, london),
        seen(71, CALLER),
    ]
    assert of_call(visit, first) == visit[:5]
    assert of_call(visit, second) == visit[4:]
    assert of_call(visit, BEGUN + timedelta(seconds=50)) == [visit[4]], "a number that led nowhere"
