"""Secrets at rest."""

import stat
from pathlib import Path

import pytest

from minitelecom.store.secrets import KEY_BYTES, Secrets, WrongKey

KEY = bytes(range(KEY_BYTES))


def test_what_is_sealed_opens_where_it_belongs() -> None:
    secrets = Secrets(KEY)
    sealed = secrets.seal("парола 12", "card:1")
    assert Secrets(KEY).open(sealed, "card:1") == "парола 12"
    with pytest.raises(WrongKey, match="card:2"):
        secrets.open(sealed, "card:2")


def test_another_key_opens_nothing() -> None:
    with pytest.raises(WrongKey):
        Secrets(bytes(KEY_BYTES)).open(Secrets(KEY).seal("x", "card:1"), "card:1")


@pytest.mark.parametrize("damage", [b"", b"\x02", b"\x01short", b"\x01" + bytes(40)])
def test_what_was_damaged_is_refused(damage: bytes) -> None:
    with pytest.raises(WrongKey):
        Secrets(KEY).open(damage, "card:1")


def test_the_same_text_is_never_sealed_alike() -> None:
    secrets = Secrets(KEY)
    assert secrets.seal("x", "card:1") != secrets.seal("x", "card:1")


def test_a_mac_depends_on_key_number_and_password() -> None:
    secrets = Secrets(KEY)
    macs = {
        secrets.mac("1", "2"),
        secrets.mac("1", "3"),
        secrets.mac("2", "2"),
        secrets.mac("12", ""),
        Secrets(bytes(KEY_BYTES)).mac("1", "2"),
    }
    assert len(macs) == 5
    assert secrets.mac("1", "2") == Secrets(KEY).mac("1", "2")


def test_a_key_file_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "secret.key"
    sealed = Secrets.from_file(path).seal("x", "card:1")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert Secrets.from_file(path).open(sealed, "card:1") == "x"


def test_a_key_has_its_length() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Secrets(b"short")
