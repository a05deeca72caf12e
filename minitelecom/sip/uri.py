"""
SIP and SIPS URIs (RFC 3261 section 19.1), and any other URI as an opaque text (section 25: absoluteURI).

A Uri is a value: make another one by `replace`. One that was read is written as it came, byte for byte.
"""

import functools
import ipaddress
import re

from minitelecom.sip.grammar import HOST, BadSyntax, check_escapes, escape, unescape

# SIP-URI = "sip:" [ userinfo ] hostport uri-parameters [ headers ]
# userinfo = ( user / telephone-subscriber ) [ ":" password ] "@".   Looser: "#" in a user, as telephones dial *31#….
_SIP_URI = re.compile(
    r"([sS][iI][pP][sS]?):"
    r'(?:([^\x00-\x20<>"@:\\\x7f-\U0010ffff]++)(?::([^\x00-\x20<>"@\\\x7f-\U0010ffff]*+))?@)?'
    rf"({HOST})(?::([0-9]{{1,5}}))?"
    r'(;[^\x00-\x20<>"?@\\\x7f-\U0010ffff]*+)?'
    r'(?:\?([^\x00-\x20<>"@\\\x7f-\U0010ffff]*+))?'
)
# absoluteURI = scheme ":" ( hier-part / opaque-part )
_ABSOLUTE_URI = re.compile(r'([A-Za-z][A-Za-z0-9+.\-]*+):([^\x00-\x20<>"\x7f-\U0010ffff]++)')

_USER_ALLOWED = "&=+$,;?/#"
_PARAMETER_ALLOWED = "[]/:&+$"
# The same telephones and numbers come again with every message, so what they read as is remembered.
MOST_REMEMBERED = 4096
LONGEST_REMEMBERED = 256
# A parameter that only one of two URIs has is ignored, but for these (section 19.1.4).
_WEIGHTY = ("user", "ttl", "method", "maddr", "transport")


def check_host(host: str) -> None:
    """Raises BadSyntax for a bracketed host that is no IPv6 address."""
    if host[0] != "[":
        return
    try:
        # RFC 5118 section 4.10: three colons were grammatical in RFC 3261, by mistake; some still write them.
        ipaddress.IPv6Address(host[1:-1].replace(":::", "::"))
    except ValueError:
        raise BadSyntax("Bad IPv6 Reference") from None


def check_port(port: str) -> int:
    number = int(port)
    if number > 65535:
        raise BadSyntax("Bad Port")
    return number


