"""
One message as it went over the wire, the leg of the visit that it belongs to, and which messages are those of one call.

A visit has one leg on which somebody called us, and one for each way on which we called somebody for him.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from minitelecom.sip.hop import Hop


class Leg(NamedTuple):
    """The messages of one Call-ID."""

    call_id: str
    name: str
    """Whom we know there: a telephone, a trunk; "" where nobody said."""
    dialled: datetime | None = None
    """When the call began for which we called; None: it is the caller's own leg."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A message, retransmissions too, with both ends of the wire."""

    instant: datetime
    sent: bool
    """By us; else received."""
    leg: Leg
    far: Hop
    own: Hop
    data: bytes

    @property
    def source(self) -> Hop:
        return self.own if self.sent else self.far

    @property
    def destination(self) -> Hop:
        return self.far if self.sent else self.own


def of_call(seen: Sequence[Seen], started: datetime) -> list[Seen]:
    """
    The messages of the call that began then, among those of its visit: all of its own legs; of the caller's leg what lies
    between the last word about another number before and the beginning of the next call.
    """
    others = [one for one in seen if one.leg.dialled is not None and one.leg.dialled != started]
    before = max((one.instant for one in others if one.instant < started), default=None)
    after = min((one.leg.dialled for one in others if one.leg.dialled and one.leg.dialled > started), default=None)
    return [
        one
        for one in seen
        if one.leg.dialled == started
        or (
            one.leg.dialled is None
            and (before is None or one.instant > before)
            and (after is None or one.instant < after)
        )
    ]
