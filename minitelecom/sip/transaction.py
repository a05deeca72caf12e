"""
The four SIP transactions: RFC 3261 section 17, the INVITE ones as amended by RFC 6026.

A transaction does no input or output and knows no clock. Each input returns the effects the transaction layer carries
out, in order. Every machine is one table laid out like its figure in the RFC: {(state, input): (effects, next state)}.
It stands behind its class, whose methods it names. What the table does not name changes nothing.

A Deliver or a Fail is always the last effect of its list: by the time the transaction user (TU) hears of something,
whatever had to be sent or started has been, so that the TU may answer at once.
"""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from minitelecom.sip.effects import (
    LAST_64_T1,
    STOP,
    T1,
    T2,
    T4,
    TIMEOUT,
    TRYING_AFTER,
    Deliver,
    Effect,
    Effects,
    Fail,
    Input,
    Send,
    SendCancel,
    Start,
    State,
    Timer,
)
from minitelecom.sip.message import Request, Response

Table = Mapping[tuple[State, Input | Timer], tuple[Callable[[Any, Any, Any], Effects], State]]


def classify(status: int) -> Input:
    if status < 200:
        return Input.PROVISIONAL
    return Input.SUCCESS if status < 300 else Input.FAILURE


class Transaction:
    """A machine run by its table; the subclasses supply the table and the first state."""

    __slots__ = ("reliable", "state")

    table: ClassVar[Table]
    first: ClassVar[State]

    def __init__(self, *, reliable: bool = False) -> None:
        self.reliable = reliable
        self.state = self.first

    def start(self) -> Effects:
        """The effects of entering the first state."""
        raise NotImplementedError

    def handle(self, happened: Input | Timer, message: Request | Response | None = None) -> Effects:
        """Apply one input. An input the table does not name changes nothing."""
        row = self.table.get((self.state, happened))
        if row is None:
            return []
        effects, self.state = row
        return effects(self, happened, message)

    def _linger(self, timer: Timer, seconds: float) -> Effect:
        """A timer that only absorbs retransmissions: a reliable transport has none."""
        return Start(timer, 0.0 if self.reliable else seconds)


# Effects that several tables share.


def deliver(_machine: Transaction, _happened: Input, message: Request | Response) -> Effects:
    return [Deliver(message)]


def report(_machine: Transaction, happened: Input | Timer, _message: None) -> Effects:
    return [Fail(happened)]


def nothing(_machine: Transaction, _happened: Input | Timer, _message: object) -> Effects:
    return []


class InviteClient(Transaction):
    """RFC 3261 figure 5 with the Accepted state of RFC 6026 (its section 8.4)."""

    __slots__ = ("_acknowledgement", "_data", "_interval", "cancelled", "request")

    first = State.CALLING

    def __init__(self, request: Request, *, reliable: bool = False) -> None:
        super().__init__(reliable=reliable)
        self.request = request
        self.cancelled = False
        self._data = request.encode()
        self._acknowledgement = b""
        self._interval = T1

    def start(self) -> Effects:
        retransmit: Effects = [] if self.reliable else [Start(Timer.A, T1)]
        return [Send(self._data), *retransmit, LAST_64_T1[Timer.B]]

    def retransmit(self, _timer: Timer, _message: None) -> Effects:
        self._interval *= 2
        return [Send(self._data), Start(Timer.A, self._interval)]

    def proceed(self, _happened: Input, response: Response) -> Effects:
        cancel = self._give_up() if self.cancelled else []
        return [STOP[Timer.A], STOP[Timer.B], *cancel, Deliver(response)]

    def accept(self, _happened: Input, response: Response) -> Effects:
        return [*self._stop(), LAST_64_T1[Timer.M], Deliver(response)]

    def complete(self, _happened: Input, response: Response) -> Effects:
        self._acknowledgement = acknowledgement(self.request, response).encode()
        return [*self._stop(), Send(self._acknowledgement), self._linger(Timer.D, TIMEOUT), Deliver(response)]

    def acknowledge_again(self, _happened: Input, _response: Response) -> Effects:
        return [Send(self._acknowledgement)]

    def remember_cancel(self, _happened: Input, _message: None) -> Effects:
        """9.1: a CANCEL is not sent before a provisional response has come."""
        self.cancelled = True
        return []

    def cancel(self, _happened: Input, _message: None) -> Effects:
        if self.cancelled:
            return []
        self.cancelled = True
        return self._give_up()

    def _give_up(self) -> Effects:
        return [LAST_64_T1[Timer.CANCELLED], SendCancel()]

    def fail(self, happened: Input | Timer, _message: None) -> Effects:
        return [*self._stop(), Fail(happened)]

    def _stop(self) -> Effects:
        return [STOP[Timer.A], STOP[Timer.B], STOP[Timer.CANCELLED]]


