"""The last of the live stories: a carrier that is dead, and then nothing of all the calls is left."""

import socket
from decimal import Decimal

import pytest

from tests.live.bill import check_books, check_not_charged
from tests.live.house import CARRIERS_HOST, House
from tests.live.programs import PATIENCE_SECONDS, STALL_SECONDS, wait_until
from tests.live.shop import RINGING_SECONDS, RunningShop
from tests.live.sipp import waited

pytestmark = pytest.mark.live

REST_SECONDS = 40.0


def test_a_carrier_that_never_says_a_word(shop: RunningShop, house: House) -> None:
    """The INVITE is repeated as RFC 3261 17.1.1.2 says, given up by our limit on ringing, and nobody pays for that."""
    card = shop.card(100, "now")
    shop.telephone("120", "secret", card)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mute:
        mute.bind((CARRIERS_HOST, 0))
        shop.trunk("mute", CARRIERS_HOST, mute.getsockname()[1], "--match", "31999")
        caller = house.telephone("00319995550", "120", "secret", lambda calling: calling.refused(480))
        caller.sipp.finish(RINGING_SECONDS + PATIENCE_SECONDS)
        mute.setblocking(False)
        repeated = waiting(mute)
    assert 0 <= waited(caller.sipp, 480) - RINGING_SECONDS < STALL_SECONDS
    assert 4 <= len(repeated) <= 5  # at 0, 0.5, 1.5, 3.5 and 7.5 s, which may get late
    assert len(set(repeated)) == 1  # and no CANCEL, since nothing was answered (9.1)

    (record,) = shop.ended(called_number="319995550")
    check_not_charged(record, "no-answer", 408)
    check_books(shop, card, Decimal(1))


def waiting(mute: socket.socket) -> list[bytes]:
    datagrams = []
    while True:
        try:
            datagrams.append(mute.recv(65536))
        except BlockingIOError:
            return datagrams


def test_nothing_is_left(shop: RunningShop) -> None:
    """Forty seconds after the last call every counter is at zero, and the books are right."""
    try:
        wait_until(lambda: not shop.alive(), "everything at rest", REST_SECONDS + PATIENCE_SECONDS)
    except AssertionError as late:
        late.add_note(f"left: {shop.alive()}")
        raise
    assert not shop.faults()
    assert not [record for record in shop.calls() if record["ended"] is None]
