"""
A key that we press ourselves towards a far end, because the other party pressed it in a way that does not carry across.

As telephone-event where that was negotiated: a packet every 20 ms, the last one three times (RFC 4733 2.5.1); otherwise as
two tones in the sound (ITU-T Q.23), which every answering machine understands.
"""

from functools import cache
from math import pi, sin

from minitelecom.media.g711 import words
from minitelecom.media.rtp import CLOCK_RATE, FRAME_SAMPLES
from minitelecom.media.sound import Playing, Sound
from minitelecom.media.stream import OutgoingStream
from minitelecom.media.telephone_event import KEYS, Event, serialise

MOST_KEYS = 32  # pressed and not yet sent: five seconds of them
DOWN_FRAMES = 5  # 100 ms; ITU-T Q.24 wants 40 at least
PAUSE_FRAMES = 3

_ROWS = (697.0, 770.0, 852.0, 941.0)
_COLUMNS = (1209.0, 1336.0, 1477.0, 1633.0)
_PAD = ("123A", "456B", "789C", "*0#D")
_AMPLITUDE = 5600.0  # of each tone: -12 dBm0, so that both are -9
_VOLUME = 10  # of an event, in dBm0 below zero
_ENDS = 3


class KeyPress:
    """One key, frame by frame.  How it is sent is decided when it begins."""

    __slots__ = ("_code", "_event_type", "_frame", "_tones")

    def __init__(self, key: str, event_type: int | None) -> None:
        self._code = KEYS.index(key)
        self._event_type = event_type
        self._frame = 0
        self._tones = Playing([tones(key)]) if event_type is None else None

    def datagrams(self, stream: OutgoingStream, payload_type: int, now: float) -> list[bytes] | None:
        """What goes out in this frame; None: the key has been pressed, and the pause after it is over."""
        self._frame += 1
        if self._tones is not None or self._event_type is None:
            frame = self._tones.frame(payload_type) if self._tones is not None else None
            return None if frame is None else [stream.own(payload_type, frame, now)]
        if self._frame > DOWN_FRAMES + PAUSE_FRAMES:
            return None
        if self._frame > DOWN_FRAMES:
            return []
        end = self._frame == DOWN_FRAMES
        event = serialise(Event(self._code, end, _VOLUME, FRAME_SAMPLES * self._frame))
        first = self._frame == 1
        return [
            stream.own_event(self._event_type, event, now, first=first and not count)
            for count in range(_ENDS if end else 1)
        ]


@cache
def tones(key: str) -> Sound:
    """The two tones of a key, and the pause that parts it from the next."""
    row = next(place for place, keys in enumerate(_PAD) if key in keys)
    low, high = _ROWS[row], _COLUMNS[_PAD[row].index(key)]
    samples = [
        round(_AMPLITUDE * (sin(2 * pi * low * n / CLOCK_RATE) + sin(2 * pi * high * n / CLOCK_RATE)))
        for n in range(DOWN_FRAMES * FRAME_SAMPLES)
    ]
    return Sound(words(samples + [0] * (PAUSE_FRAMES * FRAME_SAMPLES)))
