"""The engine on the reactor: the conformance stories in memory, what is its own, and a few over real sockets."""

from random import Random

import pytest
import pytest_twisted
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet import reactor

from minitelecom.media import g711, tones
from minitelecom.media.door import Media, NoPortsLeft, Remote, Sound
from minitelecom.media.engine import Engine
from minitelecom.media.network import EpollNetwork
from minitelecom.media.port_pool import LONGEST_REST_SECONDS, QUARANTINE_SECONDS
from minitelecom.media.rtp import Packet, parse, serialise
from tests.media.conformance import NEVER, Conformance, story
from tests.media.network import OURS, PORTS, Ear, MemoryWorld, SocketWorld, Telephone, Written, frames, level, sine


@pytest.fixture
def world():
    return MemoryWorld()


@pytest.fixture
def engine(world):
    engine = Engine(world.clock, world.reactor, PORTS, OURS, world.random)
    yield engine
    engine.close()
    assert world.clock.getDelayedCalls() == []
    assert not [address for address in world.network.bound if address[1] in PORTS]


class TestConformance(Conformance):
    pass


def test_the_beat_is_absolute_a_held_up_reactor_is_caught_up_with(world, engine):
    ours, telephone = engine.open(Written(), NEVER), Telephone(world, 30000)
    ours.connect(telephone.remote())
    ours.play([Sound(g711.words(sine(700, 10)))])
    world.clock.advance(0.02)
    world.clock.advance(0.07)  # three beats late
    assert len(telephone.heard) == 4
    for _ in range(100):
        world.clock.advance(0.019)  # never quite on time
    assert len(telephone.heard) == pytest.approx((0.09 + 1.9) / 0.02, abs=1)


def test_a_long_hold_up_is_forgiven_not_made_up_for(world, engine):
    ours, telephone = engine.open(Written(), NEVER), Telephone(world, 30000)
    ours.connect(telephone.remote())
    ours.play([Sound(g711.words(sine(700, 10)))])
    world.clock.advance(0.02)
    world.clock.advance(3.0)
    assert 2 <= len(telephone.heard) <= 8
    assert telephone.heard[1].marker


def test_a_late_packet_of_an_old_call_is_not_heard_in_a_new_one(world):
    engine = Engine(world.clock, world.reactor, range(20000, 20002), OURS, Random(1))
    old = engine.open(Written(), NEVER)
    telephone = Telephone(world, 30000).faces(old)
    old.connect(telephone.remote())
    old.close()
    for _ in range(20):  # it did not hear the BYE
        telephone.says([0] * 160)
        world.clock.advance(1.0)
    with pytest.raises(NoPortsLeft):
        engine.open(Written(), NEVER)
    world.clock.advance(QUARANTINE_SECONDS)
    assert engine.open(Written(), NEVER).number == old.number
    engine.close()


def test_whoever_keeps_sending_keeps_no_port_for_ever(world):
    engine = Engine(world.clock, world.reactor, range(20000, 20002), OURS, Random(1))
    old = engine.open(Written(), NEVER)
    telephone = Telephone(world, 30000).faces(old)
    old.connect(telephone.remote())
    old.close()
    for _ in range(int(LONGEST_REST_SECONDS) + 1):
        telephone.says([0] * 160)
        world.clock.advance(1.0)
    assert engine.open(Written(), NEVER).number == old.number
    engine.close()


def test_a_port_of_another_program_is_passed_over(world):
    for number in (20000, 20003):
        world.network.listenUDP(number, Ear(lambda datagram, source: None), interface=OURS)
    engine = Engine(world.clock, world.reactor, range(20000, 20006), OURS, Random(1))
    assert engine.open(Written(), NEVER).number == 20004
    with pytest.raises(NoPortsLeft):
        engine.open(Written(), NEVER)
    engine.close()


def test_a_network_that_cannot_be_reached_is_survived(world, engine):
    ours, user, telephone = engine.open(Written(), NEVER), Written(), Telephone(world, 30000)
    ours.connect(telephone.remote())
    world.network.unreachable.add("127.0.0.1")
    ours.play([tones.beep()])
    world.clock.pump([0.02] * 500)
    assert telephone.heard == []
    assert user.finished == 0


