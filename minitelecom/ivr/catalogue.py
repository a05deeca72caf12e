"""
The folders of prompts: one a language, a catalogue of texts (id = "text") and a wav file for each id.

Files are named and found here and nowhere else; wav ids ("bg/greeting") are what the rest of the house passes about.
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path

PROMPTS = Path(__file__).resolve().parent.parent.parent / "prompts"


class BadCatalogue(ValueError):
    """What is wrong with a catalogue of texts, in one line."""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What can be said: texts by language and id."""

    folder: Path
    texts: dict[str, dict[str, str]]

    @property
    def languages(self) -> tuple[str, ...]:
        return tuple(self.texts)

    def text(self, wav_id: str) -> str:
        language, _, id_ = wav_id.partition("/")
        return self.texts[language][id_]

    def path(self, wav_id: str) -> Path:
        language, _, id_ = wav_id.partition("/")
        return self.folder / language / f"{id_}.wav"

    def music(self, setting: str) -> Path | None:
        """The file that `[calls] music` means; None: who is on hold hears nothing."""
        return {"house": self.folder / "music.wav", "off": None}.get(setting, Path(setting))

    def sounds(self) -> dict[str, Path]:
        """Every wav file there is, by wav id; also recordings that no text mentions."""
        return {
            f"{language}/{path.stem}": path
            for language in self.texts
            for path in sorted((self.folder / language).glob("*.wav"))
        }

    def missing(self) -> list[str]:
        """Wav ids that have a text but no sound yet: run prompts/speak.py."""
        wav_ids = (f"{language}/{id_}" for language, texts in self.texts.items() for id_ in texts)
        return [wav_id for wav_id in wav_ids if not self.path(wav_id).is_file()]


def load(folder: Path = PROMPTS) -> Catalogue:
    """Every folder that holds a catalogue.toml is a language."""
    texts = {path.parent.name: read_texts(path) for path in sorted(folder.glob("*/catalogue.toml"))}
    if not texts:
        raise FileNotFoundError(f"{folder}: no folder with a catalogue.toml is in it")
    return Catalogue(folder, texts)


def read_texts(path: Path) -> dict[str, str]:
    try:
        texts = tomllib.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise BadCatalogue(f"{path}: not a TOML file of texts: {error}") from None
    for id_, text in texts.items():
        if not isinstance(text, str) or not text.strip():
            raise BadCatalogue(f"{path}: {id_}: a text is expected")
    return texts
