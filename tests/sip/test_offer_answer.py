"""RFC 3264 as a table of offers and answers, and what holding does."""

import pytest

from minitelecom.sip.offer_answer import Codec, Exchange, Negotiation, NotAcceptable, read
from minitelecom.sip.sdp import parse
from tests.sip.test_sdp import GRANDSTREAM

ATA = b"""v=0\r
o=2001 1 1 IN IP4 192.0.2.8\r
s=ATA186 Call\r
c=IN IP4 192.0.2.8\r
t=0 0\r
m=audio 16384 RTP/AVP 4 8 0 101\r
a=rtpmap:4 G723/8000/1\r
a=rtpmap:8 PCMA/8000/1\r
a=rtpmap:0 PCMU/8000/1\r
a=rtpmap:101 telephone-event/8000\r
a=fmtp:101 0-15\r
"""


def ours() -> Negotiation:
    return Negotiation("198.51.100.1", 16400, 77)


def offer(*lines: str) -> bytes:
    return "\r\n".join(["v=0", "o=- 1 1 IN IP4 192.0.2.1", "s=-", "c=IN IP4 192.0.2.1", "t=0 0", *lines, ""]).encode()


def described(body: bytes) -> list[str]:
    """The media part of a description, as lines."""
    lines = body.decode().split("\r\n")
    return lines[next(place for place, line in enumerate(lines) if line.startswith("m=")) : -1]


def version(body: bytes) -> int:
    return int(parse(body).origin.version)


def test_an_answer_names_one_codec_and_the_keys_as_they_were_offered():
    body, stream = ours().answer(ATA)
    assert body == (
        b"v=0\r\no=- 77 77 IN IP4 198.51.100.1\r\ns=-\r\nc=IN IP4 198.51.100.1\r\nt=0 0\r\n"
        b"m=audio 16400 RTP/AVP 8 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\n"
        b"a=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n"
    )
    assert (stream.host, stream.port, stream.codecs, stream.telephone_event) == ("192.0.2.8", 16384, (Codec.PCMA,), 101)


def test_a_grandstream_gets_mu_law_where_we_like_that_best_and_no_keys_it_did_not_offer():
    body, stream = Negotiation("198.51.100.1", 16400, 77, (Codec.PCMU, Codec.PCMA)).answer(GRANDSTREAM)
    assert described(body) == ["m=audio 16400 RTP/AVP 0", "a=rtpmap:0 PCMU/8000", "a=ptime:20", "a=sendrecv"]
    assert (stream.codecs, stream.telephone_event, stream.ptime) == ((Codec.PCMU,), None, 20)


@pytest.mark.parametrize(
    ("offered", "answered"),
    [
        (["m=audio 4 RTP/AVP 0 8"], ["m=audio 16400 RTP/AVP 8"]),
        (["m=audio 4 RTP/AVP 18 0"], ["m=audio 16400 RTP/AVP 0"]),
        (["m=audio 4 RTP/AVP 8 96", "a=rtpmap:96 Telephone-Event/8000"], ["m=audio 16400 RTP/AVP 8 96"]),
        (["m=audio 4 RTP/AVP 8 96", "a=rtpmap:96 telephone-event/16000"], ["m=audio 16400 RTP/AVP 8"]),
        (["m=video 6 RTP/AVP 31 32", "m=audio 4 RTP/AVP 0"], ["m=video 0 RTP/AVP 31", "m=audio 16400 RTP/AVP 0"]),
        (
            ["m=audio 4 RTP/AVP 18", "m=image 8 udptl t38", "m=audio 6 RTP/AVP 8", "m=audio 8 RTP/AVP 8"],
            ["m=audio 0 RTP/AVP 18", "m=image 0 UDPTL t38", "m=audio 16400 RTP/AVP 8", "m=audio 0 RTP/AVP 8"],
        ),
        (["m=audio 4 RTP/SAVP 0", "m=audio 6 RTP/AVP 0"], ["m=audio 0 RTP/SAVP 0", "m=audio 16400 RTP/AVP 0"]),
    ],
)
def test_every_line_offered_is_answered_in_its_place(offered, answered):
    body, _ = ours().answer(offer(*offered))
    assert [line for line in described(body) if line.startswith("m=")] == answered


