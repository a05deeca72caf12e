"""
What keeping the messages of a call costs: `python bench/ladders.py [calls]`.

The messages of one answered call, as a telephone and a carrier exchange them by way of us, are seen again and again under
other Call-IDs, and written to a private PostgreSQL as the daemon writes them, a hundred calls a second.
"""

import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from figures import Figure, show
from processes import family_cpu_seconds
from twisted.internet.task import Clock
from yardstick import Yardstick

from minitelecom.calls.ladders import Ladders
from minitelecom.sip.hop import Hop
from minitelecom.store.migrations import migrate
from minitelecom.store.private_server import PrivateServer
from minitelecom.store.synchronous import SynchronousDatabase, run

MOST_MICROSECONDS = 100.0
RATE = 100
BEGUN = datetime(2026, 1, 1, tzinfo=UTC)
TELEPHONE, CARRIER = Hop("udp", "10.0.0.11", 5060), Hop("udp", "10.0.0.99", 5060)

HEAD = (
    "Via: SIP/2.0/UDP {host}:5060;branch=z9hG4bK{key}{number};rport\r\nMax-Forwards: 70\r\n"
    "From: <sip:101@10.0.0.1>;tag={key}\r\nTo: <sip:442071234567@10.0.0.1>;tag=f{key}\r\nCall-ID: {key}{leg}@{host}\r\n"
    "CSeq: {number} {method}\r\nContact: <sip:101@{host}:5060>\r\nUser-Agent: Grandstream HT801 1.0.29.8\r\n"
    "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, REGISTER\r\n"
)
PROOF = (
    'Proxy-Authorization: Digest username="101", realm="minitelecom", nonce="65f1c2{key}", uri="sip:442071234567@10.0.0.1",'
    ' response="{key}{key}", algorithm=MD5, cnonce="0a4f113b", qop=auth, nc=00000001\r\n'
)
SDP = (
    "v=0\r\no=- {key} 1 IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\nm=audio 40000 RTP/AVP 8 0 101\r\n"
    "a=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\n"
)

# Leg, whether we sent it, what it is, whether it describes a session: an answered call, challenged and then ended.
FLOW = [
    (0, False, "INVITE", True), (0, True, "407", False), (0, False, "ACK", False), (0, False, "INVITE", True),
    (0, True, "100", False), (1, True, "INVITE", True), (1, False, "100", False), (1, False, "180", False),
    (0, True, "180", False), (1, False, "200", True), (1, True, "ACK", False), (0, True, "200", True),
    (0, False, "ACK", False), (0, False, "BYE", False), (0, True, "200", False), (1, True, "BYE", False),
    (1, False, "200", False),
]  # fmt: skip


def messages(call: int) -> list[tuple[bytes, Hop, bool]]:
    """Those of one call."""
    made = []
    for number, (leg, sent, what, described) in enumerate(FLOW):
        words = {"host": "10.0.0.11" if leg == 0 else "10.0.0.99", "key": f"{call:016x}", "leg": leg, "number": number}
        start = (
            f"SIP/2.0 {what} Whatever\r\n" if what.isdigit() else f"{what} sip:442071234567@10.0.0.1:5060 SIP/2.0\r\n"
        )
        proof = PROOF if leg == 0 and number == 3 else ""
        kind = "Content-Type: application/sdp\r\n" if described else ""
        text = start + HEAD + proof + kind + "Content-Length: 300\r\n\r\n" + (SDP if described else "")
        made.append((text.format(method="INVITE", **words).encode(), (TELEPHONE, CARRIER)[leg], sent))
    return made


def main(calls: int = 5000) -> int:
    """Measure and print."""
    clock = Clock()
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        Path(folder).chmod(0o755)
        server = PrivateServer(Path(folder))
        url = server.ensure()
        migrate(url)
        try:
            with SynchronousDatabase(url) as database, Yardstick() as yardstick:
                now = lambda: BEGUN + timedelta(seconds=clock.seconds())  # noqa: E731
                ladders = Ladders(clock, now, database, lambda _: ("10.0.0.1", 5060), hours=48)
                assert server.pid is not None
                postgres = family_cpu_seconds(server.pid)
                seen = written = 0.0
                for call in range(calls):
                    flow = messages(call)
                    began = time.thread_time()
                    ladders.begin(f"{call:016x}", f"{call:016x}0@10.0.0.11", "101")
                    ladders.join(f"{call:016x}", f"{call:016x}1@10.0.0.99", "carrier", BEGUN)
                    for data, hop, sent in flow:
                        ladders.saw(data, hop, sent=sent)
                    ladders.end(f"{call:016x}")
                    seen += time.thread_time() - began
                    if call % RATE == RATE - 1:
                        began = time.thread_time()
                        clock.advance(1.0)
                        written += time.thread_time() - began
                began = time.thread_time()
                run(ladders.write())
                clock.pump([1.0] * 60)
                written += time.thread_time() - began
                postgres = family_cpu_seconds(server.pid) - postgres
                rows = run(database.query("SELECT count(*), pg_total_relation_size('ladder_pages') FROM ladder_pages"))
        finally:
            server.release()
    each = 1e6 / calls
    show(
        f"Ladders: the messages of {calls} calls, {len(FLOW)} each, {sum(len(one[0]) for one in messages(1))} bytes a call",
        [
            Figure("daemon: CPU a message as it passes", seen * each / len(FLOW), "µs"),
            Figure("daemon: CPU a call, kept and written", (seen + written) * each, "µs", MOST_MICROSECONDS),
            Figure("PostgreSQL: CPU a call", postgres * each, "µs"),
            Figure("on disk a call", rows[0][1] / calls, "bytes"),
            Figure("pages not written", calls - rows[0][0], "", 0),
            Figure("yardstick (see bench/yardstick.py)", yardstick.milliseconds, "ms"),
        ],
    )
    return 0 if rows[0][0] == calls else 1


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
