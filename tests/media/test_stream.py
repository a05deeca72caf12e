"""One stream for one receiver, whatever it is made of (the property behind the stories of conformance)."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from minitelecom.media import rtp
from minitelecom.media.rtp import Packet
from minitelecom.media.stream import OutgoingStream

FRAME = b"\xd5" * 160
steps = st.lists(
    st.tuples(st.sampled_from(["prompt", "relay", "other relay", "key", "nothing", "anew"]), st.integers(1, 8)),
    min_size=1,
    max_size=25,
)


class Source:
    """A telephone whose packets all arrive."""

    def __init__(self, random):
        self.random = random
        self.anew()

    def anew(self):
        self.ssrc, self.sequence = self.random.getrandbits(32), self.random.getrandbits(16)
        self.timestamp = self.random.getrandbits(32)

    def packet(self, payload_type, payload, advance=160):
        packet = Packet(payload_type, False, self.sequence, self.timestamp, self.ssrc, payload)
        self.sequence = (self.sequence + 1) & 0xFFFF
        self.timestamp = (self.timestamp + advance) & 0xFFFFFFFF
        return packet


class Receiver:
    """What a far end makes of it: numbers without a hole, time that follows the clock, keys apart."""

    def __init__(self):
        self.last = self.first = None
        self.keys = []

    def hears(self, datagram, now):
        packet = rtp.parse(datagram)
        if packet.payload_type == 101:
            if packet.timestamp not in self.keys:
                self.keys.append(packet.timestamp)
        elif self.first is None:
            self.first = packet, now
        else:
            drift = rtp.timestamp_ahead(packet.timestamp, self.first[0].timestamp) / 8000 - (now - self.first[1])
            assert abs(drift) < 0.3
        if self.last is not None:
            assert packet.ssrc == self.last.ssrc
            assert rtp.sequence_ahead(packet.sequence_number, self.last.sequence_number) == 1
            if packet.payload_type == self.last.payload_type != 101:
                assert rtp.timestamp_ahead(packet.timestamp, self.last.timestamp) >= 160
        self.last = packet


@given(steps, st.integers(0, 2**32))
def test_a_receiver_sees_one_stream(told, seed):
    random = Random(seed)
    stream, receiver, sources = OutgoingStream(random), Receiver(), [Source(random), Source(random)]
    now, pressed = 1000.0, 0
    for kind, count in told:
        source = sources[kind == "other relay"]
        if kind == "anew":
            source.anew()
        if kind == "prompt":
            for _ in range(count):
                now += 0.02
                for each in sources:
                    each.packet(8, FRAME)  # not passed on: the prompt wins
                receiver.hears(stream.own(8, FRAME, now), now)
            stream.pause()
        elif kind == "nothing":
            now += 0.5 * count
            for each in sources:
                stream.pause(each.ssrc)
                each.packet(8, FRAME, advance=4000 * count)
        elif kind == "key":
            pressed += 1
            for _ in range(count):
                now += 0.02
                receiver.hears(stream.event(source.packet(101, b"\5\0\0\0", advance=0), 101, now), now)
            source.packet(8, FRAME, advance=160 * count)
            stream.pause(source.ssrc)
        else:
            for _ in range(count):
                now += 0.02
                receiver.hears(stream.relayed(source.packet(8, FRAME), 8, FRAME, now), now)
                sources[kind != "other relay"].packet(8, FRAME)
            stream.pause(source.ssrc)
    assert len(receiver.keys) == pressed
