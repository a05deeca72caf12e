"""
A telephone of the shop hands a talk on: REFER (RFC 3515, RFC 5589), and INVITE with Replaces (RFC 3891).

All sound passes through us, so nobody but the telephone that transfers hears of it by a message: a call of our own rings
for the one who stays, or two talks become one.  The telephone pays for whom it has rung, as long as that leg lasts (see
unite), and for the new call as if it had dialled the number itself.

While the new call rings the talk is as it was, but for its sound: it ends if the one who stays hangs up, and goes on if
nobody answers.  The telephone may leave at once.
"""

from collections.abc import Sequence

from minitelecom.calls.call import Call
from minitelecom.calls.ended import Ended, status_of
from minitelecom.calls.leg import NOBODY, Ending, Leg
from minitelecom.calls.referral import Referral

GAVE_UP = 487
GIVEN_UP = Ended("cancelled", GAVE_UP, "caller", answered=False)
LEFT = Ended("normal", None, "caller", answered=True)


class Transfer:
    """One that is under way: the user of both legs of the talk until it is decided."""

    def __init__(self, talk: Call, leaving: Leg, staying: Leg, referral: Referral) -> None:
        self.leaving = leaving
        self.staying = staying
        self.referral = referral
        self.decided = False
        self._talk = talk
        self._calls = talk.talk  # those of the talk
        self._gone = False  # the telephone
        self._silent: list[Leg] = []  # told meanwhile
        self._next: Call | None = None
        leaving.user = staying.user = self

    def ring(self, call: Call) -> None:
        """The call for the one who stays."""
        self._next = call
        self._succeed()
        call.on_progress = self.referral.tell
        answered = call.on_answer

        def decide() -> None:
            answered()
            self.answered(call)

        call.on_answer = decide

    def _succeed(self) -> None:
        """Whatever ends the talk ends the call for the one who stays."""
        for call in self._calls:
            call.successor = self._next

    def ended(self, ended: Ended) -> None:
        """The call for the one who stays is over, and nobody else will be rung for him."""
        if not ended.answered:
            self.failed(status_of(ended))

    def answered(self, call: Call) -> None:
        """The talk is handed on; the telephone leaves when it knows."""
        if self.decided:
            return
        self._decide()
        assert call.callee is not None
        unite([*(one for one in self._calls if not one.finished), call], self.staying, call.callee)
        depart(self.leaving, self.referral)

    def failed(self, status: int) -> None:
        """Nobody is reached: the two talk on, if the telephone is still there."""
        if self.decided:
            return
        self._decide()
        self.referral.tell(status)
        if not self._gone:
            self._talk.resume()
            for leg in self._silent:  # which is told only once
                clock, seconds = leg.switch.clock, leg.switch.limits.silence_seconds
                clock.callLater(seconds, self._talk.media_silent, leg)
            return
        left = [one for one in self._calls if not one.finished]
        for call in left:
            call.finish(LEFT)
        if not left:
            self.staying.hang_up()

    def _decide(self) -> None:
        self.decided = True
        for call in self._calls:
            call.successor = None

    # What the legs tell (LegUser).

    def leg_ended(self, leg: Leg, ending: Ending) -> None:
        leg.user = NOBODY
        if leg is self.leaving:
            self._gone = True
            self._calls = leave(self._calls, leg)
            self._succeed()
            return
        self._decide()
        self.referral.tell(GAVE_UP)
        if self._next is not None:
            self._next.finish(GIVEN_UP)
        for call in self._calls:
            if not call.finished:
                call.leg_ended(leg, ending)

    def key_pressed(self, leg: Leg, key: str) -> None: ...
    def play_finished(self, leg: Leg) -> None: ...
    def media_silent(self, leg: Leg) -> None:
        """Whoever waits need not speak."""
        self._silent.append(leg)

    def leg_progressed(self, leg: Leg, *, sound: bool) -> None: ...
    def leg_answered(self, leg: Leg) -> None: ...
    def hold_changed(self, leg: Leg) -> None: ...


def leave(calls: list[Call], leg: Leg) -> list[Call]:
    """One of two is gone, and the other waits: the record of whoever rang the first ends.  The calls that go on."""
    for call in calls:
        call.host, call.guests = None, []
    going_on = [call for call in calls if call.callee is not leg]
    for call in calls:
        if call not in going_on:
            call.hand_on()
    return going_on


def depart(leg: Leg, referral: Referral) -> None:
    """A telephone has handed its talk on, and is parted from when it has heard so."""
    leg.user = NOBODY
    if leg.port is not None:
        leg.port.relay(None)
        leg.port.stop()
    forget = referral.over

    def over() -> None:
        forget()
        leg.hang_up()

    referral.over = over
    referral.tell(200)


def join(one: Call, leaving_one: Leg, other: Call, leaving_other: Leg) -> None:
    """Two talks of one telephone become one, which it leaves; from its second leg it is parted at once (RFC 3891 3)."""
    staying, joined = one.other_end(leaving_one), other.other_end(leaving_other)
    assert staying is not None
    assert joined is not None
    unite([*one.talk, *other.talk], staying, joined)
    leaving_other.hang_up()


def pick_up(talk: Call, leaving: Leg, ringing: Call) -> None:
    """Whoever talks with the telephone answers another call that rings there: an early dialog of ours is replaced."""
    staying = talk.other_end(leaving)
    assert staying is not None
    ringing.pick_up(staying)
    unite([*talk.talk, ringing], staying, ringing.caller)


def replace(talk: Call, leaving: Leg, joining: Leg) -> None:
    """Another leg takes the place of one of the two who talk, or of all who ring."""
    if talk.callee is None:
        talk.pick_up(joining)
        return
    staying = talk.other_end(leaving)
    assert staying is not None
    unite(talk.talk, staying, joining)
    leaving.hang_up()


def unite(calls: Sequence[Call], one: Leg, other: Leg) -> Call:
    """
    These two talk from now on; the calls are those of the talks in which they were.

    A record lasts as long as the leg that its call rang.  Where neither rang, one of the calls goes on all the same: no
    talk is without a record.
    """
    going_on = [call for call in calls if call.callee in (one, other)]
    if not going_on:
        kept = calls[-1]
        kept.callee = one if kept.caller is other else other
        going_on = [kept]
    leaving = [call for call in calls if call not in going_on]
    for call in calls:
        call.host, call.guests = None, []
    host, guests = going_on[-1], going_on[:-1]
    host.caller = one if host.callee is other else other
    host.guests, host.parts_caller = guests, True
    for guest in guests:
        guest.host, guest.caller = host, one if guest.callee is other else other
    host.resume()
    for call in leaving:
        call.hand_on()
    return host
