"""
Digest access authentication for SIP: RFC 3261 section 22 on RFC 2617, with what RFC 2069 left in old telephones (no qop) and
what RFC 7616 asks of new ones (unknown algorithms are passed over). MD5 only: it is what every device of the trade speaks.

The response is computed over the `uri` that the credentials name, not over the Request-URI: telephones write it without the
port or the parameters. Whether it fits the request is for the caller of `verify` to judge, by user and host.
"""

import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from minitelecom.sip.grammar import QUOTED, TOKEN, BadSyntax, quote, unquote

NONCE_SECONDS = 300
# Clocks of two processes of one installation may differ by this much.
SKEW_SECONDS = 5
LONGEST = 8192  # characters of a header we look into

# auth-param = auth-param-name EQUAL ( token / quoted-string ).   Looser: any visible character without quotes.
_PARAMETER = re.compile(rf'[ \t]*+({TOKEN})[ \t]*+=[ \t]*+({QUOTED}|[^\s",]*+)[ \t]*+(?:,[ \t,]*+|$)')
_SCHEME = re.compile(rf"[ \t]*+({TOKEN})[ \t]++")
_HEXADECIMAL = re.compile(r"[0-9A-Fa-f]{32}")
# Written without quotes (RFC 3261 section 25.1: algorithm, qop-value, nc-value, stale).
_UNQUOTED = frozenset({"algorithm", "nc", "stale"})


def _read(text: str) -> dict[str, str]:
    """The parameters of a Digest header; names in lower case. Raises BadSyntax for another scheme too."""
    scheme = _SCHEME.match(text[:LONGEST])
    if scheme is None or scheme[1].lower() != "digest" or len(text) > LONGEST:
        raise BadSyntax("Unknown Authentication Scheme")
    found: dict[str, str] = {}
    position = scheme.end()
    while position < len(text):
        match = _PARAMETER.match(text, position)
        if match is None:
            raise BadSyntax("Bad Digest")
        found.setdefault(match[1].lower(), unquote(match[2]))
        position = match.end()
    return found


def _write(parameters: Iterable[tuple[str, str | None]], unquoted: frozenset[str]) -> str:
    written = (
        f"{name}={value if name in unquoted else quote(value)}" for name, value in parameters if value is not None
    )
    return "Digest " + ", ".join(written)


@dataclass(frozen=True, slots=True)
class Challenge:
    """WWW-Authenticate or Proxy-Authenticate: who are you?"""

    realm: str
    nonce: str
    algorithm: str = "MD5"
    qop: str | None = None
    stale: bool = False
    opaque: str | None = None

    @classmethod
    def parse(cls, text: str) -> "Challenge":
        """Raises BadSyntax where there is no nonce to answer or we don't speak the algorithm or any qop offered."""
        found = _read(text)
        algorithm = found.get("algorithm", "MD5")
        offered = [one.strip().lower() for one in found.get("qop", "").split(",") if one.strip()]
        if "nonce" not in found or algorithm.upper() != "MD5" or (offered and "auth" not in offered):
            raise BadSyntax("Unusable Challenge")
        return cls(
            found.get("realm", ""),
            found["nonce"],
            algorithm,
            "auth" if offered else None,
            found.get("stale", "").lower() == "true",
            found.get("opaque"),
        )

    def header(self) -> str:
        """The header value. Realm and nonce first and alone where that is all there is: the oldest want no more."""
        return _write(
            [
                ("realm", self.realm),
                ("nonce", self.nonce),
                ("algorithm", None if self.algorithm == "MD5" and self.qop is None else self.algorithm),
                ("qop", self.qop),
                ("opaque", self.opaque),
                ("stale", "true" if self.stale else None),
            ],
            _UNQUOTED,
        )


