"""
Which telephone a request comes from: RFC 3261 section 22 by digest, or a known address.

A telephone is asked as its profile has it, which follows from what it says it is: a name that there is, one that there is not
and a wrong password look the same from outside, and take the same work.  (But for a profile that somebody has set for one
telephone: whoever asks for that name sees it.)
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from minitelecom.calls.caller_id import name
from minitelecom.calls.defence import Defence
from minitelecom.calls.directory import Directory
from minitelecom.calls.switch import LONGEST_NAME
from minitelecom.sip import digest
from minitelecom.sip.grammar import BadSyntax, readable
from minitelecom.sip.hop import Hop
from minitelecom.sip.message import Request
from minitelecom.sip.nonces import FORGED, FRESH, Nonces
from minitelecom.sip.uri import Uri
from minitelecom.store.devices import Device

REALM = "minitelecom"


@dataclass(frozen=True, slots=True)
class Asked:
    """The request needs credentials: the status and headers to answer with."""

    status: int
    headers: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Denied:
    """The credentials are wrong."""


class Authentication:
    """Checks requests of telephones; REGISTER is mostly challenged by 401, everything else by 407."""

    def __init__(self, directory: Directory, nonces: Nonces, now: Callable[[], datetime], defence: Defence) -> None:
        self._directory = directory
        self._nonces = nonces
        self._now = now
        self._defence = defence
        self._nobodys_password = secrets.token_hex()

    def challenge(self, request: Request, source: Hop) -> Asked | None:
        """
        What to ask whoever has said nothing of himself that could be true, which takes no memory (RFC 3261 section 26.3.2.4);
        None where `identify` has something to judge.
        """
        if self._directory.device_at(source) is not None:
            return None
        given = credentials_of(request)
        if given is not None and self._nonces.check(given.nonce, self._seconds(), source.host) is not FORGED:
            return None
        self.asked(request, source)
        return self._ask(request, source, stale=False)

    def asked(self, request: Request, source: Hop) -> None:
        """Whoever has proved nothing wants something: of how many names does he?"""
        self._defence.asked(source, f"{name(request.from_.uri)} {name(request.to.uri)}")

    def identify(self, request: Request, source: Hop) -> Device | Asked | Denied:
        """The telephone that sent a request, or what to answer instead."""
        known = self._directory.device_at(source)
        if known is not None:
            return known
        given = credentials_of(request)
        if given is None:
            return self._ask(request, source, stale=False)
        state = self._nonces.check(given.nonce, self._seconds(), source.host)
        if state is FORGED:
            return self._ask(request, source, stale=False)
        claimed = readable(given.username)[:LONGEST_NAME]
        device = self._verified(given, request)
        if device is None or self._defence.is_closed(source.host, claimed):
            self._defence.failed(source.host, claimed)
            return Denied() if state is FRESH else self._ask(request, source, stale=False)
        self._defence.proved(source.host, claimed)
        if state is FRESH and self._is_new(given, request):
            return device
        return self._ask(request, source, stale=True)

    def _is_new(self, given: digest.Credentials, request: Request) -> bool:
        """Whether nobody has sent these credentials before, as far as their kind lets us know."""
        if given.count is not None:
            return self._nonces.count(given.nonce, given.count, self._seconds())
        if request.method != "INVITE":
            return True
        return self._nonces.invite(given.nonce, request.call_id, request.cseq.number, self._seconds())

    def _verified(self, given: digest.Credentials, request: Request) -> Device | None:
        """The telephone whose password they show. One that nobody has is tried where there is no such telephone."""
        device = self._directory.devices.get(given.username)
        password = device.password if device is not None else None
        if not digest.is_spoken(given) or not _fits(given, request):
            return None
        secret = digest.ha1(given.username, REALM, password or self._nobodys_password, given.algorithm)
        return device if digest.verify(given, secret, request.method, request.body) and password else None

    def _ask(self, request: Request, source: Hop, *, stale: bool) -> Asked:
        asks = self._directory.profile_of_sender(request).asks
        status = asks.register_status if request.method == "REGISTER" else 407
        header = "WWW-Authenticate" if status == 401 else "Proxy-Authenticate"
        nonce = self._nonces.make(self._seconds(), source.host)
        challenges = asks.offer.challenges(REALM, nonce, stale=stale)
        return Asked(status, tuple((header, challenge.header()) for challenge in challenges))

    def _seconds(self) -> int:
        return int(self._now().timestamp())


def credentials_of(request: Request) -> digest.Credentials | None:
    """The credentials for our realm, where there are any that can be read."""
    for value in (*request.get_all("Authorization"), *request.get_all("Proxy-Authorization")):
        try:
            credentials = digest.Credentials.parse(value)
        except BadSyntax:
            continue
        if credentials.realm == REALM:
            return credentials
    return None


def _fits(given: digest.Credentials, request: Request) -> bool:
    """
    Whether the URI of credentials may have been written for this request: it names whoever is called; or nobody, as of those
    who write their proxy there, where a count keeps them from serving twice.
    """
    if request.method == "REGISTER":  # goes to the house, which every telephone writes in its own way
        return True
    user = _user(given.uri)
    return user == request.uri.user or (user is None and given.count is not None)


def _user(uri: str) -> str | None:
    """Also of one whose host nobody could read: it does not matter, and SIPp writes IPv6 addresses without their brackets."""
    try:
        return Uri.parse(uri).user
    except BadSyntax:
        named, at, _ = uri.partition(":")[2].partition("@")
        return named if at else None
