"""
SIP messages as values (RFC 3261 section 7): bytes in, bytes out.

Strategy. The head is decoded once and split into lines; a line is parsed when somebody asks, once. A message nobody changed
is written as the bytes it came in; of a changed one, the untouched lines are. `parse` has read every header that this
program uses, so none of the attributes below raises for a message that came out of it.
"""

import re
from collections.abc import Iterable

from minitelecom.sip import framing
from minitelecom.sip.grammar import TOKEN, BadSyntax, split_values, uint32
from minitelecom.sip.header_lines import Headers
from minitelecom.sip.headers import (
    CSeq,
    NameAddr,
    Via,
    read_call_id,
    read_contacts,
    read_cseq,
    read_from,
    read_record_routes,
    read_routes,
    read_to,
    read_vias,
)
from minitelecom.sip.reasons import REASONS
from minitelecom.sip.uri import Uri

VERSION = "SIP/2.0"
LARGEST_MAX_FORWARDS = 255

# What a response repeats of its request (section 8.2.6.2), and of one that may found a dialog (section 12.1.1).
_REPEATED = ("via", "from", "to", "call-id", "cseq")
_REPEATED_IN_DIALOG = (*_REPEATED, "record-route")
_REPEATED_TRYING = (*_REPEATED, "timestamp")


class MalformedMessage(Exception):
    """
    The peer's fault. `status` and `reason` are what it deserves to hear; `request` is as much of what it sent as an answer
    needs, or None where there is nothing to answer: silence.
    """

    def __init__(self, status: int, reason: str, request: "Request | None" = None) -> None:
        super().__init__(f"{status} {reason}")
        self.status = status
        self.reason = reason
        self.request = request


class Message:
    """What requests and responses have in common."""

    __slots__ = ("_body", "_encoded", "headers")

    def __init__(self, headers: Headers, body: bytes = b"", encoded: bytes | None = None) -> None:
        self.headers = headers
        self._body = body
        self._encoded = encoded

    @property
    def start_line(self) -> str:
        raise NotImplementedError

    @property
    def body(self) -> bytes:
        return self._body

    def trim(self) -> None:
        """Cuts the body to the Content-Length that came with it; raises BadSyntax where that can't be."""
        self._body = framing.trim(self._body, self.headers.value("content-length"))

    def set_body(self, body: bytes, content_type: str | None = None) -> None:
        self._body = body
        self._encoded = None
        if content_type is not None:
            self.headers.set("Content-Type", content_type)

    def encode(self) -> bytes:
        """The message on the wire. Kept, so that sending it again costs nothing."""
        headers = self.headers
        if self._encoded is None or headers.changed:
            length = str(len(self._body))
            if headers.value("content-length") != length:
                headers.set("Content-Length", length)
            head = "\r\n".join([self.start_line, *headers.lines, "", ""])
            self._encoded = head.encode("utf-8", "surrogateescape") + self._body
            headers.changed = False
        return self._encoded

    def get(self, name: str) -> str | None:
        return self.headers.get(name)

    def get_all(self, name: str) -> list[str]:
        return self.headers.get_all(name)

    def set(self, name: str, value: str) -> None:
        self.headers.set(name, value)

    def add(self, name: str, value: str) -> None:
        self.headers.add(name, value)

    def remove(self, name: str) -> None:
        self.headers.remove(name)

    def tokens(self, name: str) -> list[str]:
        """All elements of a header that lists words (Require, Supported, Allow), over all its lines."""
        return [token for value in self.headers.get_all(name) for one in value.split(",") if (token := one.strip())]

    def push_via(self, via: Via) -> None:
        """One hop more, on top."""
        above = [via, *self.vias]
        self.headers.add("Via", str(via), first=True)
        self.headers.remember("via", above)

    def replace_via(self, via: Via) -> None:
        """Another top Via, as when `received` and `rport` are filled in; the others stay as they came."""
        others = self.vias[1:]
        line = self.headers.values("via")[0]
        beside = split_values(line)[1:] if "," in line else []
        self.headers.replace_first("Via", ", ".join([str(via), *beside]))
        self.headers.remember("via", [via, *others])

    @property
    def vias(self) -> list[Via]:
        return self.headers.typed("via", read_vias)

    @property
    def via(self) -> Via:
        """The top one: the last hop."""
        vias = self.vias
        if not vias:
            raise BadSyntax("Missing Via")
        return vias[0]

    @property
    def from_(self) -> NameAddr:
        return self.headers.typed("from", read_from)

    @property
    def to(self) -> NameAddr:
        return self.headers.typed("to", read_to)

    @property
    def contacts(self) -> list[NameAddr]:
        return self.headers.typed("contact", read_contacts)

    @property
    def routes(self) -> list[NameAddr]:
        return self.headers.typed("route", read_routes)

    @property
    def record_routes(self) -> list[NameAddr]:
        return self.headers.typed("record-route", read_record_routes)

    @property
    def cseq(self) -> CSeq:
        return self.headers.typed("cseq", read_cseq)

    @property
    def call_id(self) -> str:
        return self.headers.typed("call-id", read_call_id)

    @property
    def max_forwards(self) -> int | None:
        """None where absent or no number of at most 255 (RFC 4475 section 3.1.2.4: as if absent)."""
        number = uint32(self.headers.value("max-forwards") or "")
        return number if number is not None and number <= LARGEST_MAX_FORWARDS else None

    @property
    def expires(self) -> int | None:
        """Seconds; None where absent or unreadable, which means the default (section 20.19)."""
        return uint32(self.headers.value("expires") or "")

    @property
    def content_type(self) -> str:
        """type/subtype in lower case without parameters; "" without a body's type."""
        value = self.headers.value("content-type") or ""
        return "".join(value.partition(";")[0].split()).lower()


