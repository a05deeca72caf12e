"""The messages of a call, as the daemon kept them, are those that its telephone and its carrier know of."""

import pytest

from tests.ladder.test_pcap import tshark
from tests.live.house import House
from tests.live.programs import wait_until
from tests.live.scenarios import refuses
from tests.live.shop import RunningShop

pytestmark = pytest.mark.live

TILL_HOST = "127.0.0.17"  # a telephone that is known by its address
LEAST = 7  # messages of such a call


def test_a_refused_call_is_found_message_by_message(shop: RunningShop, house: House) -> None:
    card = shop.card(1000, "now")
    shop.command("device", "add", "till", "--address", TILL_HOST, "--account", card.number)
    carrier = house.carrier(refuses(486))
    caller = house.telephone(carrier.dialled, "till", None, lambda calling: calling.refused(486), host=TILL_HOST)
    caller.sipp.finish()
    carrier.sipp.finish()
    (record,) = shop.ended(called_number=carrier.number)

    wait_until(lambda: len(shop.answer("ladder", record["id"])) >= LEAST, "the messages in the database")
    messages = shop.answer("ladder", record["id"])
    for name, sipp in (("till", caller.sipp), (carrier.trunk, carrier.sipp)):
        kept = [one["title"].split()[0] for one in messages if name in (one["from"], one["to"])]
        assert kept == [one.begins.removeprefix("SIP/2.0 ").split()[0] for one in sipp.messages]
    invite = next(one["message"] for one in messages if one["to"] == carrier.trunk)
    assert invite.split() == carrier.sipp.find("INVITE", sent=False)[0].text.split()

    path = shop.folder / "call.pcap"
    shop.command("ladder", record["id"], "--pcap", path)
    read = [method or status for method, status in tshark(path, "sip.Method", "sip.Status-Code")]
    assert read == [one["title"].split()[0] for one in messages]
