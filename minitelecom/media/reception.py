"""What arrived of one RTP stream: loss and jitter as RFC 3550 appendix A counts them."""

from dataclasses import dataclass

from minitelecom.media.rtp import CLOCK_RATE, Packet, sequence_ahead

_MOST_AHEAD = 3000
_MOST_BEHIND = 100
_MOST_TRANSIT = 2 * CLOCK_RATE  # a wider change of transit is a pause or a new clock, not jitter


@dataclass(frozen=True, slots=True)
class ReportBlock:
    """One report of RFC 3550 section 6.4.1, in the units of the wire."""

    ssrc: int
    fraction_lost: int
    lost: int
    highest_sequence: int
    jitter: int
    last_sender_report: int
    delay: int


class Reception:
    """Counts the packets of one leg. A new SSRC begins a new count of sequence numbers; the sums go on."""

    __slots__ = (
        "_base",
        "_expected_before",
        "_highest",
        "_jitter",
        "_reported_expected",
        "_reported_received",
        "_transit",
        "received",
        "ssrc",
    )

    def __init__(self) -> None:
        self.received = 0
        self.ssrc: int | None = None
        self._base = 0
        self._highest = 0  # with the number of wraps above the sixteen bits
        self._expected_before = 0  # in streams before this SSRC
        self._jitter = 0.0
        self._transit: int | None = None
        self._reported_expected = 0
        self._reported_received = 0

    def arrived(self, packet: Packet, now: float, *, timed: bool = True) -> None:
        """Count a packet; `timed` is False where the timestamp does not follow the clock (telephone-event)."""
        ahead = sequence_ahead(packet.sequence_number, self._highest & 0xFFFF)
        if packet.ssrc != self.ssrc or not -_MOST_BEHIND < ahead < _MOST_AHEAD:
            self._begin(packet)
        elif ahead > 0:
            self._highest += ahead
        self.received += 1
        if timed:
            self._time(int(now * CLOCK_RATE) - packet.timestamp & 0xFFFFFFFF)

    def _begin(self, packet: Packet) -> None:
        self._expected_before = self._expected
        self._base = self._highest = packet.sequence_number
        self.ssrc = packet.ssrc
        self._transit = None

    def _time(self, transit: int) -> None:
        if self._transit is not None:
            change = abs(transit - self._transit)
            if change < _MOST_TRANSIT:
                self._jitter += (change - self._jitter) / 16
        self._transit = transit

    @property
    def _expected(self) -> int:
        return self._expected_before + (self._highest - self._base + 1 if self.ssrc is not None else 0)

    @property
    def lost(self) -> int:
        return max(0, self._expected - self.received)

    @property
    def jitter_ms(self) -> float:
        return self._jitter * 1000 / CLOCK_RATE

    def report(self, last_sender_report: int, delay_seconds: float) -> ReportBlock | None:
        """The block for the next RTCP report; what was lost since the last one is its fraction (A.3)."""
        if self.ssrc is None:
            return None
        expected = self._expected
        expected_now = expected - self._reported_expected
        lost_now = expected_now - (self.received - self._reported_received)
        self._reported_expected, self._reported_received = expected, self.received
        fraction = (lost_now << 8) // expected_now if lost_now > 0 and expected_now > 0 else 0
        return ReportBlock(
            ssrc=self.ssrc,
            fraction_lost=min(fraction, 255),
            lost=min(self.lost, 0x7FFFFF),
            highest_sequence=self._highest & 0xFFFFFFFF,
            jitter=int(self._jitter),
            last_sender_report=last_sender_report,
            delay=int(delay_seconds * 65536) & 0xFFFFFFFF,
        )
