"""
One leg's RTP port on the reactor: packets in, packets out, and what they tell the user.

The way of a relayed packet is received() → pass_on() of the other port → one write; it is kept short, since
fifty packets a second and leg go through it. Events change our own state first and tell the user last.
"""

from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache
from ipaddress import ip_address
from random import Random
from typing import Protocol, Self

from twisted.internet.error import InvalidAddressError
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from minitelecom.media import telephone_event
from minitelecom.media.door import MediaUser, Remote, Statistics
from minitelecom.media.g711 import PCMA, PCMU, convert, decode
from minitelecom.media.goertzel import InBandKeys
from minitelecom.media.key_press import MOST_KEYS, KeyPress
from minitelecom.media.keys import KeyPresses, Way
from minitelecom.media.latch import Address, Latch
from minitelecom.media.port_pool import SocketPair
from minitelecom.media.reception import Reception
from minitelecom.media.rtcp_session import RtcpSession
from minitelecom.media.rtp import COMFORT_NOISE, FRAME_SECONDS, HEADER_BYTES, Packet, parse
from minitelecom.media.sound import Playing, Sound
from minitelecom.media.stream import OutgoingStream
from minitelecom.media.ticker import Ticker
from minitelecom.media.tones import silence

OPENING_SECONDS = 3 * FRAME_SECONDS
"""Silence sent first, so that the routers on the way let the far end in."""

KEEPALIVE_SECONDS = 15.0
"""Without sound of ours for this long, a frame of silence keeps routers open (RFC 6263 section 4)."""

ALONE_SECONDS = 10.0
"""A packet that comes so long after the one before is such a frame, and no sound."""

MOST_HOSTS_REMEMBERED = 10_000
USUAL_TELEPHONE_EVENT = 101
"""Some adapters send events whether negotiated or not (Cisco ATA, AudioMode 2), always under this number."""

_log = Logger()


class Owner(Protocol):
    """What a port needs of its engine."""

    clock: IReactorTime
    random: Random
    frames: Ticker

    def released(self, port: "ReactorRtpPort", pair: SocketPair) -> None: ...


