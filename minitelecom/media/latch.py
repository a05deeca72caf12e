"""
Symmetric RTP (RFC 4961): speak to where packets really come from, but not to just anybody.

A telephone behind a router announces an address that does not reach it. So the first plausible packet says where it
is. Afterwards others are not heard, unless the far end was announced anew (a re-INVITE) or has been silent a while:
its router may have given it another port. The announced address itself is always heard, whoever was faster.
"""

RELATCH_SECONDS = 3.0
"""After an announcement, or after this much silence, another source may take over."""

Address = tuple[str, int]


class Latch:
    """Whom one port listens to (source) and speaks to (target)."""

    __slots__ = ("_announced", "_former", "_open_until", "source", "target")

    def __init__(self) -> None:
        self.source: Address | None = None
        self.target: Address | None = None
        self._announced: Address | None = None
        self._former: Address | None = None  # heard on, but no reason to speak there, while the far end moves
        self._open_until = 0.0

    def announce(self, address: Address | None, now: float) -> bool:
        """A session description names an address (or none that can be reached). Whether we speak to a new one now."""
        self._open_until = now + RELATCH_SECONDS
        if address is None or address == self._announced:
            return False
        self._announced = self.target = address
        if self.source != address:
            self._former, self.source = self.source, None
        return True

    def admits(self, source: Address, now: float, last_packet: float | None) -> bool:
        """Whether a plausible packet from another source than the present one is heard; it may become the source."""
        if source == self._former and now < self._open_until:
            return True
        silent = last_packet is None or now - last_packet >= RELATCH_SECONDS
        if self.source is None or silent or now < self._open_until or source == self._announced:
            self.source = self.target = source
            self._former = None
            self._open_until = 0.0
            return True
        return False
