"""
Tones that tell a caller how things stand. Bulgarian cadences at 425 Hz (ITU-T E.180 supplement 2).

One period of each; ringback, busy and congestion are played with repeat.
"""

from functools import cache
from math import pi, sin

from minitelecom.media.g711 import words
from minitelecom.media.rtp import CLOCK_RATE
from minitelecom.media.sound import Sound

CALL_PROGRESS_HERTZ = 425.0
BEEP_HERTZ = 1000.0
_AMPLITUDE = 7070  # -10 dBm0 (0 dBm0 is a sine of 22360)
_RAMP_SAMPLES = 40  # 5 ms, so that a tone does not click


def tone(hertz: float, seconds: float, amplitude: int = _AMPLITUDE) -> Sound:
    """A sine that swells and fades within 5 ms."""
    count = round(seconds * CLOCK_RATE)
    step = 2 * pi * hertz / CLOCK_RATE
    return Sound(
        words(
            [
                round(
                    amplitude
                    * min(1.0, (index + 1) / _RAMP_SAMPLES, (count - index) / _RAMP_SAMPLES)
                    * sin(step * index)
                )
                for index in range(count)
            ]
        )
    )


@cache
def silence(seconds: float) -> Sound:
    return Sound(bytes(2 * round(seconds * CLOCK_RATE)))


def _cadence(on_seconds: float, off_seconds: float) -> Sound:
    return Sound(tone(CALL_PROGRESS_HERTZ, on_seconds).samples + silence(off_seconds).samples)


@cache
def ringback() -> Sound:
    return _cadence(1.0, 4.0)


@cache
def busy() -> Sound:
    return _cadence(0.5, 0.5)


@cache
def congestion() -> Sound:
    return _cadence(0.25, 0.25)


@cache
def beep() -> Sound:
    """The warning that credit ends soon."""
    return tone(BEEP_HERTZ, 0.25)
