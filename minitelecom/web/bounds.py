"""Requests, connections and a site that stay within bounds of size, time and number, and the headers of every answer."""

# Most of twisted.web carries no annotations.
# mypy: disable-error-code="no-untyped-call"

from collections import Counter
from typing import Any
from urllib.parse import unquote_to_bytes

from twisted.internet.interfaces import IAddress, IDelayedCall, IReactorTime
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from twisted.web import server
from twisted.web.http import HTTPChannel, Request
from twisted.web.resource import IResource

from minitelecom.web.throttle import LOOPBACK, network_of

MOST_BODY_BYTES = 64 * 1024
MOST_CONNECTIONS = 500
MOST_OF_ONE_ADDRESS = 100  # several tills behind one router, each with several windows
IDLE_SECONDS = 30
REQUEST_SECONDS = 20  # to send the whole of a request, however slowly it drips

TOO_LARGE = b"HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cache-Control": "no-store",
    "Server": "MiniTelecom",
}


class BoundedRequest(server.Request):
    """A request that may be neither large nor slow."""

    def __init__(self, channel: HTTPChannel, *arguments: Any, **named: Any) -> None:
        super().__init__(channel, *arguments, **named)
        self._deadline: IDelayedCall = channel.callLater(REQUEST_SECONDS, channel.loseConnection)
        self._taken = 0
        self._refused = False

    def gotLength(self, length: int | None) -> None:
        super().gotLength(0 if length is not None and length > MOST_BODY_BYTES else length)
        if length is not None and length > MOST_BODY_BYTES:
            self._refuse()

    def handleContentChunk(self, data: bytes) -> None:
        self._taken += len(data)
        if self._taken > MOST_BODY_BYTES:
            self._refuse()
        else:
            super().handleContentChunk(data)

    def process(self) -> None:
        self._in_time()
        if not self._refused:
            super().process()

    def render(self, resrc: IResource) -> None:
        for name, value in HEADERS.items():
            self.setHeader(name, value)
        if is_readable(self):
            super().render(resrc)
        else:
            self.setResponseCode(400)
            self.finish()

    def connectionLost(self, reason: Failure) -> None:
        self._in_time()
        super().connectionLost(reason)

    def _in_time(self) -> None:
        if self._deadline.active():
            self._deadline.cancel()

    def _refuse(self) -> None:
        """Too much: said in the shortest way, and the rest is not read."""
        self._in_time()
        if not self._refused:
            self._refused = True
            self.channel.transport.write(TOO_LARGE)  # type: ignore[union-attr]
            self.channel.loseConnection()


def is_readable(request: Request) -> bool:
    """Whether method, path, host and headers are text (RFC 3986 2.5); others do not know what they ask for."""
    headers = [value for _, values in request.requestHeaders.getAllRawHeaders() for value in values]
    try:
        for part in (request.method, unquote_to_bytes(request.path), request.getRequestHostname(), *headers):
            part.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def origin_of(address: IAddress | None) -> str:
    """Who is counted as one."""
    return network_of(str(getattr(address, "host", "")))


class BoundedChannel(HTTPChannel):
    """A connection that its site counts."""

    site: "BoundedSite"

    def connectionMade(self) -> None:
        self.site.came_from[origin_of(self.getPeer())] += 1
        super().connectionMade()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.site.came_from[origin_of(self.getPeer())] -= 1
        self.site.came_from += Counter()  # forgets who has none left
        super().connectionLost(reason)


class BoundedSite(server.Site):
    """A site with a limit on connections, in all and of one address; one more is not accepted."""

    noisy = False
    protocol = BoundedChannel  # type: ignore[assignment]

    def __init__(self, resource: IResource, clock: IReactorTime) -> None:
        super().__init__(resource, requestFactory=BoundedRequest, timeout=IDLE_SECONDS, reactor=clock)
        self.displayTracebacks = False
        self.came_from: Counter[str] = Counter()

    @property
    def connections(self) -> int:
        return self.came_from.total()

    def buildProtocol(self, addr: IAddress | None) -> Any:
        origin = origin_of(addr)
        most = MOST_CONNECTIONS if getattr(addr, "host", "") in LOOPBACK else MOST_OF_ONE_ADDRESS
        if self.connections >= MOST_CONNECTIONS or self.came_from[origin] >= most:
            return None
        return super().buildProtocol(addr)

    def log(self, request: Request) -> None:
        """Nothing: an access log would be a list of what customers did, and nobody asked for it."""
