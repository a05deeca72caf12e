"""A media engine without packets: what is played takes its time by the clock, keys come by INFO."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from twisted.internet.interfaces import IDelayedCall
from twisted.internet.task import Clock

from minitelecom.media.door import MediaUser, NoPortsLeft, Remote, Statistics
from minitelecom.media.keys import Way
from minitelecom.media.sound import Sound


class Nobody:
    """Hears what a closed port tells, which is nothing."""

    def key_pressed(self, key: str) -> None: ...
    def play_finished(self) -> None: ...
    def media_silent(self, seconds: float) -> None: ...


NOBODY = Nobody()


@dataclass(eq=False)
class QuietPort:
    """Remembers what it was told."""

    media: "QuietMedia"
    user: MediaUser
    number: int
    ipv6: bool = False
    remote: Remote | None = None
    partner: "QuietPort | None" = None
    played: list[Sound] = field(default_factory=list)
    playing: list[Sound] = field(default_factory=list)
    muted_at: float | None = None
    never_heard: bool = False
    closed: bool = False
    keys: str = ""
    """Those that came by INFO."""
    pressed: str = ""
    """Those of the other end of a relay that the user leaves to us; what we make of them is told in tests/media."""
    _playing: IDelayedCall | None = None

    @property
    def last_packet(self) -> float | None:
        if self.never_heard:
            return None
        return self.media.clock.seconds() if self.muted_at is None else self.muted_at

    def connect(self, remote: Remote) -> None:
        self.remote = remote

    def play(self, sounds: Sequence[Sound], *, repeat: bool = False) -> None:
        self.stop()
        self.played += sounds
        self.playing = list(sounds)
        if not repeat:
            self._playing = self.media.clock.callLater(sum(sound.seconds for sound in sounds), self._finished)

    def _finished(self) -> None:
        self._playing = None
        self.playing = []
        self.user.play_finished()

    def stop(self) -> None:
        self.playing = []
        if self._playing is not None:
            self._playing.cancel()
            self._playing = None

    def relay(self, other: "QuietPort | None") -> None:
        for port in (self, self.partner):
            if port is not None and port.partner is not None:
                port.partner.partner = None
                port.partner = None
        if other is not None:
            self.partner, other.partner = other, self

    def press(self, key: str) -> None:
        self.pressed += key

    def info_key(self, key: str) -> None:
        self.keys += key
        if self.partner is not None and not self.partner.user.tells_key(key, Way.INFO):
            self.partner.press(key)
        self.user.key_pressed(key)

    def statistics(self) -> Statistics:
        return Statistics(0, 0, 0, 0, 0, 0.0, None, None)

    def mute(self) -> None:
        """No packet arrives from now on; the silence is told when its limit has passed."""
        self.muted_at = self.media.clock.seconds()
        seconds = self.media.silence_seconds
        self.media.clock.callLater(seconds, lambda: self.closed or self.user.media_silent(seconds))

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            self.stop()
            self.relay(None)
            self.media.open_ports.remove(self)
            self.user = NOBODY


@dataclass
class QuietMedia:
    """A source of ports, without end unless told otherwise."""

    clock: Clock
    most: int = 100_000
    open_ports: list[QuietPort] = field(default_factory=list)
    every_port: list[QuietPort] = field(default_factory=list)
    silence_seconds: float = 0.0
    _next: int = 16384

    @property
    def ports_in_use(self) -> int:
        return len(self.open_ports)

    def open(self, user: MediaUser, silence_seconds: float, *, urgent: bool = False, ipv6: bool = False) -> QuietPort:
        if len(self.open_ports) >= self.most and not urgent:
            raise NoPortsLeft
        self.silence_seconds = silence_seconds
        self._next += 2
        port = QuietPort(self, user, self._next, ipv6)
        self.open_ports.append(port)
        self.every_port.append(port)
        return port
