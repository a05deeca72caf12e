"""G.711's tables, against the recommendation's own properties and digests of the reference's tables."""

from array import array
from hashlib import sha256

import pytest

from minitelecom.media import g711

EVERY_WORD = array("H", range(65536)).tobytes()
EVERY_CODE = bytes(range(256))


@pytest.mark.parametrize(
    ("law", "digest"),
    [
        (g711.PCMA, "f77c76aa923ee256"),
        (g711.PCMU, "617fa4850d68d390"),
    ],
)
def test_every_word_is_encoded_as_the_reference_does(law, digest):
    assert sha256(g711.encode(law, EVERY_WORD)).hexdigest()[:16] == digest


@pytest.mark.parametrize("law", [g711.PCMA, g711.PCMU])
def test_every_code_comes_back(law):
    back = g711.encode(law, g711.words(g711.decode(law, EVERY_CODE)))
    differing = [code for code in EVERY_CODE if back[code] != code]
    assert differing == ([] if law == g711.PCMA else [0x7F])  # µ-law has two zeros


@pytest.mark.parametrize("law", [g711.PCMA, g711.PCMU])
def test_decoding_is_within_a_small_part_of_the_sample(law):
    samples = list(range(-32768, 32768))
    decoded = g711.decode(law, g711.encode(law, g711.words(samples)))
    for sample, heard in zip(samples, decoded, strict=True):
        assert abs(heard - sample) <= 16 + abs(sample) / 32


@pytest.mark.parametrize(("source", "target"), [(g711.PCMA, g711.PCMU), (g711.PCMU, g711.PCMA)])
def test_conversion_is_decoding_and_encoding(source, target):
    expected = g711.encode(target, g711.words(g711.decode(source, EVERY_CODE)))
    assert g711.convert(EVERY_CODE, source, target) == expected
    assert g711.convert(EVERY_CODE, source, source) == EVERY_CODE


@pytest.mark.parametrize("law", [g711.PCMA, g711.PCMU])
def test_silence_is_silent(law):
    assert abs(g711.decode(law, bytes([g711.SILENCE[law]]))[0]) <= 8
