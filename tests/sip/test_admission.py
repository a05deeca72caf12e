"""Admission: who is listened to, and that a flood finds nothing to fill."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minitelecom.sip.admission import (
    DOUBTED_SHARE,
    MOST_BUCKETS,
    OWN_BURST,
    OWN_PER_SECOND,
    SCANNERS,
    SHARED_BURST,
    SHARED_PER_SECOND,
    Admission,
    Doubt,
    network_of,
)
from minitelecom.sip.nonces import FORGED, Nonces

NOW = 1_700_000_000
REGISTER = b"REGISTER sip:shop SIP/2.0\r\nUser-Agent: Softphone\r\n\r\n"
PHONE = "192.0.2.7"


class Wall:
    """An admission, the nonces it trusts, and the scanners it found."""

    def __init__(self) -> None:
        self.nonces = Nonces(b"key")
        self.scanners: list[str] = []
        self.admission = Admission(
            lambda nonce, host: self.nonces.check(nonce, NOW, host) is not FORGED,
            lambda host, proved: self.scanners.append(host) if not proved else None,
        )

    def admitted(self, count: int, host: str = PHONE, now: float = 0.0, data: bytes = REGISTER) -> int:
        """How many of so many are listened to."""
        return sum(self.admission.admits(data, host, now) for _ in range(count))

    def exhaust(self, now: float = 0.0) -> None:
        """Everybody there is takes what strangers share."""
        for stranger in range(int(SHARED_BURST)):
            self.admission.admits(REGISTER, f"198.18.{stranger // 250}.{stranger % 250}", now)


def test_a_stranger_has_a_small_bucket_and_it_fills_again() -> None:
    wall = Wall()
    assert wall.admitted(500) == OWN_BURST
    assert wall.admitted(500, now=2.0) == 2 * OWN_PER_SECOND
    assert wall.admitted(5, host="192.0.2.8", now=2.0) == 5


def test_ours_are_always_listened_to() -> None:
    wall = Wall()
    wall.admission.ours = {PHONE}
    wall.admission.banned = {PHONE: 60.0}
    wall.exhaust()
    assert wall.admitted(10_000) == 10_000


def test_whoever_is_banned_is_not_heard_until_his_time_is_over() -> None:
    wall = Wall()
    wall.admission.banned = {PHONE: 60.0}
    assert wall.admitted(3, now=59.9) == 0
    assert wall.admitted(3, now=60.0) == 3


def test_of_whoever_is_doubted_a_part_is_heard_and_every_answer_to_our_challenge() -> None:
    wall = Wall()
    wall.admission.doubted = {PHONE: Doubt(60.0)}
    assert wall.admitted(40) == 40 / DOUBTED_SHARE
    nonce = wall.nonces.make(NOW, PHONE).encode()
    answer = b'REGISTER sip:shop SIP/2.0\r\nAuthorization: Digest nonce="%s"\r\n\r\n' % nonce
    assert wall.admitted(10, data=answer) == 10
    assert wall.admitted(10, data=answer.replace(b"shop", b"friendly-scanner")) == 0
    assert wall.admitted(40, host="192.0.2.8") == 40
    assert all(wall.admission.admits(REGISTER, PHONE, 1.0, proved=True) for _ in range(10)), (
        "nobody repeats it over TCP"
    )
    assert wall.admitted(40, now=60.0) == 40


def test_who_sends_in_anothers_name_does_not_use_up_what_is_heard_of_him() -> None:
    """However much it is, below what anybody may send; and what calls itself a scanner does not count."""
    wall = Wall()
    wall.admission.doubted = {PHONE: Doubt(float("inf"))}
    scanner = REGISTER.replace(b"Softphone", b"friendly-scanner")
    telephone = 0
    for second in range(1, 100):
        assert wall.admitted(3, now=float(second), data=scanner) == 0
        wall.admitted(10, now=float(second))
        telephone += wall.admitted(1, now=second + 0.5)
    assert telephone > 100 / DOUBTED_SHARE / 2


def test_a_flood_from_everywhere_takes_what_strangers_share_and_no_more() -> None:
    """And fills no memory, however many addresses it forges."""
    wall = Wall()
    admitted = 0
    for number in range(100_000):
        host = f"{11 + number // 65_536}.{number // 256 % 256}.{number % 256}.1"
        admitted += wall.admission.admits(REGISTER, host, number / 5000)
    seconds = 100_000 / 5000
    assert admitted <= SHARED_BURST + SHARED_PER_SECOND * seconds
    assert len(wall.admission) <= 2 * MOST_BUCKETS


@pytest.mark.parametrize("spelling", [b'nonce="%s"', b'nonce = "%s"'])
def test_during_a_flood_whoever_answers_our_challenge_is_heard(spelling: bytes) -> None:
    """A forged source address has never seen one; a nonce serves where it was given to, and nowhere else."""
    wall = Wall()
    wall.exhaust()
    nonce = wall.nonces.make(NOW, PHONE).encode()
    answer = b'REGISTER sip:shop SIP/2.0\r\nAuthorization: Digest username="101", ' + spelling % nonce + b"\r\n\r\n"
    assert wall.admitted(1) == 0
    assert wall.admitted(1, data=answer) == 1
    assert wall.admitted(1, host="192.0.2.8", data=answer) == 0
    assert wall.admitted(1, data=answer.replace(nonce, nonce[::-1])) == 0
    assert wall.admitted(1, data=answer.replace(b"username", b'cnonce="' + b"c" * 40 + b'", username')) == 1


@pytest.mark.parametrize("name", SCANNERS)
def test_a_scanner_is_known_by_its_name(name: bytes) -> None:
    wall = Wall()
    assert wall.admitted(1, data=REGISTER.replace(b"Softphone", name.title())) == 0
    assert wall.scanners == [PHONE]
    wall.admission.ours = {PHONE}
    assert wall.admitted(1, data=REGISTER.replace(b"Softphone", name)) == 1


@pytest.mark.parametrize(
    ("host", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8::1", "2001:db8::/64"),
        ("2001:db8:0:0:ffff:ffff:ffff:ffff", "2001:db8::/64"),
        ("2001:db8:0:1::1", "2001:db8:0:1::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
    ],
)
def test_what_one_sender_can_choose_his_address_from(host: str, network: str) -> None:
    assert network_of(host) == network


@given(st.binary(max_size=300), st.lists(st.floats(0, 100), min_size=1, max_size=20))
def test_whatever_comes_is_judged(data: bytes, instants: list[float]) -> None:
    wall = Wall()
    wall.exhaust()
    for now in sorted(instants):
        assert wall.admission.admits(data, PHONE, now) in (True, False)
