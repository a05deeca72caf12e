"""An edge proxy in text, between telephones and the house: it adds a Path to registrations and records itself in calls."""

from hashlib import md5

from minitelecom.sip.hop import Hop
from tests.world.network import Network
from tests.world.wire import Text, Wire, address, hop_of, parameter


class Proxy:
    """Stateless (RFC 3261 16.11): what it must know later, it writes into the messages that come back to it."""

    def __init__(self, network: Network, exchange: Hop, host: str, port: int = 5060) -> None:
        self.hop = Hop("udp", host, port)
        self.records = True
        self._exchange = exchange
        self.wire = Wire(network, exchange, host, port, on_text=self._heard)

    @property
    def _us(self) -> str:
        return f"sip:{self.hop.host}:{self.hop.port};lr"

    def _heard(self, text: Text) -> None:
        headers = list(text.headers)
        if text.is_response:
            self._return(text, headers)
        elif text.source == self._exchange:
            self._forward(text, headers, self._towards_telephone(text, headers))
        else:
            self._arrived(text, headers)
            self._forward(text, headers, self._exchange)

    def _return(self, text: Text, headers: list[tuple[str, str]]) -> None:
        """By the Via below ours."""
        headers.remove(next(header for header in headers if header[0] == "via"))
        via = next(value for name, value in headers if name == "via")
        place = hop_of("sip:" + via.split()[1].partition(";")[0])
        host, port = parameter(via, "received"), parameter(via, "rport")
        self._send(text, headers, Hop("udp", host or place.host, int(port or place.port)))

    def _arrived(self, text: Text, headers: list[tuple[str, str]]) -> None:
        """From a telephone: where it was heard is written down."""
        at = next(number for number, (name, _) in enumerate(headers) if name == "via")
        via = headers[at][1].replace(";rport", "")
        headers[at] = ("via", f"{via};received={text.source.host};rport={text.source.port}")
        if text.method == "REGISTER":
            headers.append(("path", f"<{self._us};received=sip:{text.source.host}:{text.source.port}>"))
        self._pop_route(headers)

    def _towards_telephone(self, text: Text, headers: list[tuple[str, str]]) -> Hop:
        """Where a Path of ours says that a telephone was heard; within a call where its Contact says."""
        route = self._pop_route(headers)
        received = parameter(route.strip("<>"), "received") if route else None
        return hop_of(received or text.request_uri)

    def _pop_route(self, headers: list[tuple[str, str]]) -> str | None:
        route = next((header for header in headers if header[0] == "route"), None)
        if route is None or hop_of(address(route[1])) != self.hop:
            return None
        headers.remove(route)
        return route[1]

    def _forward(self, text: Text, headers: list[tuple[str, str]], hop: Hop) -> None:
        branch = md5(f"{text['via']} {text['cseq'].split()[0]}".encode()).hexdigest()[:16]
        headers.insert(0, ("via", f"SIP/2.0/UDP {self.hop.host}:{self.hop.port};branch=z9hG4bK{branch}"))
        if self.records and text.method == "INVITE":
            headers.insert(0, ("record-route", f"<{self._us}>"))
        self._send(text, headers, hop)

    def _send(self, text: Text, headers: list[tuple[str, str]], hop: Hop) -> None:
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
        self.wire.send(f"{text.start}\r\n{lines}\r\n{text.body}".encode(), hop)
