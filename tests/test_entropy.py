"""Randomness in blocks: as good as the system's own, and nothing of it twice."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minitelecom.entropy import BLOCK_BYTES, Entropy


@given(st.integers(0, 3 * 8 * BLOCK_BYTES))
def test_a_number_has_at_most_the_bits_asked_for(bits: int) -> None:
    assert 0 <= Entropy().getrandbits(bits) < 2**bits


def test_every_bit_is_sometimes_set_and_sometimes_not() -> None:
    entropy = Entropy()
    drawn = [entropy.getrandbits(61) for _ in range(200)]
    for bit in range(61):
        assert {drawn_one >> bit & 1 for drawn_one in drawn} == {0, 1}


def test_nothing_is_given_out_twice() -> None:
    entropy = Entropy()
    drawn = [entropy.randbytes(16) for _ in range(4 * BLOCK_BYTES // 16)]
    assert len(set(drawn)) == len(drawn)
    assert {len(one) for one in drawn} == {16}


def test_what_is_built_on_it_works_as_with_any_generator() -> None:
    entropy = Entropy()
    assert sorted(entropy.sample(range(1000), 1000)) == list(range(1000))
    assert {entropy.randint(1, 3) for _ in range(200)} == {1, 2, 3}
    assert all(0 <= entropy.random() < 1 for _ in range(1000))
    assert len(entropy.randbytes(5 * BLOCK_BYTES)) == 5 * BLOCK_BYTES


def test_it_cannot_be_wound_back() -> None:
    with pytest.raises(NotImplementedError):
        Entropy().getstate()
