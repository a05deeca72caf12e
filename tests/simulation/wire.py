"""The network of the simulation, and a tap where the exchange's line enters the house."""

import re
from collections import deque
from dataclasses import dataclass, field
from math import inf

from minitelecom.sip.hop import Hop
from tests.world.house import EXCHANGE
from tests.world.network import Network

CALL_ID = re.compile(rb"\r\nCall-ID: ([^\r]*)")
INVITED = re.compile(rb"INVITE sip:([^@;> ]*)")
REPLACES = re.compile(rb"\r\nReplaces: ([^;\r]*)")
TO_TAG = re.compile(rb"\r\nTo: [^\r]*;tag=([^;\r]*)")
METHOD = re.compile(rb"\r\nCSeq: \d+ ([A-Z]+)")
REMEMBERED = 100_000
LAST_WORDS = (b"BYE ", b"CANCEL ", b"REGISTER ", b"OPTIONS ", b"REFER ", b"NOTIFY ")


@dataclass
class Dialogue:
    """What the tap saw of one Call-ID that began with an INVITE: instants at which words crossed the exchange's door."""

    call_id: str
    number: str
    outgoing: bool
    """The exchange sent the INVITE."""
    peer: str
    invited: float
    heard: float | None = None
    """The first response to an INVITE."""
    answered: float | None = None
    """The first 2xx to an INVITE."""
    bye: float | None = None
    """The first BYE, either way."""
    bye_by_exchange: bool = False
    bye_uttered: float | None = None
    """When that BYE was sent for the first time, by whoever sent it."""
    statuses: list[int] = field(default_factory=list)
    handed_on: float | None = None
    """When the exchange took on to transfer whoever is at its other end."""
    replaced: bool = False
    """Somebody wanted to take the place of whoever is at its other end (RFC 3891)."""
    tag: bytes = b""
    """Of the branch whose 2xx came first; others may answer as well, and are parted from."""


@dataclass
class Router:
    """
    Telephones stand behind it.  It gives each a port of its own outside, and forgets it when nothing has passed for so long, or
    when its power fails: then nobody outside reaches the telephone until it speaks itself, from another port.
    """

    host: str
    lifetime: float
    forgotten: list[float] = field(default_factory=list)
    """When a telephone lost its port."""
    _ports: dict[Hop, int] = field(default_factory=dict)
    _passed: dict[int, float] = field(default_factory=dict)
    _next: int = 40000

    def outward(self, source: Hop, now: float) -> Hop:
        port = self._ports.get(source)
        if port is None or now - self._passed[port] > self.lifetime:
            if port is not None:
                self.forgotten.append(now)
            port = self._ports[source] = self._next
            self._next += 1
        self._passed[port] = now
        return Hop("udp", self.host, port)

    def inward(self, port: int, now: float) -> Hop | None:
        for inside, known in self._ports.items():
            if known == port and now - self._passed[port] <= self.lifetime:
                self._passed[port] = now
                return inside
        return None

    def forget(self, now: float) -> None:
        self.forgotten.append(now)
        self._ports.clear()


