"""prompts/speak.py: what it speaks anew, and what it never touches."""

from importlib.util import module_from_spec, spec_from_file_location

import pytest

from minitelecom.ivr.catalogue import PROMPTS


def script():
    spec = spec_from_file_location("speak", PROMPTS / "speak.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SPEAK = script()


class Voice:
    """Instead of espeak-ng: the sound is the text."""

    def __init__(self, folder):
        self.folder = folder
        self.spoken = []

    def __call__(self, text, voice, target):
        self.spoken.append((text, voice))
        target.write_text(text)

    def refresh(self, **texts):
        """The texts that were spoken, and how many recordings were left alone."""
        self.spoken.clear()
        lines = [f'{id_} = "{text}"\n' for id_, text in texts.items()]
        (self.folder / "catalogue.toml").write_text("".join(lines))
        _, recordings = SPEAK.refresh(self.folder, self)
        return [text for text, _ in self.spoken], recordings


@pytest.fixture
def voice(tmp_path):
    folder = tmp_path / "bg"
    folder.mkdir()
    return Voice(folder)


def test_only_what_is_missing_or_changed_is_spoken(voice):
    assert voice.refresh(one="едно", two="две") == (["едно", "две"], 0)
    assert voice.refresh(one="едно", two="две") == ([], 0)
    assert voice.refresh(one="едно", two="два", three="три") == (["два", "три"], 0)
    (voice.folder / "one.wav").unlink()
    assert voice.refresh(one="едно", two="два", three="три") == (["едно"], 0)


def test_a_recording_is_never_overwritten(voice):
    voice.refresh(one="едно", two="две")
    (voice.folder / "one.wav").write_text("a studio's work")
    (voice.folder / "three.wav").write_text("another's")
    assert voice.refresh(one="един", two="две", three="три") == ([], 2)
    assert voice.refresh(one="една", two="две", three="три") == ([], 2)
    assert (voice.folder / "one.wav").read_text() == "a studio's work"
    (voice.folder / "one.wav").unlink()
    assert voice.refresh(one="една", two="две", three="три") == (["една"], 1)


def test_what_nobody_says_any_more_is_removed_unless_it_is_a_recording(voice):
    voice.refresh(one="едно", two="две")
    (voice.folder / "two.wav").write_text("a studio's work")
    voice.refresh(three="три")
    assert {path.name for path in voice.folder.glob("*.wav")} == {"two.wav", "three.wav"}


def test_another_voice_speaks_everything_anew(voice):
    voice.refresh(one="едно")
    assert voice.spoken == [("едно", "bg")]
    (voice.folder / "voice").write_text("bg+f3\n")
    voice.refresh(one="едно")
    assert voice.spoken == [("едно", "bg+f3")]


def test_what_was_spoken_before_a_failure_is_remembered(voice):
    def breaks(text, name, target):
        if text == "две":
            raise OSError("disk full")
        voice(text, name, target)

    (voice.folder / "catalogue.toml").write_text('one = "едно"\ntwo = "две"\n')
    with pytest.raises(OSError, match="disk full"):
        SPEAK.refresh(voice.folder, breaks)
    assert voice.refresh(one="едно", two="две") == (["две"], 0)


def test_one_piece_does_not_shout_over_another():
    """Loudness is the same; a peak stays below the limit."""
    from array import array

    quiet, loud = array("h", [100, -100] * 500), array("h", [20000, -20000] * 500)
    assert max(SPEAK.levelled(quiet)) == max(SPEAK.levelled(loud)) == SPEAK.LOUDNESS
    click = array("h", [10, -10] * 500 + [30000])
    assert max(SPEAK.levelled(click)) == SPEAK.PEAK