InviteClient.table = {
    (State.CALLING, Timer.A): (InviteClient.retransmit, State.CALLING),
    (State.CALLING, Timer.B): (InviteClient.fail, State.TERMINATED),
    (State.CALLING, Input.TRANSPORT_ERROR): (InviteClient.fail, State.TERMINATED),
    (State.CALLING, Input.PROVISIONAL): (InviteClient.proceed, State.PROCEEDING),
    (State.CALLING, Input.SUCCESS): (InviteClient.accept, State.ACCEPTED),
    (State.CALLING, Input.FAILURE): (InviteClient.complete, State.COMPLETED),
    (State.CALLING, Input.CANCEL): (InviteClient.remember_cancel, State.CALLING),
    (State.PROCEEDING, Input.PROVISIONAL): (deliver, State.PROCEEDING),
    (State.PROCEEDING, Input.SUCCESS): (InviteClient.accept, State.ACCEPTED),
    (State.PROCEEDING, Input.FAILURE): (InviteClient.complete, State.COMPLETED),
    (State.PROCEEDING, Input.CANCEL): (InviteClient.cancel, State.PROCEEDING),
    (State.PROCEEDING, Timer.CANCELLED): (InviteClient.fail, State.TERMINATED),
    (State.ACCEPTED, Input.SUCCESS): (deliver, State.ACCEPTED),
    (State.ACCEPTED, Timer.M): (nothing, State.TERMINATED),
    (State.COMPLETED, Input.FAILURE): (InviteClient.acknowledge_again, State.COMPLETED),
    (State.COMPLETED, Input.TRANSPORT_ERROR): (report, State.TERMINATED),
    (State.COMPLETED, Timer.D): (nothing, State.TERMINATED),
}


class NonInviteClient(Transaction):
    """RFC 3261 figure 6."""

    __slots__ = ("_data", "_interval", "request")

    first = State.TRYING

    def __init__(self, request: Request, *, reliable: bool = False) -> None:
        super().__init__(reliable=reliable)
        self.request = request
        self._data = request.encode()
        self._interval = T1

    def start(self) -> Effects:
        retransmit: Effects = [] if self.reliable else [Start(Timer.E, T1)]
        return [Send(self._data), *retransmit, LAST_64_T1[Timer.F]]

    def retransmit(self, _timer: Timer, _message: None) -> Effects:
        self._interval = min(2 * self._interval, T2)
        return [Send(self._data), Start(Timer.E, self._interval)]

    def retransmit_slowly(self, _timer: Timer, _message: None) -> Effects:
        return [Send(self._data), Start(Timer.E, T2)]

    def complete(self, _happened: Input, response: Response) -> Effects:
        return [STOP[Timer.E], STOP[Timer.F], self._linger(Timer.K, T4), Deliver(response)]

    def fail(self, happened: Input | Timer, _message: None) -> Effects:
        return [STOP[Timer.E], STOP[Timer.F], Fail(happened)]


