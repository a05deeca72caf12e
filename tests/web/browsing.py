"""A browser without a screen: it speaks HTTP to the real site over an in-memory connection, keeps cookies, fills in forms."""

import http.client
import io
from collections.abc import Callable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urlencode, urljoin, urlsplit

from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionDone
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from minitelecom.web.bounds import BoundedSite


class Wire(StringTransport):
    """The browser's end of a connection; says goodbye to the site when either side closes."""

    def __init__(self, site: BoundedSite, address: str) -> None:
        super().__init__(peerAddress=IPv4Address("TCP", address, 50000))
        self.site = site
        self.channel = site.buildProtocol(self.getPeer())
        assert self.channel is not None, "the site takes no more connections"
        self.channel.makeConnection(self)

    def send(self, data: bytes) -> "Wire":
        self.channel.dataReceived(data)
        return self

    def loseConnection(self) -> None:
        super().loseConnection()
        self.gone()

    def gone(self) -> None:
        channel, self.channel = self.channel, None
        if channel is not None:
            channel.connectionLost(Failure(ConnectionDone()))


@dataclass
class Form:
    action: str
    method: str
    fields: list[tuple[str, str]] = field(default_factory=list)


@dataclass
class Reply:
    """What came back."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def text(self) -> str:
        """What a reader sees: tags taken away, blanks made one."""
        reader = Reader()
        reader.feed(self.body.decode())
        return " ".join(" ".join(reader.words).split())

    @property
    def forms(self) -> list[Form]:
        reader = Reader()
        reader.feed(self.body.decode())
        return reader.forms

    @property
    def links(self) -> list[str]:
        reader = Reader()
        reader.feed(self.body.decode())
        return reader.links


class Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.forms: list[Form] = []
        self.links: list[str] = []

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(attributes["action"], attributes.get("method", "get")))
        elif tag == "a":
            self.links.append(attributes["href"])
        elif tag == "input" and self.forms and "name" in attributes:
            self._take_input(attributes)

    def _take_input(self, attributes: dict[str, str]) -> None:
        if attributes.get("type") not in ("checkbox", "radio") or "checked" in attributes:
            self.forms[-1].fields.append((attributes["name"], attributes.get("value", "")))


class Browser:
    """One browser with its cookies."""

    def __init__(self, site: BoundedSite, address: str = "192.0.2.10", language: str = "en") -> None:
        self.site = site
        self.address = address
        self.language = language
        self.cookies: dict[str, str] = {}
        self.path = "/"
        self.reply: Reply
        self.extra: dict[str, str] = {}

    def open(self, path: str) -> Reply:
        """Goes to a page, and on to where it is sent."""
        return self._follow(self.request("GET", path), path)

    def submit(self, action: str, /, **values: object) -> Reply:
        """Fills in the last form of this page that goes to `action`, presses its button, goes on to where it is sent."""
        form = [form for form in self.reply.forms if urlsplit(form.action).path == action][-1]
        fields = [pair for pair in form.fields if pair[0] not in values]
        for name, value in values.items():
            fields += [(name, str(one)) for one in (value if isinstance(value, list) else [value])]
        if form.method == "get":
            return self.open(f"{form.action}?{urlencode(fields)}")
        return self._follow(self.request("POST", form.action, fields), form.action)

    def submit_to(self, address: str, action: str) -> Reply:
        """Presses a button that sends the form of `action` to another address."""
        form = next(form for form in self.reply.forms if form.action == action)
        return self._follow(self.request("POST", address, form.fields), address)

    def post(self, action: str, /, **values: object) -> Reply:
        """A form that this page does not have, with the token it has."""
        fields = [(name, str(value)) for name, value in values.items()]
        return self.request("POST", action, [*self.token(), *fields])

    def token(self) -> list[tuple[str, str]]:
        return [pair for form in self.reply.forms for pair in form.fields if pair[0] == "csrf"][:1]

    def request(self, method: str, path: str, fields: list[tuple[str, str]] | None = None) -> Reply:
        wire = self.send(method, path, fields)
        received = wire.value()
        wire.gone()
        return self._read(received)

    def send(self, method: str, path: str, fields: list[tuple[str, str]] | None = None) -> Wire:
        body = urlencode(fields).encode() if fields is not None else b""
        headers = {"Host": "shop.test", "Accept-Language": self.language, "Connection": "close", **self.extra}
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        if fields is not None:
            headers |= {"Content-Type": "application/x-www-form-urlencoded", "Content-Length": str(len(body))}
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        return Wire(self.site, self.address).send(f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + body)

    def _read(self, received: bytes) -> Reply:
        response = http.client.HTTPResponse(Heard(received))
        response.begin()
        try:
            body = response.read()
        except http.client.IncompleteRead as endless:  # a stream, or an answer cut off
            body = endless.partial
        self.reply = Reply(response.status, response.headers, body)
        for cookie in response.headers.get_all("Set-Cookie") or []:
            name, _, value = cookie.partition(";")[0].partition("=")
            if "max-age=0" in cookie.lower().replace(" ", ""):
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = value
        return self.reply

    def _follow(self, reply: Reply, path: str) -> Reply:
        self.path = path
        for _ in range(5):
            if reply.status != 303:
                return reply
            self.path = urljoin(self.path, reply.headers["Location"])
            reply = self.request("GET", self.path)
        raise AssertionError("sent in circles")


class Heard:
    """What http.client takes for a socket."""

    def __init__(self, received: bytes) -> None:
        self.makefile: Callable[..., io.BytesIO] = lambda *_: io.BytesIO(received)
