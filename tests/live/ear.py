"""
Where a telephone's sound is made and heard: RTP on a port of its own, beside a SIPp that does the signalling.

One thread a telephone.
"""

import random
import select
import socket
import struct
import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import Self

from tests.live.programs import PATIENCE_SECONDS, wait_until
from tests.live.sounds import (
    AMPLITUDE,
    EVENT,
    FRAME,
    KEYS,
    PCMA,
    PCMU,
    RATE,
    amplitude,
    decibels,
    decode,
    encode,
    is_heard,
    is_tone,
    key_tone,
    sine,
)

FRAME_SECONDS = 0.02
REACTION_FRAMES = 5  # nobody presses a key quicker; and keys during an error message are not heard
DOWN_FRAMES, UP_FRAMES = 3, 2  # a key: 60 ms, and 40 ms until the next (ITU-T Q.24 wants 40 of each)


@dataclass(frozen=True)
class Packet:
    """What was heard, and when (time.monotonic)."""

    instant: float
    payload_type: int
    marker: bool
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes


@dataclass(frozen=True)
class Outgoing:
    payload_type: int
    payload: bytes
    marker: bool = False
    behind: int = 0
    """Frames since the instant that the timestamp names: an event keeps that of its beginning (RFC 4733 2.5.1.2)."""


