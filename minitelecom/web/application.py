"""From a request to a page and back: who is it, may he, is the form his own, and what went wrong."""

# Most of twisted.web carries no annotations.
# mypy: disable-error-code="no-untyped-call"

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from klein import Klein
from klein.resource import KleinResource
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.http import Request
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from minitelecom.store.database import DatabaseAway
from minitelecom.web.languages import Language, accepted, mark
from minitelecom.web.rendering import CONTENT_TYPES, Renderer, StaticFiles
from minitelecom.web.routes import ROUTES, Decision, Route, decide, menu_of, page_of
from minitelecom.web.sessions import nobody, read_cookie, same_token, visitor_of, write_cookie
from minitelecom.web.throttle import LOOPBACK
from minitelecom.web.visit import (
    MOST_FIELDS,
    Answer,
    Cookie,
    Download,
    NotFoundError,
    Page,
    Redirect,
    Role,
    Shop,
    Stream,
    Visit,
)

VISITOR_SECONDS = 24 * 3600
FOR_EVER = b"public, max-age=31536000, immutable"

log = Logger()


@dataclass(frozen=True)
class Application:
    """The pages of one shop as a web resource."""

    shop: Shop
    renderer: Renderer
    static: StaticFiles
    key: bytes

    def resource(self) -> KleinResource:
        app = Klein()
        for route in ROUTES:
            app.route(route.path, methods=[route.method], endpoint=f"{route.method} {route.path}")(self._server(route))
        app.route("/static/<name>", methods=["GET"], endpoint="static")(self._serve_file)
        app.handle_errors(Exception)(self._serve_error)  # type: ignore[arg-type]
        resource: KleinResource = app.resource()
        return resource

    def _server(self, route: Route) -> Callable[..., Deferred[bytes | None]]:
        def serve(request: Request, **arguments: object) -> Deferred[bytes | None]:
            return unaborted(self._serve(route, request, arguments))

        return serve

    async def _serve(self, route: Route, request: Request, arguments: Mapping[str, object]) -> bytes | None:
        visit = anonymous(self.shop, request, self.key, arguments)
        try:
            token = read_cookie(request, "session", secure=visit.secure)
            visitor = await visitor_of(self.shop.database, token, self.shop.now())
            if visitor is not None:
                visit = visit.seen_as(visitor)
            answer = await answer_of(route, visit)
        except NotFoundError:
            answer = error_page(404)
        except DatabaseAway:
            answer = error_page(503)
        except Exception:  # noqa: BLE001 - a door: a fault of one page is not the daemon's end, and tells nothing outside
            log.failure("{method} {path} failed", method=route.method, path=route.path)
            answer = error_page(500)
        return await self._write(request, visit, answer)

    async def _write(self, request: Request, visit: Visit, answer: Answer) -> bytes | None:
        if request.finished or request._disconnected:  # noqa: SLF001 - Twisted offers no public word for it
            return None
        if isinstance(answer, Page):
            if visit.visitor.role is Role.NOBODY:
                cookie = read_cookie(request, "visitor", secure=visit.secure) or self.shop.token()
                visit = visit.seen_as(nobody(cookie, self.key))
                write_cookie(request, Cookie("visitor", cookie, VISITOR_SECONDS), secure=visit.secure)
            return await self._write_page(request, visit, answer)
        if isinstance(answer, Redirect):
            for one in answer.cookies:
                write_cookie(request, one, secure=visit.secure)
            request.setResponseCode(303)
            request.setHeader("Location", answer.location)
            return b""
        if isinstance(answer, Download):
            request.setHeader("Content-Type", answer.content_type)
            request.setHeader("Content-Disposition", f'attachment; filename="{answer.name}"')
            return answer.body
        return await streamed(request, answer)

    async def _write_page(self, request: Request, visit: Visit, page: Page) -> bytes:
        request.setResponseCode(page.status)
        request.setHeader("Content-Type", "text/html; charset=utf-8")
        request.setHeader("Content-Language", visit.language.code)
        if page.retry_seconds is not None:
            request.setHeader("Retry-After", str(page.retry_seconds))
        common = {
            "visit": visit,
            "visitor": visit.visitor,
            "shop": visit.shop,
            "menu": menu_of(visit.visitor.role),
            "here": here(visit),
        }
        return await self.renderer.render(visit.language, page.template, {**common, **page.values})

    def _serve_file(self, request: Request, name: str) -> bytes:
        body = self.static.files.get(name)
        if body is None:
            request.setResponseCode(404)
            return b""
        request.setHeader("Content-Type", CONTENT_TYPES["." + name.rpartition(".")[2]])
        request.setHeader("Cache-Control", FOR_EVER)
        return body

    def _serve_error(self, request: Request, failure: Failure) -> Deferred[bytes | None]:
        """What no route took: a wrong address, a wrong method, or our own mistake."""
        error = failure.value
        status = (error.code if error.code in ERRORS else 404) if isinstance(error, HTTPException) else 500
        if isinstance(error, MethodNotAllowed) and error.valid_methods:
            request.setHeader("Allow", ", ".join(sorted(error.valid_methods)))
        if status == 500:
            log.failure("A request failed", failure)
        visit = anonymous(self.shop, request, self.key, {})
        return unaborted(self._write(request, visit, error_page(status)))


