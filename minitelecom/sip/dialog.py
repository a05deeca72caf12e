"""
A dialog: RFC 3261 section 12. Who we are to each other, where requests go and by which way, and in which order.

Whether it is loose or strict routing (12.2.1.1) is seen by the first route alone. A far end of RFC 2543 may have no tag.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

from minitelecom.sip.headers import NameAddr
from minitelecom.sip.message import Message, Request, Response
from minitelecom.sip.uri import Uri

MAX_FORWARDS = "70"
OUT_OF_ORDER = frozenset({"ACK", "CANCEL"})
"""They repeat the number of their INVITE."""

Header = tuple[str, str]


@dataclass(slots=True)
class Dialog:
    call_id: str
    local_tag: str
    remote_tag: str | None
    local_uri: str
    """The address with its display name, as in From, without the tag."""
    remote_uri: str
    remote_target: Uri
    route_set: list[NameAddr]
    local_sequence: int
    remote_sequence: int | None
    early: bool

    @classmethod
    def as_uas(cls, request: Request, local_tag: str) -> Self:
        """12.1.1: the dialog that our answer to this request founds."""
        return cls(
            call_id=request.call_id,
            local_tag=local_tag,
            remote_tag=request.from_.tag,
            local_uri=_without_tag(request.to),
            remote_uri=_without_tag(request.from_),
            remote_target=_target(request, request.from_.uri),
            route_set=list(request.record_routes),
            local_sequence=0,
            remote_sequence=request.cseq.number,
            early=True,
        )

    @classmethod
    def as_uac(cls, request: Request, response: Response) -> Self:
        """12.1.2: the dialog that this answer to our request founds."""
        return cls(
            call_id=request.call_id,
            local_tag=request.from_.tag or "",
            remote_tag=response.to.tag,
            local_uri=_without_tag(request.from_),
            remote_uri=_without_tag(request.to),
            remote_target=_target(response, request.uri),
            route_set=list(reversed(response.record_routes)),
            local_sequence=request.cseq.number,
            remote_sequence=None,
            early=response.status < 200,
        )

    @property
    def key(self) -> tuple[str, str, str | None]:
        return self.call_id, self.local_tag, self.remote_tag

    @property
    def next_hop(self) -> Uri:
        """Where a request goes first (8.1.2)."""
        return self.route_set[0].uri if self.route_set else self.remote_target

    def request(
        self, method: str, headers: Iterable[Header] = (), body: bytes = b"", content_type: str | None = None
    ) -> Request:
        """12.2.1.1: a request of ours, with the next number; the transaction layer adds the Via."""
        self.local_sequence += 1
        return self._write(method, self.local_sequence, headers, body, content_type)

    def ack(
        self,
        invite_sequence: int,
        headers: Iterable[Header] = (),
        body: bytes = b"",
        content_type: str | None = None,
    ) -> Request:
        """13.2.2.4: the ACK of a 2xx, with the number of its INVITE."""
        return self._write("ACK", invite_sequence, headers, body, content_type)

    def in_order(self, request: Request) -> bool:
        """12.2.2: a request with a lower number than the last is answered 500. One that is in order is remembered."""
        if request.method in OUT_OF_ORDER:
            return True
        if self.remote_sequence is not None and request.cseq.number < self.remote_sequence:
            return False
        self.remote_sequence = request.cseq.number
        return True

    def update(self, message: Message) -> None:
        """
        A target refresh (12.2.1.2, 12.2.2): a re-INVITE of theirs, or a 2xx to one of ours. The 2xx that confirms
        an early dialog also brings the final route set (13.2.2.4).
        """
        self.remote_target = _target(message, self.remote_target)
        if self.early and isinstance(message, Response) and message.status >= 200:
            self.early = False
            self.route_set = list(reversed(message.record_routes))

    def _write(
        self, method: str, sequence: int, headers: Iterable[Header], body: bytes, content_type: str | None
    ) -> Request:
        request_uri, routes = self._way()
        to_tag = "" if self.remote_tag is None else f";tag={self.remote_tag}"
        lines = [
            ("Max-Forwards", MAX_FORWARDS),
            *(("Route", str(route)) for route in routes),
            ("From", f"{self.local_uri};tag={self.local_tag}"),
            ("To", f"{self.remote_uri}{to_tag}"),
            ("Call-ID", self.call_id),
            ("CSeq", f"{sequence} {method}"),
            *headers,
        ]
        return Request.create(method, request_uri, lines, body, content_type)

    def _way(self) -> tuple[Uri, Sequence[NameAddr]]:
        """Request-URI and Route. To a strict router the request goes as if it were for it; the target comes last."""
        if not self.route_set or self.route_set[0].uri.is_loose:
            return self.remote_target, self.route_set
        return self.route_set[0].uri, [*self.route_set[1:], NameAddr("", self.remote_target)]


def _target(message: Message, otherwise: Uri) -> Uri:
    """The Contact; a far end of RFC 2543 need not give one."""
    contacts = message.contacts
    return contacts[0].uri if contacts and not contacts[0].is_star else otherwise


def _without_tag(address: NameAddr) -> str:
    parameters = {name: value for name, value in address.parameters.items() if name != "tag"}
    return str(NameAddr(address.display, address.uri, parameters))
