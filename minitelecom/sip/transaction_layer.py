"""
The transaction layer: RFC 3261 section 17 between the datagrams and the transaction user (TU). An edge: it has a clock.

A datagram is framed, parsed, matched and delivered. What the machines of transaction.py then want done is done here:
bytes sent, timers started, the TU told. Answers go to the address and port the request came from, whatever its Via says.
"""

from collections.abc import Callable, Iterable
from random import Random
from typing import Protocol
from zlib import crc32

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from minitelecom.sip import transaction as machines
from minitelecom.sip.client_transaction import ClientTransaction
from minitelecom.sip.client_user import NOBODY, ClientUser, Failure
from minitelecom.sip.effects import T1, T2, T4, TIMEOUT, TRYING_AFTER, Input
from minitelecom.sip.framing import Broken, is_keepalive
from minitelecom.sip.headers import MAGIC_COOKIE, Via
from minitelecom.sip.hop import Hop
from minitelecom.sip.matching import PLAIN, Key, Manner, arrival_key, invite_key, mark, refusal_key, server_key
from minitelecom.sip.message import MalformedMessage, Request, Response, parse
from minitelecom.sip.performer import Counts
from minitelecom.sip.reason_header import told
from minitelecom.sip.server_transaction import ServerTransaction, TransactionUser
from minitelecom.sip.timers import Timers

__all__ = ["ClientTransaction", "ClientUser", "Failure", "ServerTransaction", "TransactionLayer", "TransactionUser"]

log = Logger()

MOST_TRANSACTIONS = 50_000
"""Of other people's requests. Beyond it a new one is answered 503, but within a dialog only beyond twice as many."""

LARGEST_DATAGRAM = 1300
"""18.1.1: a longer request may be cut in pieces on its way, and goes by TCP."""

DATAGRAMS_ONLY_SECONDS = 600.0
MOST_REMEMBERED = 10_000

RETRY_AFTER_SECONDS = 5
TAG_BITS = 64

FIXED_LENGTHS = (TRYING_AFTER, T1, T2, T4, TIMEOUT)

Stateless = Callable[[Request, Hop], Response | None]
"""What to answer a request with and keep nothing of it (RFC 3261 section 8.2.7); None: it gets a transaction."""


def fixed_tag(request: Request) -> str:
    """The To tag of an answer without a transaction: the same for the same request, however often it comes (8.2.7)."""
    return f"{crc32(request.encode()):08x}"


class Saw(Protocol):
    """Told of every message: its bytes, the far end, and whether we sent it."""

    def __call__(self, data: bytes, hop: Hop, *, sent: bool) -> None: ...