@pytest.mark.parametrize(
    "body",
    [
        offer("m=audio 4 RTP/AVP 18"),
        offer("m=audio 0 RTP/AVP 0"),
        offer("m=audio 4 RTP/SAVP 0"),
        offer("m=image 4 udptl t38"),
        offer("m=audio 4 RTP/AVP 0", "a=rtpmap:0 G729/8000"),
        b"m=audio 4 RTP/AVP 0",  # no address at all
        b"",
        b"\xff\xfe",
    ],
)
def test_what_does_not_fit_is_488_and_changes_nothing(body):
    negotiation = ours()
    first, _ = negotiation.answer(ATA)
    with pytest.raises(NotAcceptable) as refused:
        negotiation.answer(body)
    assert refused.value.status == 488
    assert negotiation.remote == read(ATA).__class__("192.0.2.8", 16384, (Codec.PCMA,), 101, "sendrecv", None)
    assert negotiation.answer(ATA)[0] == first


@pytest.mark.parametrize(
    ("lines", "heard", "answered"),
    [
        (["a=sendrecv"], "sendrecv", "sendrecv"),
        (["a=sendonly"], "sendonly", "recvonly"),
        (["a=recvonly"], "recvonly", "sendonly"),
        (["a=inactive"], "inactive", "inactive"),
        (["c=IN IP4 0.0.0.0"], "sendonly", "recvonly"),
        (["c=IN IP4 0.0.0.0", "a=recvonly"], "inactive", "inactive"),
        (["c=IN IP4 0.0.0.0", "a=inactive"], "inactive", "inactive"),
    ],
)
def test_hold_is_mirrored(lines, heard, answered):
    body, stream = ours().answer(offer("m=audio 4 RTP/AVP 0", *lines))
    assert stream.direction == heard
    assert described(body)[-1] == f"a={answered}"
    assert stream.may_be_sent_to == (heard in {"sendrecv", "recvonly"})


def test_hold_and_resume_raise_the_version_only_when_the_body_changes():
    negotiation = ours()
    talking, _ = negotiation.answer(offer("m=audio 4 RTP/AVP 0"))
    again, _ = negotiation.answer(offer("m=audio 4 RTP/AVP 0"))
    held, _ = negotiation.answer(offer("m=audio 4 RTP/AVP 0", "a=sendonly"))
    resumed, stream = negotiation.answer(offer("m=audio 4 RTP/AVP 0"))
    assert again == talking
    assert [version(body) for body in (talking, held, resumed)] == [77, 78, 79]
    assert described(resumed) == described(talking)
    assert stream.direction == "sendrecv"


def test_the_codec_in_use_stays_when_the_order_of_a_new_offer_differs():
    negotiation = ours()
    negotiation.answer(offer("m=audio 4 RTP/AVP 8 0"))
    body, stream = negotiation.answer(offer("m=audio 4 RTP/AVP 0 8"))
    assert stream.codecs == (Codec.PCMA,)
    assert described(body)[0] == "m=audio 16400 RTP/AVP 8"


def test_our_offer():
    assert described(ours().offer()) == [
        "m=audio 16400 RTP/AVP 8 0 101",
        "a=rtpmap:8 PCMA/8000",
        "a=rtpmap:0 PCMU/8000",
        "a=rtpmap:101 telephone-event/8000",
        "a=fmtp:101 0-15",
        "a=ptime:20",
        "a=sendrecv",
    ]


def test_an_answer_of_several_codecs_means_the_first_that_we_offered():
    negotiation = ours()
    negotiation.offer(codecs=(Codec.PCMA,))
    stream = negotiation.accept_answer(offer("m=audio 9 RTP/AVP 0 8 97", "a=rtpmap:97 telephone-event/8000"))
    assert (stream.codecs, stream.telephone_event, negotiation.remote) == ((Codec.PCMA,), 97, stream)


def test_an_answer_without_any_offered_codec_is_not_acceptable():
    negotiation = ours()
    negotiation.offer(codecs=(Codec.PCMA,))
    with pytest.raises(NotAcceptable):
        negotiation.accept_answer(offer("m=audio 9 RTP/AVP 0"))
    assert negotiation.remote is None


def test_a_new_offer_of_ours_keeps_the_lines_and_the_key_type_of_the_session():
    negotiation = ours()
    negotiation.answer(offer("m=video 6 RTP/AVP 31", "m=audio 4 RTP/AVP 8 96", "a=rtpmap:96 telephone-event/8000"))
    body = negotiation.offer("inactive", (Codec.PCMA,))
    assert described(body)[:2] == ["m=video 0 RTP/AVP 31", "m=audio 16400 RTP/AVP 8 96"]
    assert described(body)[-1] == "a=inactive"
    assert version(body) == 78


def test_two_of_us_understand_each_other():
    here, there = ours(), Negotiation("203.0.113.9", 20000, 5)
    answer, heard_there = there.answer(here.offer())
    heard_here = here.accept_answer(answer)
    assert (heard_there.host, heard_there.port) == ("198.51.100.1", 16400)
    assert (heard_here.host, heard_here.port, heard_here.codecs) == ("203.0.113.9", 20000, (Codec.PCMA,))


