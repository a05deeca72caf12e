"""SIP as text on a wire, read and written without any of our own code, so that our code does not judge itself."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from minitelecom.sip.hop import Hop
from tests.world.network import Network

COMPACT = {
    "f": "from", "t": "to", "v": "via", "i": "call-id", "m": "contact", "c": "content-type", "l": "content-length",
    "k": "supported",
}  # fmt: skip


@dataclass(frozen=True)
class Text:
    """A message as lines.  Header names compare in lower case; what we repeat of a sender may be compact, or folded."""

    start: str
    headers: tuple[tuple[str, str], ...]
    body: str
    source: Hop

    @classmethod
    def read(cls, data: bytes, source: Hop) -> "Text":
        head, _, body = data.decode("utf-8", "replace").partition("\r\n\r\n")
        start, *lines = re.sub(r"[ \t]*\r\n[ \t]+", " ", head).split("\r\n")
        pairs = [line.partition(":") for line in lines]
        headers = ((name.strip().lower(), value.strip()) for name, _, value in pairs)
        return cls(start, tuple((COMPACT.get(name, name), value) for name, value in headers), body, source)

    @property
    def is_response(self) -> bool:
        return self.start.startswith("SIP/2.0 ")

    @property
    def status(self) -> int:
        return int(self.start.split(" ")[1]) if self.is_response else 0

    @property
    def method(self) -> str:
        """Of a request its own, of a response that of the request."""
        return self["cseq"].split()[1]

    @property
    def sequence(self) -> int:
        return int(self["cseq"].split()[0])

    @property
    def request_uri(self) -> str:
        return self.start.split(" ")[1]

    def __contains__(self, name: str) -> bool:
        return any(name == found for found, _ in self.headers)

    def __getitem__(self, name: str) -> str:
        """The first value; an empty text where there is none."""
        return next((value for found, value in self.headers if found == name), "")

    def all(self, name: str) -> list[str]:
        return [value for found, value in self.headers if found == name]

    def __repr__(self) -> str:
        return f"<{self.start}>"


def parameter(value: str, name: str) -> str | None:
    """A parameter of a header's value: ``tag`` of ``<sip:a@b>;tag=1``; quotes are taken off."""
    for part in value.replace(",", ";").split(";"):
        found, equals, content = part.partition("=")
        if equals and found.strip().split(" ")[-1].lower() == name:
            return content.strip().strip('"')
    return None


def address(value: str) -> str:
    """The URI between the angle brackets, or what stands before the first parameter."""
    return value.partition("<")[2].partition(">")[0] if "<" in value else value.partition(";")[0]


def hop_of(uri: str) -> Hop:
    """Where a SIP URI leads, if it names an address."""
    place = uri.removeprefix("sip:").rpartition("@")[2].partition(";")[0]
    host, _, port = place.partition(":")
    return Hop("udp", host, int(port or 5060))


T1, T2 = 0.5, 4.0  # RFC 3261 table 4
MOST_REPETITIONS = 7


class Repetition:
    """Sends at once, and again until it is stopped or nobody can be there."""

    def __init__(self, clock: IReactorTime, send: Callable[[], None]) -> None:
        self._clock, self._send = clock, send
        self._interval, self._left = T1, MOST_REPETITIONS
        self._timer: IDelayedCall | None = None
        self._again()

    def _again(self) -> None:
        self._timer = None
        self._send()
        if self._left:
            self._left -= 1
            self._timer = self._clock.callLater(self._interval, self._again)
            self._interval = min(2 * self._interval, T2)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


@dataclass
class Wire:
    """A host that sends what it is given and remembers what it heard; ``on_text`` hears it too."""

    network: Network
    exchange: Hop
    host: str
    port: int = 5060
    heard: list[Text] = field(default_factory=list)
    on_text: Callable[[Text], None] = lambda text: None

    def __post_init__(self) -> None:
        self.plug_in(self.host, self.port)

    def plug_in(self, host: str, port: int) -> None:
        self.host, self.port = host, port
        self._carry = self.network.attach(host, port, self._received)

    def unplug(self) -> None:
        self.network.detach(self.host, self.port)

    def _received(self, data: bytes, source: Hop) -> None:
        text = Text.read(data, source)
        self.heard.append(text)
        self.on_text(text)

    def send(self, message: str | bytes, hop: Hop | None = None) -> None:
        data = message.replace("\n", "\r\n").encode() if isinstance(message, str) else message
        self._carry(data, hop or self.exchange)

    def statuses(self, method: str = "INVITE") -> list[int]:
        """The statuses heard for a method, each repetition once."""
        found: list[int] = []
        for text in self.heard:
            if text.is_response and text.method == method and found[-1:] != [text.status]:
                found.append(text.status)
        return found

    def requests(self, method: str) -> list[Text]:
        return [text for text in self.heard if not text.is_response and text.method == method]

    def last(self, status: int) -> Text:
        """The latest response of this status."""
        found = [text for text in self.heard if text.status == status]
        assert found, f"no {status} among {self.heard}"
        return found[-1]