class Uri:
    """A SIP URI in its parts, or `scheme` and `opaque` of any other."""

    __slots__ = (
        "_headers",
        "_parameters",
        "_text",
        "host",
        "opaque",
        "password",
        "port",
        "raw_headers",
        "raw_parameters",
        "raw_user",
        "scheme",
    )

    def __init__(
        self,
        scheme: str = "sip",
        user: str | None = None,
        password: str | None = None,
        host: str = "",
        port: int | None = None,
        parameters: dict[str, str | None] | None = None,
        headers: dict[str, str] | None = None,
        opaque: str = "",
    ) -> None:
        self.scheme = scheme
        self.raw_user = user if user is None else escape(user, _USER_ALLOWED)
        self.password = password
        self.host = host
        self.port = port
        self.opaque = opaque
        self.raw_parameters = "" if not parameters else _write_parameters(parameters)
        self.raw_headers = "" if not headers else _write_headers(headers)
        self._parameters: dict[str, str | None] | None = None
        self._headers: dict[str, str] | None = None
        self._text: str | None = None

    @classmethod
    def parse(cls, text: str | bytes) -> "Uri":
        """Raises BadSyntax."""
        if isinstance(text, bytes):
            text = text.decode("utf-8", "surrogateescape")
        return _remembered(text) if len(text) <= LONGEST_REMEMBERED else cls._read(text)

    @classmethod
    def _read(cls, text: str) -> "Uri":
        if "%" in text:
            check_escapes(text)
        match = _SIP_URI.fullmatch(text)
        if match is None:
            return cls._parse_other(text)
        scheme, user, password, host, port, parameters, headers = match.groups()
        if host[0] == "[":
            check_host(host)
        uri = cls(scheme.lower(), None, password, host, None if port is None else check_port(port))
        uri.raw_user = user
        uri.raw_parameters = parameters or ""
        uri.raw_headers = headers or ""
        return uri.keep(text)

    def keep(self, text: str) -> "Uri":
        """Remembers how it was written."""
        self._text = text
        return self

    @classmethod
    def _parse_other(cls, text: str) -> "Uri":
        match = _ABSOLUTE_URI.fullmatch(text)
        if match is None or match[1].lower() in {"sip", "sips"}:
            raise BadSyntax("Bad URI")
        return cls(match[1].lower(), opaque=match[2]).keep(text)

    @property
    def is_sip(self) -> bool:
        return self.scheme in {"sip", "sips"}

    @property
    def user(self) -> str | None:
        """Without escapes: sip:%61@host has the user "a"."""
        return self.raw_user if self.raw_user is None else unescape(self.raw_user)

    @property
    def parameters(self) -> dict[str, str | None]:
        """Names in lower case, names and values without escapes. To be read, not changed."""
        if self._parameters is None:
            found: dict[str, str | None] = {}
            for part in self.raw_parameters.split(";"):
                if part:
                    name, equals, value = part.partition("=")
                    found.setdefault(unescape(name).lower(), unescape(value) if equals else None)
            self._parameters = found
        return self._parameters

    @property
    def headers(self) -> dict[str, str]:
        if self._headers is None:
            found: dict[str, str] = {}
            for part in self.raw_headers.split("&"):
                if part:
                    name, _, value = part.partition("=")
                    found.setdefault(unescape(name), unescape(value))
            self._headers = found
        return self._headers

    @property
    def is_loose(self) -> bool:
        """A route with `lr`: its server routes loosely (section 19.1.1)."""
        return "lr" in self.parameters

    @property
    def hostport(self) -> str:
        return self.host if self.port is None else f"{self.host}:{self.port}"

    def replace(
        self,
        *,
        user: str | None = None,
        host: str | None = None,
        port: int | None = None,
        parameters: dict[str, str | None] | None = None,
    ) -> "Uri":
        """The same URI with other parts; a new host without a port drops the old port."""
        return Uri(
            self.scheme,
            self.user if user is None else user,
            self.password,
            self.host if host is None else host,
            self.port if port is None and host is None else port,
            dict(self.parameters if parameters is None else parameters),
            dict(self.headers),
            self.opaque,
        )

    def __str__(self) -> str:
        if self._text is None:
            self._text = self._write()
        return self._text

    def _write(self) -> str:
        if not self.is_sip:
            return f"{self.scheme}:{self.opaque}"
        password = "" if self.password is None else f":{self.password}"
        userinfo = "" if self.raw_user is None else f"{self.raw_user}{password}@"
        headers = f"?{self.raw_headers}" if self.raw_headers else ""
        return f"{self.scheme}:{userinfo}{self.hostport}{self.raw_parameters}{headers}"

    def __repr__(self) -> str:
        return f"Uri({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        """The same text. What RFC 3261 calls equal is `equivalent`."""
        return isinstance(other, Uri) and str(self) == str(other)

    def __hash__(self) -> int:
        return hash(str(self))

    def equivalent(self, other: "Uri") -> bool:
        """Equality of RFC 3261 section 19.1.4."""
        if self.scheme != other.scheme:
            return False
        if not self.is_sip:
            return self.opaque == other.opaque
        if (self.user, self.password, self.port) != (other.user, other.password, other.port):
            return False
        if self.host.lower() != other.host.lower():
            return False
        ours, theirs = _folded(self.parameters), _folded(other.parameters)
        if any((name in ours) != (name in theirs) for name in _WEIGHTY):
            return False
        if any(ours[name] != theirs[name] for name in ours.keys() & theirs.keys()):
            return False
        return _lowered(self.headers) == _lowered(other.headers)


@functools.lru_cache(MOST_REMEMBERED)
def _remembered(text: str) -> Uri:
    return Uri._read(text)  # noqa: SLF001 - its own cache


def _folded(parameters: dict[str, str | None]) -> dict[str, str | None]:
    return {name: value and value.lower() for name, value in parameters.items()}


def _lowered(headers: dict[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _write_parameters(parameters: dict[str, str | None]) -> str:
    return "".join(
        f";{escape(name, '')}" + ("" if value is None else f"={escape(value, _PARAMETER_ALLOWED)}")
        for name, value in parameters.items()
    )


def _write_headers(headers: dict[str, str]) -> str:
    return "&".join(f"{escape(name, '')}={escape(value, '')}" for name, value in headers.items())
