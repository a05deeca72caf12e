"""
Keys heard in the sound itself: ITU-T Q.23 and Q.24, by Goertzel's algorithm.

For telephones that negotiated no telephone-event. Samples are judged in blocks of 102 (12.75 ms; a bin is 78 Hz
wide). A block holds a key when one row and one column tone stand out in their groups, their levels are
within the twist allowed, and together they are nearly all there is: speech, whose harmonics lie elsewhere, fails
here. Two equal blocks make a key, so 40 ms always suffice and 20 ms never do; two blocks without it end it, so a
pause of 40 ms parts two presses of the same key. The row tones are measured first, since most blocks end there.
"""

from math import cos, pi

from minitelecom.media.rtp import CLOCK_RATE

BLOCK_SAMPLES = 102

_ROWS = (697.0, 770.0, 852.0, 941.0)
_COLUMNS = (1209.0, 1336.0, 1477.0, 1633.0)
_KEYS = ("123A", "456B", "789C", "*0#D")

_QUIET_AMPLITUDE = 500.0  # two tones of about -33 dBm0 each; a telephone sends them at -4 to -12
_LEAST_ENERGY = BLOCK_SAMPLES * _QUIET_AMPLITUDE**2
_STANDS_OUT = 6.3  # 8 dB above the others of its group
_NORMAL_TWIST = 6.3  # the column up to 8 dB louder than the row
_REVERSE_TWIST = 2.5  # the row up to 4 dB louder than the column
_SHARE = 0.79  # of all energy in the block, at least; a tone 1.5 % off its frequency loses a fifth
_WHOLE = BLOCK_SAMPLES / 2  # the power of a lone tone over its energy
_LEAST_ROW = _SHARE * _WHOLE / (1 + _NORMAL_TWIST) * 0.9


def _coefficients(frequencies: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(2 * cos(2 * pi * frequency / CLOCK_RATE) for frequency in frequencies)


_ROW_COEFFICIENTS, _COLUMN_COEFFICIENTS = _coefficients(_ROWS), _coefficients(_COLUMNS)


def _powers(block: list[int], coefficients: tuple[float, ...]) -> list[float]:
    """The power of four frequencies, in one pass: this is the inner loop, and unrolled it takes half the time."""
    a, b, c, d = coefficients
    a1 = a2 = b1 = b2 = c1 = c2 = d1 = d2 = 0.0
    for sample in block:
        a1, a2 = sample + a * a1 - a2, a1
        b1, b2 = sample + b * b1 - b2, b1
        c1, c2 = sample + c * c1 - c2, c1
        d1, d2 = sample + d * d1 - d2, d1
    return [
        a1 * a1 + a2 * a2 - a * a1 * a2,
        b1 * b1 + b2 * b2 - b * b1 * b2,
        c1 * c1 + c2 * c2 - c * c1 * c2,
        d1 * d1 + d2 * d2 - d * d1 * d2,
    ]


def _strongest(powers: list[float]) -> int | None:
    """The tone that stands out in its group, if one does."""
    highest = max(powers)
    index = powers.index(highest)
    for other, power in enumerate(powers):
        if other != index and power * _STANDS_OUT > highest:
            return None
    return index


def key_in(block: list[int]) -> str | None:
    """The key whose two tones fill this block."""
    energy = float(sum(map(int.__mul__, block, block)))
    if energy < _LEAST_ENERGY:
        return None
    rows = _powers(block, _ROW_COEFFICIENTS)
    if max(rows) < _LEAST_ROW * energy or (row := _strongest(rows)) is None:
        return None
    columns = _powers(block, _COLUMN_COEFFICIENTS)
    if (column := _strongest(columns)) is None:
        return None
    low, high = rows[row], columns[column]
    if high > low * _NORMAL_TWIST or low > high * _REVERSE_TWIST or low + high < _SHARE * _WHOLE * energy:
        return None
    return _KEYS[row][column]


class InBandKeys:
    """Listens to the sound of one leg and says each key once, while it is down."""

    __slots__ = ("_before", "_down", "_rest")

    def __init__(self) -> None:
        self._rest: list[int] = []
        self._before: str | None = None
        self._down: str | None = None

    def heard(self, samples: list[int]) -> list[str]:
        """The keys that these samples complete."""
        samples = self._rest + samples
        whole = len(samples) - len(samples) % BLOCK_SAMPLES
        keys = [self._judge(samples[start : start + BLOCK_SAMPLES]) for start in range(0, whole, BLOCK_SAMPLES)]
        self._rest = samples[whole:]
        return [key for key in keys if key]

    def _judge(self, block: list[int]) -> str | None:
        now, before = key_in(block), self._before
        self._before = now
        if now != before or now == self._down:
            return None
        self._down = now
        return now
