"""RTP packets as values, and the numbers that wrap."""

from hypothesis import given
from hypothesis import strategies as st

from minitelecom.media import rtp
from minitelecom.media.rtp import Packet

packets = st.builds(
    Packet,
    st.integers(0, 127),
    st.booleans(),
    st.integers(0, 0xFFFF),
    st.integers(0, 0xFFFFFFFF),
    st.integers(0, 0xFFFFFFFF),
    st.binary(max_size=400),
)


@given(packets)
def test_a_packet_comes_back_as_it_was(packet):
    assert rtp.parse(rtp.serialise(packet)) == packet


@given(packets, st.integers(0, 15), st.none() | st.integers(0, 5), st.integers(0, 9))
def test_sources_extension_and_padding_are_taken_off(packet, sources, extension_words, padding):
    plain = bytearray(rtp.serialise(packet))
    plain[0] |= sources | (0x10 if extension_words is not None else 0) | (0x20 if padding else 0)
    extension = b"" if extension_words is None else bytes([0xBE, 0xDE, 0, extension_words]) + bytes(4 * extension_words)
    filling = bytes(padding - 1) + bytes([padding]) if padding else b""
    data = bytes(plain[:12]) + bytes(4 * sources) + extension + packet.payload + filling
    assert rtp.parse(data) == packet


@given(st.binary(max_size=100) | st.binary(max_size=100).map(lambda rest: b"\xbf" + rest))
def test_anything_is_a_packet_or_nothing(data):
    packet = rtp.parse(data)
    assert packet is None or len(packet.payload) <= len(data) - 12


def test_other_versions_and_short_or_huge_datagrams_are_nothing():
    good = rtp.serialise(Packet(8, False, 1, 2, 3, b"x"))
    assert rtp.parse(b"\x40" + good[1:]) is None
    assert rtp.parse(good[:11]) is None
    assert rtp.parse(good + bytes(rtp.MOST_BYTES)) is None
    assert rtp.parse(b"\xa0" + good[1:12] + b"\0") is None  # padding of no bytes
    assert rtp.parse(b"\xa0" + good[1:12] + b"\x63") is None  # more padding than packet
    assert rtp.parse(b"\x90" + good[1:12] + b"\0\0\0\x09") is None  # an extension that is not there


@given(st.integers(0, 0xFFFF), st.integers(-0x8000, 0x7FFF))
def test_sequence_numbers_wrap(number, step):
    assert rtp.sequence_ahead((number + step) & 0xFFFF, number) == step


@given(st.integers(0, 0xFFFFFFFF), st.integers(-0x80000000, 0x7FFFFFFF))
def test_timestamps_wrap(timestamp, step):
    assert rtp.timestamp_ahead((timestamp + step) & 0xFFFFFFFF, timestamp) == step
