"""
Randomness that nobody can guess, taken from the system in blocks: a call needs some twenty tags, branches and nonces, and
asking the system for each costs more than using them.
"""

import os
from random import SystemRandom

BLOCK_BYTES = 1024


class Entropy(SystemRandom):
    """The system's randomness; no byte is given out twice. For one thread, and not across a fork."""

    def __init__(self) -> None:
        super().__init__()
        self._block = b""
        self._place = 0

    def randbytes(self, n: int) -> bytes:
        end = self._place + n
        if end > len(self._block):
            if n > BLOCK_BYTES:
                return os.urandom(n)
            self._block, self._place, end = os.urandom(BLOCK_BYTES), 0, n
        taken = self._block[self._place : end]
        self._place = end
        return taken

    def getrandbits(self, k: int, /) -> int:
        length = (k + 7) // 8
        return int.from_bytes(self.randbytes(length), "big") >> (length * 8 - k)

    def random(self) -> float:
        """From 0 up to, not including, 1, in steps of 2**-53."""
        return self.getrandbits(53) * 2**-53
