"""
One party of a call: a dialog (RFC 3261 section 12) and its sound (RFC 3264).

What both kinds of leg share stands here: the media port, the requests that arrive and leave within the dialog, and
whom to tell.  How a leg comes about and ends is a machine of its own: incoming_leg for an INVITE that we received,
outgoing_leg for one that we sent.
"""

from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from minitelecom.calls.capabilities import ALLOW, REPLACES
from minitelecom.calls.credentials import NONE, Credentials
from minitelecom.calls.errand import Errand
from minitelecom.calls.info_keys import INFO_KINDS, key_of_info
from minitelecom.calls.profiles import STANDARD, Profile, Route
from minitelecom.calls.pulse import Pulse
from minitelecom.calls.session_change import SessionChange, SessionChanges, change_received
from minitelecom.calls.session_timer import SessionTimer
from minitelecom.calls.switch import Switch
from minitelecom.calls.telephone import Telephone
from minitelecom.calls.told_keys import Keys, ToldKeys
from minitelecom.media.door import Remote, RtpPort
from minitelecom.media.keys import Way
from minitelecom.media.tones import ringback
from minitelecom.sip.acceptance import Acceptance
from minitelecom.sip.dialog import Dialog
from minitelecom.sip.hop import Hop
from minitelecom.sip.message import Request, Response
from minitelecom.sip.offer_answer import SDP, Exchange, Negotiation, NotAcceptable, Stream, description_in
from minitelecom.sip.reason_header import COMPLETED_ELSEWHERE, told
from minitelecom.sip.transaction_layer import ServerTransaction
from minitelecom.sip.uri import Uri

__all__ = ["ALLOW", "NOBODY", "SDP", "End", "Ending", "Leg", "LegUser", "description_in"]

log = Logger()


class End(Enum):
    """Why a leg ended, when it was not we who ended it."""

    BYE = "the far end hung up"
    CANCELLED = "the far end gave up before an answer"
    REFUSED = "the far end answered with a failure"
    NO_ANSWER = "nobody answered in time"
    UNREACHABLE = "the far end did not respond at all"
    SILENT = "the far end neither rang nor answered for as long as its trunk lets it"
    DISMISSED = "we parted from it, as the house closes"


@dataclass(frozen=True, slots=True)
class Ending:
    """How a leg ended; status is the SIP status that said so, where there was one."""

    end: End
    status: int | None = None
    contacts: tuple[Uri, ...] = ()
    """Where it wants to be tried instead (3xx)."""


class LegUser(Protocol):
    """Who is told what happens on a leg; each event names its leg, since a call has several."""

    def key_pressed(self, leg: "Leg", key: str) -> None: ...
    def play_finished(self, leg: "Leg") -> None: ...
    def media_silent(self, leg: "Leg") -> None: ...
    def leg_progressed(self, leg: "Leg", *, sound: bool) -> None: ...
    def leg_answered(self, leg: "Leg") -> None: ...

    def hold_changed(self, leg: "Leg") -> None:
        """The far end has begun or ceased to hold (``leg.on_hold``)."""

    def leg_ended(self, leg: "Leg", ending: Ending) -> None:
        """Told once, and never after a hang-up that its user wanted."""


class Nobody:
    """The user of a leg that its user has hung up."""

    def key_pressed(self, leg: "Leg", key: str) -> None: ...
    def play_finished(self, leg: "Leg") -> None: ...
    def media_silent(self, leg: "Leg") -> None: ...
    def leg_progressed(self, leg: "Leg", *, sound: bool) -> None: ...
    def leg_answered(self, leg: "Leg") -> None: ...
    def hold_changed(self, leg: "Leg") -> None: ...
    def leg_ended(self, leg: "Leg", ending: Ending) -> None: ...


NOBODY = Nobody()


