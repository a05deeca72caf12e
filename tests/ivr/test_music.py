"""prompts/music.py: the piece that is heard on hold is the one in the folder."""

from array import array
from importlib.util import module_from_spec, spec_from_file_location
from itertools import pairwise

from minitelecom.ivr.catalogue import PROMPTS, load
from minitelecom.media.sound import Sound


def script():
    spec = spec_from_file_location("music", PROMPTS / "music.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_script_plays_what_is_in_the_folder():
    """To the last step but one: another machine's sine may differ there."""
    shipped = array("h", Sound.from_wav(load().music("house")).samples)
    played = script().play()
    assert len(played) == len(shipped)
    assert max(abs(one - other) for one, other in zip(played, shipped, strict=True)) <= 1


def test_it_can_be_repeated_without_a_seam_and_is_no_louder_than_a_voice():
    samples = array("h", Sound.from_wav(load().music("house")).samples)
    steps = [abs(one - other) for one, other in pairwise(samples)]
    assert abs(samples[0] - samples[-1]) <= max(steps)
    assert max(map(abs, samples)) < 23000


def test_the_shop_may_have_its_own_or_none():
    known = load()
    assert known.music("off") is None
    assert str(known.music("/srv/waltz.wav")) == "/srv/waltz.wav"