@dataclass(frozen=True, slots=True)
class Credentials:
    """Authorization or Proxy-Authorization: I am."""

    username: str
    realm: str
    nonce: str
    uri: str
    response: str
    algorithm: str | None = None
    cnonce: str | None = None
    opaque: str | None = None
    qop: str | None = None
    nc: str | None = None

    @classmethod
    def parse(cls, text: str) -> "Credentials":
        """Raises BadSyntax; for another scheme as well, which is as if nothing had come (RFC 4475 section 3.3.7)."""
        found = _read(text)
        try:
            return cls(
                found["username"],
                found["realm"],
                found["nonce"],
                found["uri"],
                found["response"],
                found.get("algorithm"),
                found.get("cnonce"),
                found.get("opaque"),
                found.get("qop"),
                found.get("nc"),
            )
        except KeyError as missing:
            raise BadSyntax(f"Digest without {missing.args[0]}") from None

    def __str__(self) -> str:
        return _write(
            [
                ("username", self.username),
                ("realm", self.realm),
                ("nonce", self.nonce),
                ("uri", self.uri),
                ("response", self.response),
                ("algorithm", self.algorithm),
                ("cnonce", self.cnonce),
                ("opaque", self.opaque),
                ("qop", self.qop),
                ("nc", self.nc),
            ],
            _UNQUOTED | {"qop"},
        )


def _md5(text: str) -> str:
    return hashlib.md5(text.encode("utf-8", "surrogateescape"), usedforsecurity=False).hexdigest()


def ha1(username: str, realm: str, password: str) -> str:
    """What a registrar may keep instead of the password."""
    return _md5(f"{username}:{realm}:{password}")


def _response(secret: str, nonce: str, method: str, uri: str, counted: tuple[str, str, str] | None) -> str:
    """RFC 2617 section 3.2.2.1; `counted` is (nc, cnonce, qop), or None for RFC 2069."""
    ha2 = _md5(f"{method}:{uri}")
    middle = "" if counted is None else ":".join(counted) + ":"
    return _md5(f"{secret}:{nonce}:{middle}{ha2}")


def respond(
    challenge: Challenge, username: str, password: str, method: str, uri: str, *, cnonce: str, count: int = 1
) -> Credentials:
    """Our answer to a carrier's challenge."""
    secret = ha1(username, challenge.realm, password)
    nc = f"{count:08x}"
    counted = None if challenge.qop is None else (nc, cnonce, challenge.qop)
    return Credentials(
        username,
        challenge.realm,
        challenge.nonce,
        uri,
        _response(secret, challenge.nonce, method, uri, counted),
        challenge.algorithm,
        None if counted is None else cnonce,
        challenge.opaque,
        challenge.qop,
        None if counted is None else nc,
    )


def verify(credentials: Credentials, secret: str, method: str) -> bool:
    """Whether they come from one who knows the password that `secret`, its HA1, was made of."""
    if (credentials.algorithm or "MD5").upper() != "MD5" or not _HEXADECIMAL.fullmatch(credentials.response):
        return False
    counted = None
    if credentials.qop is not None:
        if credentials.qop.lower() != "auth" or credentials.nc is None or credentials.cnonce is None:
            return False
        counted = (credentials.nc, credentials.cnonce, credentials.qop)
    expected = _response(secret, credentials.nonce, method, credentials.uri, counted)
    return hmac.compare_digest(expected, credentials.response.lower())


class Freshness(Enum):
    """What a nonce is worth."""

    FRESH = "fresh"
    STALE = "stale"
    FORGED = "forged"


FRESH, STALE, FORGED = Freshness


class Nonces:
    """
    Nonces that need no memory: the second they were made in, and an HMAC over it and the address they were given to. One
    taken from the wire is worth nothing from another address, and nothing after NONCE_SECONDS.
    """

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        self._key = key

    def make(self, instant_seconds: int, address: str) -> str:
        moment = f"{instant_seconds:010x}"
        return moment + self._mark(moment, address)

    def check(self, nonce: str, instant_seconds: int, address: str) -> Freshness:
        moment = nonce[:10]
        if not nonce.isascii() or not hmac.compare_digest(nonce[10:], self._mark(moment, address)):
            return FORGED
        age = instant_seconds - int(moment, 16)
        return FRESH if -SKEW_SECONDS <= age < NONCE_SECONDS else STALE

    def _mark(self, moment: str, address: str) -> str:
        return hmac.digest(self._key, f"{moment} {address}".encode(), "sha256").hex()[:32]