NonInviteClient.table = {
    (State.TRYING, Timer.E): (NonInviteClient.retransmit, State.TRYING),
    (State.TRYING, Timer.F): (NonInviteClient.fail, State.TERMINATED),
    (State.TRYING, Input.TRANSPORT_ERROR): (NonInviteClient.fail, State.TERMINATED),
    (State.TRYING, Input.PROVISIONAL): (deliver, State.PROCEEDING),
    (State.TRYING, Input.SUCCESS): (NonInviteClient.complete, State.COMPLETED),
    (State.TRYING, Input.FAILURE): (NonInviteClient.complete, State.COMPLETED),
    (State.PROCEEDING, Timer.E): (NonInviteClient.retransmit_slowly, State.PROCEEDING),
    (State.PROCEEDING, Timer.F): (NonInviteClient.fail, State.TERMINATED),
    (State.PROCEEDING, Input.TRANSPORT_ERROR): (NonInviteClient.fail, State.TERMINATED),
    (State.PROCEEDING, Input.PROVISIONAL): (deliver, State.PROCEEDING),
    (State.PROCEEDING, Input.SUCCESS): (NonInviteClient.complete, State.COMPLETED),
    (State.PROCEEDING, Input.FAILURE): (NonInviteClient.complete, State.COMPLETED),
    (State.COMPLETED, Timer.K): (nothing, State.TERMINATED),
}


class Server(Transaction):
    """What the two server machines share: the last response, stored as bytes and sent again when asked again."""

    __slots__ = ("_last", "request")

    def __init__(self, request: Request, *, reliable: bool = False) -> None:
        super().__init__(reliable=reliable)
        self.request = request
        self._last = b""

    def respond(self, response: Response) -> Effects:
        """The TU's answer."""
        return self.handle(classify(response.status), response)

    def repeat(self, _happened: Input, _message: None) -> Effects:
        return [Send(self._last)] if self._last else []


class InviteServer(Server):
    """
    RFC 3261 figure 7 with the Accepted state of RFC 6026 (its section 8.7), which also lets a transport error leave
    the state as it was. Timer H tells the TU, as RFC 3261 has it.
    """

    __slots__ = ("_interval",)

    first = State.PROCEEDING

    def __init__(self, request: Request, *, reliable: bool = False) -> None:
        super().__init__(request, reliable=reliable)
        self._interval = T1

    def start(self) -> Effects:
        return [Start(Timer.TRYING, TRYING_AFTER), Deliver(self.request)]

    def trying(self, _timer: Timer, _message: None) -> Effects:
        self._last = self.request.response(100).encode()
        return [Send(self._last)]

    def send(self, _happened: Input, response: Response) -> Effects:
        self._last = response.encode()
        return [STOP[Timer.TRYING], Send(self._last)]

    def accept(self, _happened: Input, response: Response) -> Effects:
        self._last = response.encode()
        return [STOP[Timer.TRYING], Send(self._last), LAST_64_T1[Timer.L]]

    def send_success(self, _happened: Input, response: Response) -> Effects:
        """The TU repeats its 2xx until the ACK comes (13.3.1.4); see acceptance.py."""
        return [Send(response.encode())]

    def complete(self, _happened: Input, response: Response) -> Effects:
        self._last = response.encode()
        retransmit: Effects = [] if self.reliable else [Start(Timer.G, T1)]
        return [STOP[Timer.TRYING], Send(self._last), *retransmit, LAST_64_T1[Timer.H]]

    def retransmit(self, _timer: Timer, _message: None) -> Effects:
        self._interval = min(2 * self._interval, T2)
        return [Send(self._last), Start(Timer.G, self._interval)]

    def confirm(self, _happened: Input, _ack: Request) -> Effects:
        return [STOP[Timer.G], STOP[Timer.H], self._linger(Timer.I, T4)]

    def fail(self, timer: Timer, _message: None) -> Effects:
        return [STOP[Timer.G], Fail(timer)]