def test_a_silent_leg_keeps_the_routers_open(world, engine):
    ours, telephone = engine.open(Written(), NEVER), Telephone(world, 30000)
    ours.connect(telephone.remote())
    world.clock.pump([0.02] * 10)
    count = len(telephone.heard)
    world.clock.pump([0.1] * 400)
    assert 2 <= len(telephone.heard) - count <= 3


def test_what_keeps_the_routers_open_is_no_sound(world, engine):
    """Two ends like ours would take each other's frames for a talk for ever, when both talkers have gone."""
    (ours, user), (theirs, others) = ends = [(engine.open(one, 60.0), one) for one in (Written(), Written())]
    for end, other in (ends, ends[::-1]):
        end[0].connect(Remote("127.0.0.1", other[0].number, g711.PCMA, None, send=True, receive=True))
    world.clock.pump([0.02] * 10)
    world.clock.pump([0.1] * 700)
    assert (len(user.silences), len(others.silences)) == (1, 1)
    assert ours.last_packet == theirs.last_packet == pytest.approx(world.clock.seconds() - 70.2, abs=0.2)


def test_a_source_silent_a_while_may_be_followed_elsewhere(world, engine):
    ours, telephone = engine.open(Written(), NEVER), Telephone(world, 30000)
    ours.connect(telephone.remote())
    telephone.faces(ours).says([0] * 160)
    world.clock.pump([0.1] * 40)
    elsewhere = Telephone(world, 30006).faces(ours)
    elsewhere.says([0] * 160)
    ours.play([tones.beep()])
    world.clock.pump([0.02] * 10)
    assert len(elsewhere.heard) == 10


def test_the_announced_address_is_heard_whoever_was_faster(world, engine):
    ours, telephone = engine.open(Written(), NEVER), Telephone(world, 30000)
    ours.connect(telephone.remote())
    faster = Telephone(world, 30006).faces(ours)
    faster.says([0] * 160)
    telephone.faces(ours).says([0] * 160)
    ours.play([tones.beep()])
    world.clock.pump([0.02] * 10)
    assert (len(telephone.heard), faster.heard) == (10, [])


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "telephone.example", "", "999.1.1.1"])
def test_an_address_that_reaches_nobody_waits_for_packets(world, engine, host):
    ours, telephone = engine.open(Written(), NEVER), Telephone(world, 30000)
    remote = telephone.remote()
    ours.connect(type(remote)(host, 30000, 8, 101, send=True, receive=True))
    ours.play([tones.ringback()], repeat=True)
    world.clock.pump([0.02] * 5)
    assert telephone.heard == []
    telephone.faces(ours).says([0] * 160)
    world.clock.pump([0.02] * 5)
    assert len(telephone.heard) == 5


def test_a_user_that_fails_does_not_stop_the_beat_for_others(world, engine, logged_failures):
    failing, other = Written(), Written()
    failing.on_finish = lambda: 1 // 0
    first, second = engine.open(failing, NEVER), engine.open(other, NEVER)
    first.play([tones.silence(0.1)])
    second.play([tones.silence(0.1)])
    world.clock.pump([0.02] * 10)
    assert other.finished == 1
    assert [type(event["log_failure"].value) for event in logged_failures] == [ZeroDivisionError]
    logged_failures.clear()


@given(st.lists(st.binary(max_size=80) | st.binary(max_size=60).map(lambda rest: b"\x80" + rest), max_size=20))
def test_whatever_arrives_nothing_is_raised(datagrams):
    world = MemoryWorld()
    engine = Engine(world.clock, world.reactor, PORTS, OURS, world.random)
    ours, other = engine.open(Written(), 5.0), engine.open(Written(), 5.0)
    telephone = Telephone(world, 30000).faces(ours)
    for port in (ours, other):
        port.connect(telephone.remote(telephone_event=None))
    ours.relay(other)
    for datagram in datagrams:
        telephone.sends_raw(datagram)
        telephone.sends_control(datagram)
    heard = len(telephone.heard)
    telephone.says([0] * 160)
    assert len(telephone.heard) == heard + 1  # by the relay, which has not lost its way
    engine.close()


