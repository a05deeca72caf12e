"""The capture is one that others can read: tshark names every message in its order, and finds every checksum right."""

import struct
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minitelecom.ladder.pcap import SEGMENT, capture, checksum
from minitelecom.ladder.seen import Seen
from minitelecom.sip.hop import Hop
from tests.ladder.conversation import FLOW, HOSTS, seen

SIXES = dict(zip(HOSTS, ("2001:db8::21", "2001:db8:7::1", "2001:db8:40::1"), strict=True))
CHECKED = ("-o", "ip.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE", "-o", "tcp.check_checksum:TRUE")


def tshark(path: Path, *fields: str) -> list[list[str]]:
    """What tshark reads in a capture, a row a packet."""
    wanted = [word for field in fields for word in ("-e", field)]
    command = ["tshark", "-n", "-r", str(path), *CHECKED, "-T", "fields", *wanted]
    told = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    return [line.split("\t") for line in told.stdout.splitlines()]


@pytest.mark.parametrize(
    ("transport", "hosts", "status"),
    [
        ("udp", HOSTS, "udp.checksum.status"),
        ("udp", SIXES, "udp.checksum.status"),
        ("tls", HOSTS, "tcp.checksum.status"),
    ],
)
def test_tshark_reads_what_was_said(tmp_path: Path, transport: str, hosts: dict[str, str], status: str) -> None:
    path = tmp_path / "call.pcap"
    path.write_bytes(capture(seen(transport=transport, hosts=hosts)))
    rows = tshark(
        path, "sip.Method", "sip.Status-Code", "frame.time_relative", status, "ip.checksum.status", "sdp.media"
    )
    assert [method or code for method, code, *_ in rows] == [what.split()[0] for _, _, _, what, _, _ in FLOW]
    assert [round(float(row[2]), 3) for row in rows] == [seconds for seconds, *_ in FLOW]
    assert {row[3] for row in rows} == {"1"}, "good"
    assert {row[4] for row in rows} == ({""} if hosts is SIXES else {"1"})
    assert [bool(row[5]) for row in rows] == ["sdp" in particular for *_, particular in FLOW]


def test_a_long_message_by_tcp_is_several_segments_that_tshark_joins(tmp_path: Path) -> None:
    first = seen(transport="tcp")[0]
    head = first.data.replace(b"User-Agent: ", b"X-Long: " + b"x" * 3 * SEGMENT + b"\r\nUser-Agent: ")
    path = tmp_path / "long.pcap"
    path.write_bytes(capture([replace(first, data=head)]))
    rows = tshark(path, "sip.Method", "tcp.seq_raw", "tcp.len")
    assert len(rows) > 3
    assert [row[0] for row in rows if row[0]] == ["INVITE"]
    assert int(rows[1][1]) == int(rows[0][1]) + int(rows[0][2])


def packets(data: bytes) -> list[bytes]:
    found, place = [], 24
    while place < len(data):
        _, _, length, original = struct.unpack_from("<IIII", data, place)
        assert length == original
        found.append(data[place + 16 : place + 16 + length])
        place += 16 + length
    return found


hops = st.builds(
    Hop,
    st.sampled_from(["udp", "tcp", "tls"]),
    st.sampled_from(["10.0.0.1", "2001:db8::9", "host"]),
    st.integers(1, 65535),
)


@given(st.lists(st.tuples(hops, hops, st.binary(max_size=3000)), max_size=4))
def test_whatever_was_said_is_a_file_of_whole_packets(said: list[tuple[Hop, Hop, bytes]]) -> None:
    one = seen()[0]
    messages: list[Seen] = [
        replace(one, far=far, own=own._replace(transport=far.transport), data=data) for far, own, data in said
    ]
    found = packets(capture(messages))
    payload = b""
    for packet in found:
        six = packet[0] >> 4 == 6
        protocol = packet[6] if six else packet[9]
        begin = (40 if six else 20) + (8 if protocol == 17 else 20)
        payload += packet[begin:]
        assert six or checksum(packet[:20]) == 0
    assert payload == b"".join(data for _, _, data in said)


def test_the_checksum_is_that_of_rfc_1071() -> None:
    assert checksum(bytes.fromhex("0001f203f4f5f6f7")) == 0x220D
