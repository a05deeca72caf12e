"""
How messages are kept: a page is some seconds of one visit, as bytes.

Its first line names legs and hops once, in JSON; each message follows a line with its instant (in microseconds of the
page), its direction, its leg, its hop and its length. All of it is ASCII where the messages are, and so cheap to store.
"""

import json
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from minitelecom.ladder.redaction import redacted, without_uri_passwords
from minitelecom.ladder.seen import Leg, Seen
from minitelecom.sip.hop import Hop

Taken = tuple[float, bool, Hop, Leg, bytes]
"""A message as it is held until it is written: seconds of the clock, whether sent, the far end, leg, the bytes."""


def write(taken: Sequence[Taken], own: Callable[[Hop], tuple[str, int]]) -> bytes:
    """The page of these messages; it begins with the first. ``own`` tells our side of a hop."""
    begun = taken[0][0]
    legs: dict[Leg, int] = {}
    hops: dict[Hop, int] = {}
    places: dict[tuple[Leg, Hop], bytes] = {}
    parts: list[bytes] = [b""]
    for seconds, sent, hop, leg, data in taken:
        place = places.get((leg, hop))
        if place is None:
            numbers = legs.setdefault(leg, len(legs)), hops.setdefault(hop, len(hops))
            place = places[leg, hop] = b"%d %d" % numbers
        kept = redacted(data)
        parts.append(b"%d %b %b %d" % ((seconds - begun) * 1e6 + 0.5, b">" if sent else b"<", place, len(kept)))
        parts.append(kept)
    names = {
        "legs": [(leg.call_id, leg.name, leg.dialled and leg.dialled.isoformat()) for leg in legs],
        "hops": [(*hop[:3], *own(hop)) for hop in hops],
    }
    parts[0] = json.dumps(names).encode()
    return b"\n".join(parts)


def read(begun: datetime, page: bytes) -> list[Seen]:
    """The messages of a page that begins then, as they may be shown."""
    line, _, rest = page.partition(b"\n")
    names = json.loads(line)
    legs = [Leg(call_id, name, dialled and datetime.fromisoformat(dialled)) for call_id, name, dialled in names["legs"]]
    hops = [
        (Hop(transport, host, port), Hop(transport, own_host, own_port))
        for transport, host, port, own_host, own_port in names["hops"]
    ]
    seen: list[Seen] = []
    while rest:
        line, _, rest = rest.partition(b"\n")
        micros, direction, leg, hop, length = line.split(b" ")
        data, rest = rest[: int(length)], rest[int(length) + 1 :]
        instant = begun + timedelta(microseconds=int(micros))
        far, own = hops[int(hop)]
        seen.append(Seen(instant, direction == b">", legs[int(leg)], far, own, without_uri_passwords(data)))
    return seen
