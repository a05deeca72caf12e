"""Recordings as the shop has put them there: some good, some not."""

import wave
from pathlib import Path

from minitelecom.calls.voice import Voice
from minitelecom.ivr import catalogue


def test_a_recording_of_the_wrong_kind_is_left_out_and_said(tmp_path: Path) -> None:
    """One file from a studio, and all the others are still heard."""
    folder = tmp_path / "en"
    folder.mkdir()
    (folder / "catalogue.toml").write_text('greeting = "Hello"\nbusy = "Busy"\ngoodbye = "Goodbye"\n')
    recording(folder / "greeting.wav", 8000)
    recording(folder / "busy.wav", 44100)
    (folder / "goodbye.wav").write_bytes(b"ID3")
    voice = Voice(catalogue.load(tmp_path))
    assert list(voice.named()) == ["en/greeting"]
    assert voice.say("en", "busy", "greeting") == [voice.named()["en/greeting"]]


def recording(path: Path, rate: int) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(b"\0\0" * rate)
