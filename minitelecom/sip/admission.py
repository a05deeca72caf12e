"""
Who is listened to, decided before a byte is parsed: the outermost wall against scanners and floods. Pure: time is an argument.

Hosts of ours (carriers, telephones that are registered or known by their address, whoever is in a call) pass at once. Any other
has a small bucket of its own, and all of them share a larger one, so that no flood, from one address or from every address
there is, takes more of the processor than that. When the shared one is empty, whoever answers a challenge of ours still passes:
a forged source address never saw one. A host that is banned is not answered, and neither is one that calls itself a scanner.

Only what proves that somebody is there (a connection, or a nonce that we gave to that address) bans him. For what anybody can
have sent in his name he is doubted: of his datagrams one in a few is heard, whoever sends how many others, and every answer to
a challenge. A telephone repeats itself until it is heard; a scanner loses its pace, and learns nothing anyhow.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from ipaddress import IPv6Address, ip_address

MOST_BUCKETS = 20_000  # in each of two generations
OWN_BURST, OWN_PER_SECOND = 100.0, 20.0  # a house full of telephones after a power cut
SHARED_BURST = 100.0  # some 15 ms of work, for which nobody of ours waits long
SHARED_PER_SECOND = 500.0  # a few per cent of a processor
DOUBTED_SHARE = 4  # of so many messages one is heard
MOST_NETWORKS_REMEMBERED = 20_000

# What scanners of every day call themselves, in User-Agent, From or To.
SCANNERS = (
    b"friendly-scanner",
    b"friendly-request",
    b"sipvicious",
    b"sipcli",
    b"sip-scan",
    b"sundayddr",
    b"siparmyknife",
)
_LOOKED_AT = 2000  # bytes
# A nonce of ours in Authorization or Proxy-Authorization.
_NONCE = re.compile(rb'(?<![a-z])nonce[ \t]*=[ \t]*"([0-9a-f]{40})"')


@lru_cache(MOST_NETWORKS_REMEMBERED)
def network_of(host: str) -> str:
    """What one sender can choose his address from: an IPv4 address, of IPv6 the first 64 bits (RFC 7934 section 3)."""
    if ":" not in host:
        return host
    address = ip_address(host.partition("%")[0])
    assert isinstance(address, IPv6Address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return f"{IPv6Address(int(address) >> 64 << 64)}/64"


class Bucket:
    """Tokens that come back with time (RFC 2697's idea)."""

    __slots__ = ("_at", "_burst", "_per_second", "_tokens")

    def __init__(self, burst: float, per_second: float, now: float) -> None:
        self._burst = burst
        self._per_second = per_second
        self._tokens = burst
        self._at = now

    def take(self, now: float) -> bool:
        tokens = min(self._burst, self._tokens + (now - self._at) * self._per_second)
        self._at = now
        if tokens < 1.0:
            self._tokens = tokens
            return False
        self._tokens = tokens - 1.0
        return True


class Doubt:
    """Of a network from which somebody seems to scan, until an instant."""

    __slots__ = ("_count", "until")

    def __init__(self, until: float) -> None:
        self.until = until
        self._count = 0

    def hears(self) -> bool:
        """Whether this message is the one that is heard; a share of those that come, so that no number of them uses it up."""
        self._count = (self._count + 1) % DOUBTED_SHARE
        return self._count == 0


class Admission:
    """
    `ours` are the hosts that always pass, `banned` the networks that never do and until when, `doubted` those that hardly do;
    all are kept by whoever knows. `vouched` says whether a nonce was made for a host, `found_scanner` is told of one, and
    whether he is there for sure.
    """

    __slots__ = ("_found_scanner", "_old", "_shared", "_vouched", "_young", "banned", "doubted", "dropped", "ours")

    def __init__(self, vouched: Callable[[str, str], bool], found_scanner: Callable[[str, bool], None]) -> None:
        self.ours: set[str] = set()
        self.banned: dict[str, float] = {}
        self.doubted: dict[str, Doubt] = {}
        self.dropped = 0
        self._vouched = vouched
        self._found_scanner = found_scanner
        self._shared = Bucket(SHARED_BURST, SHARED_PER_SECOND, 0.0)
        # Whoever was heard since the last turn, and before it: what nobody asks for any more is forgotten in two turns.
        self._young: dict[str, Bucket] = {}
        self._old: dict[str, Bucket] = {}

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def admits(self, data: bytes, host: str, now: float, *, proved: bool = False) -> bool:
        """Whether a message is to be looked at; ``proved``: its source is no forgery."""
        if host in self.ours:
            return True
        network = network_of(host)
        until = self.banned.get(network)
        if until is not None:
            if now < until:
                self.dropped += 1
                return False
            del self.banned[network]
        if not self._bucket(network, now).take(now) or not self._is_heard(data, host, network, now, proved=proved):
            self.dropped += 1
            return False
        return True

    def _is_heard(self, data: bytes, host: str, network: str, now: float, *, proved: bool) -> bool:
        """Of a stranger who does not ask too often."""
        doubt = self.doubted.get(network)
        if doubt is not None and now >= doubt.until:
            doubt = None
            del self.doubted[network]
        if doubt is None or proved:  # what comes over a connection is not sent again, nor doubted
            return (self._shared.take(now) or self._is_vouched(data, host)) and not self._is_scanner(
                data, host, proved=proved
            )
        return not self._is_scanner(data, host, proved=proved) and (
            (doubt.hears() and self._shared.take(now)) or self._is_vouched(data, host)
        )

    def _is_scanner(self, data: bytes, host: str, *, proved: bool) -> bool:
        """Whether it says so itself."""
        beginning = data[:_LOOKED_AT].lower()
        if any(name in beginning for name in SCANNERS):
            self._found_scanner(host, proved)
            return True
        return False

    def _bucket(self, network: str, now: float) -> Bucket:
        bucket = self._young.get(network)
        if bucket is None:
            if len(self._young) >= MOST_BUCKETS:
                self._old, self._young = self._young, {}
            bucket = self._old.pop(network, None) or Bucket(OWN_BURST, OWN_PER_SECOND, now)
            self._young[network] = bucket
        return bucket

    def _is_vouched(self, data: bytes, host: str) -> bool:
        begins = data.find(b"nonce")  # quicker than the expression, and a flood has none
        found = _NONCE.search(data, begins) if begins >= 0 else None
        return found is not None and self._vouched(found[1].decode("ascii"), host)
