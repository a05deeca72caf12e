"""CPU time of one SIP message, apart from transactions and sockets: `python bench/messages.py`."""

import sys
from pathlib import Path

from figures import Figure, show
from stopwatch import microseconds
from yardstick import Yardstick

from minitelecom.sip import digest, sdp
from minitelecom.sip.message import Request, Response, parse
from minitelecom.sip.offer_answer import Negotiation

TIMES = 2_000
FOLDER = Path(__file__).parent / "messages"
"""An INVITE, its 200 and a BYE, as telephones and carriers write them."""


def message(name: str) -> bytes:
    return (FOLDER / f"{name}.txt").read_bytes().replace(b"\n", b"\r\n")


INVITE, ANSWER, BYE = message("invite"), message("answer"), message("bye")
DESCRIPTION = INVITE.partition(b"\r\n\r\n")[2]


def request(data: bytes) -> Request:
    read = parse(data)
    assert isinstance(read, Request)
    return read


def received_and_noted() -> bytes:
    """As the transaction layer takes it: where it really came from stands in its Via."""
    read = request(INVITE)
    read.replace_via(read.via.with_parameters(received="203.0.113.7", rport="40001"))
    return read.encode()


def passed_on() -> bytes:
    """As to the other side of a call: headers and body taken over into a message of our own."""
    read = parse(ANSWER)
    assert isinstance(read, Response)
    ours = request(INVITE).response(
        read.status, read.reason, to_tag="ours", body=read.body, content_type="application/sdp"
    )
    return ours.encode()


def negotiated() -> bytes:
    return Negotiation("192.0.2.1", 16384, 1).answer(DESCRIPTION)[0]


CREDENTIALS = request(INVITE).get("Proxy-Authorization") or ""


def main() -> int:
    """Measure and print."""
    figures = []
    with Yardstick() as yardstick:
        for name, work in (
            ("INVITE: read", lambda: parse(INVITE)),
            ("INVITE: read, Via completed, written", received_and_noted),
            ("INVITE and its 200: read, answered, written", passed_on),
            ("BYE: read, answered, written", lambda: request(BYE).response(200).encode()),
            ("SDP: read and written", lambda: sdp.parse(DESCRIPTION).encode()),
            ("SDP: offer read, answer written", negotiated),
            ("credentials: read", lambda: digest.Credentials.parse(CREDENTIALS)),
        ):
            figures.append(Figure(name, microseconds(work, TIMES), "µs"))
    show("A SIP message", [*figures, Figure("yardstick (see bench/yardstick.py)", yardstick.milliseconds, "ms")])
    return 0


if __name__ == "__main__":
    sys.exit(main())
