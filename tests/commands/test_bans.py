"""Bans, by command."""

import pytest

from minitelecom.store import bans
from minitelecom.store.synchronous import SynchronousDatabase, run
from tests.commands.conftest import Minitelecom
from tests.world.house import BEGINNING


def test_an_address_is_banned_listed_and_released(minitelecom: Minitelecom) -> None:
    assert minitelecom("ban", "list").out == "nobody is banned\n"
    assert minitelecom("ban", "add", "203.0.113.9").out == "203.0.113.9 is banned until it is released\n"
    assert minitelecom("ban", "add", "2001:db8::1:9", "--minutes", 90).out == "2001:db8::/64 is banned for 90 minutes\n"
    listed = {ban["address"]: ban for ban in minitelecom("ban", "list", "--json").data}
    assert set(listed) == {"203.0.113.9", "2001:db8::/64"}
    assert listed["203.0.113.9"] | {"since": ""} == {
        "address": "203.0.113.9",
        "name": None,
        "reason": "operator",
        "since": "",
        "until": None,
        "times": 1,
        "proved": True,
    }
    assert listed["2001:db8::/64"]["until"] is not None
    assert minitelecom("ban", "release", "203.0.113.9").out == "203.0.113.9 is released\n"
    assert minitelecom("ban", "release", "2001:db8::77").out == "2001:db8::/64 is released\n"
    assert minitelecom("ban", "list", "--json").data == []


def test_a_name_is_believed_again_by_itself(minitelecom: Minitelecom, database: SynchronousDatabase) -> None:
    later = BEGINNING.replace(year=2100)
    for name in ("101", "102", None):
        run(bans.impose(database, "203.0.113.9", name, "wrong-passwords", later, proved=True))
    assert "101 at 203.0.113.9 is released" in minitelecom("ban", "release", "203.0.113.9", "--name", "101").out
    told = minitelecom("ban", "release", "203.0.113.9")
    assert told.out == "203.0.113.9 is released\n102 at 203.0.113.9 is released\n"


def test_what_could_have_been_forged_is_shown_as_such(minitelecom: Minitelecom, database: SynchronousDatabase) -> None:
    later = BEGINNING.replace(year=2100)
    run(bans.impose(database, "203.0.113.9", None, "scanner", later, proved=False))
    assert "scanner (a datagram says so)" in minitelecom("ban", "list").out
    assert minitelecom("ban", "list", "--json").data[0]["proved"] is False


@pytest.mark.parametrize("address", ["router", "203.0.113", "203.0.113.0/24", ""])
def test_what_is_no_address(minitelecom: Minitelecom, address: str) -> None:
    told = minitelecom("ban", "add", address)
    assert told.status == 2
    assert "expected an address such as" in told.err


def test_nobody_is_released_who_is_not_banned(minitelecom: Minitelecom) -> None:
    told = minitelecom("ban", "release", "203.0.113.9")
    assert (told.status, told.err) == (1, "minitelecom: 203.0.113.9 is not banned: minitelecom ban list\n")


def test_whoever_belongs_to_the_house_is_not_banned(minitelecom: Minitelecom) -> None:
    """They would be listened to all the same."""
    minitelecom("trunk", "add", "carrier", "--uri", "sip:198.51.100.7")
    minitelecom("device", "add", "gateway", "--address", "10.0.0.50")
    for address, owner in (("198.51.100.7", "trunk carrier"), ("10.0.0.50", "telephone gateway")):
        told = minitelecom("ban", "add", address)
        assert told.status == 1
        assert owner in told.err