class ReactorRtpPort:
    """The RtpPort of the engine on the reactor."""

    __slots__ = (
        "_bytes_received",
        "_bytes_sent",
        "_control",
        "_control_target",
        "_event_types",
        "_events",
        "_heard_at",
        "_in_band",
        "_latch",
        "_opening",
        "_owner",
        "_packets_received",
        "_packets_sent",
        "_packets_unsent",
        "_pair",
        "_payload_type",
        "_playing",
        "_presses",
        "_pressing",
        "_quiet_since",
        "_reception",
        "_remote",
        "_seconds",
        "_sent_before",
        "_silence_seconds",
        "_silence_told",
        "_stream",
        "_target",
        "_told_already",
        "_user",
        "_watched_since",
        "last_packet",
        "number",
        "partner",
    )

    def __init__(self, owner: Owner, pair: SocketPair, user: MediaUser, silence_seconds: float) -> None:
        self.number = pair.number
        self.last_packet: float | None = None
        self._heard_at: float | None = None  # the last one, sound or not
        self._owner = owner
        self._seconds = owner.clock.seconds
        self._pair: SocketPair | None = pair
        self._user = user
        self._silence_seconds = silence_seconds
        self._watched_since: float | None = None  # None: its silence means nothing
        self._silence_told: float | None = None  # the beginning of the silence that was told
        self._remote: Remote | None = None
        self._payload_type = PCMA
        self._latch = Latch()
        self._target: Address | None = None
        self._control_target: Address | None = None
        self.partner: ReactorRtpPort | None = None  # the other leg, while relaying
        self._playing: Playing | None = None
        self._opening = False  # what plays is our first silence; nobody waits for its end
        self._stream = OutgoingStream(owner.random)
        self._reception = Reception()
        self._control = RtcpSession(self._stream, self._reception, owner.random)
        self._events = telephone_event.EventReceiver()
        self._event_types: tuple[int, ...] = ()
        self._in_band: InBandKeys | None = None
        self._presses = KeyPresses()
        self._told_already: int | None = None  # the timestamp of an event whose key has come by another way
        self._pressing: list[KeyPress] = []  # keys of the other leg; most ports never press one
        self._packets_sent = self._bytes_sent = self._packets_unsent = 0
        self._packets_received = self._bytes_received = 0
        self._sent_before = -1  # packets sent when the keepalive last looked
        self._quiet_since = 0.0
        pair.use(self.received, self.control_received)

    # Commands.

    @property
    def is_open(self) -> bool:
        return self._pair is not None

    def connect(self, remote: Remote) -> None:
        if self._pair is None:
            return
        now = self._seconds()
        moved = self._latch.announce(_address(remote), now)
        self._remote = remote
        self._payload_type = remote.payload_type
        negotiated = remote.telephone_event
        self._event_types = (USUAL_TELEPHONE_EVENT,) if negotiated is None else (negotiated, USUAL_TELEPHONE_EVENT)
        if negotiated is not None:
            self._in_band = None
        elif self._in_band is None:
            self._in_band = InBandKeys()
        self._watched_since = now if remote.receive else None
        self._aim()
        if moved:
            self._control_target = None
            if self._playing is None and self._target is not None:
                self._begin(Playing([silence(OPENING_SECONDS)]), opening=True)

    def play(self, sounds: Sequence[Sound], *, repeat: bool = False) -> None:
        if self._pair is not None:
            self._begin(Playing(sounds, repeat=repeat), opening=False)

    def stop(self) -> None:
        self._playing = None
        if not self._pressing:
            self._owner.frames.discard(self)
        self._stream.pause()

    def relay(self, other: Self | None) -> None:
        if other is self:
            raise ValueError("a port cannot be relayed to itself")
        for port in (self, other):
            if port is not None and port.partner is not None:
                port.partner.partner = None
                port.partner = None
        if other is not None and self.is_open and other.is_open:
            self.partner, other.partner = other, self

    def info_key(self, key: str) -> None:
        if self._pair is not None and len(key) == 1 and key in telephone_event.KEYS:
            self._pressed(key, Way.INFO, self._seconds())

    def statistics(self) -> Statistics:
        return Statistics(
            packets_sent=self._packets_sent,
            bytes_sent=self._bytes_sent,
            packets_received=self._packets_received,
            bytes_received=self._bytes_received,
            lost=self._reception.lost,
            jitter_ms=self._reception.jitter_ms,
            far_lost=self._control.far_lost,
            far_jitter_ms=self._control.far_jitter_ms,
        )

    def close(self) -> None:
        if self._pair is None:
            return
        self._pressing.clear()
        self.stop()
        self.relay(None)
        if self._packets_sent:
            self._send_control(self._control.goodbye())
        pair, self._pair = self._pair, None
        self._target = None
        self._owner.released(self, pair)

    # What arrives.

    def received(self, datagram: bytes, source: Address) -> None:
        """One datagram on the RTP port, from anybody, holding anything."""
        packet = parse(datagram)
        if packet is None:
            return
        now = self._seconds()
        if source != self._latch.source and not self._admits(packet, source, now):
            return
        if self._heard_at is None or now - self._heard_at < ALONE_SECONDS:
            self.last_packet = now
        self._heard_at = now
        self._packets_received += 1
        self._bytes_received += len(datagram)
        payload_type = packet.payload_type
        if payload_type in (PCMA, PCMU):
            self._reception.arrived(packet, now)
            if self.partner is not None:
                self.partner.pass_on(packet, now)
            if self._in_band is not None:
                self._listen(packet, now)
        elif payload_type in self._event_types:
            self._reception.arrived(packet, now, timed=False)
            self._event_received(packet, now)
        else:
            self._reception.arrived(packet, now, timed=False)
            if self.partner is not None:
                self.partner.pass_over(packet)

    def _admits(self, packet: Packet, source: Address, now: float) -> bool:
        """A packet of another source than the present one: is it sound of a far end we were told of?"""
        plausible = (PCMA, PCMU, COMFORT_NOISE, *self._event_types)
        if self._remote is None or packet.payload_type not in plausible:
            return False
        admitted = self._latch.admits(source, now, self._heard_at)
        if admitted:
            self._aim()
        return admitted

    def _listen(self, packet: Packet, now: float) -> None:
        assert self._in_band is not None
        for key in self._in_band.heard(decode(packet.payload_type, packet.payload)):
            self._pressed(key, Way.SOUND, now)

    def _event_received(self, packet: Packet, now: float) -> None:
        event = telephone_event.parse(packet.payload)
        if event is None:
            return
        key = self._events.received(event, packet.timestamp, packet.ssrc)
        counts = key is not None and self._presses.counts(key, Way.TELEPHONE_EVENT, now)
        if key is not None:
            self._told_already = None if counts else packet.timestamp
        if self.partner is not None:
            if packet.timestamp == self._told_already:  # it was pressed towards the partner then
                self.partner.pass_over(packet)
            else:
                self.partner.pass_on_event(packet, now)
        if key is not None and counts:
            self._key_counts(key, Way.TELEPHONE_EVENT)

    def _pressed(self, key: str, way: Way, now: float) -> None:
        if self._pair is not None and self._presses.counts(key, way, now):
            self._key_counts(key, way)

    def _key_counts(self, key: str, way: Way) -> None:
        if self.partner is not None:
            self.partner.pass_on_key(key, way)
        self._user.key_pressed(key)

    def control_received(self, datagram: bytes, source: Address) -> None:
        """One datagram on the RTCP port; heard only from the host whose sound we hear."""
        speaker = self._latch.source or self._latch.target
        if speaker is not None and source[0] == speaker[0] and len(datagram) >= 8 and datagram[0] & 0xC0 == 0x80:
            self._control_target = source
            self._control.heard(datagram, self._seconds())

    # What is sent.

    def pass_on(self, packet: Packet, now: float) -> None:
        """Sound of the other leg, to our far end; what we play to it ourselves wins."""
        if self._target is None or self._pressing:
            return
        if self._playing is not None:
            if not self._opening:
                return
            self.stop()  # sound opens routers as well as silence does
        payload_type = self._payload_type
        payload = packet.payload
        if packet.payload_type != payload_type:
            payload = convert(payload, packet.payload_type, payload_type)
        datagram = self._stream.relayed(packet, payload_type, payload, now)
        if datagram is not None:
            self._send(datagram)

    def pass_on_event(self, packet: Packet, now: float) -> None:
        """A key of the other leg, to our far end, if it understands keys."""
        if self._remote is None or self._remote.telephone_event is None or self._target is None:
            self.pass_over(packet)
            return
        datagram = self._stream.event(packet, self._remote.telephone_event, now)
        if datagram is not None:
            self._send(datagram)

    def pass_on_key(self, key: str, way: Way) -> None:
        """A key of the other leg, pressed in this way: what the relay does not carry across by itself is pressed anew."""
        events = self._remote is not None and self._remote.telephone_event is not None
        carried = way is (Way.TELEPHONE_EVENT if events else Way.SOUND)
        if not self._user.tells_key(key, way) and not carried:
            self.press(key)

    def press(self, key: str) -> None:
        if self._remote is None or self._target is None or len(self._pressing) == MOST_KEYS:
            return
        self._pressing.append(KeyPress(key, self._remote.telephone_event))
        self._owner.frames.add(self)

    def pass_over(self, packet: Packet) -> None:
        """Something of the other leg that is not passed on: what follows begins a spurt, so that nothing seems lost."""
        self._stream.pause(packet.ssrc)

    def tick(self, now: float) -> None:
        """Play one frame. Our ticker calls this every 20 ms while something plays, or a key is pressed; that comes first."""
        if self._pressing:
            self._press_on(now)
            return
        assert self._playing is not None
        frame = self._playing.frame(self._payload_type)
        if frame is None:
            opening = self._opening
            self.stop()
            if not opening:
                with _log.failuresHandled("the end of a sound on port {port}:", port=self.number):
                    self._user.play_finished()
        elif self._target is not None:
            self._send(self._stream.own(self._payload_type, frame, now))

    def _press_on(self, now: float) -> None:
        datagrams = self._pressing[0].datagrams(self._stream, self._payload_type, now)
        if datagrams is None:
            del self._pressing[0]
            if not self._pressing and self._playing is None:
                self.stop()
            return
        for datagram in datagrams:
            self._send(datagram)

    def each_second(self, now: float) -> None:
        """Reports, keepalive and the watch for silence."""
        if self._control.due(now):
            octets = self._bytes_sent - HEADER_BYTES * self._packets_sent
            self._send_control(self._control.report(now, self._packets_sent, octets))
        if self._target is not None:
            self._keep_alive(now)
        self._watch(now)

    def _watch(self, now: float) -> None:
        if self._watched_since is None:
            return
        since = max(self._watched_since, self.last_packet or 0.0)
        if now - since >= self._silence_seconds and since != self._silence_told:
            self._silence_told = since
            with _log.failuresHandled("silence on port {port}:", port=self.number):
                self._user.media_silent(now - since)

    def _keep_alive(self, now: float) -> None:
        if self._packets_sent != self._sent_before:
            self._sent_before, self._quiet_since = self._packets_sent, now
        elif self._playing is None and now - self._quiet_since >= KEEPALIVE_SECONDS:
            self._begin(Playing([silence(FRAME_SECONDS)]), opening=True)

    def _begin(self, playing: Playing, *, opening: bool) -> None:
        self._playing, self._opening = playing, opening
        self._owner.frames.add(self)

    def _aim(self) -> None:
        self._target = self._latch.target if self._remote is not None and self._remote.send else None

    def _send(self, datagram: bytes) -> None:
        if self._pair is None or self._target is None:
            return
        self._packets_sent += 1
        self._bytes_sent += len(datagram)
        try:
            self._pair.send(datagram, self._target)
        except (OSError, InvalidAddressError):
            self._packets_unsent += 1  # no route for now, a full buffer: the network may lose packets, and so may we

    def _send_control(self, datagram: bytes) -> None:
        speaker = self._latch.target
        if self._pair is None or speaker is None:
            return
        with suppress(OSError, InvalidAddressError):
            self._pair.send_control(datagram, self._control_target or (speaker[0], speaker[1] + 1))


def _address(remote: Remote) -> Address | None:
    """Where a description says packets go; None if nobody can be reached there."""
    return (remote.host, remote.port) if 0 < remote.port < 0xFFFF and _can_be_reached(remote.host) else None


@lru_cache(MOST_HOSTS_REMEMBERED)
def _can_be_reached(host: str) -> bool:
    """Not a host name, and not 0.0.0.0, which means "on hold"."""
    try:
        return not ip_address(host).is_unspecified
    except ValueError:
        return False