InviteServer.table = {
    (State.PROCEEDING, Timer.TRYING): (InviteServer.trying, State.PROCEEDING),
    (State.PROCEEDING, Input.REQUEST): (Server.repeat, State.PROCEEDING),
    (State.PROCEEDING, Input.PROVISIONAL): (InviteServer.send, State.PROCEEDING),
    (State.PROCEEDING, Input.SUCCESS): (InviteServer.accept, State.ACCEPTED),
    (State.PROCEEDING, Input.FAILURE): (InviteServer.complete, State.COMPLETED),
    (State.PROCEEDING, Input.TRANSPORT_ERROR): (report, State.PROCEEDING),
    (State.ACCEPTED, Input.REQUEST): (nothing, State.ACCEPTED),
    (State.ACCEPTED, Input.ACK): (deliver, State.ACCEPTED),
    (State.ACCEPTED, Input.SUCCESS): (InviteServer.send_success, State.ACCEPTED),
    (State.ACCEPTED, Input.TRANSPORT_ERROR): (report, State.ACCEPTED),
    (State.ACCEPTED, Timer.L): (nothing, State.TERMINATED),
    (State.COMPLETED, Input.REQUEST): (Server.repeat, State.COMPLETED),
    (State.COMPLETED, Input.ACK): (InviteServer.confirm, State.CONFIRMED),
    (State.COMPLETED, Input.TRANSPORT_ERROR): (report, State.COMPLETED),
    (State.COMPLETED, Timer.G): (InviteServer.retransmit, State.COMPLETED),
    (State.COMPLETED, Timer.H): (InviteServer.fail, State.TERMINATED),
    (State.CONFIRMED, Timer.I): (nothing, State.TERMINATED),
}


class NonInviteServer(Server):
    """RFC 3261 figure 8."""

    __slots__ = ()

    first = State.TRYING

    def start(self) -> Effects:
        return [Deliver(self.request)]

    def send(self, _happened: Input, response: Response) -> Effects:
        self._last = response.encode()
        return [Send(self._last)]

    def complete(self, _happened: Input, response: Response) -> Effects:
        self._last = response.encode()
        return [Send(self._last), self._linger(Timer.J, TIMEOUT)]


NonInviteServer.table = {
    (State.TRYING, Input.PROVISIONAL): (NonInviteServer.send, State.PROCEEDING),
    (State.TRYING, Input.SUCCESS): (NonInviteServer.complete, State.COMPLETED),
    (State.TRYING, Input.FAILURE): (NonInviteServer.complete, State.COMPLETED),
    (State.PROCEEDING, Input.REQUEST): (Server.repeat, State.PROCEEDING),
    (State.PROCEEDING, Input.PROVISIONAL): (NonInviteServer.send, State.PROCEEDING),
    (State.PROCEEDING, Input.SUCCESS): (NonInviteServer.complete, State.COMPLETED),
    (State.PROCEEDING, Input.FAILURE): (NonInviteServer.complete, State.COMPLETED),
    (State.PROCEEDING, Input.TRANSPORT_ERROR): (report, State.TERMINATED),
    (State.COMPLETED, Input.REQUEST): (Server.repeat, State.COMPLETED),
    (State.COMPLETED, Input.TRANSPORT_ERROR): (report, State.TERMINATED),
    (State.COMPLETED, Timer.J): (nothing, State.TERMINATED),
}


def acknowledgement(invite: Request, response: Response) -> Request:
    """The ACK of a final response that is no 2xx (17.1.1.3): of the INVITE, but for the To, which is the response's."""
    return _companion("ACK", invite, response.get("To") or "")


def cancellation(invite: Request) -> Request:
    """The CANCEL of an INVITE (9.1): all as in the INVITE, its To included."""
    return _companion("CANCEL", invite, invite.get("To") or "")


def _companion(method: str, invite: Request, to: str) -> Request:
    """A request on the INVITE's own branch, taking the same way."""
    headers = [
        ("Via", str(invite.via)),
        *(("Route", route) for route in invite.get_all("Route")),
        ("Max-Forwards", "70"),
        ("From", invite.get("From") or ""),
        ("To", to),
        ("Call-ID", invite.call_id),
        ("CSeq", f"{invite.cseq.number} {method}"),
    ]
    return Request.create(method, invite.raw_uri, headers)
