"""What every leg needs of the house, in one value: clock, transactions, media, addresses, and who is in a dialog."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Protocol

from twisted.internet.interfaces import IReactorTime

from minitelecom.calls.addresses import Addresses
from minitelecom.calls.engaged import Engaged
from minitelecom.calls.hosts import Hosts
from minitelecom.calls.ladders import Ladders
from minitelecom.config import Calls
from minitelecom.media.door import Media, Sound
from minitelecom.sip.dialog import Dialog
from minitelecom.sip.headers import NameAddr
from minitelecom.sip.hop import DEFAULT_PORT, Hop
from minitelecom.sip.message import Request
from minitelecom.sip.offer_answer import CODECS, Codec
from minitelecom.sip.registration import Binding
from minitelecom.sip.transaction_layer import ServerTransaction, TransactionLayer
from minitelecom.sip.uri import Uri

LONGEST_NAME = 64  # characters of whatever stands before the @; more is no number and no name


class DialogUsage(Protocol):
    """A leg, as whoever finds it by its dialog sees it (RFC 5057: what a dialog is used for)."""

    hop: Hop
    home: Hop
    dialog: Dialog | None

    def request_received(self, transaction: ServerTransaction, request: Request, source: Hop) -> None: ...
    def ack_received(self, ack: Request) -> None: ...
    def dismiss(self) -> None: ...


Referred = Callable[["DialogUsage", ServerTransaction, Request], None]


@dataclass(slots=True)
class Switch:
    """
    The surroundings of a leg.

    ``legs`` finds the leg a request within a dialog belongs to, by Call-ID and our own tag: the far tag is left out,
    since several far ends may answer one forked INVITE (RFC 3261 12.1.2).
    """

    clock: IReactorTime
    now: Callable[[], datetime]
    random: Random
    layer: TransactionLayer
    media: Media
    addresses: Addresses
    limits: Calls
    hosts: Hosts
    connected: Callable[[Hop], bool]
    ladders: Ladders
    codecs: tuple[Codec, ...] = CODECS  # the one we like best first
    music: Sequence[Sound] = ()  # for whoever is held
    legs: dict[tuple[str, str], DialogUsage] = field(default_factory=dict)
    engaged: Engaged = field(default_factory=Engaged)
    referred: Referred | None = None  # who takes REFER, and SUBSCRIBE to its outcome; None: nobody may transfer

    def token(self) -> str:
        """A fresh tag or Call-ID part: 64 random bits (RFC 3261 19.3 asks for 32 at least)."""
        return f"{self.random.getrandbits(64):016x}"

    def place_of(self, binding: Binding) -> Hop:
        """Where a telephone is reached: where its registration came from."""
        source = binding.source
        return self.by_contact(source, Uri.parse(binding.contact)) if self.is_gone(source) else source

    def is_gone(self, hop: Hop) -> bool:
        """Whether it is the far end of a connection that is no more."""
        return hop.theirs and not self.connected(hop)

    def by_contact(self, source: Hop, contact: Uri) -> Hop:
        """
        A connection that is gone can be replaced by one to the telephone's Contact, unless a router stands between: then
        nothing but the telephone itself can open another.
        """
        if source.transport != "tcp" or contact.host.strip("[]") != source.host:
            return source
        return Hop("tcp", source.host, contact.port or DEFAULT_PORT)

    def reach(self, binding: Binding, *, by_contact: bool) -> Hop:
        """By way of the proxies it came by (RFC 3327 5.4); else where it was heard, or where it says it listens."""
        if binding.path:
            proxy, source = NameAddr.parse(binding.path[0]).uri, binding.source
            return self.addresses.next_hop(proxy, source, connected=self.connected(source))
        place = self.place_of(binding)
        return self.addresses.next_hop(Uri.parse(binding.contact), place) if by_contact else place

    def moved(self, contact: str, before: Hop, now: Hop) -> None:
        """A telephone's router shows it at another place: what we still have to say in its calls goes there."""
        for leg in self.legs.values():
            if leg.hop == before and leg.dialog is not None and str(leg.dialog.remote_target) == contact:
                leg.hop = leg.home = now

    def contact(self, hop: Hop, user: str, scheme: str = "sip") -> str:
        """
        Our Contact as that hop must see us, under a name that may come from anybody; of a dialog that began with a SIPS URI
        it is one, too (RFC 3261 12.1.1), and says no transport.
        """
        host, port = self.addresses.towards(hop)
        said = hop.is_reliable and scheme == "sip"
        parameters: dict[str, str | None] = {"transport": hop.transport} if said else {}
        return f"<{address(user, host, port, parameters, scheme)}>"


def address(
    user: str,
    host: str,
    port: int | None = None,
    parameters: dict[str, str | None] | None = None,
    scheme: str = "sip",
) -> Uri:
    """The URI of a user whose name may hold anything: what a URI cannot hold is escaped."""
    host = f"[{host}]" if ":" in host and not host.startswith("[") else host
    return Uri(scheme, user[:LONGEST_NAME], host=host, port=port, parameters=parameters)