async def answer_of(route: Route, visit: Visit) -> Answer:
    """Lets in, sends to the log-in page or refuses; a form must carry the token of the one who sends it."""
    decision = decide(route, visit.visitor.role)
    if decision is Decision.LOG_IN:
        after = here(visit) if route.method == "GET" else page_of(visit.path)
        return Redirect("/login?" + urlencode({"next": after}))
    if decision is Decision.REFUSE:
        return error_page(403)
    if route.method == "POST" and not same_token(visit.secret("csrf"), visit.visitor.csrf):
        return await route.stale(visit) if route.stale else error_page(400)
    return await route.page(visit)


ERRORS = {
    400: (mark("This form is out of date"), mark("Go back, load the page anew and send the form again.")),
    403: (mark("Not for you"), mark("Your role does not open this page. The administrator can.")),
    404: (mark("Nothing here"), mark("There is no such page, card or group.")),
    405: (mark("Not like this"), mark("This address cannot be used in that way.")),
    500: (mark("Something went wrong"), mark("The mistake is ours, and it is in the log. Nothing was half done.")),
    503: (mark("The database is away"), mark("Telephones are served as far as possible. Try again in a moment.")),
}


def error_page(status: int) -> Page:
    title, message = ERRORS[status]
    return Page("message.html", {"title": title, "message": message}, status, 5 if status == 503 else None)


def anonymous(shop: Shop, request: Request, key: bytes, arguments: Mapping[str, object]) -> Visit:
    """The visit before anybody asked whose it is."""
    secure = is_secure(request)
    fields = {
        name.decode("utf-8", "replace"): [value.decode("utf-8", "replace").replace("\0", "") for value in values]
        for name, values in list((request.args or {}).items())[:MOST_FIELDS]
    }
    return Visit(
        shop=shop,
        visitor=nobody(read_cookie(request, "visitor", secure=secure), key),
        language=language_of(shop, request, secure=secure),
        path=request.path.decode("ascii", "replace"),
        address=address_of(request),
        secure=secure,
        fields=fields,
        arguments={name: str(value) for name, value in arguments.items()},
    )


def language_of(shop: Shop, request: Request, *, secure: bool) -> Language:
    """The one that was chosen, else the browser's, else the shop's own."""
    chosen = read_cookie(request, "language", secure=secure)
    if chosen in shop.languages:
        return shop.languages[chosen]
    wished = accepted(request.getHeader("accept-language") or "", shop.languages)
    return wished or next(iter(shop.languages.values()))


def is_secure(request: Request) -> bool:
    """Whether the browser speaks https, to us or to a proxy on this machine."""
    return request.isSecure() or (_by_proxy(request) and request.getHeader("x-forwarded-proto") == "https")


def address_of(request: Request) -> str:
    """Where the browser is; behind a proxy on this machine, what the proxy says last."""
    forwarded = (request.getHeader("x-forwarded-for") or "").rpartition(",")[2].strip()
    own = str(getattr(request.getClientAddress(), "host", ""))
    return forwarded[:64] if forwarded and _by_proxy(request) else own


def here(visit: Visit) -> str:
    """The page's own address: where to come back after choosing a language or logging in."""
    pairs = [(name, value) for name, values in visit.fields.items() for value in values if name in QUERY_FIELDS]
    return page_of(visit.path) + ("?" + urlencode(pairs) if pairs else "")


# Fields that say what a page shows: the only ones that may stand in an address.
QUERY_FIELDS = frozenset({"q", "after", "number", "user", "date", "receipt"})


def unaborted(answer: Coroutine[Deferred[Any], Any, bytes | None]) -> Deferred[bytes | None]:
    """Klein cancels its Deferred when the browser goes; what was begun (a movement of money) goes on to its end."""
    shown: Deferred[bytes | None] = Deferred()
    Deferred.fromCoroutine(answer).addCallbacks(shown.callback, shown.errback)
    return shown


async def streamed(request: Request, stream: Stream) -> bytes | None:
    """Gives the request to the stream, and waits until the browser goes."""
    if request.method != b"GET":
        return b""
    gone: Deferred[None] = Deferred()
    request.notifyFinish().addBoth(lambda _: gone.callback(None))
    stream.start(request)
    await gone
    return None


def _by_proxy(request: Request) -> bool:
    return getattr(request.getClientAddress(), "host", "") in LOOPBACK
