"""RFC 4317, offer/answer examples: what one stream of G.711 with telephone-event makes of them; other lines are refused."""

import pytest

from minitelecom.sip.offer_answer import Codec, Negotiation, NotAcceptable, Stream
from minitelecom.sip.sdp import parse

SOUND = ["m=audio 49170 RTP/AVP 0 8 97", "a=rtpmap:0 PCMU/8000", "a=rtpmap:8 PCMA/8000", "a=rtpmap:97 iLBC/8000"]
PICTURES = ["m=video 51372 RTP/AVP 31 32", "a=rtpmap:31 H261/90000", "a=rtpmap:32 MPV/90000"]
NO_PICTURES = ["m=video 0 RTP/AVP 31"]
KEYS = ["m=audio 49172 RTP/AVP 98", "a=rtpmap:98 telephone-event/8000"]
MU_LAW_FIRST = (Codec.PCMU, Codec.PCMA)


class Alice:
    """She offers, and raises the version of her description each time."""

    def __init__(self, negotiation: Negotiation) -> None:
        self._bob = negotiation
        self._version = 2890844525

    def offers(self, *lines: str) -> tuple[list[str], Stream]:
        """The m= lines of the answer with the direction of each that is taken, and the stream as Bob sees it."""
        self._version += 1
        head = [
            "v=0",
            f"o=alice 2890844526 {self._version} IN IP4 host.atlanta.example.com",
            "s=",
            "c=IN IP4 host.atlanta.example.com",
            "t=0 0",
        ]
        body, stream = self._bob.answer("\r\n".join([*head, *lines, ""]).encode())
        answer = parse(body)
        return [
            told(line, answer.direction_of(media)) for line, media in zip(m_lines(body), answer.media, strict=True)
        ], stream


def m_lines(body: bytes) -> list[str]:
    return [line for line in body.decode().split("\r\n") if line.startswith("m=")]


def told(line: str, direction: str) -> str:
    return line if " 0 RTP" in line else f"{line} {direction}"


@pytest.fixture
def alice() -> Alice:
    return Alice(Negotiation("192.0.2.2", 49174, 2808844564, MU_LAW_FIRST))


def test_2_1_several_codecs_are_offered_and_one_is_answered(alice: Alice) -> None:
    answer, stream = alice.offers(*SOUND, *PICTURES)
    assert answer == ["m=audio 49174 RTP/AVP 0 sendrecv", "m=video 0 RTP/AVP 31"]
    assert (stream.host, stream.port, stream.codecs) == ("host.atlanta.example.com", 49170, (Codec.PCMU,))


def test_2_2_an_answer_of_two_codecs_is_narrowed_by_a_second_offer() -> None:
    """Bob's side: either codec may come until the second offer."""
    ours = Negotiation("192.0.2.1", 49170, 1, MU_LAW_FIRST)
    ours.offer()
    both = "v=0\r\no=bob 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\nm=audio 49172 RTP/AVP 0 8\r\n"
    assert ours.accept_answer(both.encode()).codecs == MU_LAW_FIRST
    assert m_lines(ours.offer(codecs=(Codec.PCMU,)))[0].startswith("m=audio 49170 RTP/AVP 0 ")
    assert ours.accept_answer(both.replace(" 0 8", " 0").encode()).codecs == (Codec.PCMU,)


def test_2_2_a_second_offer_of_one_codec_changes_nothing_where_it_is_in_use(alice: Alice) -> None:
    first, _ = alice.offers(*SOUND, *PICTURES)
    second, stream = alice.offers("m=audio 49170 RTP/AVP 0", *NO_PICTURES)
    assert second == first
    assert stream.codecs == (Codec.PCMU,)


def test_2_4_a_second_stream_for_keys_alone_is_refused(alice: Alice) -> None:
    answer, stream = alice.offers(*SOUND, *KEYS, "a=sendonly")
    assert answer == ["m=audio 49174 RTP/AVP 0 sendrecv", "m=audio 0 RTP/AVP 98"]
    assert stream.telephone_event is None


def test_3_1_hold_and_resume(alice: Alice) -> None:
    sound = ["m=audio 49170 RTP/AVP 0 97", "a=rtpmap:97 iLBC/8000"]
    talking, _ = alice.offers(*sound)
    held, stream = alice.offers(*sound, "a=sendonly")
    assert (held, stream.may_be_sent_to) == (["m=audio 49174 RTP/AVP 0 recvonly"], False)
    assert alice.offers(*sound)[0] == talking == ["m=audio 49174 RTP/AVP 0 sendrecv"]


def test_3_2_hold_with_two_streams(alice: Alice) -> None:
    """The refused one stays refused, in its place."""
    talking, _ = alice.offers("m=audio 49170 RTP/AVP 0", *KEYS)
    held, stream = alice.offers("m=audio 49170 RTP/AVP 0", "a=sendonly", *KEYS, "a=sendonly")
    assert held == ["m=audio 49174 RTP/AVP 0 recvonly", "m=audio 0 RTP/AVP 98"]
    assert not stream.may_be_sent_to
    assert alice.offers("m=audio 49170 RTP/AVP 0", *KEYS)[0] == talking


def test_4_1_a_second_stream_is_added(alice: Alice) -> None:
    alice.offers("m=audio 49170 RTP/AVP 0")
    answer, stream = alice.offers("m=audio 49170 RTP/AVP 0", "m=audio 49172 RTP/AVP 0 8", "a=sendonly")
    assert answer == ["m=audio 49174 RTP/AVP 0 sendrecv", "m=audio 0 RTP/AVP 0"]
    assert stream.port == 49170


def test_4_2_pictures_are_added(alice: Alice) -> None:
    alice.offers("m=audio 49170 RTP/AVP 0")
    answer, _ = alice.offers("m=audio 49170 RTP/AVP 0", *PICTURES)
    assert answer == ["m=audio 49174 RTP/AVP 0 sendrecv", "m=video 0 RTP/AVP 31"]


def test_4_3_pictures_are_taken_away(alice: Alice) -> None:
    with_pictures, _ = alice.offers("m=audio 49170 RTP/AVP 0", *PICTURES)
    assert alice.offers("m=audio 49170 RTP/AVP 0", *NO_PICTURES)[0] == with_pictures


def test_5_1_a_session_without_media_is_not_acceptable(alice: Alice) -> None:
    """Third-party control begins so; we want to know where the sound goes."""
    with pytest.raises(NotAcceptable):
        alice.offers()
    assert alice.offers(*SOUND)[0] == ["m=audio 49174 RTP/AVP 0 sendrecv"]
