"""Passwords of operators."""

import pytest
from argon2 import PasswordHasher, extract_parameters

from minitelecom.web.passwords import NOBODYS_HASH, hash_password, is_password


def test_only_the_password_is_right():
    stored = hash_password("correct horse")
    assert is_password(stored, "correct horse")
    assert not is_password(stored, "correct house")


@pytest.mark.parametrize("password", ["", "nobody has this password", "x" * 1000])
def test_nobody_has_no_password(password):
    assert not is_password(None, password)
    assert not is_password(NOBODYS_HASH, password)


def test_an_unknown_name_takes_as_long_as_a_known_one():
    """The hash that is checked for nobody is made with the costs of the others."""
    ours, nobodys = extract_parameters(hash_password("correct horse")), extract_parameters(NOBODYS_HASH)
    assert ours == nobodys == extract_parameters(PasswordHasher().hash("any"))
