"""Passwords of operators: argon2id (RFC 9106), checked in a thread, because it takes a tenth of a second on purpose."""

from collections.abc import Callable
from typing import Protocol, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

T = TypeVar("T")

SHORTEST_PASSWORD = 8
LONGEST_PASSWORD = 256

_HASHER = PasswordHasher()
# Checked when the name is unknown, so that the answer takes as long as for a known one.  Nobody's: no password is this
# hash's, and making one at each start would delay the first call.
NOBODYS_HASH = "$argon2id$v=19$m=65536,t=3,p=4$2hNJWtQ5DJav9UNCHGQYow$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"


class InThread(Protocol):
    """Runs a function that would block: Twisted's deferToThread with a pool, or a test's direct call."""

    async def __call__(self, function: Callable[..., T], *arguments: object) -> T: ...


def hash_password(password: str) -> str:
    """Blocks for a tenth of a second: call it from the command line or in a thread."""
    return _HASHER.hash(password)


def is_password(password_hash: str | None, password: str) -> bool:
    """Whether this is the password; blocks. No hash means no such operator: as slow, and always no."""
    try:
        _HASHER.verify(password_hash or NOBODYS_HASH, password[:LONGEST_PASSWORD])
    except (VerificationError, InvalidHashError):
        return False
    return password_hash is not None
