"""Session descriptions as telephones write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minitelecom.sip.sdp import MalformedDescription, RtpMap, parse

GRANDSTREAM = b"""v=0\r
o=8000 8000 0 IN IP4 192.168.0.160\r
s=SIP Call\r
c=IN IP4 192.168.0.160\r
t=0 0\r
m=audio 5004 RTP/AVP 0 8 4 18 2 15 99\r
a=sendrecv\r
a=rtpmap:0 PCMU/8000/3\r
a=rtpmap:8 PCMA/8000/3\r
a=rtpmap:4 G723/8000/3\r
a=rtpmap:18 G729/8000/3\r
a=rtpmap:2 G726-32/8000/3\r
a=rtpmap:15 G728/8000/3\r
a=rtpmap:99 iLBC/8000/3\r
a=fmtp:99 mode=20\r
a=ptime:20\r
"""


def test_a_grandstream_says_pcmu_8000_3_and_means_pcmu():
    audio = parse(GRANDSTREAM).audio
    assert (audio.port, audio.payload_types) == (5004, [0, 8, 4, 18, 2, 15, 99])
    assert audio.rtpmaps[0] == RtpMap("PCMU", 8000)
    assert audio.rtpmaps[99] == RtpMap("ILBC", 8000)
    assert audio.attribute("ptime") == "20"


def test_what_was_read_is_written_so_that_it_reads_the_same():
    description = parse(GRANDSTREAM)
    assert parse(description.encode()) == description


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"m=audio 4000 RTP/AVP 8\n", 4000),  # no v=, o=, s=, t=; LF alone
        (b"v=0\nm=audio 49170/2 RTP/AVP 0\n", 49170),  # a count of ports
        (b"v=0\r\rm=AUDIO 5 rtp/avp 0\r\n", 5),
        (b"m=video 9 RTP/AVP 31\nm=audio 7 RTP/AVP 0\n", 7),
        (b"m=audio 0 RTP/AVP 0\nm=audio 8 RTP/AVP 0\n", 8),  # the first is refused
        (b"m=audio 9 RTP/SAVP 0\nm=audio 11 RTP/AVP 0\n", 11),
    ],
)
def test_the_first_sound_stream_in_use_is_found(body, expected):
    assert parse(body).audio.port == expected


@pytest.mark.parametrize("body", [b"", b"hello", b"v=0\r\n", b"m=audio x RTP/AVP 0", b"m=", b"m=audio 70000 RTP/AVP 0"])
def test_what_is_no_description_is_refused(body):
    with pytest.raises(MalformedDescription):
        parse(body)


def test_bounds():
    with pytest.raises(MalformedDescription):
        parse(b"m=audio 4 RTP/AVP 0\n" * 17)
    with pytest.raises(MalformedDescription):
        parse(b"m=audio 4 RTP/AVP 0\n" + b"a=x\n" * 500)


def test_the_stream_s_own_connection_and_direction_come_before_the_session_s():
    description = parse(
        b"c=IN IP4 192.0.2.1\na=inactive\nm=audio 4 RTP/AVP 0\nc=IN IP4 192.0.2.2/127\na=sendonly\nm=audio 6 RTP/AVP 0\n"
    )
    first, second = description.media
    assert (description.connection_of(first), description.direction_of(first)) == ("192.0.2.2", "sendonly")
    assert (description.connection_of(second), description.direction_of(second)) == ("192.0.2.1", "inactive")


@given(st.one_of(st.binary(max_size=300), st.text("vosctmar=:/ 0189\n\r", max_size=200).map(str.encode)))
def test_any_bytes_are_a_description_or_malformed(body):
    try:
        description = parse(body)
    except MalformedDescription:
        return
    assert parse(description.encode()).media
