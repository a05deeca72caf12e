"""
The user agent core (RFC 3261 section 8): what becomes of each request that no transaction has absorbed.

A request within a dialog goes to its leg.  Any other is inspected (8.2), its sender identified, and then registered,
answered, or made a leg and handed to a visit.  Strangers get their answer before any of that, and leave nothing behind.
"""

from collections.abc import Callable

from twisted.logger import Logger

from minitelecom.calls.authentication import Asked, Authentication, Denied
from minitelecom.calls.caller_id import name, said
from minitelecom.calls.capabilities import ALLOW, EXTENSIONS, WITHOUT_TIMER
from minitelecom.calls.directory import Directory
from minitelecom.calls.incoming_leg import IncomingLeg
from minitelecom.calls.leg import SDP, Leg
from minitelecom.calls.registrar import Registrar
from minitelecom.calls.routing import help_number
from minitelecom.calls.subscription import Subscription, Subscriptions, bad_event, is_about_messages
from minitelecom.calls.switch import DialogUsage, Switch
from minitelecom.calls.switchboard import Switchboard
from minitelecom.calls.telephone import Telephone
from minitelecom.calls.told_keys import Keys
from minitelecom.calls.visitor import Visitor
from minitelecom.calls.visits import Leaving, Visits
from minitelecom.config import Config
from minitelecom.media.door import NoPortsLeft
from minitelecom.sip import session_timer
from minitelecom.sip.checks import Refusal, onward_hops, refusal
from minitelecom.sip.hop import Hop
from minitelecom.sip.message import Request, Response
from minitelecom.sip.offer_answer import NotAcceptable
from minitelecom.sip.transaction_layer import ServerTransaction, fixed_tag
from minitelecom.store.devices import Device
from minitelecom.store.trunks import Trunk

log = Logger()

METHODS = (*ALLOW.split(", "), "NOTIFY")  # to say that we have no such event
PATH = "path"  # what a REGISTER may require of us (RFC 3327)
CHALLENGED = frozenset({"INVITE", "REGISTER", "SUBSCRIBE"})
MOST_LEGS = 4000  # the ports of the default range, two a call


