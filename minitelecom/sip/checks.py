"""
What a user agent asks of a well-formed request before it looks at the meaning: RFC 3261 section 8.2, in its order (method,
header, content), with RFC 4475 section 3.3 for the cases. Pure: the answer to send, or None for "go on".
"""

from collections.abc import Collection
from typing import NamedTuple

from minitelecom.sip.message import Request, Response

# The IANA register of methods. One of these that we don't serve is 405, any other word is 501 (sections 21.4.6, 21.5.2).
REGISTERED_METHODS = frozenset(
    {
        "ACK",
        "BYE",
        "CANCEL",
        "INFO",
        "INVITE",
        "MESSAGE",
        "NOTIFY",
        "OPTIONS",
        "PRACK",
        "PUBLISH",
        "REFER",
        "REGISTER",
        "SUBSCRIBE",
        "UPDATE",
    }
)
SDP = "application/sdp"
# Bodies of these methods mean a session; elsewhere the method's own user judges the type (INFO carries keys).
_SESSION_METHODS = frozenset({"INVITE", "UPDATE", "PRACK"})
DEFAULT_HOPS = 70


class Refusal(NamedTuple):
    """An answer to send instead of serving the request."""

    status: int
    reason: str
    headers: tuple[tuple[str, str], ...] = ()


def refusal(
    request: Request,
    methods: Collection[str],
    *,
    extensions: Collection[str] = (),
    content_types: Collection[str] = (SDP,),
) -> Refusal | None:
    """
    Why we won't serve this request, if so. `methods` are the ones the caller serves, `extensions` the option tags it
    supports, `content_types` what it reads in an INVITE. An ACK is never refused: there is no answer to it.
    """
    if request.method == "ACK":
        return None
    return (
        _method_refusal(request, methods)
        or _address_refusal(request)
        or _extension_refusal(request, extensions)
        or _content_refusal(request, content_types)
    )


def onward_hops(request: Request) -> int | None:
    """The Max-Forwards of a call passed on, or None where it has gone round too often: 483 (section 16.3)."""
    if request.max_forwards is None:
        return DEFAULT_HOPS
    return request.max_forwards - 1 if request.max_forwards > 0 else None


def is_astray(response: Response) -> bool:
    """A response with more than our own Via was meant for somebody else: dropped (sections 8.1.3.3 and 18.1.2)."""
    return len(response.vias) > 1


def _method_refusal(request: Request, methods: Collection[str]) -> Refusal | None:
    if request.method in methods:
        return None
    allow = (("Allow", ", ".join(sorted(methods))),)
    if request.method in REGISTERED_METHODS:
        return Refusal(405, "Method Not Allowed", allow)
    return Refusal(501, "Not Implemented", allow)


def _address_refusal(request: Request) -> Refusal | None:
    if not request.uri.is_sip:
        return Refusal(416, "Unsupported URI Scheme")
    if request.method == "REGISTER" and not request.to.uri.is_sip:
        return Refusal(400, "Address of Record Is No SIP URI")  # RFC 4475 section 3.3.4
    return None


def _extension_refusal(request: Request, extensions: Collection[str]) -> Refusal | None:
    if request.method == "CANCEL":
        return None  # section 8.2.2.3
    unsupported = [tag for tag in request.tokens("Require") if tag.lower() not in extensions]
    if unsupported:
        return Refusal(420, "Bad Extension", (("Unsupported", ", ".join(unsupported)),))
    if "replaces" in request.headers and request.method != "INVITE":
        return Refusal(400, "Replaces Is for INVITE")  # RFC 3891 section 3
    return None


def _content_refusal(request: Request, content_types: Collection[str]) -> Refusal | None:
    if request.body:
        encodings = [encoding.lower() for encoding in request.tokens("Content-Encoding")]
        if any(encoding != "identity" for encoding in encodings):
            return Refusal(415, "Unsupported Media Type", (("Accept-Encoding", "identity"),))
        if (
            request.method in _SESSION_METHODS
            and request.content_type not in content_types
            and not _is_optional(request)
        ):
            return Refusal(415, "Unsupported Media Type", (("Accept", ", ".join(content_types)),))
    if request.method == "INVITE" and not _accepts(request, SDP):
        return Refusal(406, "Not Acceptable", (("Warning", '399 minitelecom "Only application/sdp can be answered"'),))
    return None


def _is_optional(request: Request) -> bool:
    """Content-Disposition with handling=optional: not understanding the body is no harm (section 20.11)."""
    return "handling=optional" in (request.get("Content-Disposition") or "").lower().replace(" ", "")


def _accepts(request: Request, content_type: str) -> bool:
    """Whether the peer can read it (section 20.1: without Accept it can read SDP; an empty one reads nothing)."""
    if "accept" not in request.headers:
        return True
    ranges = [
        "".join(one.partition(";")[0].split()).lower()
        for value in request.get_all("Accept")
        for one in value.split(",")
    ]
    return bool({content_type, content_type.partition("/")[0] + "/*", "*/*"}.intersection(ranges))
