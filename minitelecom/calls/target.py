"""Whom an INVITE of ours is for."""

from dataclasses import dataclass

from minitelecom.calls.caller_id import CallerId
from minitelecom.calls.credentials import NONE, Credentials
from minitelecom.calls.telephone import Telephone
from minitelecom.calls.told_keys import Keys
from minitelecom.sip.hop import Hop


@dataclass(frozen=True, slots=True)
class Target:
    """Where to send an INVITE, and as whom."""

    request_uri: str
    hop: Hop
    caller: CallerId
    trunk: str | None = None
    credentials: Credentials = NONE
    max_forwards: int = 70
    urgent: bool = False
    routes: tuple[str, ...] = ()
    """Whom it passes first (RFC 3261 8.1.2): the outbound proxy, or the Path of a registration (RFC 3327)."""
    telephone: Telephone | None = None
    """The telephone of the shop that rings there."""
    ringing_seconds: float | None = None
    """How long it rings; None: as long as everybody."""
    further: tuple[Hop, ...] = ()
    """Where the same server can be reached, too, when it can't be reached there (RFC 3263 4.3)."""
    keys: Keys = Keys.LEARNED
    """How it is told keys, where it is no telephone of the shop."""
    progress_seconds: int = 0
    """How long it may neither ring nor answer; 0: as long as everybody rings."""
