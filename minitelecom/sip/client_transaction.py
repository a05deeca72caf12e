"""A request of ours on its way: a client transaction of RFC 3261 section 17.1 at work, for whoever sent it."""

from typing import Protocol

from minitelecom.sip import transaction as machines
from minitelecom.sip.client_user import NOBODY, ClientUser, Failure
from minitelecom.sip.effects import Deliver, Effect, Fail, Input, State
from minitelecom.sip.hop import Hop
from minitelecom.sip.message import Request, Response
from minitelecom.sip.performer import Edge, Performer


class Layer(Edge, Protocol):
    """What a client transaction needs of its layer."""

    clients: "dict[tuple[str, str], ClientTransaction]"

    def send_cancel(self, invite: "ClientTransaction") -> None:
        """Begin the CANCEL's own transaction (9.1)."""

    def fall_back(self, transaction: "ClientTransaction", hop: Hop) -> None:
        """Nobody takes by TCP what is too long for a datagram: send it as one."""

    def awaits_no_more(self, transaction: "ClientTransaction") -> None:
        """Nothing is to come for it over its connection."""


def failure(effect: Fail) -> Failure:
    return Failure.TRANSPORT if effect.cause is Input.TRANSPORT_ERROR else Failure.TIMEOUT


class ClientTransaction(Performer[Layer, machines.InviteClient | machines.NonInviteClient]):
    """A request of ours on its way."""

    __slots__ = ("_key", "_otherwise", "_user", "reason")

    _key: tuple[str, str]

    def __init__(self, layer: Layer, request: Request, hop: Hop, user: ClientUser, otherwise: Hop | None) -> None:
        super().__init__(layer, hop)
        self._user = user
        self.reason = ""  # why it was cancelled
        self._otherwise = otherwise  # where it goes by UDP if nobody takes it by TCP; None once something came back
        self.take(request, hop)

    def take(self, request: Request, hop: Hop) -> None:
        """Be the transaction of a request that is yet to be sent, on the branch it has."""
        self.hop = hop
        self._key = (request.via.branch or "", request.method)
        machine = machines.InviteClient if request.method == "INVITE" else machines.NonInviteClient
        self._machine = machine(request, reliable=hop.is_reliable)

    @property
    def key(self) -> tuple[str, str]:
        return self._key

    @property
    def machine(self) -> machines.InviteClient | machines.NonInviteClient:
        return self._machine

    @property
    def request(self) -> Request:
        return self._machine.request

    def cancel(self, reason: str = "") -> None:
        """
        Send a CANCEL as soon as a provisional response has come (9.1); if a final one has, there is nothing to cancel.
        The user still hears the final response, mostly 487; or 2xx, if it was on its way; or a TIMEOUT.
        The reason is that of RFC 3326.
        """
        self.reason = reason or self.reason
        self.happened(Input.CANCEL)

    def leave_to(self, user: ClientUser) -> None:
        """Another user hears what still comes, if anything can."""
        if self._machine.state is not State.TERMINATED:
            self._user = user

    def _tell(self, effect: Effect) -> None:
        if isinstance(effect, Deliver):
            assert isinstance(effect.message, Response)
            self._otherwise = None
            self._user.response_received(effect.message, self._heard_from)
            if effect.message.status >= 200:
                self.request.headers.forget()  # for half a minute it is kept only to know repetitions by
        elif isinstance(effect, Fail):
            otherwise, self._otherwise = self._otherwise, None
            if effect.cause is Input.TRANSPORT_ERROR and otherwise is not None:
                self._layer.fall_back(self, otherwise)
            else:
                self._user.request_failed(failure(effect))
        else:
            self._layer.send_cancel(self)

    def _let_go(self) -> None:
        """Its user may know it, too: neither is to keep the other."""
        if self._machine.state is State.TERMINATED:  # it may have begun anew, by UDP
            self._user = NOBODY

    def _unlist(self) -> None:
        if self._layer.clients.get(self._key) is self:
            del self._layer.clients[self._key]
            self._layer.awaits_no_more(self)
