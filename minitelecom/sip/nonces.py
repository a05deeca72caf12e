"""
Nonces, and what a request that repeats one is worth (RFC 7616 sections 3.3 and 5.5, RFC 3261 section 22.4).

A nonce is the second it was made in, a serial number, and an HMAC over both and the address it was given to. It needs no
memory until somebody has used it with the right password, so strangers cannot fill it.

What that prevents. A nonce taken from the wire is worth nothing from another address, and nothing after NONCE_SECONDS. With
qop a request is taken once: its nonce count must be one that has not been seen (RFC 7616 section 3.4.5). Without qop, as old
telephones do it, a nonce is for one call: for the Call-ID of the first INVITE that uses it, and there for a CSeq that rises
(an ATA may begin its call anew). So an INVITE that was recorded and is sent again begins no second call.

What it does not. Without qop a REGISTER may be repeated for NONCE_SECONDS by whoever can send from the telephone's own
address, since such telephones send the same credentials again whenever they refresh; and no digest covers the headers, so
whoever can write there what he likes is kept out by qop and a short-lived nonce, or by TLS alone (RFC 3261 section 26.4.1).
"""

import hmac
from collections import OrderedDict
from enum import Enum

NONCE_SECONDS = 300
# Clocks of two processes of one installation may differ by this much.
SKEW_SECONDS = 5
MOST_REMEMBERED = 50_000  # nonces that were used; the oldest are worth nothing any more when there are more
WINDOW = 64  # nonce counts by which a request may be late: the network keeps no order

_MOMENT_DIGITS = 8
_SERIAL_DIGITS = 6
_MARKED_DIGITS = _MOMENT_DIGITS + _SERIAL_DIGITS
_MARK_DIGITS = 26
_SERIALS = 16**_SERIAL_DIGITS


class Freshness(Enum):
    """What a nonce is worth."""

    FRESH = "fresh"
    STALE = "stale"
    FORGED = "forged"


FRESH, STALE, FORGED = Freshness


class _Use:
    """How a nonce was used: with qop the highest count and which of those below it; without, the last INVITE."""

    __slots__ = ("call_id", "highest", "seen", "sequence")

    def __init__(self) -> None:
        self.call_id: str | None = None
        self.sequence = -1
        self.highest = 0
        self.seen = 1  # its lowest bit stands for the highest count; the first that counts is 1

    def count(self, number: int) -> bool:
        """Whether this count comes for the first time."""
        ahead = number - self.highest
        if ahead > 0:
            self.seen = (self.seen << min(ahead, WINDOW) | 1) & ((1 << WINDOW) - 1)
            self.highest = number
            return True
        bit = 1 << -ahead
        if -ahead >= WINDOW or self.seen & bit:
            return False
        self.seen |= bit
        return True

    def invite(self, call_id: str, sequence: int) -> bool:
        """Whether this INVITE is the first, or a later one of the same call."""
        if self.call_id not in {None, call_id} or sequence <= self.sequence:
            return False
        self.call_id = call_id
        self.sequence = sequence
        return True


class Nonces:
    """Makes and judges them."""

    __slots__ = ("_forgotten", "_key", "_most", "_serial", "_used")

    def __init__(self, key: bytes, most: int = MOST_REMEMBERED) -> None:
        self._key = key
        self._most = most
        self._serial = 0
        self._used: OrderedDict[str, _Use] = OrderedDict()
        self._forgotten = -1
        """The latest moment of a nonce whose use had to be forgotten before its time."""

    def __len__(self) -> int:
        return len(self._used)

    def make(self, instant_seconds: int, address: str) -> str:
        """Another one each time: two telephones behind one router ask in the same second."""
        self._serial = (self._serial + 1) % _SERIALS
        begin = f"{instant_seconds:0{_MOMENT_DIGITS}x}{self._serial:0{_SERIAL_DIGITS}x}"
        return begin + self._mark(begin, address)

    def check(self, nonce: str, instant_seconds: int, address: str) -> Freshness:
        """What it is worth by itself."""
        begin = nonce[:_MARKED_DIGITS]
        if not nonce.isascii() or not hmac.compare_digest(nonce[_MARKED_DIGITS:], self._mark(begin, address)):
            return FORGED
        age = instant_seconds - _moment(nonce)
        return FRESH if -SKEW_SECONDS <= age < NONCE_SECONDS else STALE

    def count(self, nonce: str, number: int, instant_seconds: int) -> bool:
        """Whether a request that has proved itself with this fresh nonce and nonce count comes for the first time."""
        use = self._use_of(nonce, instant_seconds)
        return use is not None and use.count(number)

    def invite(self, nonce: str, call_id: str, sequence: int, instant_seconds: int) -> bool:
        """The same of an INVITE that has proved itself without qop."""
        use = self._use_of(nonce, instant_seconds)
        return use is not None and use.invite(call_id, sequence)

    def _use_of(self, nonce: str, instant_seconds: int) -> _Use | None:
        """How it has been used so far; None where that had to be forgotten."""
        use = self._used.get(nonce)
        if use is None and _moment(nonce) > self._forgotten:
            return self._remember(nonce, instant_seconds)
        return use

    def _remember(self, nonce: str, instant_seconds: int) -> _Use:
        used = self._used
        for _ in range(2):  # one comes, so two that have had their time may go
            if used and instant_seconds - _moment(next(iter(used))) >= NONCE_SECONDS + SKEW_SECONDS:
                used.popitem(last=False)
        if len(used) >= self._most:
            oldest, _ = used.popitem(last=False)
            self._forgotten = max(self._forgotten, _moment(oldest))
        use = used[nonce] = _Use()
        return use

    def _mark(self, begin: str, address: str) -> str:
        return hmac.digest(self._key, f"{begin} {address}".encode(), "sha256").hex()[:_MARK_DIGITS]


def _moment(nonce: str) -> int:
    """The second in which a nonce of ours was made."""
    return int(nonce[:_MOMENT_DIGITS], 16)
