"""Whom a port listens and speaks to."""

from minitelecom.media.latch import RELATCH_SECONDS, Latch

PRIVATE, OUTSIDE, STRANGER, NEW = (
    ("192.168.0.5", 5004),
    ("203.0.113.9", 40001),
    ("198.51.100.1", 6),
    ("192.168.0.5", 5008),
)


def latched():
    latch = Latch()
    assert latch.announce(PRIVATE, 0.0)
    assert latch.target == PRIVATE
    assert latch.admits(OUTSIDE, 0.1, None)
    return latch


def test_the_first_source_is_followed_and_strangers_are_not():
    latch = latched()
    assert (latch.source, latch.target) == (OUTSIDE, OUTSIDE)
    assert not latch.admits(STRANGER, 0.2, 0.15)
    assert latch.target == OUTSIDE


def test_after_silence_another_may_take_over():
    latch = latched()
    assert latch.admits(STRANGER, 10.0, 10.0 - RELATCH_SECONDS)
    assert latch.target == STRANGER


def test_the_same_description_again_moves_nothing_but_lets_another_source_take_over_once():
    latch = latched()
    assert not latch.announce(PRIVATE, 5.0)
    assert latch.target == OUTSIDE
    elsewhere = ("203.0.113.9", 40007)
    assert latch.admits(elsewhere, 5.5, 5.49)
    assert latch.target == elsewhere
    assert not latch.admits(OUTSIDE, 5.6, 5.59)


def test_a_new_description_is_followed_while_the_last_of_the_old_stream_is_still_heard():
    latch = latched()
    assert latch.announce(NEW, 5.0)
    assert latch.admits(OUTSIDE, 5.1, 5.0)
    assert latch.target == NEW
    elsewhere = ("203.0.113.9", 40007)
    assert latch.admits(elsewhere, 5.2, 5.1)
    assert latch.target == elsewhere
    assert not latch.admits(OUTSIDE, 5.3, 5.2)


def test_a_new_description_of_one_who_goes_on_as_before_ends_with_him():
    latch = latched()
    latch.announce(NEW, 5.0)
    assert latch.admits(OUTSIDE, 5.0 + RELATCH_SECONDS, 5.0 + RELATCH_SECONDS - 0.02)
    assert latch.target == OUTSIDE


def test_hold_without_an_address_keeps_the_way():
    latch = latched()
    assert not latch.announce(None, 5.0)
    assert latch.target == OUTSIDE


def test_the_announced_address_is_always_heard():
    latch = latched()
    assert latch.admits(PRIVATE, 0.2, 0.15)
    assert latch.target == PRIVATE
