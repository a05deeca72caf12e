"""`ladder`: the messages of a call, for a technician and for a carrier's support desk."""

from pathlib import Path

import pytest

from minitelecom.store.synchronous import SynchronousDatabase, run
from tests.commands.conftest import Minitelecom
from tests.ladder import conversation
from tests.ladder.conversation import FLOW


@pytest.fixture
def call(database: SynchronousDatabase) -> int:
    """A number dialled whose messages are kept, by its id."""
    return conversation.call(database)


def test_a_call_is_written_out_for_people(minitelecom: Minitelecom, call: int) -> None:
    told = minitelecom("ladder", call)
    assert told.status == 0
    assert "cabin1 -> MiniTelecom  INVITE [SDP]" in told.out
    assert "SIP/2.0 503 Service Unavailable" in told.out
    assert told.out.count("Call-ID: ") == len(FLOW)


def test_a_call_is_written_out_for_scripts(minitelecom: Minitelecom, call: int) -> None:
    first, *rest = minitelecom("ladder", call, "--json").data
    assert len(rest) == len(FLOW) - 1
    message = first.pop("message")
    assert message.startswith("INVITE sip:359888123456@10.0.0.1:5060 SIP/2.0\r\n")
    assert first == {
        "number": 1,
        "instant": "2026-11-02T08:59:59.970000Z",
        "from": "cabin1",
        "to": "MiniTelecom",
        "source": "udp:192.168.1.21:5060",
        "destination": "udp:10.0.0.1:5060",
        "title": "INVITE",
        "method": "INVITE",
        "sdp": True,
        "repeated": False,
    }


def test_a_call_is_written_to_a_file_for_wireshark(minitelecom: Minitelecom, call: int, tmp_path: Path) -> None:
    path = tmp_path / "call.pcap"
    told = minitelecom("ladder", call, "--pcap", path)
    assert (told.status, told.out) == (0, f"{path}: {len(FLOW)} messages\n")
    assert path.read_bytes()[:4] == bytes.fromhex("d4c3b2a1")
    told = minitelecom("ladder", call, "--pcap", tmp_path / "nowhere" / "call.pcap")
    assert told.status == 1
    assert "No such file or directory" in told.err


def test_a_call_that_is_unknown_or_has_no_messages_is_said_to_be_so(
    minitelecom: Minitelecom, call: int, database: SynchronousDatabase
) -> None:
    assert minitelecom("ladder", call + 1).err == (
        f"minitelecom: there is no call {call + 1}; see minitelecom calls --json\n"
    )
    run(database.query("DELETE FROM ladder_pages"))
    told = minitelecom("ladder", call)
    assert (told.status, told.out) == (1, "")
    assert told.err == f"minitelecom: no messages of call {call} are kept ([sip] ladder_hours = 48)\n"
    assert minitelecom("ladder", call, "--json").data == []
    assert "expected the id of a call" in minitelecom("ladder", "x").err
