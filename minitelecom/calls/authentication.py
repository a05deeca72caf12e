"""
Which telephone a request comes from: RFC 3261 section 22 with MD5 digest, or a known address.

A telephone is asked as its profile has it.  Some do not know qop, so the nonce is bound to time and source address and
soon goes stale.  A wrong name and a wrong password look the same from outside.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from minitelecom.calls.directory import Directory
from minitelecom.sip import digest
from minitelecom.sip.grammar import BadSyntax
from minitelecom.sip.hop import Hop
from minitelecom.sip.message import Request
from minitelecom.store.devices import Device

REALM = "minitelecom"


@dataclass(frozen=True, slots=True)
class Asked:
    """The request needs credentials: the status and header to answer with."""

    status: int
    header: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Denied:
    """The credentials are wrong."""


class Authentication:
    """Checks requests of telephones; REGISTER is mostly challenged by 401, everything else by 407."""

    def __init__(self, directory: Directory, nonces: digest.Nonces, now: Callable[[], datetime]) -> None:
        self._directory = directory
        self._nonces = nonces
        self._now = now

    def identify(self, request: Request, source: Hop) -> Device | Asked | Denied:
        """The telephone that sent a request, or what to answer instead."""
        known = self._directory.device_at(source)
        if known is not None:
            return known
        given = credentials_of(request)
        return self._ask(request, source) if given is None else self._check(given, request, source)

    def _check(self, given: digest.Credentials, request: Request, source: Hop) -> Device | Asked | Denied:
        state = self._nonces.check(given.nonce, self._seconds(), source.host)
        if state is digest.Freshness.FORGED:
            return self._ask(request, source)
        device = self._directory.devices.get(given.username)
        password = device.password if device is not None else None
        ha1 = digest.ha1(given.username, REALM, password if password is not None else "")
        right = digest.verify(given, ha1, request.method)
        if state is digest.Freshness.STALE:
            return self._ask(request, source, stale=right)
        if device is None or password is None or not right:
            return Denied()
        return device

    def _ask(self, request: Request, source: Hop, *, stale: bool = False) -> Asked:
        asks = self._directory.profile_of_sender(request).asks
        status = asks.register_status if request.method == "REGISTER" else 407
        nonce = self._nonces.make(self._seconds(), source.host)
        challenge = digest.Challenge(realm=REALM, nonce=nonce, qop="auth" if asks.qop else None, stale=stale)
        return Asked(status, ("WWW-Authenticate" if status == 401 else "Proxy-Authenticate", challenge.header()))

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
