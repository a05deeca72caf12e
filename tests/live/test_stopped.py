"""
SIGTERM while calls run: each side hears of the end, each record is written and charged to that second, and the daemon
leaves with status 0 within seconds.  The next start listens where the last one did and knows every telephone.
"""

import signal
import time
from decimal import Decimal

import pytest

from tests.live.bill import BY_THE_SECOND, check_bill
from tests.live.doomed import (
    ANSWERS,
    LANGUAGE_KEY,
    RINGS,
    SECRET,
    TELEPHONES_HOST,
    Figures,
    Town,
    kill_all_of_postgresql,
    wait_for_end,
)
from tests.live.programs import free_port, wait_until
from tests.live.scenarios import END, answers, called, description, registration, rings
from tests.live.shop import Card
from tests.live.sipp import Sipp

pytestmark = pytest.mark.live


def guest_who_talks(town: Town, card: Card) -> Sipp:
    """Let in with a card, and connected."""
    calling = town.calling("105", "100")
    keys = calling.keys(f"{LANGUAGE_KEY}{card.number}{card.password}{ANSWERS}##")
    sipp = town.plays("guest", calling.invite(), calling.answered(), keys, calling.talk())
    wait_until(lambda: any(one.answered for one in town.books.open("105")), "the guest's talk")
    return sipp


def ringer(town: Town) -> Sipp:
    """Whose call is refused when the daemon stops."""
    town.telephone("102")
    calling = town.calling("102", RINGS)
    sipp = town.plays("ringer", calling.invite(), calling.refused(503))
    sipp.wait_for("SIP/2.0 180")
    return sipp


@pytest.mark.parametrize("postgresql_dies", [False, True], ids=["in peace", "as PostgreSQL dies"])
def test_a_stop_with_calls_in_every_state(town: Town, figures: Figures, *, postgresql_dies: bool) -> None:
    card = town.guest_with_a_card("105")
    with town.carriers() as carriers:
        talkers = {"103": town.talker(), "105": guest_who_talks(town, card)}
        others = [ringer(town), town.listener()]
        stop(town, figures, postgresql_dies=postgresql_dies)
        for sipp in (*talkers.values(), *others):
            sipp.finish()
        accepted = carriers[ANSWERS].find("SIP/2.0 200", sent=True, method="INVITE")
        assert len(carriers[ANSWERS].find("BYE", sent=False)) == len(talkers)
        rung = len(carriers[RINGS].find("INVITE", sent=False))  # by the listener too, once all has been said to him
        assert 1 <= len(carriers[RINGS].find("CANCEL", sent=False)) == rung <= len(others)

    records = {record["device"]: record for record in town.shop.calls()}
    for (device, sipp), acceptance in zip(talkers.items(), accepted, strict=True):
        assert (records[device]["cause"], records[device]["ended_by"]) == ("interrupted", "operator")
        check_bill(records[device], BY_THE_SECOND, acceptance.instant, sipp.find("BYE")[0].instant)
    for device in ("102", "104"):
        assert (records[device]["answered"], Decimal(records[device]["cost"])) == (None, 0), records[device]
        assert records[device]["ended"] is not None
    assert not town.shop.faults()
    start(town, figures)
    with town.carriers():
        town.next_call()
    town.books.check()
    town.books.nothing_is_held()
    town.check_by_command()


def stop(town: Town, figures: Figures, *, postgresql_dies: bool = False) -> None:
    """SIGTERM; nothing of the shop runs afterwards."""
    daemon, postmaster = town.shop.daemon, town.shop.postgresql
    assert daemon is not None
    assert postmaster is not None
    began = time.monotonic()
    if postgresql_dies:
        kill_all_of_postgresql(postmaster)
    daemon.signal(signal.SIGTERM)
    assert daemon.wait() == 0, town.shop.log
    figures.stops.append(time.monotonic() - began)
    town.shop.daemon = None
    assert town.shop.postgresql is None


def start(town: Town, figures: Figures) -> None:
    began = time.monotonic()
    town.shop.start()
    figures.starts.append(time.monotonic() - began)


def test_telephones_need_not_register_again(town: Town, figures: Figures) -> None:
    """Whether the daemon was stopped or killed: the first call after the start rings the registered telephone."""
    town.shop.telephone("107", SECRET)
    port = free_port(TELEPHONES_HOST)
    town.sipp("registers", registration("107", SECRET), TELEPHONES_HOST, port=port).finish()
    for end in (lambda: stop(town, figures), town.shop.kill):
        end()
        start(town, figures)
        (device,) = (one for one in town.shop.answer("device", "list") if one["name"] == "107")
        assert device["registered"] is True
        assert device["contact"] == f"sip:107@{TELEPHONES_HOST}:{port}"
        body = description(town.sink(TELEPHONES_HOST))
        rung = town.sipp("rung", called(rings(), answers(body)), TELEPHONES_HOST, port=port)
        town.telephone("101")
        calling = town.calling("101", "107")
        caller = town.plays("caller", calling.invite(), calling.answered(), calling.bye(), END)
        caller.finish()
        rung.finish()
        record = wait_for_end(town.books, "101")
        assert (record.called_number, record.cause, record.cost and record.cost.is_zero) == ("107", "normal", True)
    town.check_by_command()
