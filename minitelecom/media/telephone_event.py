"""
Keys as RTP telephone-events: RFC 4733.

A key is a run of packets that share one timestamp, the instant it went down. Marker and end bit may be lost or
repeated; the timestamp says which key a packet belongs to. So a key counts with the first packet of a timestamp
not seen yet, whichever packet of the run it is.
"""

from typing import NamedTuple

from minitelecom.media.rtp import CLOCK_RATE, timestamp_ahead

KEYS = "0123456789*#ABCD"
"""Event codes 0 to 15 in order (RFC 4733 table 3)."""

_LATE = 5 * CLOCK_RATE  # a timestamp further behind than this is a source that began anew


class Event(NamedTuple):
    code: int
    end: bool
    volume: int
    duration: int


def parse(payload: bytes) -> Event | None:
    """The (first) event of a payload; None if it is too short to hold one."""
    if len(payload) < 4:
        return None
    return Event(payload[0], payload[1] > 0x7F, payload[1] & 0x3F, payload[2] << 8 | payload[3])


def serialise(event: Event) -> bytes:
    return bytes([event.code, (0x80 if event.end else 0) | event.volume, event.duration >> 8, event.duration & 0xFF])


class EventReceiver:
    """Hears the packets of one leg and says each key once."""

    __slots__ = ("_code", "_ends", "_ssrc", "_timestamp")

    def __init__(self) -> None:
        self._ssrc: int | None = None
        self._code = -1
        self._timestamp = 0
        self._ends = 0  # the timestamp up to which the key is known to have been down

    def received(self, event: Event, timestamp: int, ssrc: int) -> str | None:
        """The key, if this packet is the first heard of it."""
        ahead = timestamp_ahead(timestamp, self._timestamp) if ssrc == self._ssrc else 1
        if -_LATE < ahead < 0:
            return None  # a late packet of an earlier key
        ends = (timestamp + event.duration) & 0xFFFFFFFF
        fresh = ahead != 0 and not self._prolongs(event, timestamp, ssrc)
        if fresh or timestamp_ahead(ends, self._ends) > 0:
            self._ends = ends
        self._ssrc, self._timestamp, self._code = ssrc, timestamp, event.code
        return KEYS[event.code] if fresh and event.code < len(KEYS) else None

    def _prolongs(self, event: Event, timestamp: int, ssrc: int) -> bool:
        """
        Whether a new timestamp goes on with the key that is down.

        A key held for more than 65535 samples continues in a segment with a new timestamp where the old one ended
        (RFC 4733 2.5.1.3); some devices move the timestamp with each packet. A key pressed anew begins later than
        the last one was known to be down.
        """
        if ssrc != self._ssrc or event.code != self._code:
            return False
        return timestamp_ahead(timestamp, self._timestamp) > 0 and timestamp_ahead(timestamp, self._ends) <= 0
