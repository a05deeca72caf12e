"""What a telephone writes down of what it hears, read while it is written."""

from collections.abc import Callable, Sequence
from pathlib import Path

from tests.live.programs import wait_until
from tests.live.sounds import RATE, is_heard, levels, read_wav

SAMPLE_BYTES = 2


def wait_for_tone(recordings: Callable[[], Sequence[Path]], hertz: float, own: float, seconds: float) -> None:
    """Wait until the latest has so much of this tone from now on, as loud as it was said, and nothing of the own one."""
    before = {path: path.stat().st_size for path in recordings()}
    wanted = round(seconds * RATE)
    heard: list[int] = []

    def there() -> bool:
        for path in recordings()[-1:]:
            if path.stat().st_size - before.get(path, 0) >= wanted * SAMPLE_BYTES:
                heard[:] = read_wav(path)[-wanted:]
        return bool(heard) and is_heard(heard, hertz, own)

    try:
        wait_until(there, f"{hertz:g} Hz for {seconds:g} s")
    except AssertionError as late:
        late.add_note(f"decibels of it and of the own tone: {levels(heard, hertz, own) if heard else 'nothing came'}")
        raise
