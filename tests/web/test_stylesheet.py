"""Colours keep the contrast of WCAG 2.2 AA (1.4.3: 4.5 for text, 1.4.11: 3 for the edge of a field), light and dark."""

import re
from pathlib import Path

import pytest

import minitelecom.web

SHEET = (Path(minitelecom.web.__path__[0]) / "static" / "style.css").read_text()
THEMES = [
    dict(re.findall(r"--([a-z-]+): #([0-9a-f]{6});", block))
    for block in re.findall(r":root \{(.*?)\}", SHEET, re.DOTALL)
]
LIGHT, DARK = THEMES[0], THEMES[0] | THEMES[1]

TEXT_ON_GROUND = [
    *((ink, ground) for ink in ("ink", "faint", "accent") for ground in ("ground", "surface", "raised")),
    *((ink, ground) for ink in ("good", "bad") for ground in ("ground", "surface", "raised")),
    ("accent-ink", "accent"),
    ("bad", "bad-soft"),
    ("good", "good-soft"),
    ("warn", "warn-soft"),
    ("warn", "surface"),
    ("bad", "accent-soft"),
    ("accent", "accent-soft"),
    ("ink", "accent-soft"),
    ("faint", "accent-soft"),
    ("good", "accent-soft"),
]


def luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_text_can_be_read(theme: dict[str, str]) -> None:
    faint = {pair: contrast(theme[pair[0]], theme[pair[1]]) for pair in TEXT_ON_GROUND}
    assert {pair: ratio for pair, ratio in faint.items() if ratio < 4.5} == {}


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_fields_and_focus_can_be_seen(theme: dict[str, str]) -> None:
    for ground in ("ground", "surface"):
        assert contrast(theme["field"], theme[ground]) >= 3
        assert contrast(theme["accent"], theme[ground]) >= 3