class Ear:
    """Sound of one telephone.  Silent until told to speak."""

    def __init__(self, host: str, *, payload_type: int = PCMA, events: bool = True) -> None:
        self.payload_type = payload_type
        self.events = events
        self.heard: list[Packet] = []
        self._rtp, self._rtcp = pair_of_sockets(host)
        self.host, self.port = self._rtp.getsockname()[:2]
        self._peer: tuple[str, int] | None = None
        self._tone: float | None = None
        self._said = 0  # samples of the tone
        self._planned: deque[list[Outgoing]] = deque()
        self._sequence, self._timestamp = random.getrandbits(16), random.getrandbits(32)
        self._ssrc = random.getrandbits(32)
        self._closing = False
        self._thread = threading.Thread(target=self._live, name=f"ear {self.port}", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._closing = True
        self._thread.join(5)
        self._rtp.close()
        self._rtcp.close()

    # Speaking.

    def speak_to(self, host: str, port: int) -> None:
        """Where the far end wants its sound, as its session description says."""
        self._peer = host, port

    def say(self, hertz: float | None) -> None:
        """A tone from now on; None: nothing."""
        self._tone = hertz

    def press(self, keys: str) -> None:
        """Keys as telephone-events, or in the sound where the telephone knows no events; returns when all are sent."""
        self._planned.extend([[]] * REACTION_FRAMES)
        for key in keys:
            self._planned.extend(self._event(key) if self.events else self._sound(key))
            self._planned.extend([[]] * UP_FRAMES)
        wait_until(lambda: not self._planned, f"the keys {keys}", PATIENCE_SECONDS + len(keys))

    def _event(self, key: str) -> list[list[Outgoing]]:
        """RFC 4733 2.5.1: a packet each 20 ms, the last one three times."""
        code = KEYS.index(key)
        frames = []
        for step in range(1, DOWN_FRAMES + 1):
            last = step == DOWN_FRAMES
            payload = struct.pack("!BBH", code, (0x80 if last else 0) | 10, FRAME * step)
            frames.append([Outgoing(EVENT, payload, marker=step == 1, behind=step - 1)] * (3 if last else 1))
        return frames

    def _sound(self, key: str) -> list[list[Outgoing]]:
        sound = encode(self.payload_type, key_tone(key, DOWN_FRAMES * FRAME_SECONDS))
        return [[Outgoing(self.payload_type, sound[at : at + FRAME])] for at in range(0, len(sound), FRAME)]

    # Hearing.

    def sound(self, since: float = 0.0, until: float = float("inf")) -> list[int]:
        """The samples heard between two instants, in the order of their coming."""
        return [
            sample
            for packet in list(self.heard)
            if since <= packet.instant <= until and packet.payload_type in (PCMU, PCMA)
            for sample in decode(packet.payload_type, packet.payload)
        ]

    def encoded(self, since: float = 0.0) -> bytes:
        """The payloads themselves: what was played to us is in there byte for byte."""
        voiced = (PCMU, PCMA)
        return b"".join(p.payload for p in list(self.heard) if p.instant >= since and p.payload_type in voiced)

    def hears_tone(self, hertz: float) -> None:
        """Wait until the last that was heard is this tone."""
        wait_until(lambda: is_tone(self.sound()[-FRAME:] or [0], hertz), f"{hertz:g} Hz at {self.port}")

    def hears(self, hertz: float, own: float, seconds: float = 1.0) -> None:
        """Wait until it has heard this tone for so long from now on, as loud as it was said, and nothing of its own."""
        since, wanted = time.monotonic(), round(seconds * RATE)

        def there() -> bool:
            heard = self.sound(since)[-wanted:]
            return len(heard) == wanted and is_heard(heard, hertz, own)

        wait_until(there, f"{hertz:g} Hz for {seconds:g} s at {self.port}")

    def level(self, hertz: float, since: float, seconds: float) -> float:
        """
        How loud a tone is, in decibels above what a telephone here says a tone with, over so much sound from that instant.

        Listens until it has heard so much, however long that takes.
        """
        wanted = round(seconds * RATE)
        wait_until(lambda: len(self.sound(since)) >= wanted, f"{seconds:g} s of sound at {self.port}")
        return decibels(amplitude(self.sound(since)[:wanted], hertz))

    # The thread.

    def _live(self) -> None:
        due = time.monotonic()
        while not self._closing:
            ready, _, _ = select.select([self._rtp, self._rtcp], [], [], max(0.0, due - time.monotonic()))
            for heard in ready:
                self._receive(heard)
            while time.monotonic() >= due:
                self._speak()
                due += FRAME_SECONDS

    def _receive(self, ready: socket.socket) -> None:
        datagram = ready.recv(2048)
        if ready is self._rtcp or len(datagram) < 12:
            return
        _, second, sequence, timestamp, ssrc = struct.unpack("!BBHII", datagram[:12])
        self.heard.append(
            Packet(time.monotonic(), second & 0x7F, second > 0x7F, sequence, timestamp, ssrc, datagram[12:])
        )

    def _speak(self) -> None:
        if self._peer is not None:
            for outgoing in self._frame():
                self._send(outgoing)
        self._timestamp = self._timestamp + FRAME & 0xFFFFFFFF

    def _frame(self) -> list[Outgoing]:
        if self._planned:
            return self._planned.popleft()
        if self._tone is None:
            return []
        samples = sine(self._tone, FRAME, self._said, AMPLITUDE)
        self._said += FRAME
        return [Outgoing(self.payload_type, encode(self.payload_type, samples))]

    def _send(self, outgoing: Outgoing) -> None:
        assert self._peer is not None
        timestamp = self._timestamp - FRAME * outgoing.behind & 0xFFFFFFFF
        marker = 0x80 if outgoing.marker else 0
        header = struct.pack("!BBHII", 0x80, marker | outgoing.payload_type, self._sequence, timestamp, self._ssrc)
        self._sequence = self._sequence + 1 & 0xFFFF
        self._rtp.sendto(header + outgoing.payload, self._peer)


def pair_of_sockets(host: str) -> tuple[socket.socket, socket.socket]:
    """An even port and the next (RFC 3550 section 11)."""
    for _ in range(100):
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        rtp, rtcp = (socket.socket(family, socket.SOCK_DGRAM) for _ in range(2))
        port = random.randrange(33000, 60000, 2)
        try:
            rtp.bind((host, port))
            rtcp.bind((host, port + 1))
        except OSError:
            rtp.close()
            rtcp.close()
        else:
            return rtp, rtcp
    raise AssertionError("no ports for sound are free")
