"""
Which transaction a request belongs to (RFC 3261 section 17.2.3), whether it came twice on two ways (8.2.2.2), and where from (18.2.1).

A branch with the cookie of RFC 3261 is enough together with sent-by. Without one (an ATA 186 sends no branch at all) it
is what RFC 2543 offers, but for the Request-URI, which the ACKs of such telephones don't repeat.
"""

from minitelecom.sip.grammar import BadSyntax
from minitelecom.sip.hop import Hop
from minitelecom.sip.message import Request

Key = tuple[object, ...]


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


def mark(request: Request, source: Hop) -> None:
    """
    Fill in `received` and `rport` (18.2.1, RFC 3581): only where asked, or where the address differs. Some ATAs begin
    anew when they meet a `received` they have no use for.
    """
    try:
        via = request.via
    except BadSyntax:  # a malformed request is answered as well as can be
        return
    if via.wants_rport:
        request.replace_via(via.with_parameters(received=source.host, rport=str(source.port)))
    elif via.host.strip("[]").lower() != source.host:
        request.replace_via(via.with_parameters(received=source.host))