@dataclass
class Wire(Network):
    """Loses, doubles and delays; an unplugged host neither hears nor is heard."""

    dialogues: dict[bytes, Dialogue] = field(default_factory=dict)
    last_word: float = 0.0
    """When somebody last began to say something that takes its time to be settled."""
    datagrams: int = 0
    lost: int = 0
    latest: deque[tuple[float, str, str, bytes]] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    routers: dict[str, Router] = field(default_factory=dict)
    """By the hosts behind them."""
    _said: set[bytes] = field(default_factory=set)

    def note(self, what: str) -> None:
        """Something that is worth reading between the messages."""
        self.latest.append((self.clock.seconds(), what, "", b""))

    def _carry(self, data: bytes, source: Hop, hop: Hop) -> None:
        if (source.host, source.port) not in self._hosts:
            return
        self.datagrams += 1
        if data.startswith(LAST_WORDS):
            self._begun(data)
        if source == EXCHANGE:
            self._crossed(data, hop, outgoing=True)
        elif source.host in self.routers:
            source = self.routers[source.host].outward(source, self.clock.seconds())
        copies = 2 if self.random.random() < self.duplication else 1
        for _ in range(copies):
            if self.random.random() < self.loss:
                self.lost += 1
                self.latest.append((self.clock.seconds(), f"{source.host} > {hop.host}", "lost", data))
            else:
                delay = self.random.uniform(self.shortest, self.longest)
                self.clock.callLater(delay, self._arrive, data, source, hop)

    def _arrive(self, data: bytes, source: Hop, hop: Hop) -> None:
        inside = self._inside(hop)
        receive = self._hosts.get((inside.host, inside.port))
        self.latest.append((self.clock.seconds(), f"{source.host} > {hop.host}", "" if receive else "nobody", data))
        if receive is not None:
            if hop == EXCHANGE:
                self._crossed(data, source, outgoing=False)
            receive(data, source)

    def _inside(self, hop: Hop) -> Hop:
        router = next((one for one in self.routers.values() if one.host == hop.host), None)
        return hop if router is None else router.inward(hop.port, self.clock.seconds()) or hop

    def was_cut(self, host: str, since: float) -> bool:
        """Whether a telephone has lost its way to the outside after this instant."""
        router = self.routers.get(host)
        return router is not None and any(instant >= since for instant in router.forgotten)

    def _begun(self, data: bytes) -> None:
        if data in self._said:
            return
        self._said.add(data)
        self.last_word = self.clock.seconds()
        if data.startswith(b"BYE "):
            found = CALL_ID.search(data)
            dialogue = self.dialogues.get(found[1]) if found else None
            if dialogue is not None and dialogue.bye_uttered is None and dialogue.tag in data:
                dialogue.bye_uttered = self.clock.seconds()

    def _crossed(self, data: bytes, peer: Hop, *, outgoing: bool) -> None:
        """A datagram passes the exchange's door."""
        if data.startswith(b"INVITE "):
            self._invited(data, peer, outgoing)
        elif data.startswith(b"BYE "):
            dialogue = self._dialogue(data)
            if dialogue is not None and dialogue.bye is None and dialogue.tag in data:
                dialogue.bye = self.clock.seconds()
                dialogue.bye_by_exchange = outgoing
        elif data.startswith(b"SIP/2.0 "):
            method = METHOD.search(data)
            dialogue = self._dialogue(data)
            if method is not None and method[1] == b"REFER" and dialogue is not None and data[8:11] == b"202":
                dialogue.handed_on = self.clock.seconds()
            if method is None or method[1] != b"INVITE":
                return
            if dialogue is not None and dialogue.outgoing is not outgoing:
                status = int(data[8:11])
                if dialogue.heard is None:
                    dialogue.heard = self.clock.seconds()
                dialogue.statuses.append(status)
                if status // 100 == 2 and dialogue.answered is None:
                    dialogue.answered = self.clock.seconds()
                    tag = TO_TAG.search(data)
                    dialogue.tag = tag[1] if tag else b""

    def _invited(self, data: bytes, peer: Hop, outgoing: bool) -> None:
        found, number = CALL_ID.search(data), INVITED.match(data)
        if found is None or number is None or found[1] in self.dialogues:
            return
        replaces = REPLACES.search(data)
        if replaces is not None and replaces[1] in self.dialogues:
            self.dialogues[replaces[1]].replaced = True
        self.dialogues[found[1]] = Dialogue(
            found[1].decode(), number[1].decode(), outgoing, peer.host, self.clock.seconds()
        )

    def _dialogue(self, data: bytes) -> Dialogue | None:
        found = CALL_ID.search(data)
        return self.dialogues.get(found[1]) if found else None

    def events(self, since: float = 0.0, until: float = inf) -> list[str]:
        """What was said and noted in this time, one line each."""
        return [_line(*event) for event in self.latest if since <= event[0] <= until]


def _line(instant: float, where: str, fate: str, data: bytes) -> str:
    if not data:
        return f"{instant:9.3f}  ** {where}"
    call_id, method = CALL_ID.search(data), METHOD.search(data)
    first = data.split(b"\r\n", 1)[0].decode(errors="replace")
    if first.startswith("SIP/2.0") and method:
        first += f" ({method[1].decode()})"
    name = call_id[1].decode(errors="replace")[:8] if call_id else "-"
    return f"{instant:9.3f}  {where:24} {name:8} {first} {fate}".rstrip()
