"""A request that came, and its answers: a server transaction of RFC 3261 section 17.2 at work, for whoever answers it."""

from collections.abc import Callable
from typing import Protocol

from minitelecom.sip import transaction as machines
from minitelecom.sip.client_transaction import failure
from minitelecom.sip.client_user import Failure
from minitelecom.sip.effects import Deliver, Effect, Fail, State
from minitelecom.sip.hop import Hop
from minitelecom.sip.matching import Key, arrival_key, opened_anew
from minitelecom.sip.message import Request, Response
from minitelecom.sip.performer import Edge, Performer

UNANSWERED = frozenset({State.TRYING, State.PROCEEDING})
CHALLENGES = frozenset({401, 407})


class TransactionUser(Protocol):
    """Who answers the requests that come."""

    def request_received(self, transaction: "ServerTransaction", request: Request, source: Hop) -> None:
        """A new request, neither ACK nor CANCEL. Answer by `transaction.respond`, now or later."""

    def ack_received(self, ack: Request, source: Hop) -> None:
        """An ACK that no transaction absorbed: that of a 2xx, or a stray one."""


class Layer(Edge, Protocol):
    """What a server transaction needs of its layer."""

    user: TransactionUser
    servers: "dict[Key, ServerTransaction]"

    def tag(self) -> str:
        """A new tag (19.3)."""

    def offer(self, transaction: "ServerTransaction") -> None:
        """Hand its request to the TU."""

    def list_refused(self, transaction: "ServerTransaction") -> None:
        """Its ACK may come on another branch."""

    def unlist_refused(self, transaction: "ServerTransaction") -> None:
        """No ACK is to come for it any more."""

    def unlist_arrival(self, transaction: "ServerTransaction") -> None:
        """The same request on another branch is no longer a merged one (8.2.2.2)."""


class ServerTransaction(Performer[Layer, machines.InviteServer | machines.NonInviteServer]):
    """
    A request that came. `on_cancel` is called when the peer cancels an INVITE that has no final answer; whoever sets
    it late asks `cancelled` first. `on_failure` hears of an answer that could not be sent or got no ACK.
    """

    __slots__ = ("_key", "_refused", "arrival", "cancelled", "on_cancel", "on_failure", "reason", "source", "to_tag")

    _key: Key

    def __init__(self, layer: Layer, request: Request, source: Hop, key: Key, answered_at: Hop) -> None:
        super().__init__(layer, answered_at)
        self.source = source
        self.cancelled = False
        self.reason = ""  # why it was cancelled (RFC 3326)
        self._refused = False
        self.to_tag: str | None = None
        """The tag of our side, once a response has carried one."""
        self.on_cancel: Callable[[], None] | None = None
        self.on_failure: Callable[[Failure], None] | None = None
        self._key = key
        self.arrival = arrival_key(request)
        machine = machines.InviteServer if request.method == "INVITE" else machines.NonInviteServer
        self._machine = machine(request, reliable=source.is_reliable)

    @property
    def request(self) -> Request:
        return self._machine.request

    @property
    def answered(self) -> bool:
        """Whether a final response has been given; another one would change nothing."""
        return self._machine.state not in UNANSWERED

    def respond(self, response: Response) -> None:
        """Answer; a To without a tag gets one (8.2.6.2). After the final response only a 2xx, repeated, is still sent."""
        to = response.get("To") or ""
        if response.status > 100 and ";tag=" not in to and response.to.tag is None:
            self.to_tag = self.to_tag or self._layer.tag()
            response.set("To", f"{to};tag={self.to_tag}")
        else:
            self.to_tag = response.to.tag or self.to_tag
        if response.status in CHALLENGES:
            self._layer.unlist_arrival(self)
        if response.status >= 300 and self.request.method == "INVITE":
            self._refused = True
            self._layer.list_refused(self)
        self.perform(self._machine.respond(response))
        if self.answered:
            self.on_cancel = None  # too late to cancel; and whoever it belongs to may go
            self.request.headers.forget()

    def cancel_received(self, reason: str) -> None:
        if self.answered or self.cancelled:
            return
        self.cancelled = True
        self.reason = reason
        if self.on_cancel is not None:
            self.on_cancel()

    def _put(self, data: bytes) -> bool:
        """18.2.2: where the connection is gone by which the request came, an answer opens another."""
        if super()._put(data):
            return True
        if not self.hop.theirs:
            return False
        self.hop = opened_anew(self.request, self.hop)
        return super()._put(data)

    def _tell(self, effect: Effect) -> None:
        if isinstance(effect, Deliver):
            assert isinstance(effect.message, Request)
            if effect.message.method == "ACK":
                self._layer.user.ack_received(effect.message, self._heard_from)
            else:
                self._layer.offer(self)
        elif isinstance(effect, Fail) and self.on_failure is not None:
            self.on_failure(failure(effect))

    def _unlist(self) -> None:
        if self._layer.servers.get(self._key) is self:
            del self._layer.servers[self._key]
        self._layer.unlist_arrival(self)
        if self._refused:
            self._layer.unlist_refused(self)