class Request(Message):
    """A method and where it goes."""

    __slots__ = ("_raw_uri", "_uri", "method")

    def __init__(
        self, method: str, raw_uri: str, headers: Headers, body: bytes = b"", encoded: bytes | None = None
    ) -> None:
        super().__init__(headers, body, encoded)
        self.method = method
        self._raw_uri = raw_uri
        self._uri: Uri | None = None

    @classmethod
    def create(
        cls,
        method: str,
        uri: Uri | str,
        headers: Iterable[tuple[str, str]],
        body: bytes = b"",
        content_type: str | None = None,
    ) -> "Request":
        """A request of our own. Content-Length is written by `encode`."""
        request = cls(method, str(uri), Headers(), body)
        _fill(request, headers, content_type)
        return request

    @property
    def start_line(self) -> str:
        return f"{self.method} {self._raw_uri} {VERSION}"

    @property
    def raw_uri(self) -> str:
        return self._raw_uri

    @property
    def uri(self) -> Uri:
        if self._uri is None:
            self._uri = Uri.parse(self._raw_uri)
        return self._uri

    @uri.setter
    def uri(self, uri: Uri) -> None:
        self._uri = uri
        self._raw_uri = str(uri)
        self._encoded = None

    def response(
        self,
        status: int,
        reason: str | None = None,
        *,
        to_tag: str | None = None,
        headers: Iterable[tuple[str, str]] = (),
        body: bytes = b"",
        content_type: str | None = None,
    ) -> "Response":
        """An answer to this request (section 8.2.6). A To that has a tag keeps it."""
        repeated = _REPEATED_IN_DIALOG if 100 < status < 300 else _REPEATED_TRYING if status == 100 else _REPEATED
        response = Response(status, reason or REASONS.get(status, "Unknown"), self.headers.copy(*repeated))
        if to_tag is not None:
            _tag(response, to_tag)
        response._body = body  # noqa: SLF001 - a message of this module
        _fill(response, headers, content_type)
        return response

    def __repr__(self) -> str:
        return f"<Request {self.method} {self._raw_uri}>"


class Response(Message):
    """A status and its reason."""

    __slots__ = ("reason", "status")

    def __init__(
        self, status: int, reason: str, headers: Headers, body: bytes = b"", encoded: bytes | None = None
    ) -> None:
        super().__init__(headers, body, encoded)
        self.status = status
        self.reason = reason

    @property
    def start_line(self) -> str:
        return f"{VERSION} {self.status} {self.reason}"

    def __repr__(self) -> str:
        return f"<Response {self.status} {self.reason}>"


def _fill(message: Message, headers: Iterable[tuple[str, str]], content_type: str | None) -> None:
    for name, value in headers:
        message.headers.add(name, value)
    if content_type is not None:
        message.headers.add("Content-Type", content_type)


