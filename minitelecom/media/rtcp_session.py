"""The RTCP side of one leg: reports sent about every five seconds, reports heard (RFC 3550 section 6)."""

from random import Random

from minitelecom.media.reception import Reception
from minitelecom.media.rtcp import ReceiverReport, SenderReport, goodbye, parse, report
from minitelecom.media.rtp import CLOCK_RATE
from minitelecom.media.stream import OutgoingStream

INTERVAL_SECONDS = 5.0
_SECONDS_1900_TO_1970 = 2_208_988_800


def ntp(instant: float) -> int:
    """Clock seconds as the 64 bits of an NTP timestamp; the middle 32 name a report."""
    return int((instant + _SECONDS_1900_TO_1970) * 0x1_0000_0000) & 0xFFFF_FFFF_FFFF_FFFF


class RtcpSession:
    __slots__ = (
        "_cname",
        "_heard_report",
        "_next",
        "_packets_reported",
        "_random",
        "_reception",
        "_stream",
        "far_jitter_ms",
        "far_lost",
    )

    def __init__(self, stream: OutgoingStream, reception: Reception, random: Random) -> None:
        self._stream = stream
        self._reception = reception
        self._random = random
        self._cname = f"{random.getrandbits(64):016x}"  # RFC 7022: says nothing about us
        self._next: float | None = None
        self._packets_reported = 0
        self._heard_report: tuple[int, float] | None = None  # middle bits of its NTP time, and when it came
        self.far_lost: int | None = None
        self.far_jitter_ms: float | None = None

    def heard(self, datagram: bytes, now: float) -> None:
        for part in parse(datagram):
            if isinstance(part, SenderReport):
                self._heard_report = (part.ntp >> 16 & 0xFFFFFFFF, now)
            if isinstance(part, SenderReport | ReceiverReport):
                for block in part.blocks:
                    if block.ssrc == self._stream.ssrc:
                        self.far_lost, self.far_jitter_ms = block.lost, block.jitter * 1000 / CLOCK_RATE

    def due(self, now: float) -> bool:
        """Whether it is time for a report; the next is then half to one and a half intervals away (6.3.1)."""
        if self._next is None:
            self._next = now + INTERVAL_SECONDS * self._random.uniform(0.5, 1.5)
        if now < self._next:
            return False
        self._next = now + INTERVAL_SECONDS * self._random.uniform(0.5, 1.5)
        return True

    def report(self, now: float, packets: int, octets: int) -> bytes:
        """A sender report if something was sent since the last one, else a receiver report."""
        heard, when = self._heard_report or (0, now)
        block = self._reception.report(heard, now - when)
        blocks = (block,) if block else ()
        if packets == self._packets_reported:
            return report(ReceiverReport(self._stream.ssrc, blocks), self._cname)
        self._packets_reported = packets
        sender = SenderReport(self._stream.ssrc, ntp(now), self._stream.timestamp_at(now), packets, octets, blocks)
        return report(sender, self._cname)

    def goodbye(self) -> bytes:
        return goodbye(self._stream.ssrc, self._cname)
