"""The test carrier of the demo: what becomes of each number."""

from random import Random

import pytest
import pytest_twisted
from twisted.internet.task import Clock

from minitelecom.demo.carrier import HOST, PATIENCE_SECONDS, RING_SECONDS, Carrier, sentences
from minitelecom.ivr.catalogue import load
from minitelecom.media.engine import Engine
from minitelecom.media.sound import Sound
from minitelecom.sip.hop import Hop
from tests.media.network import MemoryWorld, Telephone, level, sine
from tests.world.house import voice
from tests.world.media import QuietMedia
from tests.world.network import Network
from tests.world.party import SDP, Party, Talk

AT = Hop("udp", HOST, 5070)
SENTENCE = Sound.from_wav(load().path("en/demo-carrier"))


class Story:
    """A switch and the carrier, on a network in memory."""

    def __init__(self, clock: Clock, media: object) -> None:
        self.clock = clock
        self.media = media
        network = Network(clock, Random(1))
        self.switch = Party(clock, Random(2), network, AT, "switch", "127.0.0.1", 5060)
        send = network.attach(AT.host, AT.port, self._arrived)
        say = sentences(voice().say, "en", ("112",))
        self.carrier = Carrier(clock, Random(3), send, media, say, AT.port)

    def _arrived(self, data: bytes, source: Hop) -> None:
        self.carrier.layer.datagram_received(data, source)

    def passes(self, seconds: float) -> None:
        for _ in range(round(seconds * 20)):
            self.clock.advance(0.05)

    def call(self, number: str, seconds: float) -> Talk:
        talk = self.switch.call(number)
        self.passes(seconds)
        return talk

    def is_left_as_found(self) -> bool:
        return not self.carrier.calls and not self.media.ports_in_use


@pytest.fixture
def story() -> Story:
    clock = Clock()
    return Story(clock, QuietMedia(clock))


def test_it_rings_two_seconds_and_answers(story):
    talk = story.call("442079460123", RING_SECONDS - 0.2)
    assert talk.statuses == [180]
    story.passes(0.4)
    assert talk.statuses == [180, 200]
    assert talk.talking


def test_the_caller_hangs_up(story):
    talk = story.call("442079460123", 5)
    talk.hang_up()
    story.passes(1)
    assert story.is_left_as_found()


def test_the_carrier_hangs_up_on_a_caller_who_has_gone(story):
    talk = story.call("442079460123", 5)
    story.media.every_port[0].mute()
    story.passes(121)
    assert talk.ended_by_far_end
    assert story.is_left_as_found()


def test_the_answer_is_repeated_until_its_acknowledgement_and_then_given_up(story):
    story.switch.call("442079460123")
    story.passes(1)
    story.switch.network.detach("127.0.0.1", 5060)
    story.passes(70)
    assert story.is_left_as_found()


@pytest.mark.parametrize(("number", "status"), [("442079460404", 404), ("442079460486", 486)])
def test_some_numbers_fail_at_once(story, number, status):
    assert story.call(number, 0.5).statuses == [status]
    assert story.is_left_as_found()


def test_some_ring_until_patience_ends(story):
    talk = story.call("442079460480", PATIENCE_SECONDS - 0.5)
    assert talk.statuses == [180]
    story.passes(1)
    assert talk.statuses == [180, 480]
    assert story.is_left_as_found()


def test_a_caller_who_gives_up_while_it_rings(story):
    talk = story.call("442079460123", 1)
    talk.cancel()
    story.passes(1)
    assert talk.statuses == [180, 487]
    assert story.is_left_as_found()


def test_hold_is_answered_and_the_call_goes_on(story):
    talk = story.call("442079460123", 5)
    held = talk.re_invite(SDP.format(host="127.0.0.1", port=40000).encode() + b"a=sendonly\r\n")
    story.passes(1)
    assert held.statuses == [200]
    assert b"a=recvonly" in held.response.body
    assert not story.media.every_port[0].remote.send
    assert talk.talking


def test_what_it_cannot_read_is_refused_and_nothing_is_held(story):
    talk = Talk(story.switch)
    story.switch.description = lambda: b"v=0\r\nm=video 5000 RTP/AVP 31\r\n"
    talk.invite("442079460123")
    story.passes(1)
    assert talk.statuses == [488]
    assert story.is_left_as_found()


def test_when_its_ports_are_used_up_it_says_so(story):
    story.media.most = 3
    assert story.call("442079460123", 3).talking
    assert story.call("442079460124", 3).statuses == [503]
    assert story.media.ports_in_use == 2


def test_it_says_what_it_is_and_to_a_call_for_help_that_nobody_helps(story):
    story.call("442079460123", 3)
    story.call("112", 3)
    names = {id(sound): name for name, sound in voice().named().items()}
    played = [names[id(sound)] for port in story.media.every_port for sound in port.played]
    assert played == ["en/demo-carrier", "en/demo-emergency"]


def test_closing_ends_every_call(story):
    talk = story.call("442079460123", 3)
    story.call("442079460124", 1)
    story.carrier.close()
    story.passes(1)
    assert talk.ended_by_far_end
    assert story.is_left_as_found()


@pytest_twisted.ensureDeferred
async def test_it_speaks_and_then_sends_back_what_it_hears():
    """With the engine itself: the sentence, then the caller's own 700 Hz, as loud as he sent it."""
    world = MemoryWorld()
    engine = Engine(world.clock, world.reactor, range(34000, 34040), HOST, world.random)
    story = Story(world.clock, engine)
    telephone = Telephone(world, 40000)
    talk = story.call("442079460123", RING_SECONDS + 0.1)
    assert talk.talking
    (call,) = story.carrier.calls.values()
    telephone.faces(call._port)
    await world.passes(SENTENCE.seconds + 0.1)
    spoken = len(telephone.sound)
    assert spoken / 8000 == pytest.approx(SENTENCE.seconds, abs=0.3)
    await telephone.talks(2.0)
    echoed = telephone.sound[spoken:]
    assert len(echoed) / 8000 == pytest.approx(2.0, abs=0.1)
    assert level(echoed, 700) == pytest.approx(level(sine(700, 2), 700), abs=0.5)
    talk.hang_up()
    story.passes(1)
    assert story.is_left_as_found()
    await engine.close()
