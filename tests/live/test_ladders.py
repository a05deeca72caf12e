"""The messages of a call, as the daemon kept them, are those that its telephone and its carrier know of."""

from collections.abc import Iterable

import pytest

from tests.ladder.test_pcap import tshark
from tests.live.house import House
from tests.live.programs import wait_until
from tests.live.scenarios import refuses
from tests.live.shop import RunningShop

pytestmark = pytest.mark.live

TILL_HOST = "127.0.0.17"  # a telephone that is known by its address


def test_a_refused_call_is_found_message_by_message(shop: RunningShop, house: House) -> None:
    card = shop.card(1000, "now")
    shop.command("device", "add", "till", "--address", TILL_HOST, "--account", card.number)
    carrier = house.carrier(refuses(486))
    caller = house.telephone(carrier.dialled, "till", None, lambda calling: calling.refused(486), host=TILL_HOST)
    caller.sipp.finish()
    carrier.sipp.finish()
    (record,) = shop.ended(called_number=carrier.number)

    sipps = {"till": caller.sipp, carrier.trunk: carrier.sipp}
    known = {name: once(one.begins.removeprefix("SIP/2.0 ") for one in sipp.messages) for name, sipp in sipps.items()}
    messages: list[dict[str, str]] = []

    def kept() -> dict[str, list[str]]:
        messages[:] = shop.answer("ladder", record["id"])
        return {name: once(one["title"] for one in messages if name in (one["from"], one["to"])) for name in sipps}

    wait_until(lambda: kept() == known, f"{known} in the database")
    invite = next(one["message"] for one in messages if one["to"] == carrier.trunk)
    assert invite.split() == carrier.sipp.find("INVITE", sent=False)[0].text.split()

    path = shop.folder / "call.pcap"
    shop.command("ladder", record["id"], "--pcap", path)
    read = [method or status for method, status in tshark(path, "sip.Method", "sip.Status-Code")]
    assert read == [one["title"].split()[0] for one in messages]


def once(titles: Iterable[str]) -> list[str]:
    """Methods and statuses in the order of their first coming: a busy machine repeats some."""
    return list(dict.fromkeys(title.split()[0] for title in titles))