def test_a_codec_that_we_are_told_not_to_speak_is_neither_offered_nor_taken():
    mu_law = Negotiation("198.51.100.1", 16400, 77, (Codec.PCMU,))
    assert described(mu_law.offer())[0] == "m=audio 16400 RTP/AVP 0 101"
    body, _ = mu_law.answer(offer("m=audio 4 RTP/AVP 8", "m=audio 6 RTP/AVP 8 0"))
    assert [line for line in described(body) if line.startswith("m=")] == [
        "m=audio 0 RTP/AVP 8",
        "m=audio 16400 RTP/AVP 0",
    ]
    with pytest.raises(NotAcceptable):
        mu_law.answer(offer("m=audio 4 RTP/AVP 8"))


# Who waits for whom.


def test_an_offer_is_open_until_it_has_its_answer():
    negotiation = ours()
    assert negotiation.exchange is Exchange.NONE
    negotiation.offer()
    assert negotiation.exchange is Exchange.OURS
    negotiation.accept_answer(ATA, final=False)  # in a 183 that might be lost
    assert negotiation.exchange is Exchange.OURS
    negotiation.accept_answer(ATA)
    assert negotiation.exchange is Exchange.NONE
    negotiation.answer(ATA, final=False)
    assert negotiation.exchange is Exchange.THEIRS


@pytest.mark.parametrize("answered_first", [True, False])
def test_an_offer_that_changes_nothing_is_the_last_description_with_its_version(answered_first):
    """RFC 4028 7.4: who refreshes a session leaves the version alone."""
    negotiation = ours()
    if answered_first:
        body, _ = negotiation.answer(ATA)
    else:
        body = negotiation.offer()
        negotiation.accept_answer(ATA)
    assert negotiation.restate() == body
    assert negotiation.exchange is Exchange.OURS
    negotiation.accept_answer(ATA)
    held, _ = negotiation.answer(ATA + b"a=sendonly\r\n")
    assert negotiation.restate() == held


def test_after_an_offer_that_was_refused_the_session_is_stated_as_it_was_under_a_new_version():
    negotiation = ours()
    body, _ = negotiation.answer(ATA)
    negotiation.offer("inactive")
    negotiation.conclude()
    assert negotiation.exchange is Exchange.NONE
    again = negotiation.restate()
    assert described(again) == described(body)
    assert [version(body), version(again)] == [77, 79]


def test_each_far_end_of_a_fork_goes_its_own_way():
    one = ours()
    one.offer()
    other = one.copy()
    one.accept_answer(ATA)
    one.answer(ATA + b"a=sendonly\r\n")
    body, _ = other.answer(ATA)
    assert (version(body), other.remote.direction) == (78, "sendrecv")
    assert one.remote.direction == "sendonly"


def test_the_stream_in_use_stays_in_use_when_an_earlier_line_would_do_now():
    negotiation = ours()
    negotiation.answer(offer("m=audio 4 RTP/AVP 18", "m=audio 6 RTP/AVP 8"))
    body, stream = negotiation.answer(offer("m=audio 4 RTP/AVP 8", "m=audio 6 RTP/AVP 8"))
    assert stream.port == 6
    assert described(body)[0] == "m=audio 0 RTP/AVP 8"


@pytest.mark.parametrize("video_first", [True, False])
@pytest.mark.parametrize("last", ["nothing", "offer", "hold", "refused", "answer"])
def test_a_copy_says_what_the_one_it_was_made_of_would_say(last, video_first):
    """Whatever has been said so far, and about as many lines."""
    lines = ["m=video 6 RTP/AVP 31", "m=audio 4 RTP/AVP 0 97", "a=rtpmap:97 telephone-event/8000"]
    theirs = offer(*(lines if video_first else lines[1:]))
    one = Negotiation("198.51.100.1", 16400, 77, (Codec.PCMU, Codec.PCMA))
    if last != "nothing":
        one.answer(theirs)
    if last in {"offer", "hold", "refused"}:
        one.offer("inactive" if last == "hold" else "sendrecv")
    if last == "refused":
        one.conclude()
    other = one.copy()
    assert (other.remote, other.exchange) == (one.remote, one.exchange)
    if last in {"offer", "hold"}:
        assert other.accept_answer(theirs) == one.accept_answer(theirs)
    for say in (Negotiation.restate, Negotiation.offer, Negotiation.restate, lambda copied: copied.answer(theirs)):
        assert say(other) == say(one)
