"""CPU time of one relayed RTP packet, sockets and reactor included: `python bench/relay.py [calls] [seconds]`.

A child process speaks as both telephones of every call, 50 packets a second and leg; this process only relays, with
conversion between the laws.
"""

import subprocess
import sys
import time
from random import Random

from twisted.internet import reactor

from minitelecom.media import g711
from minitelecom.media.door import Remote
from minitelecom.media.engine import Engine
from minitelecom.media.keys import Way

HOST = "127.0.0.1"
SPEAKER = """
import socket, struct, sys, time
seconds, *targets = [int(word) for word in sys.argv[1:]]
sockets = []
for index, target in enumerate(targets):
    speaker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    speaker.bind(("127.0.0.1", 40000 + 2 * index))
    sockets.append((speaker, ("127.0.0.1", target), 8 if index % 2 else 0))
began = time.monotonic()
for frame in range(50 * seconds):
    for speaker, target, payload_type in sockets:
        speaker.sendto(struct.pack("!BBHII", 128, payload_type, frame & 65535, frame * 160, 7) + bytes(160), target)
    time.sleep(max(0.0, began + (frame + 1) * 0.02 - time.monotonic()))
"""


class Nobody:
    """A user to whom nothing is worth telling."""

    def key_pressed(self, key: str) -> None: ...
    def tells_key(self, key: str, way: Way) -> bool:
        return False

    def play_finished(self) -> None: ...
    def media_silent(self, seconds: float) -> None: ...


def main(calls: int, seconds: int) -> None:
    """Relay, then print the figure."""
    engine = Engine(reactor, reactor, range(42000, 42000 + 4 * calls), HOST, Random(1))
    ports = [engine.open(Nobody(), 60.0) for _ in range(2 * calls)]
    for index, port in enumerate(ports):
        law = g711.PCMA if index % 2 else g711.PCMU
        port.connect(Remote(HOST, 40000 + 2 * index, law, 101, send=True, receive=True))
    for caller, called in zip(ports[::2], ports[1::2], strict=True):
        caller.relay(called)
    command = [sys.executable, "-c", SPEAKER, str(seconds), *(str(port.number) for port in ports)]
    speaker = subprocess.Popen(command)
    began = time.process_time()

    def report() -> None:
        used = time.process_time() - began
        received = sum(port.statistics().packets_received for port in ports)
        print(f"{calls} calls, {received} packets: {used / received * 1e6:.1f} µs of CPU a relayed packet")
        speaker.wait()
        reactor.stop()

    reactor.callLater(seconds + 0.5, report)
    reactor.run()


if __name__ == "__main__":
    main(*(int(word) for word in [*sys.argv[1:], "50", "5"][:2]))
