"""Prompts as sound: the wav ids that speech rules give, looked up among the recordings; and the music of those on hold."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from twisted.logger import Logger

from minitelecom.ivr.caller import Prompt
from minitelecom.ivr.catalogue import Catalogue
from minitelecom.ivr.speech import say
from minitelecom.media.sound import Sound, UnsuitableSound
from minitelecom.media.tones import beep

LAST_WARNING_SECONDS = 15  # from here on a beep alone: a sentence would take the caller's last words

log = Logger()


class Voice:
    """Every recording of every language, read at the start: nothing waits for a disk while callers listen."""

    def __init__(self, catalogue: Catalogue, music: Path | None = None) -> None:
        self.languages = catalogue.languages
        self._sounds: dict[str, Sound] = {}
        for wav_id, path in catalogue.sounds().items():
            sound = _read(path)
            if sound is not None:
                self._sounds[wav_id] = sound
        self.music = [] if music is None else [sound for sound in [_read(music)] if sound is not None]
        for sound in self.music:
            sound.encode()  # longer than a sentence: nobody shall wait for it while others talk

    def named(self) -> Mapping[str, Sound]:
        """Every recording by its wav id."""
        return self._sounds

    def recordings(self, wav_ids: Iterable[str]) -> list[Sound]:
        """The sounds of these ids; a recording that is missing is left out, which is better than a broken call."""
        return [self._sounds[wav_id] for wav_id in wav_ids if wav_id in self._sounds]

    def say(self, language: str, *prompts: Prompt) -> list[Sound]:
        return self.recordings(wav_id for prompt in prompts for wav_id in say(language, prompt))

    def warning(self, language: str, seconds_left: int) -> Sequence[Sound]:
        """What a caller hears before the money ends: a beep, and a sentence while there is time for one."""
        if seconds_left <= LAST_WARNING_SECONDS:
            return [beep()]
        return [beep(), *self.say(language, "one-minute-left")]


def _read(path: Path) -> Sound | None:
    """One bad recording is no reason to serve nobody."""
    try:
        return Sound.from_wav(path)
    except (UnsuitableSound, OSError) as reason:
        log.warn("{reason}; nobody hears it", reason=reason)
        return None
