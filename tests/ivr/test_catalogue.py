"""The prompts that are committed: every sentence has a text in every language, every text a sound one can listen to."""

import math
import wave
from array import array

import pytest

from minitelecom.ivr.accounts import Refusal
from minitelecom.ivr.caller import Outcome
from minitelecom.ivr.catalogue import load, read_texts
from minitelecom.ivr.grammar import grammar
from minitelecom.ivr.reasons import sentence
from minitelecom.ivr.speech import CURRENCIES

CATALOGUE = load()
WAVS = CATALOGUE.sounds()
SENTENCES = {
    "greeting",
    "press-for-language",
    "enter-user-number",
    "enter-password",
    "nothing-entered",
    "your-balance-is",
    "enter-number",
    "you-can-talk-for",
    "try-again-in",
    "goodbye",
    "one-minute-left",
}
JOINTS = {"and", "minus", "point", "plus", "star", "hash"}
UNITS = {"hour", "minute", "second", "currency", *(code.lower() for code in CURRENCIES)} | {
    f"{code.lower()}-minor" for code in CURRENCIES
}


def test_bulgarian_and_english_are_there():
    assert {"bg", "en"} <= set(CATALOGUE.languages)


@pytest.mark.parametrize("language", CATALOGUE.languages)
def test_a_language_is_complete(language):
    reasons = {sentence(reason) for reason in (*Outcome, *Refusal)} - {None}
    forms = {grammar(language).form(count) for count in range(1000)}
    counted = {f"{unit}-{form}" for unit in UNITS for form in forms}
    numbers = {id_ for count in range(2000) for unit in UNITS for id_ in grammar(language).number(count, unit)}
    numbers |= {id_ for power in range(3, 9) for id_ in grammar(language).number(2 * 10**power, "")}
    assert (SENTENCES | JOINTS | reasons | counted | numbers) - set(CATALOGUE.texts[language]) == set()


def test_every_text_has_its_sound_and_every_sound_its_text():
    assert CATALOGUE.missing() == []
    assert set(WAVS) == {f"{language}/{id_}" for language, texts in CATALOGUE.texts.items() for id_ in texts}


def test_every_ending_is_explained_but_the_good_ones():
    unsaid = {reason for reason in (*Outcome, *Refusal) if sentence(reason) is None}
    assert unsaid == {Outcome.ANSWERED, Outcome.NEXT}


@pytest.mark.parametrize("wav_id", sorted(WAVS))
def test_a_sound_can_be_played_to_a_telephone(wav_id):
    """8 kHz, mono, 16 bit; not silent, not clipped, no longer than its text needs."""
    with wave.open(str(WAVS[wav_id])) as wav:
        assert (wav.getframerate(), wav.getnchannels(), wav.getsampwidth()) == (8000, 1, 2)
        samples = array("h", wav.readframes(wav.getnframes()))
    seconds = len(samples) / 8000
    assert 0.2 < seconds < 1 + 0.12 * len(CATALOGUE.text(wav_id))
    assert max(map(abs, samples)) < 23_500
    loudness = math.sqrt(sum(sample * sample for sample in samples) / len(samples))
    assert 1_600 < loudness < 2_600
    assert any(abs(sample) > 100 for sample in samples[:400]), "silence before the first word"


def test_all_of_it_stays_small():
    assert sum(path.stat().st_size for path in WAVS.values()) < 8_000_000


def test_another_folder_is_another_language(tmp_path):
    """Adding a language is adding a folder."""
    for language in ("de", "en"):
        (tmp_path / language).mkdir()
        (tmp_path / language / "catalogue.toml").write_text('greeting = "Willkommen."\n')
    (tmp_path / "de" / "greeting.wav").write_bytes(b"")
    (tmp_path / "de" / "of-our-own.wav").write_bytes(b"")
    (tmp_path / "drafts").mkdir()
    catalogue = load(tmp_path)
    assert catalogue.languages == ("de", "en")
    assert catalogue.text("de/greeting") == "Willkommen."
    assert set(catalogue.sounds()) == {"de/greeting", "de/of-our-own"}
    assert catalogue.missing() == ["en/greeting"]


def test_a_folder_without_prompts_is_said_so(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no folder with a catalogue\.toml"):
        load(tmp_path)


@pytest.mark.parametrize("mistake", ["greeting = 1", 'greeting = " "', "[greeting]"])
def test_a_catalogue_holds_texts(tmp_path, mistake):
    path = tmp_path / "catalogue.toml"
    path.write_text(mistake + "\n")
    with pytest.raises(ValueError, match="greeting: a text is expected"):
        read_texts(path)