class TransactionLayer:
    """
    Give it what comes by `datagram_received`; `send` puts bytes on the wire and raises OSError when that fails; `sent_by`
    tells which host and port of ours a hop is to answer to.
    """

    def __init__(
        self,
        clock: IReactorTime,
        random: Random,
        send: Callable[[bytes, Hop], None],
        sent_by: Callable[[Hop], tuple[str, int]],
        limit: int = MOST_TRANSACTIONS,
    ) -> None:
        self.user: TransactionUser
        self.manner_of: Callable[[Request], Manner] = lambda _: PLAIN
        self.stateless: Stateless = lambda _request, _source: None
        """For strangers, of whom there may be any number; asked before a request is given a transaction."""
        self.datagrams_only: Callable[[Hop], bool] = lambda _: False
        """Who is not even tried by TCP: its own word, or a router, stands against it."""
        self.admits: Callable[[bytes, Hop], bool] | None = None
        """Whether what comes from there is looked at; None: everything is."""
        self.saw: Saw | None = None
        """Who looks on as messages go by."""
        self.counts = Counts()
        self.timers = Timers(clock, FIXED_LENGTHS)
        self.clients: dict[tuple[str, str], ClientTransaction] = {}
        self._now = clock.seconds
        self._datagrams_only: dict[Hop, float] = {}  # until when a hop that refused TCP is left alone with it
        self._awaiting: dict[Hop, set[ClientTransaction]] = {}  # on each connection
        self.servers: dict[Key, ServerTransaction] = {}
        self._arrivals: dict[Key | None, ServerTransaction] = {}
        self._refused: dict[Key, ServerTransaction] = {}
        self._random = random
        self._send = send
        self._sent_by = sent_by
        self._limit = limit

    def __len__(self) -> int:
        return len(self.clients) + len(self.servers)

    @property
    def timers_alive(self) -> int:
        return self.timers.active

    def tag(self) -> str:
        """A new tag, or whatever else is to be unique (19.3)."""
        return f"{self._random.getrandbits(TAG_BITS):016x}"

    def close(self) -> None:
        """Forget everything, send nothing."""
        for client in list(self.clients.values()):
            client.forget()
        for server in list(self.servers.values()):
            server.forget()
        self.timers.close()

    # What goes out.

    def request(self, request: Request, hop: Hop, user: ClientUser) -> ClientTransaction:
        """Send a request on a branch of its own; a Via it carries from another attempt is replaced."""
        self._address(request, hop)
        if hop.transport == "udp" and len(request.encode()) > LARGEST_DATAGRAM and self._takes_connections(hop):
            stream = hop._replace(transport="tcp")
            self._address(request, stream)
            return self._begin_client(ClientTransaction(self, request, stream, user, hop))
        return self._begin_client(ClientTransaction(self, request, hop, user, None))

    def fall_back(self, transaction: ClientTransaction, hop: Hop) -> None:
        """18.1.1: what was too long for a datagram, and nobody took by TCP, goes as one after all; if it was cancelled, too."""
        if len(self._datagrams_only) >= MOST_REMEMBERED:
            self._datagrams_only.clear()
        self._datagrams_only[hop] = self._now() + DATAGRAMS_ONLY_SECONDS
        cancelled = isinstance(transaction.machine, machines.InviteClient) and transaction.machine.cancelled
        request = transaction.request
        self._address(request, hop)
        transaction.take(request, hop)
        self._begin_client(transaction)
        if cancelled:
            transaction.cancel()

    def _address(self, request: Request, hop: Hop) -> None:
        request.remove("Via")
        request.push_via(self._via(hop))

    def _takes_connections(self, hop: Hop) -> bool:
        return self._now() >= self._datagrams_only.get(hop, 0.0) and not self.datagrams_only(hop)

    def send_ack(self, ack: Request, hop: Hop) -> None:
        """Send the ACK of a 2xx, outside any transaction; given again, the same bytes go out again (13.2.2.4)."""
        if not ack.vias:
            ack.push_via(self._via(hop))
        self.put(ack.encode(), hop)

    def send_cancel(self, invite: ClientTransaction) -> None:
        cancel = machines.cancellation(invite.request)
        if invite.reason:
            cancel.add("Reason", invite.reason)
        self._begin_client(ClientTransaction(self, cancel, invite.hop, NOBODY, None))

    def put(self, data: bytes, hop: Hop) -> bool:
        """Whether the bytes could be sent."""
        try:
            self._send(data, hop)
        except OSError as error:
            log.debug("nothing goes out to {hop}: {error}", hop=hop, error=error)
            return False
        if self.saw is not None:
            self.saw(data, hop, sent=True)
        return True

    def _begin_client(self, transaction: ClientTransaction) -> ClientTransaction:
        self.clients[transaction.key] = transaction
        if transaction.hop.is_reliable:
            self._awaiting.setdefault(transaction.hop, set()).add(transaction)
        transaction.begin()
        return transaction

    def awaits_no_more(self, transaction: ClientTransaction) -> None:
        """Nothing is to come for it over its connection."""
        awaiting = self._awaiting.get(transaction.hop)
        if awaiting is not None:
            awaiting.discard(transaction)
            if not awaiting:
                del self._awaiting[transaction.hop]

    def _via(self, hop: Hop) -> Via:
        host, port = self._sent_by(hop)
        host = f"[{host}]" if ":" in host and not host.startswith("[") else host
        return Via("SIP/2.0", hop.transport.upper(), host, port, {"branch": MAGIC_COOKIE + self.tag(), "rport": None})

    # What comes in: framed, parsed, matched, delivered.

    def datagram_received(self, data: bytes, source: Hop) -> None:
        """One of the three doors: nothing that comes in raises."""
        try:
            if self.admits is not None and not self.admits(data, source):
                return
            if self.saw is not None:
                self.saw(data, source, sent=False)
            self._receive(data, source)
        except Exception:  # noqa: BLE001 - a door
            log.failure("a message from {source} was too much for us", source=source)

    def stream_broken(self, broken: Broken, source: Hop) -> None:
        """The same door, for what cannot be cut into messages: whoever it says it comes from hears why."""
        try:
            message = parse(broken.head + b"\r\n\r\n")
        except MalformedMessage as malformed:
            request = malformed.request
        else:
            request = message if isinstance(message, Request) and message.method != "ACK" else None
        self._refuse(MalformedMessage(broken.status, broken.reason, request), source)

    def connection_lost(self, hop: Hop) -> None:
        """18.4: what waits for an answer on a connection that is gone has waited long enough."""
        for transaction in self._awaiting.pop(hop, ()):
            transaction.happened(Input.TRANSPORT_ERROR)

    def _receive(self, data: bytes, source: Hop) -> None:
        if is_keepalive(data):
            return
        try:
            message = parse(data)
        except MalformedMessage as malformed:
            self._refuse(malformed, source)
            return
        if isinstance(message, Response):
            self._response_received(message, source)
        else:
            self._request_received(message, source)

    def _refuse(self, malformed: MalformedMessage, source: Hop) -> None:
        self.counts.malformed += 1
        if malformed.request is not None:
            self._answer(malformed.request, malformed.status, malformed.reason, source)

    def _response_received(self, response: Response, source: Hop) -> None:
        """17.1.3; and 8.1.3.3: a second Via says that it is not for us."""
        vias = response.vias
        transaction = self.clients.get((vias[0].branch or "", response.cseq.method))
        if transaction is None or len(vias) > 1:
            self.counts.stray += 1
        else:
            transaction.heard(machines.classify(response.status), response, source)

    def _request_received(self, request: Request, source: Hop) -> None:
        key = server_key(request, source)
        transaction = self.servers.get(key)
        if request.method == "ACK":
            transaction = transaction or self._refused.get(refusal_key(request, request.to.tag))
            if transaction is None:
                self.user.ack_received(request, source)
            else:
                transaction.heard(Input.ACK, request, source)
        elif transaction is not None:
            self.counts.repeated += 1
            transaction.happened(Input.REQUEST)
        elif request.method == "CANCEL":
            self._cancel_received(request, key, source)
        else:
            self._new_request(request, key, source)

    def _new_request(self, request: Request, key: Key, source: Hop) -> None:
        answered_at = mark(request, source, self.manner_of)
        response = self.stateless(request, source)
        if response is not None:
            self.counts.stateless += 1
            self.put(response.encode(), answered_at)
        elif arrival_key(request) in self._arrivals:
            self.counts.merged += 1
            self._answer(request, 482, None, source)
        elif self._is_full(request):
            self.counts.refused += 1
            self._answer(request, 503, None, source, [("Retry-After", str(RETRY_AFTER_SECONDS))])
        else:
            self._begin_server(request, key, source, answered_at)

    def _begin_server(self, request: Request, key: Key, source: Hop, answered_at: Hop) -> ServerTransaction:
        transaction = ServerTransaction(self, request, source, key, answered_at)
        self.servers[key] = transaction
        if transaction.arrival is not None:
            self._arrivals[transaction.arrival] = transaction
        transaction.begin()
        return transaction

    def _cancel_received(self, cancel: Request, key: Key, source: Hop) -> None:
        """9.2: the CANCEL is answered whatever becomes of the INVITE, with the INVITE's To tag if it has one."""
        invite = self.servers.get(invite_key(key))
        if invite is None:
            self._answer(cancel, 481, None, source)
            return
        transaction = self._begin_server(cancel, key, source, mark(cancel, source, self.manner_of))
        transaction.respond(cancel.response(200, to_tag=invite.to_tag or self.tag()))
        invite.cancel_received(told(cancel))

    def offer(self, transaction: ServerTransaction) -> None:
        """Hand a request to the TU. One that makes the TU stumble is answered all the same."""
        request = transaction.request
        if request.method == "CANCEL":
            return
        try:
            self.user.request_received(transaction, request, transaction.source)
        except Exception:  # noqa: BLE001 - the same door, with somebody to answer
            log.failure("{request} from {source}", request=request, source=transaction.source)
            transaction.respond(request.response(500, to_tag=self.tag()))

    def _answer(
        self,
        request: Request,
        status: int,
        reason: str | None,
        source: Hop,
        headers: Iterable[tuple[str, str]] = (),
    ) -> None:
        """Without a transaction (8.2.7)."""
        tag = fixed_tag(request)
        answered_at = mark(request, source, self.manner_of)
        self.put(request.response(status, reason, to_tag=tag, headers=headers).encode(), answered_at)

    def _is_full(self, request: Request) -> bool:
        """What belongs to a call in progress, its BYE above all, finds room for longer."""
        return len(self.servers) >= (self._limit if request.to.tag is None else 2 * self._limit)

    def list_refused(self, transaction: ServerTransaction) -> None:
        """
        Know an INVITE by what its ACK says besides the branch. 17.1.1.3 wants the branch of the INVITE there; some senders
        make a new one for every request they write, and would hear our answer again until we give up.
        """
        self._refused[refusal_key(transaction.request, transaction.to_tag)] = transaction

    def unlist_refused(self, transaction: ServerTransaction) -> None:
        key = refusal_key(transaction.request, transaction.to_tag)
        if self._refused.get(key) is transaction:
            del self._refused[key]

    def unlist_arrival(self, transaction: ServerTransaction) -> None:
        if self._arrivals.get(transaction.arrival) is transaction:
            del self._arrivals[transaction.arrival]
