"""What every media engine behind the door must do, told as stories.

A module that has an engine inherits Conformance and gives it two fixtures: `world` (see network.py) and `engine`.
Nothing here looks behind the door.
"""

from itertools import pairwise

import pytest
import pytest_twisted

from minitelecom.media import g711, rtcp, rtp, telephone_event, tones
from minitelecom.media.door import NoPortsLeft, Remote, Sound
from minitelecom.media.goertzel import InBandKeys
from tests.media.network import PORTS, Telephone, Written, frames, key_tones, level, sine

story = pytest_twisted.ensureDeferred
NEVER = float("inf")


def of_sound(telephone):
    return [packet for packet in telephone.heard if packet.payload_type in (0, 8)]


def tone(hertz, seconds):
    return Sound(g711.words(sine(hertz, seconds)))


def keys_in_events(telephone, payload_type):
    """The keys that a far end understands of the events it was sent."""
    receiver = telephone_event.EventReceiver()
    keys = [
        receiver.received(telephone_event.parse(packet.payload), packet.timestamp, packet.ssrc)
        for packet in telephone.heard
        if packet.payload_type == payload_type
    ]
    return "".join(key for key in keys if key)


def keys_in_sound(telephone):
    """The keys that a far end hears in the sound it was sent."""
    listener = InBandKeys()
    return "".join(key for packet in of_sound(telephone) for key in listener.heard(g711.decode(8, packet.payload)))


