"""
Digest access authentication for SIP: RFC 3261 section 22 with the algorithms of RFC 7616 and 8760, and with what RFC 2069 left
in old telephones (no qop). Which nonces are worth something, and how often, is nonces.py's.

The response is computed over the `uri` that the credentials name, not over the Request-URI: telephones write it without the
port or the parameters. Whether it fits the request is for the caller of `verify` to judge.

RFC 8760 knows no userhash: a challenge that offers one is answered with the name as it is, which RFC 7616 section 3.4.4 allows.
"""

import hashlib
import hmac
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from minitelecom.sip.grammar import QUOTED, TOKEN, BadSyntax, quote, unquote

LONGEST = 8192  # characters of a header we look into

# auth-param = auth-param-name EQUAL ( token / quoted-string ).   Looser: any visible character without quotes.
_PARAMETER = re.compile(rf'[ \t]*+({TOKEN})[ \t]*+=[ \t]*+({QUOTED}|[^\s",]*+)[ \t]*+(?:,[ \t,]*+|$)')
_SCHEME = re.compile(rf"[ \t]*+({TOKEN})[ \t]++")
_HEXADECIMAL = re.compile(r"[0-9A-Fa-f]++")
_NONCE_COUNT = re.compile(r"[0-9A-Fa-f]{1,8}")  # 8LHEX; looser: without the zeros
# Written without quotes (RFC 3261 section 25.1: algorithm, qop-value, nc-value, stale).
_UNQUOTED = frozenset({"algorithm", "nc", "stale"})


def _md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _sha512_256(data: bytes) -> str:
    """With initial values of its own (FIPS 180-4 section 5.3.6.2), so no truncated SHA-512."""
    return hashlib.new("sha512_256", data).hexdigest()


_HASHES: dict[str, Callable[[bytes], str]] = {"MD5": _md5, "SHA-256": _sha256}
"""By name, the weakest first. With -sess behind it each is spoken, too."""

if "sha512_256" in hashlib.algorithms_available:  # wherever OpenSSL is younger than 2018
    _HASHES["SHA-512-256"] = _sha512_256

_SESSION = "-SESS"


def _hash_name(algorithm: str | None) -> str:
    """Without a word about it MD5 is meant (RFC 3261 section 22.4)."""
    return (algorithm or "MD5").upper().removesuffix(_SESSION)


def _is_session(algorithm: str | None) -> bool:
    return algorithm is not None and algorithm.upper().endswith(_SESSION)


def _hash(algorithm: str | None, text: str) -> str:
    return _HASHES[_hash_name(algorithm)](text.encode("utf-8", "surrogateescape"))


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


_QOPS = ("auth", "auth-int")  # what we do, and what we do only where nothing else will do


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
        qop = next((one for one in _QOPS if one in offered), None)
        answerable = qop is not None if offered else not _is_session(algorithm)  # a session is made of a cnonce
        if "nonce" not in found or _hash_name(algorithm) not in _HASHES or not answerable:
            raise BadSyntax("Unusable Challenge")
        return cls(
            found.get("realm", ""),
            found["nonce"],
            algorithm,
            qop,
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

    @property
    def count(self) -> int | None:
        """The nonce count as a number; None without qop. Of credentials that `is_spoken` accepts."""
        return None if self.qop is None or self.nc is None else int(self.nc, 16)

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


def ha1(username: str, realm: str, password: str, algorithm: str | None = None) -> str:
    """What a registrar may keep instead of the password, for this algorithm; raises KeyError for one we don't speak."""
    return _hash(algorithm, f"{username}:{realm}:{password}")


def _response(credentials: Credentials, secret: str, method: str, body: bytes) -> str:
    """RFC 7616 section 3.4.1; without qop RFC 2069."""
    algorithm, nonce = credentials.algorithm, credentials.nonce
    if _is_session(algorithm):
        secret = _hash(algorithm, f"{secret}:{nonce}:{credentials.cnonce}")
    qop = credentials.qop
    if qop is None:
        return _hash(algorithm, f"{secret}:{nonce}:{_hash(algorithm, f'{method}:{credentials.uri}')}")
    a2 = f"{method}:{credentials.uri}"
    if qop.lower() == "auth-int":
        a2 += f":{_HASHES[_hash_name(algorithm)](body)}"
    return _hash(algorithm, f"{secret}:{nonce}:{credentials.nc}:{credentials.cnonce}:{qop}:{_hash(algorithm, a2)}")


def respond(
    challenge: Challenge,
    username: str,
    password: str,
    method: str,
    uri: str,
    *,
    cnonce: str,
    count: int = 1,
    body: bytes = b"",
) -> Credentials:
    """Our answer to a carrier's challenge."""
    counted = challenge.qop is not None
    credentials = Credentials(
        username,
        challenge.realm,
        challenge.nonce,
        uri,
        "",
        challenge.algorithm,
        cnonce if counted else None,
        challenge.opaque,
        challenge.qop,
        f"{count:08x}" if counted else None,
    )
    secret = ha1(username, challenge.realm, password, challenge.algorithm)
    return replace(credentials, response=_response(credentials, secret, method, body))


def strongest(values: Iterable[str]) -> Challenge | None:
    """
    Of the challenges in a response the one to answer: with the strongest hash, and of those the topmost, which whoever asks
    likes best (RFC 8760 section 2.4, which leaves the order to our policy). None where we can answer none of them.
    """
    order = list(_HASHES)
    best: Challenge | None = None
    for value in values:
        try:
            challenge = Challenge.parse(value)
        except BadSyntax:  # a scheme or an algorithm that we do not speak
            continue
        if best is None or order.index(_hash_name(challenge.algorithm)) > order.index(_hash_name(best.algorithm)):
            best = challenge
    return best


def verify(credentials: Credentials, secret: str, method: str, body: bytes = b"") -> bool:
    """Whether they come from one who knows the password that `secret`, its HA1 for their algorithm, was made of."""
    if not is_spoken(credentials) or not _HEXADECIMAL.fullmatch(credentials.response):
        return False
    return hmac.compare_digest(_response(credentials, secret, method, body), credentials.response.lower())


def is_spoken(credentials: Credentials) -> bool:
    """Whether they are of an algorithm and a qop that we know how to check."""
    if _hash_name(credentials.algorithm) not in _HASHES:
        return False
    if credentials.qop is None:
        return not _is_session(credentials.algorithm)
    counted = credentials.nc is not None and _NONCE_COUNT.fullmatch(credentials.nc) is not None
    return credentials.qop.lower() in _QOPS and counted and credentials.cnonce is not None


@dataclass(frozen=True, slots=True)
class Offer:
    """
    How a telephone is asked who it is: a challenge for each algorithm, the one we like best first (RFC 8760 section 2.3), and
    whether with qop. Whatever we speak is taken for an answer, and one without qop even where it was asked for.
    """

    algorithms: tuple[str, ...]
    qop: bool

    def challenges(self, realm: str, nonce: str, *, stale: bool) -> list[Challenge]:
        qop = "auth" if self.qop else None
        return [Challenge(realm, nonce, algorithm, qop, stale) for algorithm in self.algorithms]
