"""What a session is made of: codecs by the house's policy, lines that we do not know, and what other media ask for."""

import pytest

from minitelecom.config import Config, Rtp
from minitelecom.store.synchronous import SynchronousDatabase
from tests.calls.scene import DESCRIPTION, Scene, WrittenCaller
from tests.calls.story import settle
from tests.world.house import House

BOTH = DESCRIPTION.replace("RTP/AVP 8 101", "RTP/AVP 0 8 101")
HEAD = "v=0\no=- 1 1 IN IP4 10.0.0.99\ns=-\nc=IN IP4 10.0.0.99\nt=0 0\n"


def media(body: str) -> list[str]:
    return [line for line in body.split("\r\n") if line.startswith("m=")]


def answered(caller: WrittenCaller, house: House, body: str) -> str:
    caller.ask(body=body)
    house.pass_(0.1)
    answer = caller.last(200).body
    caller.ask("ACK")
    caller.ask("BYE", sequence=2)
    settle(house)
    return answer


@pytest.mark.parametrize(
    ("codecs", "offered", "taken"),
    [(("PCMA", "PCMU"), "8 0 101", 8), (("PCMU", "PCMA"), "0 8 101", 0), (("PCMU",), "0 101", 0)],
)
def test_the_house_says_which_codec_comes_first(
    database: SynchronousDatabase, codecs: tuple[str, ...], offered: str, taken: int
) -> None:
    house = House(database, config=Config(rtp=Rtp(codecs=codecs)))
    scene = Scene.begin(house)
    assert media(scene.carrier.invite.body)[0].endswith(f"RTP/AVP {offered}")
    scene.carrier.answer(body=BOTH)
    house.pass_(0.5)
    scene.carrier.ask("INVITE", body=BOTH.replace(" 8 ", " 8 18 "))
    house.pass_(0.1)
    assert media(scene.carrier.last(200).body)[0].endswith("RTP/AVP 0 101")  # the one in use stays in use
    scene.carrier.ask("ACK")
    caller = house.media.every_port[0].remote
    assert caller is not None
    assert caller.payload_type == taken
    scene.talk.hang_up()
    scene.settle()


def test_a_codec_that_the_house_leaves_out_is_not_taken(database: SynchronousDatabase) -> None:
    house = House(database, config=Config(rtp=Rtp(codecs=("PCMU",))))
    scene = Scene.begin(house)
    scene.carrier.answer(body=DESCRIPTION)
    house.pass_(0.5)
    assert scene.talk.final == 488
    scene.settle()


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (
            "m=audio 40000 RTP/AVP 8\nm=video 40002 RTP/AVP 31 32\nm=application 9 TCP/BFCP *\n",
            ["m=audio {} RTP/AVP 8", "m=video 0 RTP/AVP 31", "m=application 0 TCP/BFCP *"],
        ),
        (
            "m=image 40004 udptl t38\nm=audio 40000 RTP/SAVP 8\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:x\n"
            "m=audio 40002 RTP/AVP 8\n",
            ["m=image 0 UDPTL t38", "m=audio 0 RTP/SAVP 8", "m=audio {} RTP/AVP 8"],
        ),
        ("m=audio 40000 RTP/AVP 8\nm=audio 40002 RTP/AVP 0\n", ["m=audio {} RTP/AVP 8", "m=audio 0 RTP/AVP 0"]),
        ("m=audio 40000 RTP/AVP 18\nm=audio 40002 RTP/AVP 8\n", ["m=audio 0 RTP/AVP 18", "m=audio {} RTP/AVP 8"]),
        (
            "m=audio 40000 RTP/SAVPF 8\nm=audio 40002 RTP/AVPF 8\na=rtcp-fb:* nack\nm=audio 40004 RTP/AVP 8\n",
            ["m=audio 0 RTP/SAVPF 8", "m=audio {} RTP/AVPF 8", "m=audio 0 RTP/AVP 8"],
        ),
        (
            "m=audio 40000 XRTP/NEW 8\nm=audio 40002 RTP/AVP 8\nc=IN IP6 2001:db8::99\nm=audio 40004 RTP/AVP 8\n",
            ["m=audio 0 XRTP/NEW 8", "m=audio 0 RTP/AVP 8", "m=audio {} RTP/AVP 8"],
        ),
    ],
)
def test_lines_that_we_do_not_take_are_refused_in_their_places(
    caller: WrittenCaller, house: House, lines: str, expected: list[str]
) -> None:
    """RFC 3264 6: port 0, and as many lines as were offered."""
    answer = answered(caller, house, HEAD + lines)
    port = house.media.every_port[0].number
    assert media(answer) == [line.format(port) for line in expected]


@pytest.mark.parametrize("protocol", ["RTP/SAVP", "RTP/SAVPF", "UDP/TLS/RTP/SAVPF"])
def test_a_call_that_must_be_encrypted_is_refused(caller: WrittenCaller, house: House, protocol: str) -> None:
    caller.ask(body=DESCRIPTION.replace("RTP/AVP", protocol))
    house.pass_(0.1)
    assert caller.statuses() == [488]
    assert caller.last(488)["warning"].startswith("304 ")
    caller.ask("ACK")
    settle(house)


def test_a_far_end_that_speaks_of_feedback_talks_and_is_offered_the_same_again(house: House) -> None:
    """RFC 4585: AVPF without a=rtcp-fb in the answer is AVP in all but the name, and the name stays."""
    feedback = DESCRIPTION.replace("RTP/AVP", "RTP/AVPF") + "a=rtcp-fb:* nack\n"
    scene = Scene.begin(house).connect()
    scene.carrier.ask("INVITE", body=feedback)
    house.pass_(0.2)
    answer = scene.carrier.last(200).body
    assert media(answer)[0].split()[2] == "RTP/AVPF"
    assert "rtcp-fb" not in answer
    scene.carrier.ask("ACK")
    house.pass_(0.2)
    assert scene.talk.talking
    scene.carrier.ask("INVITE", sequence=2, body="")  # they want an offer of ours
    house.pass_(0.2)
    assert media(scene.carrier.last(200).body)[0].split()[2] == "RTP/AVPF"
    scene.carrier.ask("ACK", sequence=2, body=feedback)
    house.pass_(0.2)
    scene.talk.hang_up()
    scene.settle()


def test_what_belongs_to_multiplexing_and_bundles_is_not_answered(caller: WrittenCaller, house: House) -> None:
    """RFC 5761 5.1.1: an answer without a=rtcp-mux refuses it; so it is with what we have never heard of."""
    asked = "a=rtcp-mux\na=rtcp:40001\na=mid:0\na=candidate:1 1 UDP 1 10.0.0.99 40000 typ host\na=ice-ufrag:x\n"
    answer = answered(caller, house, DESCRIPTION + asked)
    assert not any(word in answer for word in ("mux", "mid", "candidate", "ice"))
    assert len(media(answer)) == 1


def test_a_key_by_info_comes_to_the_sound_that_it_belongs_to(house: House) -> None:
    """Between the two parties the media carry it, in whatever way the other side speaks."""
    scene = Scene.begin(house).connect()
    scene.talk.press("4")
    scene.carrier.ask("INFO", lines="Content-Type: application/dtmf-relay\n", body="Signal=9\nDuration=160\n")
    house.pass_(0.5)
    caller, callee = house.media.every_port
    assert (caller.keys, callee.keys) == ("4", "9")
    assert caller.partner is callee
    scene.talk.hang_up()
    scene.settle()