class UserAgent:
    """The transaction user of the house."""

    def __init__(
        self,
        switch: Switch,
        directory: Directory,
        authentication: Authentication,
        registrar: Registrar,
        visits: Visits,
        subscriptions: Subscriptions,
        switchboard: Switchboard,
        config: Config,
    ) -> None:
        self.draining = False
        self._switch = switch
        self._directory = directory
        self._authentication = authentication
        self._registrar = registrar
        self._visits = visits
        self._subscriptions = subscriptions
        self._switchboard = switchboard
        self._config = config
        self._extensions = EXTENSIONS if config.calls.session_seconds else WITHOUT_TIMER

    def answer_stranger(self, request: Request, source: Hop) -> Response | None:
        """
        What whoever nobody knows is answered (see transaction_layer.Stateless): a challenge, in the same way whether there
        is such a telephone or not (RFC 3261 sections 22.1 and 26.3.2.4); or that there is no such dialog.
        """
        if request.to.tag is not None:
            return None if self._usage(request) is not None else request.response(481)
        if request.method not in CHALLENGED:
            self._authentication.asked(request, source)
            return None
        if self._needs_no_password(request, source):
            return None
        asked = self._authentication.challenge(request, source)
        if asked is None:
            return None
        refused = self._refusal(request)
        if refused is not None:
            return request.response(refused.status, refused.reason, to_tag=fixed_tag(request), headers=refused.headers)
        return request.response(asked.status, to_tag=fixed_tag(request), headers=asked.headers)

    def _needs_no_password(self, request: Request, source: Hop) -> bool:
        """A carrier's call, a call for help from the shop's own network, and what is refused to everybody."""
        if request.method != "INVITE":
            return request.method == "SUBSCRIBE" and not is_about_messages(request)
        if self.draining or help_number(name(request.uri), self._config) is not None:
            return True
        return self._directory.trunk_at(source, telephone=name(request.from_.uri) or None) is not None

    def request_received(self, transaction: ServerTransaction, request: Request, source: Hop) -> None:
        """See TransactionUser."""
        leg = self._usage(request)
        if leg is None and request.to.tag is not None:
            transaction.respond(request.response(481))
            return
        refused = self._refusal(request) if request.method != "BYE" else None  # whoever wants to end a call may
        if refused is not None:
            answer = request.response(
                refused.status, refused.reason, to_tag=self._switch.token(), headers=refused.headers
            )
            transaction.respond(answer)
        elif leg is None:
            self._begin(transaction, request, source)
        elif request.method != "REFER" or self._may_refer(leg, transaction, request, source):
            leg.request_received(transaction, request, source)

    def _refusal(self, request: Request) -> Refusal | None:
        extensions = (PATH,) if request.method == "REGISTER" else self._extensions
        return refusal(request, METHODS, extensions=extensions)

    def _may_refer(
        self, usage: DialogUsage | Subscription, transaction: ServerTransaction, request: Request, source: Hop
    ) -> bool:
        """
        Whether a telephone wants to transfer from where it has shown who it is; from elsewhere it is asked again, since
        it will pay.  Anybody else's legs refuse by themselves.
        """
        if self.draining:
            transaction.respond(request.response(503, headers=(("Retry-After", "30"),)))
            return False
        telephone = usage.telephone if isinstance(usage, Leg) else None
        if telephone is None or not isinstance(usage, Leg) or source == usage.home:
            return True
        device = self._telephone(transaction, request, source)
        if device is not None and device.name != telephone.device.name:
            transaction.respond(request.response(403))
            return False
        return device is not None

    def _usage(self, request: Request) -> DialogUsage | Subscription | None:
        """What the dialog is used for that a request belongs to."""
        if request.to.tag is None:
            return None
        key = request.call_id, request.to.tag
        return self._switch.legs.get(key) or self._subscriptions.find(key)

    def _begin(self, transaction: ServerTransaction, request: Request, source: Hop) -> None:
        """A request outside any dialog."""
        match request.method:
            case "REGISTER":
                self._register(transaction, request, source)
            case "INVITE":
                self._invite(transaction, request, source)
            case "OPTIONS":
                headers = (("Allow", ALLOW), ("Accept", SDP), ("Supported", ", ".join(self._extensions)))
                transaction.respond(request.response(200, to_tag=self._switch.token(), headers=headers))
            case "SUBSCRIBE":
                self._subscribe(transaction, request, source)
            case "NOTIFY":
                transaction.respond(request.response(489, to_tag=self._switch.token()))
            case "REFER":  # whoever is to be transferred must be talking
                transaction.respond(request.response(403, to_tag=self._switch.token()))
            case _:
                transaction.respond(request.response(481, to_tag=self._switch.token()))

    def ack_received(self, ack: Request, source: Hop) -> None:
        """See TransactionUser."""
        leg = self._switch.legs.get((ack.call_id, ack.to.tag or ""))
        if leg is not None:
            leg.ack_received(ack)

    def _register(self, transaction: ServerTransaction, request: Request, source: Hop) -> None:
        device = self._telephone(transaction, request, source)
        if device is not None:
            self._registrar.register(transaction, request, source, device)

    def _subscribe(self, transaction: ServerTransaction, request: Request, source: Hop) -> None:
        if not is_about_messages(request):
            transaction.respond(bad_event(request))
            return
        device = self._telephone(transaction, request, source)
        if device is not None:
            self._subscriptions.subscribe(transaction, request, device.name)

    def _telephone(self, transaction: ServerTransaction, request: Request, source: Hop) -> Device | None:
        """The telephone behind a request; None when the answer has been given instead."""
        found = self._authentication.identify(request, source)
        match found:
            case Asked(status, headers):
                transaction.respond(request.response(status, to_tag=self._switch.token(), headers=headers))
            case Denied():
                log.info("wrong credentials for {uri} from {host}", uri=request.raw_uri, host=source.host)
                transaction.respond(request.response(403, to_tag=self._switch.token()))
            case _:
                return found
        return None

    def _invite(self, transaction: ServerTransaction, request: Request, source: Hop) -> None:
        dialled = name(request.uri)
        calling = name(request.from_.uri) or None
        hops = onward_hops(request)
        if hops is None:
            transaction.respond(request.response(483, to_tag=self._switch.token()))
            return
        help_ = help_number(dialled, self._config)
        if help_ is None and (self.draining or len(self._switch.legs) >= MOST_LEGS):
            transaction.respond(request.response(503, headers=(("Retry-After", "30"),)))
            return
        trunk = self._directory.trunk_at(source, telephone=calling)
        if trunk is not None and "replaces" in request.headers:
            transaction.respond(request.response(403, to_tag=self._switch.token()))
            return
        if trunk is not None:
            caller = said(request, trusted=trunk.trusted)
            visitor = Visitor(
                self._switch.token(), None, trunk.name, caller.number, hops, caller.private, caller.diversions
            )
            called = (dialled, name(request.to.uri))
            self._accept(transaction, lambda leg: self._visits.from_trunk(leg, visitor, called), trunk=trunk)
            return
        if help_ is not None and self._is_near(source):
            visitor = Visitor(self._switch.token(), None, None, calling, hops)
            self._accept(transaction, lambda leg: self._visits.emergency(leg, visitor, help_), urgent=True)
            return
        device = self._telephone(transaction, request, source)
        if device is None:
            return
        caller = said(request, trusted=True)
        visitor = Visitor(self._switch.token(), device, None, device.name, hops, caller.private, caller.diversions)
        profile = self._directory.profile(device.name, request.get("User-Agent") or "")
        telephone = Telephone(device, profile)
        if "replaces" in request.headers:
            self._replace(transaction, request, visitor, telephone)
            return
        if help_ is None and self._switch.engaged.is_full(device):
            transaction.respond(request.response(486, to_tag=self._switch.token()))
            self._visits.turned_away(visitor, dialled)
            return
        self._accept(
            transaction,
            lambda leg: self._visits.from_telephone(leg, visitor, dialled),
            urgent=help_ is not None,
            telephone=telephone,
        )

    def _replace(
        self, transaction: ServerTransaction, request: Request, visitor: Visitor, telephone: Telephone
    ) -> None:
        """A telephone takes the place of one that talks (RFC 3891)."""
        replaced = self._switchboard.replaced_by(request, telephone.device)
        if isinstance(replaced, int):
            transaction.respond(request.response(replaced, to_tag=self._switch.token()))
        else:
            talk, leaving = replaced.talk, replaced.leg
            self._accept(
                transaction, lambda leg: self._visits.in_place_of(leg, visitor, talk, leaving), telephone=telephone
            )

    def _is_near(self, source: Hop) -> bool:
        """Whether whoever calls for help from there is asked nothing: in our networks, or where a telephone is registered."""
        directory, instant = self._directory, self._switch.now()
        return self._switch.addresses.is_local(source.host) or directory.is_registered_from(source.host, instant)

    def _accept(
        self,
        transaction: ServerTransaction,
        visit: Callable[[IncomingLeg], None],
        *,
        trunk: Trunk | None = None,
        urgent: bool = False,
        telephone: Telephone | None = None,
    ) -> None:
        """Make an INVITE a leg, where its offer can be met."""
        request = transaction.request
        wanted = self._switch.limits.session_seconds
        brief = session_timer.refusal(request, wanted) if wanted else None
        if brief is not None:
            transaction.respond(brief)
            return
        try:
            leg = IncomingLeg(
                self._switch,
                transaction,
                Leaving(),
                trunk=None if trunk is None else trunk.name,
                urgent=urgent,
                telephone=telephone,
                keys=Keys.LEARNED if trunk is None else Keys(trunk.keys),
            )
        except NotAcceptable as unusable:
            warning = ("Warning", f'304 minitelecom "{unusable}"')
            transaction.respond(request.response(488, to_tag=self._switch.token(), headers=(warning,)))
        except NoPortsLeft:
            transaction.respond(request.response(503, to_tag=self._switch.token()))
        else:
            visit(leg)
