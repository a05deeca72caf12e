"""Where a message came from or goes next: one hop of RFC 3261 section 18, as a value."""

from typing import NamedTuple

DEFAULT_PORT = 5060  # RFC 3261 19.1.2


class Hop(NamedTuple):
    """One end of the wire as we see it: a transport ("udp"), an address and a port."""

    transport: str
    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.transport}:{host}:{self.port}"