# Over sockets, in real time.


@pytest_twisted.async_yield_fixture
async def sockets():
    """Far ends at ports that no daemon of this machine gives out ([rtp] ports)."""
    world = SocketWorld(reactor)
    engine = Engine(reactor, reactor, range(21000, 21100), OURS, Random(2))
    world.telephones = [Telephone(world, 15000), Telephone(world, 15002, payload_type=g711.PCMU, ssrc=99)]
    yield world, engine, *world.telephones
    await engine.close()
    for telephone in world.telephones:
        await telephone.closes()


@story
async def test_over_sockets_two_parties_hear_each_other(sockets):
    world, engine, caller, carrier = sockets
    media: Media = engine
    ours, theirs = media.open(Written(), NEVER), media.open(Written(), NEVER)
    ours.connect(caller.faces(ours).remote())
    theirs.connect(carrier.faces(theirs).remote())
    ours.relay(theirs)
    await world.passes(0.1)
    for low, high in zip(frames(sine(700, 0.4)), frames(sine(1100, 0.4)), strict=True):
        caller.says(low)
        carrier.says(high)
        await world.passes(0.005)
    await world.until(lambda: min(len(telephone.sound) for telephone in (caller, carrier)) >= 3200)
    for telephone, wanted, own in ((caller, 1100, 700), (carrier, 700, 1100)):
        heard = telephone.sound[-2400:]
        assert level(heard, wanted) == pytest.approx(level(sine(wanted, 0.3), wanted), abs=1.0)
        assert level(heard, own) < level(heard, wanted) - 40


@story
async def test_over_sockets_a_prompt_is_heard_and_a_key_ends_it(sockets):
    world, engine, caller, _ = sockets
    user = Written()
    ours = engine.open(user, NEVER)
    ours.connect(caller.faces(ours).remote())
    user.on_key = lambda key: ours.stop()
    ours.play([tones.ringback()], repeat=True)
    await world.until(lambda: len(caller.heard) > 5)
    await caller.presses("1", seconds=0.06)
    await world.until(lambda: user.keys == "1")
    await world.passes(0.05)  # for what was on its way
    count = len(caller.heard)
    await world.passes(0.1)
    assert len(caller.heard) == count


@story
async def test_over_sockets_an_ipv4_and_an_ipv6_party_hear_each_other():
    world = SocketWorld(reactor)
    engine = Engine(reactor, reactor, range(21200, 21240), OURS, Random(3), "::1")
    networks = {host: EpollNetwork(reactor, host) for host in (OURS, "::1")}
    heard: dict[str, list[bytes]] = {host: [] for host in networks}
    try:
        far = {
            host: one.bind(15010, lambda datagram, source, host=host: heard[host].append(datagram))
            for host, one in networks.items()
        }
        ports = {host: engine.open(Written(), NEVER, ipv6=":" in host) for host in networks}
        for host, port in ports.items():
            port.connect(Remote(host, 15010, g711.PCMA, 101, send=True, receive=True))
        ports[OURS].relay(ports["::1"])
        await world.passes(0.1)
        for host, one in far.items():
            one.send(serialise(Packet(g711.PCMA, False, 1, 160, 7, host.encode() * 20)), (host, ports[host].number))
        for host, said in ((OURS, b"::1" * 20), ("::1", OURS.encode() * 20)):
            await world.until(lambda host=host, said=said: said in payloads(heard[host]))
        assert engine.ports_in_use == 2
    finally:
        await engine.close()
        for one in networks.values():
            one.close()
    assert engine.ports_in_use == 0


def payloads(datagrams: list[bytes]) -> list[bytes]:
    return [packet.payload for packet in map(parse, datagrams) if packet]
