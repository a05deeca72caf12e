"""
A call: one number dialled by one leg, the legs tried to reach it, and the two that talk.

Everything that may end a call comes here (either side, its credit, the administrator, silence) and the first wins:
``finish`` is the one way out.  A caller whose leg we have answered already (the card dialogue) hears our own ringing
tone; any other hears what the far end's side makes of 180 or 183.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import timedelta

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from minitelecom.calls.attempt import Attempt
from minitelecom.calls.causes import verdict
from minitelecom.calls.credit import Credit
from minitelecom.calls.ended import Ended, best, whole_seconds
from minitelecom.calls.leg import End, Ending, Leg
from minitelecom.calls.outgoing_leg import OutgoingLeg, Target
from minitelecom.calls.records import CallRecord
from minitelecom.calls.redirection import Course, Forwarded
from minitelecom.calls.switch import Switch
from minitelecom.media.door import NoPortsLeft
from minitelecom.media.sound import Sound
from minitelecom.sip.reason_header import COMPLETED_ELSEWHERE, CREDIT_EXHAUSTED
from minitelecom.sip.uri import Uri

log = Logger()


def _nothing(*_: object) -> None:
    """What is done where nobody wants to know."""


class Call:
    """
    From the first INVITE we send to the end of the talk.

    ``done`` fires once, after everything is undone.  ``warning`` makes the sound for so many seconds left.

    After a transfer (calls/transfer.py) two calls may have come together in one talk: the leg that each of them rang is
    an end of it.  One of them, the host, hears the legs; the other is its guest.  Each has its own record, promise and
    payer, and the end of either is the end of both.
    """

    def __init__(
        self,
        switch: Switch,
        caller: Leg,
        record: CallRecord,
        attempts: Sequence[Attempt],
        warning: Callable[[int], Sequence[Sound]],
    ) -> None:
        self.done: Deferred[Ended] = Deferred()
        self.answered_at: float | None = None
        self.on_answer: Callable[[], None] = _nothing
        self.on_progress: Callable[[int], None] = _nothing
        self.on_end: Callable[[Ended], None] = _nothing
        self.record = record
        self.may_be_transferred = False
        self.successor: Call | None = None  # of a transfer: rings for one of the two who talk, and ends with this one
        self.handed_on = False  # the record is closed, but the caller's leg goes on in another call
        self.host: Call | None = None
        self.guests: list[Call] = []
        self.parts_caller = False  # who called talks here by a transfer: the end of the talk is the end of his leg
        self.finished = False
        self._switch = switch
        self.caller: Leg = caller
        self._attempts = list(attempts)
        self._attempt: Attempt | None = None
        self._course = Course()
        self._ringing: list[OutgoingLeg] = []
        self.callee: Leg | None = None
        self._best = Ended("failed", None, "carrier", answered=False)
        self._answered_instant = switch.now()
        self._heard_early: Leg | None = None  # whose sound the caller hears before an answer
        self._held: Leg | None = None  # who hears music, since the other side holds
        self._warning = warning
        self._credit: Credit | None = None  # while they talk

    def start(self) -> None:
        """Try the first way, and the next as long as the one before is out of order."""
        while self._attempts and not self._ringing and not self.finished:
            attempt = self._attempt = self._attempts.pop(0)
            if attempt.trunk is not None and not self._switch.engaged.takes_more(attempt.trunk, attempt.capacity):
                self._pass_by(attempt.trunk, attempt)
                continue
            self._ringing = self._legs_to(attempt.targets)
            if attempt.trunk is not None and self._ringing:
                self.record.attempt_began(attempt.trunk, attempt.number, self._switch.now(), attempt.buying)
            for leg in list(self._ringing):
                leg.invite()
        if not self._ringing and self.callee is None:
            self.finish(self._best)

    def _pass_by(self, trunk: str, attempt: Attempt) -> None:
        """The carrier has taken its last call since the ways were chosen."""
        instant = self._switch.now()
        self.record.attempt_began(trunk, None, instant, attempt.buying)
        self.record.attempt_ended(instant, "full", None)
        self._note(Ended("failed", 503, "switch", answered=False))

    def _note(self, ended: Ended) -> None:
        """How one way to the number has ended."""
        self._best = best(self._best, ended)

    def _legs_to(self, targets: Sequence[Target]) -> list[OutgoingLeg]:
        """As many as there are ports for; none to a telephone that has all the calls it may have."""
        legs: list[OutgoingLeg] = []
        try:
            for target in targets:
                telephone = target.telephone
                if telephone is not None and self._switch.engaged.is_full(telephone.device):
                    self._note(Ended("busy", 486, "switch", answered=False))
                else:
                    legs += [self._leg_to(target)]
        except NoPortsLeft:
            self._note(Ended("failed", 503, "switch", answered=False))
        return legs

    def _leg_to(self, target: Target) -> OutgoingLeg:
        leg = OutgoingLeg(self._switch, target, self)
        beginning = self.record.beginning
        self._switch.ladders.join(
            beginning.session, leg.call_id, target.trunk or beginning.called_number, beginning.started
        )
        return leg

    # What the legs tell (LegUser).

    def key_pressed(self, leg: Leg, key: str) -> None:
        """Keys of a talk are the parties' own; the media engine carries them across."""

    def play_finished(self, leg: Leg) -> None:
        """A warning has been heard; what the other side says follows by itself, and music again where it was."""
        if leg is self._held:
            self._play_music(leg)

    def hold_changed(self, leg: Leg) -> None:
        if self.callee is not None and not self.finished:
            self._entertain(self.callee)

    def media_silent(self, leg: Leg) -> None:
        """Nothing arrives from one side: only when neither speaks is the call over, since one may be muted."""
        if self.callee is None:
            return
        since = self._switch.clock.seconds() - self._switch.limits.silence_seconds
        sides = (self.caller, self.callee)
        heard = [side.port.last_packet for side in sides if side.port is not None]
        if all(last is None or last <= since for last in heard) and not any(side.on_hold for side in sides):
            self.finish(Ended("failed", None, "silence", answered=True))

    def leg_progressed(self, leg: Leg, *, sound: bool) -> None:
        if self.finished or self.callee is not None:
            return
        if sound:
            self._heard_early = leg
            self.caller.early()
            self._join(leg)
        elif self._heard_early is None:  # a 180 after early media does not take the far end's own sound away
            self.caller.ring()
        self.on_progress(183 if sound else 180)

    def leg_answered(self, leg: Leg) -> None:
        if self.finished or self.callee is not None:
            leg.hang_up()
        else:
            self._connect(leg)

    def pick_up(self, leg: Leg) -> None:
        """Somebody answers for those who ring (RFC 3891 3: an early dialog of ours is replaced)."""
        leg.user = self
        self._connect(leg)

    def _connect(self, leg: Leg) -> None:
        """The two talk from now on; nobody else rings any more."""
        self.callee = leg
        self._stop_ringing(leg, COMPLETED_ELSEWHERE)
        self.answered_at = self._switch.clock.seconds()
        self._answered_instant = self._switch.now()
        self.record.answered(self._answered_instant, self._attempt.trunk if self._attempt else None)
        self.caller.answer()
        self._join(leg)
        self._entertain(leg)
        promised = self.record.promised_seconds
        seconds = self._switch.limits.longest_seconds if promised is None else promised
        self._credit = Credit(self._switch.clock, seconds, self._warn, self._exhausted)
        self.on_answer()

    def _stop_ringing(self, answering: Leg | None = None, reason: str = "") -> None:
        """Of all but who answers; of a 6xx, of everybody (RFC 3261 16.7.5)."""
        legs, self._ringing = [leg for leg in self._ringing if leg is not answering], []
        for leg in legs:
            leg.reason = reason
            leg.hang_up()

    def leg_ended(self, leg: Leg, ending: Ending) -> None:
        if leg is self.caller:
            self.caller_left(ending)
        elif leg is self.callee:
            self.caller.reason = leg.far_reason
            self.finish(_left(ending, "callee"))
        elif leg in self._ringing:
            self._ringing.remove(leg)
            if leg is self._heard_early:
                self._heard_early = None
                if self._ringing:  # the others have rung all the time
                    self.caller.ring()
            self._refused(leg, ending)

    def _refused(self, leg: OutgoingLeg, ending: Ending) -> None:
        attempt = self._attempt
        self.caller.reason = leg.far_reason
        cause, next_is_tried = verdict(ending, attempt.codes if attempt is not None else "")
        by = "callee" if ending.end is End.REFUSED else "switch"
        telephone = leg.target.telephone
        forwarded = Forwarded(telephone.device, ending.contacts) if telephone and ending.contacts else None
        ended = Ended(cause, ending.status, by, answered=False, forwarded=forwarded)
        redirect = attempt.redirect if attempt is not None and ending.contacts else None
        if redirect is None:
            self._note(ended)
        is_final = (ending.status or 0) >= 600 and not leg.urgent
        if is_final:
            self._stop_ringing()
        if self._ringing:
            return
        self.record.attempt_ended(self._switch.now(), cause, ending.status)
        goes_on = attempt is not None and attempt.goes_on and not is_final
        if not next_is_tried and not goes_on:
            self._attempts = []
        if attempt is not None and redirect is not None:
            following = self._follow(attempt, ended, redirect(leg.target, ending.contacts, self._course))
            Deferred.fromCoroutine(following).addErrback(self._failed)
        else:
            self.start()

    async def _follow(self, attempt: Attempt, ended: Ended, redirected: Awaitable[Sequence[Target]]) -> None:
        """Go on where a carrier sends us, as far as we let it; an answer that is followed is none (RFC 3261 16.7.4)."""
        targets = await redirected
        if not targets:
            self._note(ended)
        for target in reversed(targets):
            number = Uri.parse(target.request_uri).user or attempt.number
            self._attempts.insert(0, replace(attempt, targets=[target], number=number))
        self.start()

    def _failed(self, failure: Failure) -> None:
        log.failure("a redirection could not be followed", failure=failure)
        self.finish(self._best)

    # What others want of it.

    def caller_left(self, ending: Ending) -> None:
        """The caller's leg is gone."""
        for leg in (*self._ringing, *([self.callee] if self.callee else [])):
            leg.reason = self.caller.far_reason
        if self.answered_at is None:
            self.finish(Ended("cancelled", 487, "caller", answered=False))
        else:
            self.finish(_left(ending, "caller"))

    def finish(self, ended: Ended, of: "Call | None" = None) -> None:
        """End the call, or the talk it has come into, for this reason (of that record), unless it has ended already."""
        if self.host is not None:
            self.host.finish(ended, of or self)
            return
        if self.finished:
            return
        self.finished = True
        legs, self._ringing = [*self._ringing, *([self.callee] if self.callee else [])], []
        last_heard = self._last_heard()  # before the legs give back their ports
        for leg in [*legs, self.caller] if self.parts_caller else legs:
            leg.hang_up()
        if self.caller.port is not None:
            self.caller.port.relay(None)
            self.caller.port.stop()
        if self.successor is not None:
            self.successor.finish(Ended("cancelled", 487, "caller", answered=False))
        calls, on_end = self.talk, self.on_end
        for call in calls:
            call.close(ended if call is (of or self) else ended.for_the_other(), last_heard)
        on_end(ended)
        for call in calls:
            call.done.callback(ended)

    def close(self, ended: Ended, last_heard: float) -> None:
        """Close the record.  A call that fell silent is charged to its last packet only; nobody is told more of it."""
        self.finished = True
        self.host = self.successor = None
        self.on_answer = self.on_progress = self.on_end = _nothing
        if self._credit is not None:
            self._credit.stop()
            self._credit = None
        if self.answered_at is None:
            self.record.ended(self._switch.now(), 0, ended.cause, ended.sip_status, ended.by)
            return
        until = last_heard if ended.by == "silence" else self._switch.clock.seconds()
        elapsed = max(until - self.answered_at, 0.0)
        instant = self._answered_instant + timedelta(seconds=elapsed)
        self.record.ended(instant, whole_seconds(elapsed), ended.cause, ended.sip_status, ended.by)

    def _last_heard(self) -> float:
        """The clock's seconds at which either side was last heard; of a call without any sound, its answer."""
        sides = (self.caller, self.callee)
        heard = [side.port.last_packet for side in sides if side is not None and side.port is not None]
        return max((last for last in heard if last is not None), default=self.answered_at or 0.0)

    # Transfer.

    @property
    def talk(self) -> "list[Call]":
        """Every call whose record is of this talk, the host first."""
        host = self.host or self
        return [host, *host.guests]

    def is_ringing(self, leg: Leg) -> bool:
        return leg in self._ringing and not self.finished

    def other_end(self, leg: Leg) -> Leg | None:
        """Who talks with this leg in the talk that the call hosts."""
        if self.callee is None or self.finished or leg not in (self.caller, self.callee):
            return None
        return self.callee if leg is self.caller else self.caller

    def ring_for(self, caller: Leg) -> None:
        """Whoever is rung is called for somebody else from now on, who hears it."""
        self.caller = caller
        if self._heard_early is None:
            caller.ring()
        else:
            self._join(self._heard_early)

    def hand_on(self) -> None:
        """The called party has handed its caller on, and leaves: the record ends here."""
        self.handed_on = True
        self.close(Ended("normal", None, "callee", answered=True), 0.0)
        self.done.callback(Ended("normal", None, "callee", answered=True))

    def resume(self) -> None:
        """The two who talk hear each other again, after one of them was to be transferred and was not."""
        if self.callee is not None and not self.finished:
            self.caller.user = self.callee.user = self
            self._held = None
            if self.callee.port is not None:
                self.callee.port.stop()
            self._join(self.callee)
            self._entertain(self.callee)

    def enlarge(self, seconds: int) -> None:
        """The promise has grown."""
        self.record.promised_seconds = seconds
        if self._credit is not None:
            self._credit.enlarge(seconds)

    # Sound and credit.

    def _join(self, leg: Leg) -> None:
        if self.caller.port is not None and leg.port is not None:
            self.caller.port.stop()
            self.caller.port.relay(leg.port)

    def _entertain(self, callee: Leg) -> None:
        """Music for the side that the other one holds; who holds as well wants to hear nothing."""
        held = None
        if callee.on_hold != self.caller.on_hold:
            held = self.caller if callee.on_hold else callee
        before, self._held = self._held, held
        if before is not held:
            if before is not None and before.port is not None:
                before.port.stop()
            if held is not None:
                self._play_music(held)

    def _play_music(self, leg: Leg) -> None:
        if leg.port is not None and self._switch.music:
            leg.port.play(self._switch.music, repeat=True)

    def _warn(self, seconds: int) -> None:
        """The caller hears it; where a transfer has brought the two together, both do, since who pays may be away."""
        talk = self.talk[0]
        for leg in (talk.caller, talk.callee) if talk.parts_caller else (talk.caller,):
            if leg is not None and leg.port is not None:
                leg.port.play(self._warning(seconds))

    def _exhausted(self) -> None:
        promised = self.record.promised_seconds
        if promised is None or promised >= self._switch.limits.longest_seconds:
            self.finish(Ended("normal", None, "switch", answered=True))
        else:
            self.caller.reason = CREDIT_EXHAUSTED
            self.finish(Ended("credit-exhausted", None, "credit", answered=True))


def _left(ending: Ending, by: str) -> Ended:
    """One of two who talked is gone."""
    return Ended("normal" if ending.end is End.BYE else "failed", None, by, answered=True)
