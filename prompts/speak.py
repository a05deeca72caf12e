#!/usr/bin/env python3
"""
Speaks the catalogues: for each language a wav file for every text, by espeak-ng and sox.

    prompts/speak.py [LANGUAGE…]

Only what is missing or whose text or voice has changed is spoken.  A file that this script did not make is a
recording and is never touched: `generated.txt` holds the checksums of what it made.  8 kHz, 16 bit, mono; trimmed;
all equally loud, so that a number does not shout in its sentence.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
import tomllib
import wave
from array import array
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).resolve().parent
GENERATED = "generated.txt"  # lines: id, checksum of the file, checksum of what was spoken
WORDS_A_MINUTE = "150"
RATE = 8000
LOUDNESS = 2300  # root of the mean square, of 32767: about −23 dBFS
PEAK = 23000  # never above: about −3 dBFS
QUIET = "0.4%"  # of full scale: what counts as silence at either end
SENTENCE_PAUSE_SECONDS = 0.25
PIECE_PAUSE_SECONDS = 0.03
RECIPE = f"{WORDS_A_MINUTE} {LOUDNESS} {PEAK} {QUIET} {SENTENCE_PAUSE_SECONDS} {PIECE_PAUSE_SECONDS}"


def checksum(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]


def voice(folder: Path) -> str:
    """espeak-ng's voice: the folder's name, unless a file `voice` names another."""
    named = folder / "voice"
    return named.read_text("utf-8").strip() if named.is_file() else folder.name


def speak(text: str, voice: str, target: Path) -> None:
    pause_seconds = SENTENCE_PAUSE_SECONDS if text.endswith((".", "!", "?")) else PIECE_PAUSE_SECONDS
    samples = levelled(spoken(text, voice))
    samples.extend([0] * round(pause_seconds * RATE))
    with wave.open(str(target), "wb") as wav:
        wav.setnchannels(1)
        wav.setsampwidth(2)
        wav.setframerate(RATE)
        wav.writeframes(samples.tobytes())


def spoken(text: str, voice: str) -> array[int]:
    """espeak-ng's 22 kHz made 8 kHz, without the silence at both ends."""
    raw = ["--type", "raw", "--encoding", "signed-integer", "--bits", "16", "--channels", "1", "--endian", "little"]
    trim = ["silence", "1", "0.005", QUIET, "fade", "t", "0.003", "reverse"]  # from one end, then from the other
    with tempfile.TemporaryDirectory() as scratch:
        said = Path(scratch, "said.wav")
        subprocess.run(["espeak-ng", "-v", voice, "-s", WORDS_A_MINUTE, "-w", said, "--", text], check=True)
        sox = ["sox", "-R", str(said), *raw, "-", "rate", str(RATE), *trim, *trim]
        samples = array("h", subprocess.run(sox, check=True, stdout=subprocess.PIPE).stdout)
    if not samples:
        raise SystemExit(f"{text!r}: espeak-ng -v {voice} says nothing")
    return samples


def levelled(samples: array[int]) -> array[int]:
    mean_square = sum(sample * sample for sample in samples) / len(samples)
    factor = min(LOUDNESS / mean_square**0.5, PEAK / max(map(abs, samples)))
    return array("h", (round(sample * factor) for sample in samples))


def read_generated(folder: Path) -> dict[str, tuple[str, str]]:
    path = folder / GENERATED
    lines = path.read_text("utf-8").splitlines() if path.is_file() else []
    rows = (line.split() for line in lines)
    return {id_: (wav, spoken) for id_, wav, spoken in rows}


def write_generated(folder: Path, made: dict[str, tuple[str, str]]) -> None:
    lines = [f"{id_} {wav} {spoken}\n" for id_, (wav, spoken) in sorted(made.items())]
    (folder / GENERATED).write_text("".join(lines), "utf-8")


def refresh(folder: Path, speak: Callable[[str, str, Path], None] = speak) -> tuple[int, int]:
    """Speak what is missing or changed, remove what we made and nobody says any more → (spoken, recordings kept)."""
    texts = tomllib.loads((folder / "catalogue.toml").read_text("utf-8"))
    made, name = read_generated(folder), voice(folder)
    fresh = recordings = 0
    try:
        for place, (id_, text) in enumerate(texts.items(), 1):
            target, wanted = folder / f"{id_}.wav", checksum(f"{text} {name} {RECIPE}".encode())
            there = checksum(target.read_bytes()) if target.is_file() else None
            wav, said = made.get(id_, (None, None))
            if there is not None and there != wav:
                recordings += 1
                made.pop(id_, None)
            elif there is None or said != wanted:
                speak(text, name, target)
                made[id_] = (checksum(target.read_bytes()), wanted)
                fresh += 1
            print(f"\r{folder.name}: {place}/{len(texts)} {id_:<30}", end="", flush=True)
        for id_ in set(made) - set(texts):
            target = folder / f"{id_}.wav"
            if target.is_file() and checksum(target.read_bytes()) == made[id_][0]:
                target.unlink()
            del made[id_]
    finally:
        write_generated(folder, made)
    return fresh, recordings


def main(languages: list[str]) -> None:
    folders = [path.parent for path in sorted(HERE.glob("*/catalogue.toml"))]
    for folder in folders:
        if not languages or folder.name in languages:
            fresh, recordings = refresh(folder)
            print(f"\r{folder.name}: {fresh} spoken, {recordings} recordings kept{'':<30}")


if __name__ == "__main__":
    main(sys.argv[1:])