class Conformance:
    def leg(self, world, engine, port=30000, *, payload_type=g711.PCMA, silence=NEVER, ssrc=7, **remote):
        """A port, its user and a telephone that knows it."""
        user = Written()
        ours = engine.open(user, silence)
        telephone = Telephone(world, port, payload_type=payload_type, ssrc=ssrc).faces(ours)
        ours.connect(telephone.remote(**remote))
        return ours, user, telephone

    # Ports.

    @story
    async def test_ports_are_even_within_the_range_and_counted(self, world, engine):
        ports = [engine.open(Written(), NEVER) for _ in range(3)]
        assert all(port.number % 2 == 0 and port.number in PORTS for port in ports)
        assert len({port.number for port in ports}) == 3
        assert engine.ports_in_use == 3
        for port in ports:
            port.close()
            port.close()
        assert engine.ports_in_use == 0

    @story
    async def test_when_the_range_is_used_up_it_says_so(self, world, engine):
        with pytest.raises(NoPortsLeft):
            for _ in range(len(PORTS)):
                engine.open(Written(), NEVER)
        assert len(PORTS) // 4 < engine.ports_in_use < len(PORTS) // 2

    @story
    async def test_a_call_for_help_finds_ports_when_all_others_are_in_use(self, world, engine):
        ports = []
        with pytest.raises(NoPortsLeft):
            while True:
                ports.append(engine.open(Written(), NEVER))
        engine.open(Written(), NEVER, urgent=True)
        engine.open(Written(), NEVER, urgent=True)
        with pytest.raises(NoPortsLeft):
            engine.open(Written(), NEVER, urgent=True)
        ports.pop().close()
        engine.open(Written(), NEVER, urgent=True)  # though it has not rested

    @story
    async def test_a_closed_port_takes_every_command_and_does_nothing(self, world, engine):
        ours, user, telephone = self.leg(world, engine)
        ours.close()
        ours.connect(telephone.remote())
        ours.play([tones.beep()])
        ours.relay(None)
        ours.info_key("5")
        ours.stop()
        await world.passes(0.3)
        assert (telephone.heard, user.keys, user.finished) == ([], "", 0)

    # Playing.

    @story
    async def test_a_prompt_is_heard_whole_and_its_end_is_told(self, world, engine):
        ours, user, telephone = self.leg(world, engine)
        ours.play([tone(700, 0.3), tone(1100, 0.2)])
        await world.passes(0.6)
        assert user.finished == 1
        assert len(telephone.sound) == 4000
        assert level(telephone.sound[:2400], 700) == pytest.approx(level(sine(700, 0.3), 700), abs=0.5)
        assert level(telephone.sound[2400:], 1100) == pytest.approx(level(sine(1100, 0.2), 1100), abs=0.5)

    @story
    async def test_sounds_follow_each_other_without_a_gap_and_the_last_frame_is_filled_with_silence(
        self, world, engine
    ):
        ours, _, telephone = self.leg(world, engine)
        ours.play([Sound(g711.words([1000] * 100)), Sound(g711.words([2000] * 100))])
        await world.passes(0.1)
        heard = telephone.sound
        assert len(heard) == 320
        assert (heard[99], heard[100]) == (pytest.approx(1000, rel=0.05), pytest.approx(2000, rel=0.05))
        assert all(abs(sample) <= 8 for sample in heard[200:])

    @story
    async def test_key_stops_a_prompt_at_once(self, world, engine):
        ours, user, telephone = self.leg(world, engine)
        user.on_key = lambda key: ours.stop()
        ours.play([tone(700, 2)])
        await world.passes(0.2)
        await telephone.presses("5")
        count = len(telephone.heard)
        await world.passes(0.3)
        assert (len(telephone.heard), user.keys, user.finished) == (count, "5", 0)

    @story
    async def test_another_prompt_replaces_the_one_playing_and_only_the_last_end_is_told(self, world, engine):
        ours, user, telephone = self.leg(world, engine)
        ours.play([tone(700, 5)])
        await world.passes(0.1)
        ours.play([tone(1100, 0.1)])
        await world.passes(0.3)
        assert user.finished == 1
        assert level(telephone.sound[-800:], 1100) > level(telephone.sound[-800:], 700) + 30

    @story
    async def test_the_end_of_one_prompt_may_begin_the_next(self, world, engine):
        ours, user, telephone = self.leg(world, engine)
        user.on_finish = lambda: ours.play([tone(1100, 0.1)]) if user.finished < 3 else None
        ours.play([tone(700, 0.1)])
        await world.passes(0.6)
        assert user.finished == 3
        assert len(telephone.sound) == 2400

    @story
    async def test_nothing_to_play_ends_at_once(self, world, engine):
        ours, user, telephone = self.leg(world, engine)
        ours.play([])
        await world.passes(0.1)
        assert (user.finished, telephone.heard) == (1, [])

    @story
    async def test_a_tone_repeats_until_stopped(self, world, engine):
        ours, user, telephone = self.leg(world, engine)
        ours.play([tones.congestion()], repeat=True)
        await world.passes(1.0)
        ours.stop()
        heard = telephone.sound[:8000]
        on, off = heard[4000:6000], heard[6000:8000]
        assert level(on, 425) > 75
        assert max(map(abs, off)) <= 8
        assert user.finished == 0

    # One stream.

    @story
    async def test_first_of_all_some_silence_opens_the_way(self, world, engine):
        _, user, telephone = self.leg(world, engine)
        await world.passes(0.2)
        assert 1 <= len(telephone.heard) <= 5
        assert all(abs(sample) <= 8 for sample in telephone.sound)
        assert user.finished == 0

    @story
    async def test_prompt_and_relay_alternate_in_one_stream(self, world, engine):
        ours, _, telephone = self.leg(world, engine)
        theirs, _, carrier = self.leg(world, engine, 30002, payload_type=g711.PCMU, ssrc=99)
        ours.relay(theirs)
        for _ in range(2):
            await carrier.talks(0.2)
            ours.play([tones.beep()])
            await carrier.talks(0.4)
        heard = telephone.heard
        assert len({packet.ssrc for packet in heard}) == 1
        assert all((b.sequence_number - a.sequence_number) & 0xFFFF == 1 for a, b in pairwise(heard))
        steps = [rtp.timestamp_ahead(b.timestamp, a.timestamp) for a, b in pairwise(heard)]
        assert all(step >= 160 for step in steps)
        passed = (telephone.instants[-1] - telephone.instants[0]) * 8000
        assert sum(steps) == pytest.approx(passed, abs=400)
        assert all(packet.marker for packet, step in zip(heard[1:], steps, strict=True) if step != 160)
        assert 4 <= sum(packet.marker for packet in heard) <= 6

    @story
    async def test_loss_on_the_far_side_stays_visible_and_order_is_kept(self, world, engine):
        ours, _, telephone = self.leg(world, engine)
        theirs, _, carrier = self.leg(world, engine, 30002, ssrc=99)
        ours.relay(theirs)
        await carrier.talks(0.1)
        first = carrier.sequence
        for step in (0, 2, 1, 5, 5):
            carrier.sequence, stamp = first + step & 0xFFFF, carrier.timestamp + 160 * step
            carrier.sends(bytes([step]) * 160, 8, timestamp=stamp)
            await world.passes(0.02)
        sent = {packet.payload[0]: packet for packet in telephone.heard[-5:]}
        base = sent[0]
        for step, packet in sent.items():
            assert (packet.sequence_number - base.sequence_number) & 0xFFFF == step
            assert rtp.timestamp_ahead(packet.timestamp, base.timestamp) == 160 * step

    @story
    async def test_a_source_that_begins_anew_is_still_one_stream(self, world, engine):
        ours, _, telephone = self.leg(world, engine)
        theirs, _, carrier = self.leg(world, engine, 30002, ssrc=99)
        ours.relay(theirs)
        await carrier.talks(0.2)
        carrier.ssrc, carrier.sequence, carrier.timestamp = 4711, 3, 12345
        await carrier.talks(0.2)
        carrier.sequence, carrier.timestamp = 40000, 99
        await carrier.talks(0.2)
        heard = of_sound(telephone)
        assert all((b.sequence_number - a.sequence_number) & 0xFFFF == 1 for a, b in pairwise(heard))
        assert all(0 < rtp.timestamp_ahead(b.timestamp, a.timestamp) < 2000 for a, b in pairwise(heard))

    # Relay.

    @story
    async def test_two_parties_hear_each_other_in_their_own_law_and_not_themselves(self, world, engine):
        ours, _, caller = self.leg(world, engine, payload_type=g711.PCMA)
        theirs, _, carrier = self.leg(world, engine, 30002, payload_type=g711.PCMU, ssrc=99)
        ours.relay(theirs)
        await world.passes(0.1)
        for low, high in zip(frames(sine(700, 1)), frames(sine(1100, 1)), strict=True):
            caller.says(low)
            carrier.says(high)
            await world.passes(0.02)
        for telephone, wanted, own in ((caller, 1100, 700), (carrier, 700, 1100)):
            assert {packet.payload_type for packet in telephone.heard} == {telephone.payload_type}
            heard = telephone.sound[-6400:]
            assert level(heard, wanted) == pytest.approx(level(sine(wanted, 0.8), wanted), abs=1.0)
            assert level(heard, own) < level(heard, wanted) - 40

    @story
    async def test_a_beep_wins_over_the_other_party_until_it_ends(self, world, engine):
        ours, user, caller = self.leg(world, engine)
        theirs, _, carrier = self.leg(world, engine, 30002, ssrc=99)
        ours.relay(theirs)
        await carrier.talks(0.2, 700)
        count = len(caller.sound)
        ours.play([tones.beep()])
        await carrier.talks(0.5, 700)
        during, after = caller.sound[count : count + 1600], caller.sound[-1280:]
        assert level(during, tones.BEEP_HERTZ) > level(during, 700) + 30
        assert level(after, 700) > level(after, tones.BEEP_HERTZ) + 30
        assert user.finished == 1

    @story
    async def test_parted_legs_hear_nothing_of_each_other(self, world, engine):
        ours, _, caller = self.leg(world, engine)
        theirs, _, carrier = self.leg(world, engine, 30002, ssrc=99)
        ours.relay(theirs)
        await caller.talks(0.1)
        theirs.relay(None)
        count = len(carrier.heard)
        await caller.talks(0.2)
        assert len(carrier.heard) == count

    @story
    async def test_a_leg_joined_with_a_third_leaves_the_second(self, world, engine):
        ours, _, caller = self.leg(world, engine)
        second, _, busy = self.leg(world, engine, 30002, ssrc=98)
        third, _, free = self.leg(world, engine, 30004, ssrc=99)
        ours.relay(second)
        ours.relay(third)
        await world.passes(0.1)
        counts = len(busy.heard), len(caller.heard)
        await caller.talks(0.1)
        await busy.talks(0.1)
        assert (len(busy.heard), len(caller.heard)) == counts
        assert len(free.heard) >= 5

    @story
    async def test_nothing_is_sent_to_a_far_end_that_wants_nothing(self, world, engine):
        ours, user, caller = self.leg(world, engine)
        await world.passes(0.1)
        ours.connect(caller.remote(send=False))
        count = len(caller.heard)
        ours.play([tone(700, 0.2)])
        await world.passes(0.4)
        assert (len(caller.heard), user.finished) == (count, 1)

    # Where packets come from.

    @story
    async def test_we_speak_to_where_the_telephone_really_is(self, world, engine):
        user = Written()
        ours = engine.open(user, NEVER)
        telephone = Telephone(world, 30000).faces(ours)
        ours.connect(Remote("127.0.0.1", 39998, 8, 101, send=True, receive=True))
        telephone.says([0] * 160)
        await world.passes(0.04)
        ours.play([tone(700, 0.1)])
        await world.passes(0.2)
        assert len(telephone.heard) >= 5

    @story
    async def test_a_stranger_is_not_heard_and_not_spoken_to(self, world, engine):
        ours, user, telephone = self.leg(world, engine)
        theirs, _, carrier = self.leg(world, engine, 30002, ssrc=99)
        ours.relay(theirs)
        await telephone.talks(0.1)
        stranger = Telephone(world, 30008).faces(ours)
        count = len(carrier.heard)
        await stranger.talks(0.1)
        await stranger.presses("1")
        assert (len(carrier.heard), stranger.heard, user.keys) == (count, [], "")

    @story
    async def test_what_is_not_rtp_draws_nothing_to_itself(self, world, engine):
        ours, _, telephone = self.leg(world, engine)
        stranger = Telephone(world, 30008).faces(ours)
        for datagram in (
            b"",
            b"\0",
            b"\r\n\r\n",
            b"OPTIONS sip:x SIP/2.0\r\n\r\n",
            bytes(200),
            b"\x80\xc8" + bytes(26),
        ):
            stranger.sends_raw(datagram)
        stranger.sends(b"x" * 33, 3)  # GSM, which nobody negotiated
        await world.passes(0.04)
        ours.play([tone(700, 0.1)])
        await world.passes(0.2)
        assert stranger.heard == []
        assert len(telephone.heard) >= 5

    @story
    async def test_after_a_new_description_the_stream_follows_at_once(self, world, engine):
        ours, _, telephone = self.leg(world, engine)
        await telephone.talks(0.1)
        moved = Telephone(world, 30006).faces(ours)
        ours.connect(moved.remote())
        telephone.says([0] * 160)  # one was still on its way
        await moved.talks(0.1)
        count = len(telephone.heard)
        ours.play([tone(700, 0.1)])
        await world.passes(0.2)
        assert len(moved.heard) >= 5
        assert len(telephone.heard) == count

    # Keys.

    @story
    async def test_keys_as_telephone_events(self, world, engine):
        _, user, telephone = self.leg(world, engine)
        for key in "1230*#":
            await telephone.presses(key)
        assert user.keys == "1230*#"

    @story
    async def test_the_same_key_twice_is_two_keys(self, world, engine):
        _, user, telephone = self.leg(world, engine)
        for key in "1155":
            await telephone.presses(key, seconds=0.06)
        assert user.keys == "1155"

    @story
    async def test_a_key_of_which_only_the_last_packet_arrives(self, world, engine):
        _, user, telephone = self.leg(world, engine)
        event = telephone_event.Event(9, end=True, volume=10, duration=800)
        telephone.sends(telephone_event.serialise(event), 101)
        await world.passes(0.04)
        assert user.keys == "9"

    @story
    async def test_a_flash_is_no_key(self, world, engine):
        _, user, telephone = self.leg(world, engine)
        telephone.sends(telephone_event.serialise(telephone_event.Event(16, end=False, volume=0, duration=160)), 101)
        telephone.sends(b"\x05", 101)
        await world.passes(0.04)
        assert user.keys == ""

    @story
    async def test_keys_by_info(self, world, engine):
        ours, user, _ = self.leg(world, engine)
        for key in ("7", "7", "x", "", "12"):
            ours.info_key(key)
        assert user.keys == "77"

    @story
    async def test_keys_in_the_sound_of_a_telephone_without_events(self, world, engine):
        _, user, telephone = self.leg(world, engine, telephone_event=None)
        for key in "5#":
            for frame in frames(key_tones(key, 0.1) + [0] * 800):
                telephone.says(frame)
                await world.passes(0.02)
        assert user.keys == "5#"

    @story
    async def test_the_sound_is_not_searched_where_events_were_negotiated(self, world, engine):
        _, user, telephone = self.leg(world, engine)
        for frame in frames(key_tones("5", 0.1)):
            telephone.says(frame)
        await world.passes(0.04)
        assert user.keys == ""

    @story
    async def test_a_device_that_tells_every_key_twice_presses_it_once(self, world, engine):
        ours, user, telephone = self.leg(world, engine)
        for key in "1223":
            await telephone.presses(key)
            ours.info_key(key)
        ours.info_key("4")
        await telephone.presses("4")
        assert user.keys == "12234"

    @story
    async def test_keys_pass_to_the_other_leg_in_its_numbering_and_are_told_too(self, world, engine):
        ours, user, caller = self.leg(world, engine)
        theirs, _, carrier = self.leg(world, engine, 30002, telephone_event=96, ssrc=99)
        ours.relay(theirs)
        await caller.talks(0.1)
        await caller.presses("4")
        await caller.talks(0.06)
        await caller.presses("4")
        events = [packet for packet in carrier.heard if packet.payload_type == 96]
        assert user.keys == "44"
        assert len(events) == 14
        assert len({packet.timestamp for packet in events}) == 2
        assert all((b.sequence_number - a.sequence_number) & 0xFFFF == 1 for a, b in pairwise(carrier.heard))
        far_end = telephone_event.EventReceiver()
        keys = [
            far_end.received(event, packet.timestamp, packet.ssrc)
            for packet in events
            if (event := telephone_event.parse(packet.payload))
        ]
        assert [key for key in keys if key] == ["4", "4"]

    @story
    async def test_keys_pass_while_the_other_leg_hears_a_prompt(self, world, engine):
        ours, _, caller = self.leg(world, engine)
        theirs, _, carrier = self.leg(world, engine, 30002, ssrc=99)
        ours.relay(theirs)
        await caller.talks(0.1)
        theirs.play([tone(700, 1)])
        await caller.talks(0.1)
        await caller.presses("8")
        events = [packet for packet in carrier.heard if packet.payload_type == 101]
        assert len(events) == 7
        assert len({packet.timestamp for packet in events}) == 1
        assert all((b.sequence_number - a.sequence_number) & 0xFFFF == 1 for a, b in pairwise(carrier.heard))

    @story
    async def test_keys_become_tones_for_a_leg_without_events(self, world, engine):
        ours, user, caller = self.leg(world, engine)
        theirs, _, carrier = self.leg(world, engine, 30002, telephone_event=None, ssrc=99)
        ours.relay(theirs)
        await caller.talks(0.1)
        for key in "8*8":
            await caller.presses(key)
        await caller.talks(0.5)
        assert user.keys == "8*8"
        assert keys_in_sound(carrier) == "8*8"
        assert {packet.payload_type for packet in carrier.heard} == {8}
        assert all((b.sequence_number - a.sequence_number) & 0xFFFF == 1 for a, b in pairwise(carrier.heard))
        assert len({packet.ssrc for packet in carrier.heard}) == 1

    @story
    @pytest.mark.parametrize("events", [96, None])
    async def test_keys_by_info_are_pressed_towards_the_other_leg(self, world, engine, events):
        ours, user, caller = self.leg(world, engine)
        theirs, other, carrier = self.leg(world, engine, 30002, telephone_event=events, ssrc=99)
        ours.relay(theirs)
        await caller.talks(0.1)
        for key in "1#1":
            ours.info_key(key)
        await caller.talks(0.8)
        assert (user.keys, other.keys) == ("1#1", "")
        assert keys_in_events(carrier, 96) == ("1#1" if events else "")
        assert keys_in_sound(carrier) == ("" if events else "1#1")
        assert all((b.sequence_number - a.sequence_number) & 0xFFFF == 1 for a, b in pairwise(carrier.heard))
        steps = [rtp.timestamp_ahead(b.timestamp, a.timestamp) for a, b in pairwise(carrier.heard)]
        assert all(step >= 0 for step in steps)

    @story
    async def test_a_far_end_that_is_told_keys_by_its_user_hears_none(self, world, engine):
        """As events, by INFO, or in the sound: the user hears how it came; what is in the sound stays there."""
        ours, _, caller = self.leg(world, engine)
        theirs, other, carrier = self.leg(world, engine, 30002, telephone_event=None, ssrc=99)
        other.tells = True
        ours.relay(theirs)
        await caller.talks(0.1)
        await caller.presses("3")
        ours.info_key("4")
        await caller.talks(0.3)
        assert other.told == "34"
        assert keys_in_sound(carrier) == ""
        theirs.press("5")
        await caller.talks(0.3)
        assert keys_in_sound(carrier) == "5"

    @story
    async def test_a_pressed_key_is_written_as_rfc_4733_wants_it(self, world, engine):
        ours, _, caller = self.leg(world, engine)
        theirs, _, carrier = self.leg(world, engine, 30002, ssrc=99)
        ours.relay(theirs)
        await caller.talks(0.1)
        ours.info_key("5")
        await caller.talks(0.3)
        packets = [packet for packet in carrier.heard if packet.payload_type == 101]
        events = [telephone_event.parse(packet.payload) for packet in packets]
        assert [event.duration for event in events] == [160, 320, 480, 640, 800, 800, 800]
        assert [event.end for event in events] == [False] * 4 + [True] * 3
        assert [packet.marker for packet in packets] == [True] + [False] * 6
        assert len({packet.timestamp for packet in packets}) == 1

    @story
    async def test_tones_of_a_telephone_without_events_become_events(self, world, engine):
        ours, user, caller = self.leg(world, engine, telephone_event=None)
        theirs, _, carrier = self.leg(world, engine, 30002, ssrc=99)
        ours.relay(theirs)
        for key in "50":
            for frame in frames(key_tones(key, 0.1) + [0] * 1600):
                caller.says(frame)
                await world.passes(0.02)
        assert user.keys == "50"
        assert keys_in_events(carrier, 101) == "50"

    @story
    async def test_a_telephone_that_tells_a_key_twice_presses_it_once_over_there(self, world, engine):
        """Events and INFO, whichever comes first; the other leg hears one key each time."""
        ours, user, caller = self.leg(world, engine)
        theirs, _, carrier = self.leg(world, engine, 30002, ssrc=99)
        ours.relay(theirs)
        await caller.talks(0.1)
        await caller.presses("3")
        ours.info_key("3")
        await caller.talks(0.3)
        ours.info_key("4")
        await caller.presses("4")
        await caller.talks(0.3)
        assert user.keys == "34"
        assert keys_in_events(carrier, 101) == "34"

    @story
    async def test_a_key_is_pressed_while_a_prompt_is_heard_and_the_prompt_goes_on(self, world, engine):
        ours, _, _ = self.leg(world, engine)
        theirs, other, carrier = self.leg(world, engine, 30002, ssrc=99)
        ours.relay(theirs)
        theirs.play([tone(700, 0.3)])
        ours.info_key("7")
        await world.passes(0.8)
        assert keys_in_events(carrier, 101) == "7"
        assert other.finished == 1

    @story
    async def test_a_far_end_that_holds_is_sent_no_keys(self, world, engine):
        ours, _, _ = self.leg(world, engine)
        theirs, _, carrier = self.leg(world, engine, 30002, send=False, ssrc=99)
        ours.relay(theirs)
        ours.info_key("7")
        await world.passes(0.3)
        assert keys_in_events(carrier, 101) == ""

    # Life and silence.

    @story
    async def test_silence_is_told_once_and_again_after_life(self, world, engine):
        _, user, telephone = self.leg(world, engine, silence=2.0)
        await telephone.talks(0.1)
        await world.passes(4.5)
        assert len(user.silences) == 1
        assert 2.0 <= user.silences[0] < 3.5
        await telephone.talks(0.1)
        await world.passes(4.5)
        assert len(user.silences) == 2

    @story
    async def test_who_never_speaks_is_silent_from_the_beginning(self, world, engine):
        ours, user, _ = self.leg(world, engine, silence=2.0)
        await world.passes(3.5)
        assert len(user.silences) == 1
        assert ours.last_packet is None

    @story
    async def test_comfort_noise_and_unknown_payloads_are_life_and_nothing_else(self, world, engine):
        ours, user, telephone = self.leg(world, engine, silence=2.0)
        theirs, _, carrier = self.leg(world, engine, 30002, ssrc=99)
        ours.relay(theirs)
        await telephone.talks(0.1)
        for _ in range(4):
            telephone.sends(b"\x40", 13)
            telephone.sends(b"\0" * 20, 100)
            telephone.timestamp += 8000
            await world.passes(1.0)
        assert (user.silences, user.keys) == ([], "")
        await telephone.talks(0.1)
        assert all((b.sequence_number - a.sequence_number) & 0xFFFF == 1 for a, b in pairwise(carrier.heard))

    @story
    async def test_a_telephone_on_hold_may_be_silent(self, world, engine):
        ours, user, telephone = self.leg(world, engine, silence=2.0)
        ours.connect(telephone.remote(send=False, receive=False))
        await world.passes(5.0)
        assert user.silences == []

    @story
    async def test_the_last_packet_is_remembered(self, world, engine):
        ours, _, telephone = self.leg(world, engine)
        await telephone.talks(0.1)
        spoken = world.clock.seconds()
        await world.passes(1.0)
        assert ours.last_packet == pytest.approx(spoken, abs=0.05)

    # Reports.

    @story
    async def test_reports_come_about_every_five_seconds_and_a_goodbye_at_the_end(self, world, engine):
        ours, _, telephone = self.leg(world, engine)
        ours.play([tone(700, 1)], repeat=True)
        for _ in range(15):
            await telephone.talks(0.5)
            telephone.sequence += 1  # one is lost
        ours.close()
        await world.passes(0.05)
        reports = [part for part in telephone.control if isinstance(part, rtcp.SenderReport)]
        assert 1 <= len(reports) <= 3
        assert reports[0].ssrc == telephone.heard[0].ssrc
        assert reports[0].blocks[0].ssrc == 7
        assert 1 <= reports[0].blocks[0].lost <= 15
        assert telephone.control[-1] == rtcp.Goodbye(telephone.heard[0].ssrc)

    @story
    async def test_statistics_count_both_ways_and_know_what_the_far_end_says(self, world, engine):
        ours, _, telephone = self.leg(world, engine)
        await telephone.talks(0.1)
        telephone.sequence += 3
        await telephone.talks(0.1)
        block = rtcp.ReportBlock(telephone.heard[0].ssrc, 0, 5, 0, 80, 0, 0)
        telephone.sends_control(rtcp.report(rtcp.ReceiverReport(7, (block,)), "phone"))
        await world.passes(0.05)
        counted = ours.statistics()
        assert (counted.packets_received, counted.bytes_received, counted.lost) == (10, 1720, 3)
        assert (counted.packets_sent, counted.bytes_sent) == (len(telephone.heard), 172 * len(telephone.heard))
        assert counted.jitter_ms < 20
        assert (counted.far_lost, counted.far_jitter_ms) == (5, 10.0)
