"""
What we send to one far end: a single RTP stream (RFC 3550 section 5.1), whatever it is made of.

Prompts and relayed sound alternate, the far side of a relay may change, yet the receiver sees one SSRC, sequence
numbers without a hole of our making and a timestamp that follows the clock. A stretch of packets of one origin
is a spurt. Inside a relayed spurt the source's own numbers are kept, shifted: what was lost, late or doubled on its
way to us is so for the receiver too, and its jitter buffer can do its work. Each spurt begins with the marker.
"""

from random import Random

from minitelecom.media.rtp import CLOCK_RATE, FRAME_SAMPLES, Packet, header, sequence_ahead, timestamp_ahead

_OURS = -1  # the origin of a spurt of prompts or tones; others are known by their SSRC
_MOST_AHEAD = 3000  # RFC 3550 A.1: MAX_DROPOUT; a wider jump is a source that began anew
_MOST_BEHIND = 100  # RFC 3550 A.1: MAX_MISORDER
_MOST_LEAP = 10 * CLOCK_RATE  # a timestamp that leaps further is fitted to the clock again
_LATE_SECONDS = 0.15  # own frames further apart than this are two spurts


class OutgoingStream:
    """Numbers packets. Sends nothing itself."""

    __slots__ = (
        "_event",
        "_event_timestamp",
        "_origin",
        "_sampled",
        "_sequence",
        "_sequence_shift",
        "_source_sequence",
        "_source_timestamp",
        "_spurt_length",
        "_timestamp",
        "_timestamp_shift",
        "ssrc",
    )

    def __init__(self, random: Random) -> None:
        self.ssrc = random.getrandbits(32)
        self._sequence = random.getrandbits(16)
        self._timestamp = random.getrandbits(32)
        self._sampled: float | None = None  # when the sound of self._timestamp was
        self._origin: int | None = None
        self._source_sequence = 0
        self._source_timestamp = 0
        self._spurt_length = 0
        self._sequence_shift = 0
        self._timestamp_shift = 0
        self._event: tuple[int, int] | None = None  # SSRC and timestamp of the last key passed on
        self._event_timestamp = 0

    def timestamp_at(self, now: float) -> int:
        """The timestamp that corresponds to this instant, for a sender report."""
        passed = 0.0 if self._sampled is None else now - self._sampled
        return (self._timestamp + round(passed * CLOCK_RATE)) & 0xFFFFFFFF

    def pause(self, origin: int = _OURS) -> None:
        """The spurt of that origin ends: what comes next begins another."""
        if self._origin == origin:
            self._origin = None

    def own(self, payload_type: int, payload: bytes, now: float) -> bytes:
        """A frame of our own: prompt, tone or silence."""
        if self._origin == _OURS and self._sampled is not None and now - self._sampled < _LATE_SECONDS:
            self._timestamp = (self._timestamp + FRAME_SAMPLES) & 0xFFFFFFFF
        else:
            self._timestamp = self._due(now)
            self._origin = _OURS
            payload_type |= 0x80
        self._sampled = now
        self._sequence = (self._sequence + 1) & 0xFFFF
        return header(payload_type, self._sequence, self._timestamp, self.ssrc) + payload

    def relayed(self, packet: Packet, payload_type: int, payload: bytes, now: float) -> bytes | None:
        """A packet of another stream as one of ours; None for one that was late for its own spurt."""
        _, marker, sequence_number, timestamp, ssrc, _ = packet
        next_one = sequence_number == self._source_sequence + 1 and 0 < timestamp - self._source_timestamp < _MOST_LEAP
        if next_one and ssrc == self._origin:  # nearly every packet; the rest of this function would say the same
            self._sequence = (sequence_number + self._sequence_shift) & 0xFFFF
            self._timestamp = (timestamp + self._timestamp_shift) & 0xFFFFFFFF
            self._source_sequence, self._source_timestamp, self._sampled = sequence_number, timestamp, now
            self._spurt_length += 1
            marked = payload_type | 0x80 if marker else payload_type
            return header(marked, self._sequence, self._timestamp, self.ssrc) + payload
        if ssrc != self._origin or not self._continues(sequence_number, timestamp):
            self._begin(packet, self._due(now))
            marker = True
        number = self._number(sequence_number)
        if number is None:
            return None
        shifted = (timestamp + self._timestamp_shift) & 0xFFFFFFFF
        self._advance(shifted, now)
        self._source_timestamp = timestamp
        return header(payload_type | 0x80 if marker else payload_type, number, shifted, self.ssrc) + payload

    def event(self, packet: Packet, payload_type: int, now: float) -> bytes | None:
        """
        A telephone-event passed on. Its timestamp names the key (RFC 4733 2.2.1), so it is chosen once a key.

        It may travel beside a prompt of ours, which it does not end. None for a late packet of an earlier key.
        """
        ssrc, timestamp = packet.ssrc, packet.timestamp
        if self._event is None or self._event[0] != ssrc or timestamp_ahead(timestamp, self._event[1]) > 0:
            relaying = ssrc == self._origin and self._continues(packet.sequence_number, timestamp)
            self._event = (ssrc, timestamp)
            self._event_timestamp = (timestamp + self._timestamp_shift) & 0xFFFFFFFF if relaying else self._due(now)
        elif timestamp != self._event[1]:
            return None
        number = self._event_number(packet)
        if number is None:
            return None
        self._advance(self._event_timestamp, now)
        marked = payload_type | 0x80 if packet.marker else payload_type
        return header(marked, number, self._event_timestamp, self.ssrc) + packet.payload

    def own_event(self, payload_type: int, payload: bytes, now: float, *, first: bool) -> bytes:
        """A packet of a key that we press ourselves: a spurt of our own, and one timestamp a key."""
        if first:
            self._event_timestamp = self._due(now)
        self._origin = _OURS
        self._sequence = (self._sequence + 1) & 0xFFFF
        self._advance(self._event_timestamp, now)
        marked = payload_type | 0x80 if first else payload_type
        return header(marked, self._sequence, self._event_timestamp, self.ssrc) + payload

    def _event_number(self, packet: Packet) -> int | None:
        if self._origin == _OURS:
            self._sequence = (self._sequence + 1) & 0xFFFF
            return self._sequence
        if packet.ssrc != self._origin or not self._continues(packet.sequence_number, packet.timestamp):
            self._begin(packet, self._event_timestamp)
        return self._number(packet.sequence_number)

    def _continues(self, sequence_number: int, timestamp: int) -> bool:
        ahead = sequence_ahead(sequence_number, self._source_sequence)
        leap = timestamp_ahead(timestamp, self._source_timestamp)
        return -_MOST_BEHIND < ahead < _MOST_AHEAD and -_MOST_LEAP < leap < _MOST_LEAP

    def _begin(self, packet: Packet, timestamp: int) -> None:
        self._origin = packet.ssrc
        self._source_sequence = (packet.sequence_number - 1) & 0xFFFF
        self._source_timestamp = packet.timestamp
        self._spurt_length = 0
        self._sequence_shift = self._sequence - self._source_sequence
        self._timestamp_shift = timestamp - packet.timestamp

    def _number(self, sequence_number: int) -> int | None:
        ahead = sequence_ahead(sequence_number, self._source_sequence)
        shifted = (sequence_number + self._sequence_shift) & 0xFFFF
        if ahead > 0:
            self._source_sequence = sequence_number
            self._sequence = shifted
            self._spurt_length += ahead
        elif -ahead >= self._spurt_length:
            return None
        return shifted

    def _advance(self, timestamp: int, now: float) -> None:
        if self._sampled is None or timestamp_ahead(timestamp, self._timestamp) > 0:
            self._timestamp = timestamp
            self._sampled = now

    def _due(self, now: float) -> int:
        """The timestamp of a spurt that begins now: the last one and the time since, at least a frame."""
        passed = 0.0 if self._sampled is None else now - self._sampled
        return (self._timestamp + max(FRAME_SAMPLES, round(passed * CLOCK_RATE))) & 0xFFFFFFFF
