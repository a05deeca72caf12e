"""
Which transaction a request belongs to (RFC 3261 section 17.2.3), whether it came twice on two ways (8.2.2.2), and where from (18.2.1).

A branch with the cookie of RFC 3261 is enough together with sent-by. Without one (an ATA 186 sends no branch at all) it
is what RFC 2543 offers, but for the Request-URI, which the ACKs of such telephones don't repeat.
"""

from collections.abc import Callable
from enum import Enum
from typing import NamedTuple

from minitelecom.sip.grammar import BadSyntax
from minitelecom.sip.hop import Hop, is_address
from minitelecom.sip.message import Request

Key = tuple[object, ...]


class Marks(Enum):
    """How the Via of an answer shows where its request came from, where that is not what the Via said."""

    AS_ASKED = "as asked"  # rport where it was asked for, received by 18.2.1
    WITHHELD = "withheld"  # not at all: some ATAs begin anew when they meet a `received` they have no use for
    FORCED = "forced"  # rport too, as if it had been asked for


class Manner(NamedTuple):
    """How somebody is answered who did not ask for rport."""

    marks: Marks = Marks.AS_ASKED
    answered_at_via: bool = False
    """At the port of its Via (18.2.2), as one that listens elsewhere than it sends from; else where it was heard."""


PLAIN = Manner()


def server_key(request: Request, source: Hop) -> Key:
    """An ACK has the key of its INVITE. The first element is the method, so that a CANCEL finds its INVITE by another."""
    method = "INVITE" if request.method == "ACK" else request.method
    via = request.via
    if via.is_unique:
        return method, via.branch, via.sent_by
    # The port of the source is left out: a router may change it between two datagrams.
    return method, request.call_id, request.cseq.number, request.from_.tag, via.branch, via.sent_by, source.host


def invite_key(key: Key) -> Key:
    """The key of the INVITE that a CANCEL of this key means (9.2)."""
    return ("INVITE", *key[1:])


def refusal_key(request: Request, to_tag: str | None) -> Key:
    """What an INVITE that was refused and its ACK have in common besides the branch."""
    return request.call_id, request.cseq.number, request.from_.tag, to_tag


def arrival_key(request: Request) -> Key | None:
    """8.2.2.2: two requests outside a dialog that agree in this are one request that came on two ways."""
    if request.method in {"ACK", "CANCEL"} or request.to.tag is not None:
        return None
    return request.from_.tag, request.call_id, request.cseq


def opened_anew(request: Request, gone: Hop) -> Hop:
    """18.2.2: who cannot be answered by the connection that it opened may listen at the port that its Via says."""
    host, port = request.via.sent_by
    return Hop(gone.transport, gone.host, port, "" if is_address(host.strip("[]")) else host)


def mark(request: Request, source: Hop, manner_of: Callable[[Request], Manner]) -> Hop:
    """
    Fill in `received` and `rport` (18.2.1, RFC 3581), and say where the answer goes: to where the request came from,
    whatever its Via says. Only who does not ask for rport, and comes from elsewhere than it says, may want it otherwise.
    """
    try:
        via = request.via
    except BadSyntax:  # a malformed request is answered as well as can be
        return source
    if via.wants_rport:
        request.replace_via(via.with_parameters(received=source.host, rport=str(source.port)))
        return source
    host, port = via.sent_by
    is_elsewhere = host.strip("[]") != source.host
    if not is_elsewhere and port == source.port:
        return source
    marks, answered_at_via = manner_of(request)
    if marks is Marks.FORCED:
        request.replace_via(via.with_parameters(received=source.host, rport=str(source.port)))
    elif is_elsewhere and marks is not Marks.WITHHELD:
        request.replace_via(via.with_parameters(received=source.host))
    return source._replace(port=port) if answered_at_via and source.transport == "udp" else source
