"""Nonces: what one is worth, where, how long and how often."""

from hypothesis import example, given
from hypothesis import strategies as st

from minitelecom.sip.nonces import FORGED, FRESH, NONCE_SECONDS, STALE, WINDOW, Nonces

NOW = 1_700_000_000


def test_a_nonce_serves_five_minutes_and_one_address():
    nonces = Nonces(b"key")
    nonce = nonces.make(NOW, "192.0.2.1")
    assert nonces.check(nonce, NOW, "192.0.2.1") is FRESH
    assert nonces.check(nonce, NOW + 299, "192.0.2.1") is FRESH
    assert nonces.check(nonce, NOW + 300, "192.0.2.1") is STALE
    assert nonces.check(nonce, NOW, "192.0.2.2") is FORGED
    assert Nonces(b"other").check(nonce, NOW, "192.0.2.1") is FORGED


def test_a_nonce_from_the_future_is_stale():
    nonces = Nonces(b"key")
    assert nonces.check(nonces.make(1_000_100, "a"), 1_000_000, "a") is STALE
    assert nonces.check(nonces.make(1_000_003, "a"), 1_000_000, "a") is FRESH


@given(st.text(max_size=60))
def test_an_invented_nonce_is_forged(nonce: str):
    assert Nonces(b"key").check(nonce, NOW, "192.0.2.1") is FORGED


def test_two_telephones_behind_one_router_get_two_nonces():
    nonces = Nonces(b"key")
    assert nonces.make(NOW, "192.0.2.1") != nonces.make(NOW, "192.0.2.1")


def test_without_qop_a_nonce_is_for_one_call():
    nonces = Nonces(b"key")
    nonce = nonces.make(NOW, "192.0.2.1")
    assert nonces.invite(nonce, "a@telephone", 7, NOW)
    assert not nonces.invite(nonce, "a@telephone", 7, NOW)
    assert not nonces.invite(nonce, "b@telephone", 8, NOW)
    assert nonces.invite(nonce, "a@telephone", 8, NOW)  # an ATA 186 begins anew when it learns its address
    assert not nonces.invite(nonce, "a@telephone", 7, NOW)
    assert nonces.invite(nonces.make(NOW, "192.0.2.1"), "b@telephone", 1, NOW)


def test_with_qop_nothing_is_taken_twice():
    nonces = Nonces(b"key")
    nonce = nonces.make(NOW, "192.0.2.1")
    assert [nonces.count(nonce, count, NOW) for count in (1, 1, 2, 0xD1B, 2)] == [
        True,
        False,
        True,
        True,
        False,
    ]


def test_a_network_that_keeps_no_order():
    nonces = Nonces(b"key")
    nonce = nonces.make(NOW, "192.0.2.1")
    assert [nonces.count(nonce, count, NOW) for count in (3, 1, 2, 1)] == [True, True, True, False]


@example([WINDOW + 6, 6])
@example([WINDOW + 6, 7, 7])
@given(st.lists(st.integers(0, 200), max_size=60))
def test_each_count_once_unless_it_is_very_late(counts: list[int]):
    """The model: a set of everything seen, and a limit to how late a count may be."""
    nonces = Nonces(b"key")
    nonce = nonces.make(NOW, "192.0.2.1")
    seen: set[int] = set()
    for count in counts:
        late = bool(seen) and max(seen) - count >= WINDOW
        assert nonces.count(nonce, count, NOW) == (count not in seen and not late and count > 0)
        if count > 0:
            seen.add(count)


def test_what_had_to_be_forgotten_is_not_taken_again():
    """However many nonces are used, memory keeps its limit, and nothing that was taken is taken twice."""
    nonces = Nonces(b"key", most=3)
    made = [nonces.make(NOW + second, "192.0.2.1") for second in range(5)]
    assert all(nonces.invite(nonce, "a", 1, NOW + 5) for nonce in made)
    assert len(nonces) == 3
    assert not any(nonces.invite(nonce, "a", 1, NOW + 5) for nonce in made)
    assert nonces.invite(nonces.make(NOW + 6, "192.0.2.1"), "a", 1, NOW + 6)


def test_nonces_that_have_had_their_time_are_let_go_of():
    nonces = Nonces(b"key")
    for second in range(0, 10 * NONCE_SECONDS, 10):
        nonces.count(nonces.make(NOW + second, "192.0.2.1"), 1, NOW + second)
    assert len(nonces) <= NONCE_SECONDS // 10 + 2