def _tag(response: Response, tag: str) -> None:
    """Adds the tag to a To that has none. A To that can't be read goes back as it came: its request is being refused."""
    try:
        to = response.to
    except BadSyntax:
        return
    if to.tag is None:
        value = response.headers.value("to") or ""
        empty = "tag" in to.parameters
        response.headers.set("To", str(to.with_tag(tag)) if empty else f"{value};tag={tag}")


# Request-Line = Method SP Request-URI SP SIP-Version CRLF.   Looser: blanks at its end, which promise nothing else.
_REQUEST_LINE = re.compile(rf"({TOKEN}) (\S++) (?i:SIP/2\.0)[ \t]*+")
# Status-Line = SIP-Version SP Status-Code SP Reason-Phrase CRLF.   Looser: no blank before a reason that is empty.
_STATUS_LINE = re.compile(r"(?i:SIP/2\.0) ([1-6][0-9][0-9])(?: (.*+))?")
# What was meant as a request, and deserves to hear why it is none.
_MEANT_AS_REQUEST = re.compile(rf"({TOKEN})[ \t]++(\S.*)[ \t](SIP/[0-9]++\.[0-9]++)[ \t]*+", re.IGNORECASE)

# Headers of which a second line contradicts the first (RFC 4475 sections 3.3.8 and 3.3.9).
_SINGLE = ("from", "to", "call-id", "cseq", "max-forwards", "content-length")


def parse(data: bytes) -> Request | Response:
    """Reads one datagram. Raises MalformedMessage and nothing else."""
    try:
        text, body = framing.split(data)
    except BadSyntax as fault:
        raise MalformedMessage(fault.status, fault.reason) from None
    start_line, _, lines = text.partition("\r\n")
    headers = Headers.split(lines)
    status_line = _STATUS_LINE.fullmatch(start_line)
    if status_line is None:
        return _read_request(start_line, headers, body, data)
    response = Response(int(status_line[1]), status_line[2] or "", headers, body, data)
    try:
        _finish(response)
    except BadSyntax as fault:
        raise MalformedMessage(fault.status, fault.reason) from None
    return response


def _read_request(start_line: str, headers: Headers, body: bytes, data: bytes) -> Request:
    fault: BadSyntax | None = None
    request_line = _REQUEST_LINE.fullmatch(start_line)
    if request_line is None:
        request_line = _MEANT_AS_REQUEST.fullmatch(start_line)
        if request_line is None:
            raise MalformedMessage(400, "Bad Start-Line")
        version = request_line[3].upper()
        fault = BadSyntax("Bad Request-Line") if version == VERSION else BadSyntax("Version Not Supported", 505)
    request = Request(request_line[1], request_line[2], headers, body, data)
    try:
        if fault is not None:
            raise fault
        if request.uri.headers:
            raise BadSyntax("Headers in Request-URI")
        _finish(request)
        if request.cseq.method != request.method:
            raise BadSyntax("CSeq Method Mismatch")
    except BadSyntax as fault:
        raise MalformedMessage(fault.status, fault.reason, _answerable(request)) from None
    return request


def _check_single(keys: list[str]) -> None:
    for key in _SINGLE:
        if keys.count(key) > 1:
            raise BadSyntax(f"More Than One {key.title()}")


def _finish(message: Message) -> None:
    """Trims the body and reads every header that has an attribute, so that a broken one is found here and nowhere else."""
    headers = message.headers
    if headers.fault is not None:
        raise headers.fault
    keys = headers.keys
    if headers.has_repeats():
        _check_single(keys)
    message.trim()
    _ = message.via, message.from_, message.to, message.cseq, message.call_id
    if "contact" in keys:
        stars = [contact.is_star for contact in message.contacts]
        if any(stars) and len(stars) > 1:
            raise BadSyntax("Bad Contact")
    if "record-route" in keys:
        _ = message.record_routes
    if "route" in keys:
        _ = message.routes


def _answerable(request: Request) -> Request | None:
    """The request, if an answer to it would find its way: an ACK gets none (section 17), nor does one without a Via."""
    if request.method == "ACK":
        return None
    try:
        top = request.headers.get_all("via")[:1]
        values = split_values(top[0]) if top else []
        _ = Via.parse(values[0]) if values else None
    except BadSyntax:
        return None
    return request if values else None
