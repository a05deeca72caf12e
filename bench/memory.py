"""
Memory of one standing call: `python bench/memory.py`.

(RSS with 2,000 calls standing − RSS with 200) / 1,800; once with signalling alone, once with sound flowing both ways through
the daemon.  A call stands when its transactions are over, which takes 32 seconds from its answer.
"""

import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import peers
from figures import Figure, show
from processes import resident_bytes
from shop import Shop, free_port

FEW, MANY = 200, 2_000
RATE = 20  # calls begun in a second
HOLD_SECONDS = 400.0  # how long each stands: longer than it takes for all of them to stand
PATIENCE_SECONDS = 300.0
PACKETS_PER_SECOND = 1  # of each leg
MOST_KILOBYTES = 40.0
RTP_PORTS = range(20000, 32000, 2)
RTP_HEADER = bytes([0x80, 0x08])
SOUND = bytes([0xD5]) * 160  # 20 ms of A-law silence


def main() -> int:
    """Measure both ways and print; the exit status tells whether all calls stood."""
    silent, _ = standing(sound=False)
    sounding, relayed = standing(sound=True)
    show(
        f"Memory of a standing call: (RSS with {MANY:,} − RSS with {FEW}) / {MANY - FEW}",
        [
            Figure("signalling only", silent, "kB", MOST_KILOBYTES),
            Figure(f"sound relayed, {PACKETS_PER_SECOND} packets a second and leg", sounding, "kB"),
            Figure("packets that came out at the other side", relayed, ""),
        ],
    )
    return 0 if silent > 0 and sounding > 0 and relayed else 1


def standing(*, sound: bool) -> tuple[float, int]:
    """Kilobytes a call, and how many packets of sound came through."""
    with Shop() as shop, ExitStack() as stack:
        media = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        media.bind(("127.0.0.1", 0))
        port = media.getsockname()[1]
        people = stack.enter_context(speaking(media)) if sound else None
        carrier = peers.carrier(shop.folder, shop.carrier_port, port)
        stack.callback(carrier.end)
        sizes = []
        for more in (FEW, MANY - FEW):
            load = peers.Load(more, RATE, HOLD_SECONDS)
            callers = peers.callers(shop.folder, free_port(), port, shop.sip_port, shop.telephones, load)
            stack.callback(callers.end)
            wait_for(shop, FEW if more == FEW else MANY)
            sizes.append(resident_bytes(shop.daemon_pid))
        few, many = sizes
        return (many - few) / (MANY - FEW) / 1000, people.heard if people else 0


def wait_for(shop: Shop, calls: int) -> None:
    """Until so many calls stand, and nothing but their standing takes memory."""
    until = time.monotonic() + PATIENCE_SECONDS
    while (status := shop.ask("status"))["calls"] < calls or status["transactions"]:
        if time.monotonic() > until:
            sys.exit(f"{calls} calls do not stand: {shop.ask('status')}\n{shop.log[-2000:]}")
        time.sleep(0.5)


class People:
    """Everybody's mouth and ear at once: each leg hears from where its far end said that its sound would be."""

    def __init__(self, media: socket.socket) -> None:
        self.heard = 0
        self._media = media
        self._media.setblocking(False)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._talk)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        self._thread.join()

    def _talk(self) -> None:
        number = 0
        while not self._ended.wait(1 / PACKETS_PER_SECOND):
            number += 1
            packet = RTP_HEADER + (number % 65536).to_bytes(2) + (number * 160 % 2**32).to_bytes(4) + bytes(4) + SOUND
            for port in listening():
                self._media.sendto(packet, ("127.0.0.1", port))
                self._listen()

    def _listen(self) -> None:
        with suppress(BlockingIOError):
            while self._media.recv(2048):
                self.heard += 1


@contextmanager
def speaking(media: socket.socket) -> Iterator[People]:
    """While the block runs, everybody talks."""
    people = People(media)
    people.start()
    try:
        yield people
    finally:
        people.stop()


def listening() -> list[int]:
    """The daemon's RTP ports that are open."""
    lines = Path("/proc/net/udp").read_text().splitlines()[1:]
    ports = (int(line.split()[1].partition(":")[2], 16) for line in lines)
    return [port for port in ports if port in RTP_PORTS]


if __name__ == "__main__":
    sys.exit(main())
