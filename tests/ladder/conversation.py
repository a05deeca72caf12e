"""A call as a page of its messages: a telephone, a carrier that refuses, a second one that is answered; then it is held."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from minitelecom.ladder.pages import Taken, read, write
from minitelecom.ladder.seen import Leg, Seen
from minitelecom.money import Money
from minitelecom.rating.rate import Rate
from minitelecom.sip.hop import Hop
from minitelecom.store import call_records, ladders, processes
from minitelecom.store.call_records import Beginning, Ending
from minitelecom.store.synchronous import SynchronousDatabase, run

BULGARIA = Rate("35988", "Bulgaria mobile", "EUR", Decimal("0.12"), 1, 1)
STARTED = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
SDP = (
    "v=0\r\no=- 3724 1 IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\nm=audio 40000 RTP/AVP 8 0 101\r\n"
    "a=rtpmap:101 telephone-event/8000\r\na=ptime:20\r\n{more}"
)
PROOF = (
    'Proxy-Authorization: Digest username="cabin1", realm="minitelecom", nonce="68f0c1", uri="sip:1@10.0.0.1",'
    ' response="00112233445566778899aabbccddeeff"\r\n'
)
# Seconds, whose leg, whether we sent it, what, of which request, and what is particular about it.
TELEPHONE, CHEAP, GOOD = "cabin1", "cheap", "good"
FLOW = [
    (0.0, TELEPHONE, False, "INVITE", "1 INVITE", "sdp"),
    (0.004, TELEPHONE, True, "407 Proxy Authentication Required", "1 INVITE", ""),
    (0.019, TELEPHONE, False, "ACK", "1 ACK", ""),
    (0.023, TELEPHONE, False, "INVITE", "2 INVITE", "sdp proof"),
    (0.031, CHEAP, True, "INVITE", "1 INVITE", "sdp"),
    (0.223, TELEPHONE, True, "100 Trying", "2 INVITE", ""),
    (0.531, CHEAP, True, "INVITE", "1 INVITE", "sdp"),
    (0.602, CHEAP, False, "503 Service Unavailable", "1 INVITE", ""),
    (0.603, CHEAP, True, "ACK", "1 ACK", ""),
    (0.604, GOOD, True, "INVITE", "1 INVITE", "sdp"),
    (0.655, GOOD, False, "100 Trying", "1 INVITE", ""),
    (1.92, GOOD, False, "183 Session Progress", "1 INVITE", "sdp"),
    (1.921, TELEPHONE, True, "183 Session Progress", "2 INVITE", "sdp"),
    (7.31, GOOD, False, "200 OK", "1 INVITE", "sdp"),
    (7.312, GOOD, True, "ACK", "1 ACK", ""),
    (7.314, TELEPHONE, True, "200 OK", "2 INVITE", "sdp"),
    (7.36, TELEPHONE, False, "ACK", "2 ACK", ""),
    (21.5, TELEPHONE, False, "INVITE", "3 INVITE", "sdp hold"),
    (21.502, TELEPHONE, True, "200 OK", "3 INVITE", "sdp hold"),
    (21.55, TELEPHONE, False, "ACK", "3 ACK", ""),
    (24.0, TELEPHONE, False, "INFO", "4 INFO", "key"),
    (24.001, TELEPHONE, True, "200 OK", "4 INFO", ""),
    (63.2, TELEPHONE, False, "BYE", "5 BYE", ""),
    (63.201, TELEPHONE, True, "200 OK", "5 BYE", ""),
    (63.203, GOOD, True, "BYE", "2 BYE", ""),
    (63.26, GOOD, False, "200 OK", "2 BYE", ""),
]
HOSTS = {TELEPHONE: "192.168.1.21", CHEAP: "198.51.100.7", GOOD: "203.0.113.40"}


def message(leg: str, what: str, sequence: str, particular: str) -> bytes:
    host = HOSTS[leg]
    start = f"SIP/2.0 {what}" if what[0].isdigit() else f"{what} sip:359888123456@10.0.0.1:5060 SIP/2.0"
    body, kind = "", ""
    if "sdp" in particular:
        body = SDP.format(host=host, more="a=sendonly\r\n" if "hold" in particular else "")
        kind = "Content-Type: application/sdp\r\n"
    elif "key" in particular:
        body, kind = "Signal=7\r\nDuration=160\r\n", "Content-Type: application/dtmf-relay\r\n"
    return (
        f"{start}\r\nVia: SIP/2.0/UDP {host}:5060;branch=z9hG4bK{sequence.replace(' ', '')};rport\r\n"
        f"From: <sip:cabin1@10.0.0.1>;tag=9f3b\r\nTo: <sip:359888123456@10.0.0.1>;tag=c7\r\n"
        f"Call-ID: {leg}-7d41@{host}\r\nCSeq: {sequence}\r\nContact: <sip:cabin1@{host}:5060>\r\nMax-Forwards: 70\r\n"
        f"User-Agent: Grandstream HT801 1.0.29.8\r\n{PROOF if 'proof' in particular else ''}{kind}"
        f"Content-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


def taken(dialled: datetime = STARTED, transport: str = "udp", hosts: dict[str, str] = HOSTS) -> list[Taken]:
    legs = {name: Leg(f"{name}-7d41@{HOSTS[name]}", name, None if name == TELEPHONE else dialled) for name in HOSTS}
    return [
        (seconds, sent, Hop(transport, hosts[name], 5060), legs[name], message(name, what, sequence, particular))
        for seconds, name, sent, what, sequence, particular in FLOW
    ]


def seen(**how: object) -> list[Seen]:
    own = "2001:db8::1" if ":" in next(iter(how.get("hosts", HOSTS).values())) else "10.0.0.1"
    return read(STARTED, write(taken(**how), lambda hop: (own, 5060)))


def call(database: SynchronousDatabase, account_id: int | None = None, started: datetime = STARTED) -> int:
    """The record of the call, and its messages; the record's id."""
    process = run(processes.start(database, f"conversation {started}", 1, started))
    cost = Money(Decimal("0.112" if account_id else 0), "EUR")
    ceiling, step = (Money(Decimal("1.20"), "EUR"), Decimal("0.002")) if account_id else (Money.zero("EUR"), Decimal(0))
    beginning = Beginning(
        process, f"visit {started}", started, account_id, "cabin1", "cabin1", "359888123456", "Bulgaria mobile", "cheap",
        BULGARIA, ceiling, step, step,
    )  # fmt: skip
    begun = run(call_records.begin(database, beginning))
    answered = started + timedelta(seconds=7.28)
    run(call_records.answered(database, begun.id, started, answered, 600 if account_id else None, "good"))
    ended = started + timedelta(seconds=63.2)
    run(call_records.ended(database, Ending(begun.id, started, ended, 56, cost, "normal", None, "caller")))
    keep(database, beginning.session, started)
    return begun.id


def keep(database: SynchronousDatabase, session: str, dialled: datetime) -> None:
    """As if a call of this visit had gone so."""
    page = write(taken(dialled), lambda hop: ("10.0.0.1", 5060))
    run(ladders.keep(database, [ladders.Page(session, dialled - timedelta(seconds=0.03), page)]))
