"""Keys carried by SIP INFO: application/dtmf-relay and application/dtmf, as senders really write them."""

import re

KEYS = "0123456789*#ABCD"
RELAY, DTMF = INFO_KINDS = ("application/dtmf-relay", "application/dtmf")
PRESSED_MS = 160

# "Signal=5" of dtmf-relay; some senders write "Signal: 5".
_SIGNAL = re.compile(rb"^\s*Signal\s*[=:]\s*(\S+)", re.IGNORECASE | re.MULTILINE)


def key_of_info(content_type: str, body: bytes) -> str | None:
    """The key that an INFO body names, or None: another kind of body, a flash, or nothing we know."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "application/dtmf-relay":
        found = _SIGNAL.search(body)
        return _key(found.group(1)) if found else None
    if kind == "application/dtmf":
        return _key(body.strip())
    return None


def body_of(key: str, kind: str) -> bytes:
    """The body that tells a key."""
    return key.encode() if kind == DTMF else f"Signal={key}\r\nDuration={PRESSED_MS}\r\n".encode()


def _key(written: bytes) -> str | None:
    """A key by its character or by its event code (RFC 4733 3.2: 10 is *, 11 is #, 12 to 15 are A to D)."""
    text = written.decode("ascii", "replace").upper()
    if len(text) == 1 and text in KEYS:
        return text
    if len(text) == 2 and text.isdigit() and 10 <= int(text) < len(KEYS):
        return KEYS[int(text)]
    return None
