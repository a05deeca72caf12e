"""
Who a browser is: sessions of our own, in PostgreSQL, known by the hash of a random token in a cookie.

Each has its own CSRF token, which is not the session's. A visitor who has not logged in has no row: his CSRF token is
a MAC of a random cookie under a key that lives as long as the process (RFC 2104), so forms work for him too.
"""

# Most of twisted.web carries no annotations.
# mypy: disable-error-code="no-untyped-call"

import hashlib
import hmac
from datetime import datetime, timedelta

from twisted.web.http import Request

from minitelecom.store import operators
from minitelecom.store.database import Database
from minitelecom.web.visit import Cookie, Role, Visitor

LIFETIME = timedelta(hours=12)  # one long shift; then the password is asked for again
LONGEST_COOKIE = 200


def token_hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def same_token(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())


def cookie_name(name: str, *, secure: bool) -> str:
    """Over https the name itself forbids that another host or plain http sets it (RFC 6265bis 4.1.3)."""
    return f"__Host-{name}" if secure else name


def read_cookie(request: Request, name: str, *, secure: bool) -> str:
    value = request.getCookie(cookie_name(name, secure=secure).encode())
    return value.decode("ascii", "replace") if value and len(value) <= LONGEST_COOKIE else ""


def write_cookie(request: Request, cookie: Cookie, *, secure: bool) -> None:
    request.addCookie(
        cookie_name(cookie.name, secure=secure),
        cookie.value or "",
        max_age=str(cookie.seconds if cookie.value is not None else 0),
        path="/",
        secure=secure,
        httpOnly=True,
        sameSite="lax",
    )


def nobody(visitor_cookie: str, key: bytes) -> Visitor:
    """Somebody who has not logged in."""
    csrf = hmac.new(key, visitor_cookie.encode(), hashlib.sha256).hexdigest()
    return Visitor(name="", role=Role.NOBODY, csrf=csrf)


async def visitor_of(database: Database, token: str, instant: datetime) -> Visitor | None:
    """Whose session this is; None when it is nobody's, ended, or its operator was disabled meanwhile."""
    return await visitor_of_hash(database, token_hash(token), instant) if token else None


async def visitor_of_hash(database: Database, token_hash: bytes, instant: datetime) -> Visitor | None:
    session = await operators.find_session(database, token_hash, instant)
    return None if session is None else Visitor(session.operator, Role(session.role), session.csrf, token_hash)
