"""Logging in and out, and the language of the pages."""

from twisted.logger import Logger

from minitelecom.store import operators
from minitelecom.web.languages import mark
from minitelecom.web.passwords import LONGEST_PASSWORD, is_password
from minitelecom.web.sessions import LIFETIME, token_hash
from minitelecom.web.visit import Answer, Cookie, Page, Redirect, Role, Visit, local_path

YEAR_SECONDS = 365 * 24 * 3600

log = Logger()


async def home(visit: Visit) -> Answer:
    return Redirect("/online")


async def show(visit: Visit) -> Answer:
    if visit.visitor.role is not Role.NOBODY:
        return Redirect(local_path(visit.field("next")))
    return _form(visit, "")


async def enter(visit: Visit) -> Answer:
    """Lets an operator in, with a session that did not exist before (no fixation)."""
    shop, name = visit.shop, visit.field("name")
    wait = shop.throttle.wait_seconds(visit.address, name)
    if wait:
        log.warn("Log-in from {address} waits {wait} s after too many tries", address=visit.address, wait=wait)
        return _form(visit, mark("Too many tries. Wait a few minutes, then try again."), 429, wait)
    shop.throttle.tried(visit.address, name)
    operator = await operators.find(shop.database, name)
    known = operator.password_hash if operator is not None and operator.enabled else None
    if not await shop.in_thread(is_password, known, visit.secret("password")[:LONGEST_PASSWORD]) or operator is None:
        log.info("Wrong name or password at log-in from {address}", address=visit.address)
        return _form(visit, mark("The name or the password is wrong."), 403)
    shop.throttle.succeeded(visit.address, name)
    token, instant = shop.token(), shop.now()
    if visit.visitor.token_hash:
        await operators.drop_session(shop.database, visit.visitor.token_hash)
    await operators.create_session(
        shop.database, operator.name, token_hash(token), shop.token(), instant, instant + LIFETIME
    )
    log.info("{name} logged in from {address}", name=operator.name, address=visit.address)
    cookie = Cookie("session", token, int(LIFETIME.total_seconds()))
    return Redirect(local_path(visit.field("next")), (cookie,))


async def stale(visit: Visit) -> Answer:
    """A log-in form that lay open while the daemon restarted: the same again, with a fresh token."""
    return _form(visit, mark("This form was out of date. Please try once more."), 403)


async def leave(visit: Visit) -> Answer:
    await operators.drop_session(visit.shop.database, visit.visitor.token_hash)
    return Redirect("/login", (Cookie("session", None),))


async def choose_language(visit: Visit) -> Answer:
    chosen = visit.field("language")
    code = chosen if chosen in visit.shop.languages else visit.language.code
    return Redirect(local_path(visit.field("next")), (Cookie("language", code, YEAR_SECONDS),))


def _form(visit: Visit, error: str, status: int = 200, retry_seconds: int | None = None) -> Page:
    values = {
        "name": visit.field("name"),
        "next": local_path(visit.field("next")),
        "error": visit.language.text(error),
    }
    return Page("login.html", values, status, retry_seconds)