class Leg:
    """The shared part of both kinds of leg."""

    __slots__ = (
        "_negotiation",
        "_offered_in_success",
        "_pulse",
        "_released",
        "_told_keys",
        "acceptance",
        "call_id",
        "changes",
        "contact_scheme",
        "contact_user",
        "credentials",
        "dialog",
        "far_allows",
        "far_reason",
        "home",
        "hop",
        "keys",
        "local_tag",
        "on_hold",
        "port",
        "proxied",
        "reason",
        "session_timer",
        "switch",
        "takes_info",
        "telephone",
        "transfers",
        "trunk",
        "urgent",
        "user",
    )

    owns_call_id: bool
    """Whether the Call-ID is of our making (RFC 3261 14.1)."""
    call_id: str

    def __init__(
        self,
        switch: Switch,
        hop: Hop,
        user: LegUser,
        *,
        trunk: str | None,
        credentials: Credentials = NONE,
        urgent: bool = False,
        telephone: Telephone | None = None,
        proxied: bool = False,
        keys: Keys = Keys.LEARNED,
    ) -> None:
        self.switch = switch
        self.hop = hop
        self.home = hop  # where it has shown who it is
        self.trunk = trunk  # the carrier at the far end, where it is one
        self.user = user
        self.credentials = credentials
        self.urgent = urgent  # of a call for help
        self.telephone = telephone  # of the shop, where it is one
        self.proxied = proxied  # the far end is not the one we hear
        self.local_tag = switch.token()
        self.dialog: Dialog | None = None
        self.port: RtpPort | None = None
        self.on_hold = False
        self.contact_user = "minitelecom"
        self.contact_scheme = "sip"
        self.reason = ""  # why we part from the far end, as it is told (RFC 3326)
        self.far_reason = ""  # why it parted from us
        self.acceptance: Acceptance | None = None  # of our latest 2xx, until its ACK comes
        self.changes = SessionChanges()
        self.far_allows = ""  # the Allow of the far end
        self.takes_info = False  # it may be told keys by INFO
        self.keys = keys if telephone is None else telephone.profile.keys
        self.transfers = 0  # that it has asked for
        self.session_timer = SessionTimer(switch.limits.session_seconds)
        self._told_keys: ToldKeys | None = None
        self._negotiation: Negotiation | None = None
        self._offered_in_success = False  # the answer then comes in the ACK
        self._released: list[Deferred[None]] | None = []  # who waits for it; None: it has been
        self._pulse: Pulse | None = None  # while it holds

    @property
    def far_tags(self) -> Collection[str | None]:
        """By which tags the far end, or each of those that ring, is known in this dialog."""
        return () if self.dialog is None else (self.dialog.remote_tag,)

    @property
    def profile(self) -> Profile:
        """How the far end wants to be spoken to."""
        return STANDARD if self.telephone is None else self.telephone.profile

    # What the media port tells (MediaUser).

    def play_finished(self) -> None:
        self.user.play_finished(self)

    def media_silent(self, seconds: float) -> None:
        if not self.on_hold:
            self.user.media_silent(self)

    def key_pressed(self, key: str) -> None:
        self.user.key_pressed(self, key)

    def tells_key(self, key: str, way: Way) -> bool:
        """See MediaUser: by INFO, in a dialog that is there, where it is wanted or the sound would not do."""
        if self.dialog is None or self.dialog.early or self.keys is Keys.TONES:
            return False
        if self.keys is Keys.LEARNED and (way is Way.SOUND or not self.takes_info or self._takes_events):
            return False
        if self._told_keys is None:
            self._told_keys = ToldKeys(self)
        if not self._told_keys.understood:
            return False
        self._told_keys.tell(key)
        return True

    @property
    def _takes_events(self) -> bool:
        remote = None if self._negotiation is None else self._negotiation.remote
        return remote is not None and remote.telephone_event is not None

    # Sound.

    def negotiation(self) -> Negotiation:
        """The leg's side of offer and answer, with a media port behind it; raises NoPortsLeft."""
        if self._negotiation is None:
            host = self.switch.addresses.host_towards(self.hop.host)
            silence_seconds = self.switch.limits.silence_seconds
            self.port = self.switch.media.open(self, silence_seconds, urgent=self.urgent, ipv6=":" in host)
            session = self.switch.random.getrandbits(31)
            events = self.keys is Keys.LEARNED
            self._negotiation = Negotiation(host, self.port.number, session, self.switch.codecs, events=events)
        return self._negotiation

    def connect_media(self, stream: Stream) -> None:
        """Point the media port to what the far end described."""
        assert self.port is not None
        held, self.on_hold = self.on_hold, not stream.may_be_sent_to
        if not self.on_hold:
            self._stop_pulse()
        elif self._pulse is None:
            self._pulse = Pulse(self.switch.clock, self._ask_whether_there, self.lost)
        self.port.connect(
            Remote(
                host=self._media_host(stream.host),
                port=stream.port,
                payload_type=stream.codecs[0].value,
                telephone_event=stream.telephone_event,
                send=stream.may_be_sent_to,
                receive=stream.sends,
            )
        )
        if self.on_hold != held:
            self.user.hold_changed(self)

    def _media_host(self, described: str) -> str:
        """A private address described by a far end beyond a router cannot be reached: its packets' source will be."""
        addresses = self.switch.addresses
        if addresses.is_local(described) and not addresses.is_local(self.hop.host):
            return self.hop.host
        return described

    def ring(self) -> None:
        """Let the far end, which we have answered or which has answered us, hear that somebody else is called for it."""
        if self.port is not None:
            self.port.play([ringback()], repeat=True)

    def early(self) -> None:
        """Open the way for sound before the answer: it is open."""

    def answer(self) -> None:
        """It is answered."""

    # Requests within the dialog.

    @property
    def key(self) -> tuple[str, str]:
        return self.call_id, self.local_tag

    def request_received(self, transaction: ServerTransaction, request: Request, source: Hop) -> None:
        """A request within this leg's dialog (RFC 3261 12.2.2)."""
        assert self.dialog is not None
        if not self.dialog.in_order(request):
            transaction.respond(request.response(500, "Out of order"))
            return
        self.hop = source
        match request.method:
            case "BYE":
                self.far_reason = told(request)
                transaction.respond(request.response(200))
                self.bye_received()
            case "INVITE" | "UPDATE":
                change_received(self, transaction, request)
            case "PRACK":
                self.pracked(transaction, request)
            case "INFO":
                self._informed(transaction, request)
            case "REFER" | "SUBSCRIBE":
                self._referred(transaction, request)
            case "OPTIONS":
                transaction.respond(request.response(200, headers=[("Allow", ALLOW)]))
            case _:
                transaction.respond(request.response(405, headers=[("Allow", ALLOW)]))

    def _referred(self, transaction: ServerTransaction, request: Request) -> None:
        """The far end wants to transfer (RFC 3515), or to know how a transfer goes."""
        if self.switch.referred is None:
            transaction.respond(request.response(405, headers=[("Allow", ALLOW)]))
        else:
            self.switch.referred(self, transaction, request)

    def bye_received(self) -> None:
        raise NotImplementedError

    def pracked(self, transaction: ServerTransaction, request: Request) -> None:
        """Somebody has had a provisional response (RFC 3262 3); only an INVITE of theirs gets any from us."""
        transaction.respond(request.response(481))

    def ack_received(self, ack: Request) -> None:
        """The ACK of a 2xx that we sent; it carries the answer where our 2xx carried the offer (RFC 3264 4)."""
        if self.acceptance is None or ack.cseq.number != self.acceptance.sequence:
            return
        self.acceptance.acknowledged()
        self.acceptance = None
        if self._negotiation is not None and self._offered_in_success:
            self._take_answer_of_ack(ack, self._negotiation)
        self.acknowledged()
        if self._negotiation is None or self._negotiation.remote is None:
            self.lost()  # our offer has no answer: there never was a session

    def _take_answer_of_ack(self, ack: Request, negotiation: Negotiation) -> None:
        answer = description_in(ack)
        try:
            if answer:
                self.connect_media(negotiation.accept_answer(answer))
        except NotAcceptable as unusable:
            log.info("{call_id}: unusable answer in ACK: {why}", call_id=ack.call_id, why=str(unusable))
        negotiation.conclude()  # where it got no answer of use

    def acknowledged(self) -> None:
        """The ACK of our latest 2xx came."""

    def never_acknowledged(self) -> None:
        """No ACK came for our 2xx within 64·T1 (RFC 3261 13.3.1.4: the dialog is then ended by BYE)."""
        self.acceptance = None

    def lost(self) -> None:
        """The far end is not there any more."""
        raise NotImplementedError

    def _stop_pulse(self) -> None:
        pulse, self._pulse = self._pulse, None
        if pulse is not None:
            pulse.stop()

    def _ask_whether_there(self, pulse: Pulse) -> None:
        if self.dialog is not None:  # a far end may hold before it has answered
            self.switch.layer.request(self.dialog.request("OPTIONS"), self.way(self.dialog), pulse)

    def send_success(self, transaction: ServerTransaction, body: bytes) -> None:
        """Answer an INVITE with 200 and repeat it until its ACK comes."""
        assert self.dialog is not None
        request = transaction.request
        self.dialog.early = False
        negotiation = self.negotiation()
        self._offered_in_success = negotiation.exchange is Exchange.OURS
        if not self._offered_in_success:
            negotiation.conclude()
        timers = self.switch.layer.timers
        self.acceptance = Acceptance(timers, transaction, self.success(request, body), self.never_acknowledged)

    def change_session(self, change: SessionChange) -> None:
        """Ask the far end for a change of ours, as soon as those before it have their outcome."""
        self.changes.want(self, change)

    def success(self, request: Request, body: bytes) -> Response:
        """Our 200 to an INVITE or UPDATE, a target refresh as the request was (RFC 3261 12.2.2); the session lasts anew."""
        assert self.dialog is not None
        lasting = [] if self.dialog.early else self.session_timer.renew(self, request)
        headers = [("Contact", self.contact()), ("Allow", ALLOW), *self.supported(), *lasting]
        return request.response(
            200, to_tag=self.local_tag, headers=headers, body=body, content_type=SDP if body else None
        )

    def supported(self, *further: str) -> list[tuple[str, str]]:
        """What we know besides RFC 3261, as our messages say it; of Replaces a carrier, who may not, hears nothing."""
        options = [*further, *((REPLACES,) if self.telephone is not None else ()), *self.session_timer.options]
        return [("Supported", ", ".join(options))] if options else []

    def takes_update(self) -> bool:
        """Never sent to a telephone that does not say so itself."""
        return self.profile.update and "UPDATE" in self.far_allows.upper()

    def contact(self) -> str:
        """Where requests of the far end within the dialog are to come."""
        return self.switch.contact(self.hop, self.contact_user, self.contact_scheme)

    def _informed(self, transaction: ServerTransaction, request: Request) -> None:
        """A key by INFO, as old telephones send them; a body of another kind is not understood."""
        if request.body and request.content_type not in INFO_KINDS:
            transaction.respond(request.response(415, headers=[("Accept", ", ".join(INFO_KINDS))]))
            return
        transaction.respond(request.response(200))
        key = key_of_info(request.content_type, request.body)
        if key is not None and self.port is not None:
            self.port.info_key(key)

    def way(self, dialog: Dialog) -> Hop:
        """
        Where a request within the dialog goes: to a carrier, or by a proxy, as Contact and Record-Route say (RFC 3261
        12.2.1.1); to a telephone where it was last heard, since what it writes there is true only behind its own
        router.  But there are telephones that listen elsewhere than they send from, too.
        """
        if self.trunk is not None or self.proxied or self.profile.route is Route.CONTACT:
            connected = self.switch.connected(self.hop)
            return self.switch.addresses.next_hop(dialog.next_hop, self.hop, connected=connected)
        return self.switch.by_contact(self.hop, dialog.remote_target) if self.switch.is_gone(self.hop) else self.hop

    def send_bye(self, dialog: Dialog | None = None) -> None:
        """End the dialog from our side (RFC 3261 15.1.1); or, of a forked INVITE, another one."""
        dialog = dialog or self.dialog
        assert dialog is not None
        reason = self.reason if dialog is self.dialog else COMPLETED_ELSEWHERE
        Errand(self, dialog, "BYE", (("Reason", reason),) if reason else ())

    # The end.

    def hang_up(self) -> None:
        """Part from the far end, as its user wants it, who hears no more of it."""
        self.user = NOBODY
        self.switch.engaged.leave(self)

    def dismiss(self) -> None:
        """Part from the far end for a reason of the house, and tell its user."""
        user = self.user
        self.hang_up()
        user.leg_ended(self, Ending(End.DISMISSED))

    def released(self) -> "Deferred[None]":
        """Fires when the leg has given back what it held, and its user knows."""
        waiter: Deferred[None] = Deferred()
        if self._released is None:
            waiter.callback(None)
        else:
            self._released.append(waiter)
        return waiter

    def release(self) -> None:
        """Give back what the leg held.  Harmless when repeated."""
        self.switch.engaged.leave(self)
        self._stop_pulse()
        if self.acceptance is not None:
            self.acceptance.acknowledged()
            self.acceptance = None
        self.changes.abandon()
        self.session_timer.stop()
        self._negotiation = self._told_keys = None
        if self.port is not None:
            self.port.close()
            self.port = None
        self.switch.legs.pop(self.key, None)
        waiting, self._released = self._released, None
        for waiter in waiting or ():
            self.switch.clock.callLater(0, waiter.callback, None)
