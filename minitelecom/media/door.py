"""
The narrow door to whatever engine moves the packets: commands in, events out.

Call control sees these Protocols and values only, so that an engine on the reactor and a native one are
interchangeable; tests/media/conformance.py says what every engine behind the door must do.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, Self

from minitelecom.media.keys import Way
from minitelecom.media.sound import Sound

__all__ = ["Media", "MediaUser", "NoPortsLeft", "Remote", "RtpPort", "Sound", "Statistics"]


class NoPortsLeft(Exception):
    """Every RTP port of the configured range is in use, in quarantine or held by another program."""


@dataclass(frozen=True, slots=True)
class Remote:
    """The far end of a leg, as its session description says."""

    host: str
    port: int
    payload_type: int
    """What we send: 0 (µ-law) or 8 (A-law). Both are understood when they come."""
    telephone_event: int | None
    """The payload type of RFC 4733 events; None when not negotiated: keys are then listened for in the sound."""
    send: bool
    """We may send to it."""
    receive: bool
    """It may send to us; False while it holds, and then its silence is not told."""


@dataclass(frozen=True, slots=True)
class Statistics:
    """What was counted on one port since it was opened (RFC 3550 section 6.4)."""

    packets_sent: int
    bytes_sent: int
    packets_received: int
    bytes_received: int
    lost: int
    jitter_ms: float
    far_lost: int | None
    """Packets the far end missed, as its last RTCP report says; None without a report."""
    far_jitter_ms: float | None


class MediaUser(Protocol):
    """Who is told what happens on a port."""

    def key_pressed(self, key: str) -> None:
        """One of 0-9*#ABCD, counted once however it came."""

    def tells_key(self, key: str, way: Way) -> bool:
        """Asked when the other end of a relay has pressed a key, in this way: whether the far end is told without sound."""

    def play_finished(self) -> None:
        """What was played came to its end by itself, not by stop() or another play()."""

    def media_silent(self, seconds: float) -> None:
        """No packet came for that long; told once per silence."""


class RtpPort(Protocol):
    """One leg's pair of UDP ports: RTP on `number`, RTCP on the next."""

    @property
    def number(self) -> int: ...

    @property
    def last_packet(self) -> float | None:
        """Clock seconds of the last RTP packet received that was more than a sign of life; a charge stops there."""

    def connect(self, remote: Remote) -> None:
        """Say who the far end is; again after a re-INVITE. The port then follows where packets really come from."""

    def play(self, sounds: Sequence[Sound], *, repeat: bool = False) -> None:
        """Play instead of what is playing; wins over relayed sound towards this leg until it ends."""

    def stop(self) -> None:
        """End what is playing; nobody is told."""

    def relay(self, other: Self | None) -> None:
        """
        Join both directions with another port of the same engine; None parts both. Keys go across in whatever way each
        side speaks: events as events, and what came by INFO, or as events or tones that the other side does not take, anew;
        unless the user of the other side says that it tells them by itself.
        """

    def press(self, key: str) -> None:
        """Press a key towards the far end, as an event where it takes events, otherwise as tones."""

    def info_key(self, key: str) -> None:
        """A key that came by SIP INFO; counted once together with the other ways."""

    def statistics(self) -> Statistics: ...

    def close(self) -> None:
        """Give the port back. Harmless when repeated; every later command does nothing."""


class Media(Protocol):
    """An engine: a source of ports."""

    @property
    def ports_in_use(self) -> int: ...

    def open(self, user: MediaUser, silence_seconds: float, *, urgent: bool = False, ipv6: bool = False) -> RtpPort:
        """
        A port of the range, or NoPortsLeft. An urgent one, of a call for help, may be of those that are kept back; one of
        IPv6 speaks only that, where the engine has such ports.
        """
