"""
Secrets at rest: AES-GCM (NIST SP 800-38D) under a key file outside the database, and the HMAC (RFC 2104) of passwords.

The product shows a card's password to those who may see it, so it is sealed, not hashed. What a caller keys in is compared
by its HMAC inside the database, so that checking a password opens nothing.
"""

import hashlib
import hmac
import os
from collections.abc import Callable
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
NONCE_BYTES = 12
VERSION = b"\x01"


class WrongKey(Exception):
    """Not sealed with this key, or not for this place."""


class Secrets:
    """Seals and opens texts. A sealed text opens only in the context it was sealed for, so rows cannot be exchanged."""

    def __init__(self, key: bytes, random_bytes: Callable[[int], bytes] = os.urandom) -> None:
        if len(key) != KEY_BYTES:
            raise ValueError(f"a key of {KEY_BYTES} bytes is expected, not of {len(key)}")
        self._cipher = AESGCM(_derived(key, b"seal"))
        self._mac_key = _derived(key, b"mac")
        self._random_bytes = random_bytes

    @classmethod
    def from_file(cls, path: Path) -> "Secrets":
        """The key in this file; made, readable by its owner only, where there is none."""
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return cls(bytes.fromhex(path.read_text(encoding="ascii").strip()))
        key = os.urandom(KEY_BYTES)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(key.hex() + "\n")
            file.flush()
            os.fsync(file.fileno())
        return cls(key)

    def seal(self, text: str, context: str) -> bytes:
        """`context` says what the text belongs to, such as "card:1234567897"."""
        nonce = self._random_bytes(NONCE_BYTES)
        return VERSION + nonce + self._cipher.encrypt(nonce, text.encode(), context.encode())

    def open(self, sealed: bytes, context: str) -> str:
        start = len(VERSION)
        if sealed[:start] != VERSION:
            raise WrongKey(f"{context}: sealed in a way unknown to this program")
        nonce, text = sealed[start : start + NONCE_BYTES], sealed[start + NONCE_BYTES :]
        try:
            return self._cipher.decrypt(nonce, text, context.encode()).decode()
        except (InvalidTag, ValueError):  # ValueError: too short to hold a nonce
            raise WrongKey(f"{context}: sealed with another key, or for another place") from None

    def mac(self, number: str, password: str) -> bytes:
        """What a card's password is compared by."""
        return hmac.new(self._mac_key, f"{number}:{password}".encode(), hashlib.sha256).digest()


def _derived(key: bytes, purpose: bytes) -> bytes:
    """One key for one purpose."""
    return hmac.new(key, b"minitelecom " + purpose, hashlib.sha256).digest()
