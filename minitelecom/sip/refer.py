"""
Transfer in messages: Refer-To (RFC 3515 section 2.1), and how far it has come as a status line (sipfrag, RFC 3420).

    Refer-To = ( name-addr / addr-spec ) *( SEMI generic-param )

What is referred to is a call: an INVITE to a SIP address or a telephone number (RFC 3966), perhaps in place of a dialog.
"""

import re
from dataclasses import dataclass

from minitelecom.sip.grammar import BadSyntax
from minitelecom.sip.headers import NameAddr
from minitelecom.sip.message import VERSION, Request
from minitelecom.sip.reasons import REASONS
from minitelecom.sip.replaces import Replaces
from minitelecom.sip.uri import Uri

NOREFERSUB = "norefersub"
FRAGMENT = "message/sipfrag;version=2.0"

_STATUS_LINE = re.compile(rb"SIP/2\.0 ([1-6][0-9][0-9]) ")
_SEPARATORS = str.maketrans("", "", "-.()")  # RFC 3966 section 5.1.1: for the eye only


@dataclass(frozen=True, slots=True)
class ReferTo:
    """``uri`` without the headers that came in it; of those only Replaces is known."""

    uri: Uri
    replaces: Replaces | None = None

    @classmethod
    def parse(cls, text: str) -> "ReferTo":
        """Raises BadSyntax, where it is no call with 603 (RFC 3515 section 2.4.2 leaves the status open)."""
        uri = NameAddr.parse(text).uri
        if uri.scheme == "tel":
            return cls(uri)
        if not uri.is_sip or (uri.parameters.get("method") or "INVITE").upper() != "INVITE":
            raise BadSyntax("Only Calls Can Be Transferred", 603)
        replaces = next((value for name, value in uri.headers.items() if name.lower() == "replaces"), None)
        plain = Uri(uri.scheme, uri.user, uri.password, uri.host, uri.port, dict(uri.parameters))
        return cls(plain, None if replaces is None else Replaces.parse(replaces))

    @property
    def dialled(self) -> str:
        """What a telephone would have dialled instead; empty where nobody in particular is meant."""
        if self.uri.scheme == "tel":
            return self.uri.opaque.partition(";")[0].translate(_SEPARATORS)
        return self.uri.user or ""

    def __str__(self) -> str:
        if self.replaces is None:
            return f"<{self.uri}>"
        uri = self.uri
        headers = {"Replaces": str(self.replaces)}
        return f"<{Uri(uri.scheme, uri.user, uri.password, uri.host, uri.port, dict(uri.parameters), headers)}>"


def wants_no_news(request: Request) -> bool:
    """RFC 4488: whoever refers does not want to be told how it goes."""
    return (request.get("Refer-Sub") or "").partition(";")[0].strip().lower() == "false"


def fragment(status: int) -> bytes:
    """How far a transfer has come."""
    return f"{VERSION} {status} {REASONS.get(status, 'Unknown')}\r\n".encode()


def status_of(body: bytes) -> int | None:
    """The status in a fragment, where it begins with one."""
    match = _STATUS_LINE.match(body)
    return None if match is None else int(match[1])
