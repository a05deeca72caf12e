"""
Real calls while strangers knock: `python bench/flood.py [seconds] [requests a second]`.

A thousand strange addresses send REGISTER and INVITE without a password, as fast as told. Meanwhile a telephone of the shop
calls again and again, and it is measured how long each INVITE waits for its first answer: 100, or 180 where that comes first.
"""

import itertools
import multiprocessing
import selectors
import socket
import sys
import time
from multiprocessing.sharedctypes import Synchronized

import peers
from figures import Figure, show
from processes import cpu_seconds, datagrams_dropped
from shop import Shop, silence
from yardstick import Yardstick

STRANGERS = 1000  # addresses
AT_ONCE = 10  # requests of the flood, between two looks at the clock
CALLS_A_SECOND = 20
MOST_MILLISECONDS = 20.0
LAST_ANSWERS_SECONDS = 3.0

REQUEST = (
    "{method} sip:{user}@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP {host}:{port};branch=z9hG4bK{branch}\r\n"
    "From: <sip:{name}@127.0.0.1>;tag={tag}\r\nTo: <sip:{user}@127.0.0.1>{to}\r\nCall-ID: {call}\r\n"
    "CSeq: {sequence} {method}\r\nContact: <sip:{name}@{host}:{port}>\r\nMax-Forwards: 70\r\n"
)
DESCRIPTION = (
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {media} RTP/AVP 8\r\n"
    "a=rtpmap:8 PCMA/8000\r\n"
)


def request(method: str, host: str, port: int, call: str, body: str = "", **words: object) -> bytes:
    """As a telephone writes it."""
    usual = {"user": "100", "name": "100", "tag": "near", "to": "", "sequence": 1, "branch": f"{method}{call}"}
    head = REQUEST.format(method=method, host=host, port=port, call=call, **{**usual, **words})
    kind = "Content-Type: application/sdp\r\n" if body else ""
    return f"{head}{kind}Content-Length: {len(body)}\r\n\r\n{body}".encode()


def flood(port: int, rate: int, seconds: float, sent: "Synchronized[int]") -> None:
    """Send, and listen to no answer; what was sent is counted, as a busy machine may not keep the pace."""
    strangers = []
    for number in range(STRANGERS):
        stranger = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        stranger.bind((f"127.2.{number // 250}.{number % 250 + 1}", 0))
        stranger.setblocking(False)
        strangers.append((stranger, *stranger.getsockname()))
    turns = itertools.cycle(strangers)
    began = time.monotonic()
    for number in itertools.count(1):
        stranger, host, own_port = next(turns)
        method = "INVITE" if number % 2 else "REGISTER"
        stranger.sendto(request(method, host, own_port, f"flood{number}", name=f"{number % 30}"), ("127.0.0.1", port))
        if number % AT_ONCE == 0:
            sent.value = number
            ahead = began + number / rate - time.monotonic()
            if ahead > 0:
                time.sleep(ahead)
            if time.monotonic() - began > seconds:
                return


class Caller:
    """A telephone that calls, is answered, and hangs up at once."""

    def __init__(self, telephone: tuple[str, str], port: int, media: int) -> None:
        host, self._name = telephone
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((host, 0))
        self._exchange = "127.0.0.1", port
        self._media = media
        self._asked: dict[str, float] = {}
        self.waited: dict[str, float] = {}
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._socket, selectors.EVENT_READ)

    def call(self, call: str) -> None:
        body = DESCRIPTION.format(media=self._media)
        self._asked[call] = time.monotonic()
        self._send("INVITE", call, body)

    def _send(self, method: str, call: str, body: str = "", **words: object) -> None:
        host, port = self._socket.getsockname()
        text = request(method, host, port, call, body, user=peers.DIALLED, name=self._name, **words)
        self._socket.sendto(text, self._exchange)

    def listen(self, until: float) -> None:
        while (left := until - time.monotonic()) > 0:
            if self._selector.select(left):
                self._heard(self._socket.recv(65_536).decode(), time.monotonic())

    def _heard(self, text: str, instant: float) -> None:
        lines = dict(line.partition(": ")[::2] for line in text.split("\r\n\r\n", maxsplit=1)[0].split("\r\n")[1:])
        call, sequence = lines["Call-ID"], lines["CSeq"]
        if not text.startswith("SIP/2.0 ") or sequence != "1 INVITE":
            return
        self.waited.setdefault(call, instant - self._asked[call])
        if text.startswith("SIP/2.0 200"):
            to = lines["To"].partition(">")[2]
            self._send("ACK", call, to=to)
            self._send("BYE", call, to=to, sequence=2)


def main(seconds: int = 20, rate: int = 5000) -> int:
    """Measure and print; the exit status tells whether every call was answered."""
    sent: Synchronized[int] = multiprocessing.Value("i", 0)
    with Shop() as shop, silence() as media:
        carrier = peers.carrier(shop.folder, shop.carrier_port, media)
        caller = Caller(shop.telephones[0], shop.sip_port, media)
        time.sleep(1.0)
        flooding = multiprocessing.Process(target=flood, args=(shop.sip_port, rate, float(seconds), sent), daemon=True)
        flooding.start()
        cpu, began = cpu_seconds(shop.daemon_pid), time.monotonic()
        with Yardstick() as yardstick:
            for number in range(seconds * CALLS_A_SECOND):
                caller.call(f"call{number}")
                caller.listen(began + (number + 1) / CALLS_A_SECOND)
        lasted = time.monotonic() - began
        cpu = cpu_seconds(shop.daemon_pid) - cpu
        caller.listen(time.monotonic() + LAST_ANSWERS_SECONDS)
        lost = datagrams_dropped(shop.sip_port)
        flooding.join()
        carrier.end()
    waited = sorted(caller.waited.values())
    made = seconds * CALLS_A_SECOND
    show(
        f"Flood: {rate} requests a second of {STRANGERS} strangers for {seconds} s, {CALLS_A_SECOND} calls a second beside",
        [
            Figure("requests of strangers a second", sent.value / lasted, ""),
            Figure("INVITE to the first answer: half of them", 1000 * waited[len(waited) // 2], "ms"),
            Figure(
                "INVITE to the first answer: 99 of 100", 1000 * waited[len(waited) * 99 // 100], "ms", MOST_MILLISECONDS
            ),
            Figure("INVITE to the first answer: longest", 1000 * waited[-1], "ms"),
            Figure("calls without an answer", made - len(waited), "", 0),
            Figure("daemon: CPU", 100 * cpu / lasted, "%"),
            Figure("datagrams that found no room", lost, ""),
            Figure("yardstick (see bench/yardstick.py)", yardstick.milliseconds, "ms"),
        ],
    )
    return 0 if len(waited) == made else 1


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
