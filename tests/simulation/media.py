"""
RTP without packets: ports that play, relay and are spoken into, and the ears of whoever is at the far end.

A port knows only whether its far end speaks; everything else (the end of a prompt, a silence) comes by the clock.
"""

from collections.abc import Callable, Sequence
from random import Random

from twisted.internet.interfaces import IDelayedCall

from minitelecom.media.door import MediaUser, NoPortsLeft, Remote, Statistics
from minitelecom.media.keys import Way
from minitelecom.media.sound import Sound
from tests.simulation.clock import ProcessClock

NOTHING = Statistics(0, 0, 0, 0, 0, 0.0, None, None)


class Ear:
    """Hears what one port sends, as the party at its far end does."""

    def heard(self, wav_ids: list[str], seconds: float) -> None: ...
    def joined(self) -> None: ...
    def parted(self) -> None: ...


class ToldPort:
    """An RtpPort of the simulation."""

    def __init__(self, media: "ToldMedia", user: MediaUser, number: int, silence_seconds: float) -> None:
        self.number = number
        self.partner: ToldPort | None = None
        self.closed = False
        self.ear = Ear()
        self._media = media
        self._clock = media.clock
        self._user = user
        self._silence_seconds = silence_seconds
        self._playing: IDelayedCall | None = None
        self._saying: tuple[list[str], float] = ([], 0.0)  # what plays now, and when it ends
        self._speaking = False
        self._last: float | None = None
        self._watched_since: float | None = None
        self._watch: IDelayedCall | None = None

    # The far end.

    def listen(self, ear: Ear) -> None:
        """Somebody at the far end takes the receiver; what is being said is heard from here on."""
        self.ear = ear
        ids, end = self._saying
        if self._playing is not None and ids:
            ear.heard(ids, end - self._clock.seconds())
        if self.partner is not None:
            ear.joined()

    def speak(self) -> None:
        if not self.closed:
            self._speaking = True
            self._stop_watching()

    def fall_silent(self) -> None:
        if self._speaking:
            self._last = self._clock.seconds()
            self._speaking = False
            self._begin_watching()

    def key(self, key: str) -> None:
        """A key by telephone-event."""
        self._pressed(key, Way.TELEPHONE_EVENT)

    def _pressed(self, key: str, way: Way) -> None:
        if not self.closed and self._clock.alive:
            if self.partner is not None:
                self.partner.told(key, way)
            self._user.key_pressed(key)

    def _begin_watching(self) -> None:
        self._stop_watching()
        if self._watched_since is not None and not self._speaking and not self.closed:
            # A real engine looks once a second.
            delay = self._silence_seconds + self._media.random.random()
            self._watch = self._clock.callLater(delay, self._tell_silence, delay)

    def _stop_watching(self) -> None:
        if self._watch is not None and self._watch.active():
            self._watch.cancel()
        self._watch = None

    def _tell_silence(self, seconds: float) -> None:
        self._user.media_silent(seconds)

    # RtpPort.

    @property
    def last_packet(self) -> float | None:
        return self._clock.seconds() if self._speaking else self._last

    def connect(self, remote: Remote) -> None:
        self._watched_since = self._clock.seconds() if remote.receive else None
        self._begin_watching()

    def play(self, sounds: Sequence[Sound], *, repeat: bool = False) -> None:
        if self.closed:
            return
        self.stop()
        seconds = sum(sound.seconds for sound in sounds)
        ids = self._media.names(sounds)
        if not repeat:
            self._saying = ids, self._clock.seconds() + seconds
            self._playing = self._clock.callLater(seconds, self._finished)
        if ids:
            self.ear.heard(ids, seconds)

    def _finished(self) -> None:
        self._playing = None
        self._user.play_finished()

    def stop(self) -> None:
        if self._playing is not None:
            self._playing.cancel()
            self._playing = None

    def relay(self, other: "ToldPort | None") -> None:
        for port in (self, other):
            if port is not None and port.partner is not None:
                partner, port.partner.partner, port.partner = port.partner, None, None
                port.ear.parted()
                partner.ear.parted()
        if other is not None and not self.closed and not other.closed:
            self.partner, other.partner = other, self
            self.ear.joined()
            other.ear.joined()

    def press(self, key: str) -> None: ...

    def told(self, key: str, way: Way) -> None:
        """A key of the other end of a relay, which may have to be told by INFO."""
        if not self.closed:
            self._user.tells_key(key, way)

    def info_key(self, key: str) -> None:
        self._pressed(key, Way.INFO)

    def statistics(self) -> Statistics:
        return NOTHING

    def close(self) -> None:
        if self.closed:
            return
        self.stop()
        self.relay(None)
        self._stop_watching()
        self.closed = True
        self._media.closed(self)


class ToldMedia:
    """The engine of one process."""

    def __init__(
        self, clock: ProcessClock, random: Random, name: Callable[[Sound], str | None], first: int, most: int
    ) -> None:
        self.clock = clock
        self.random = random
        self.ports: dict[int, ToldPort] = {}
        self._name = name
        self._next = first
        self._most = most

    @property
    def ports_in_use(self) -> int:
        return len(self.ports)

    def names(self, sounds: Sequence[Sound]) -> list[str]:
        return [name for sound in sounds if (name := self._name(sound)) is not None]

    def open(self, user: MediaUser, silence_seconds: float, *, urgent: bool = False, ipv6: bool = False) -> ToldPort:
        if len(self.ports) >= self._most and not urgent:
            raise NoPortsLeft
        self._next += 2
        port = self.ports[self._next] = ToldPort(self, user, self._next, silence_seconds)
        return port

    def closed(self, port: ToldPort) -> None:
        del self.ports[port.number]
