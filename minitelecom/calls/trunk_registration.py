"""
Our own registrations at carriers that want one (RFC 3261 section 10.2), so that their calls reach us.

One Call-ID for the life of a registration, refreshed well before it ends; after a failure it is tried again with growing
pauses, for as long as the trunk asks for it.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger

from minitelecom.calls.credentials import Credentials
from minitelecom.calls.routing import routes
from minitelecom.calls.switch import Switch, address
from minitelecom.sip.client_user import Failure
from minitelecom.sip.grammar import uint32
from minitelecom.sip.headers import NameAddr, lifetime
from minitelecom.sip.hop import Hop
from minitelecom.sip.message import Request, Response
from minitelecom.sip.uri import Uri
from minitelecom.store.trunks import Trunk

log = Logger()

EXPIRES_SECONDS = 300
LONGEST_SECONDS = 86_400
REFRESH_SHARE = 0.6  # of the time granted
SHORTEST_PAUSE_SECONDS = 5.0
LONGEST_PAUSE_SECONDS = 300.0


class TrunkRegistrations:
    """Keeps exactly the registrations that the trunks of the moment ask for."""

    def __init__(self, switch: Switch) -> None:
        self._switch = switch
        self._registrations: dict[Terms, TrunkRegistration] = {}

    def follow(self, trunks: Sequence[Trunk]) -> None:
        """The trunks as they are now; one whose registration would be another begins anew, and takes the place of the old."""
        wanted = {terms_of(trunk): trunk for trunk in trunks if trunk.register and trunk.enabled}
        addresses = {(terms.uri, terms.username) for terms in wanted}
        for terms in self._registrations.keys() - wanted.keys():
            registration = self._registrations.pop(terms)
            if (terms.uri, terms.username) in addresses:
                registration.rest()
            else:
                registration.stop()
        for terms in wanted.keys() - self._registrations.keys():
            registration = self._registrations[terms] = TrunkRegistration(self._switch, wanted[terms])
            registration.send()

    def stop(self) -> None:
        self.follow(())

    def of(self, name: str) -> "TrunkRegistration | None":
        return next((one for terms, one in self._registrations.items() if terms.name == name), None)


class Terms(NamedTuple):
    """All that a registration depends on."""

    name: str
    uri: str
    proxy: str | None
    username: str | None
    password: str | None


def terms_of(trunk: Trunk) -> Terms:
    return Terms(trunk.name, trunk.uri, trunk.proxy, trunk.username, trunk.password)


class TrunkRegistration:
    """One trunk's registration; a client user."""

    def __init__(self, switch: Switch, trunk: Trunk) -> None:
        self.until: datetime | None = None
        """How long the carrier keeps us; None: it does not."""
        self.failure: str | None = None
        """Why it did not, the last time it did not."""
        self._switch = switch
        self._trunk = trunk
        self._uri = Uri.parse(trunk.uri)
        self._first = Uri.parse(trunk.proxy or trunk.uri)
        self._user = trunk.username or trunk.name
        self._credentials = Credentials.of(trunk)
        self._call_id = switch.token()
        self._tag = switch.token()
        self._sequence = 0
        self._challenged = False
        self._expires = EXPIRES_SECONDS
        self._pause = SHORTEST_PAUSE_SECONDS
        self._hop: Hop | None = None
        self._contact: Uri | None = None  # as we last sent it
        self._further: list[Hop] = []
        self._timer: IDelayedCall | None = None
        self._stopped = False

    def send(self) -> None:
        """Register, or refresh."""
        self._timer = None
        self._challenged = False
        Deferred.fromCoroutine(self._find_and_send()).addErrback(
            lambda failure: log.failure("registration at {trunk}", failure=failure, trunk=self._trunk.name)
        )

    def rest(self) -> None:
        """Refresh it no more."""
        self._stopped = True
        if self._timer is not None and self._timer.active():
            self._timer.cancel()

    def stop(self) -> None:
        """Take the registration back, if it stands."""
        self.rest()
        if self._hop is not None:
            self._challenged = False
            self._send(self._hop, 0)

    async def _find_and_send(self) -> None:
        self._further = await self._switch.hosts.locate(self._first)
        if self._stopped:
            return
        if not self._go_further():
            self._failed(f"{self._first.host} cannot be found")

    def _go_further(self) -> bool:
        """Register at the next place where the carrier can be reached (RFC 3263 4.3), if there is one."""
        if self._stopped or not self._further:
            return False
        self._hop = self._further.pop(0)
        self._challenged = False
        self._send(self._hop, self._expires)
        return True

    def _send(self, hop: Hop, expires: int, headers: tuple[tuple[str, str], ...] = ()) -> None:
        self._sequence += 1
        ours = f"<{address(self._user, self._uri.host, self._uri.port)}>"
        contact = self._switch.contact(hop, self._user)
        self._contact = NameAddr.parse(contact).uri
        lines = [
            *(("Route", route) for route in routes(self._trunk)),
            ("From", f"{ours};tag={self._tag}"),
            ("To", ours),
            ("Call-ID", self._call_id),
            ("CSeq", f"{self._sequence} REGISTER"),
            ("Contact", contact),
            ("Max-Forwards", "70"),
            ("Expires", str(expires)),
            *headers,
        ]
        self._switch.layer.request(Request.create("REGISTER", self._registrar, lines), hop, self)

    @property
    def _registrar(self) -> str:
        return f"{self._uri.scheme}:{self._uri.hostport}"

    # What comes back (ClientUser).

    def response_received(self, response: Response, source: Hop) -> None:
        if response.status < 200:
            return
        if response.status in (401, 407) and not self._challenged and self._hop is not None:
            self._challenged = True
            header = self._credentials.answer(response, "REGISTER", self._registrar, self._switch.token())
            if header is not None:
                self._send(self._hop, 0 if self._stopped else self._expires, (header,))
                return
        if self._stopped:
            return
        if response.status < 300:
            self._pause = SHORTEST_PAUSE_SECONDS
            granted = self._granted(response)
            self.until = self._switch.now() + timedelta(seconds=granted)
            self._again(max(granted * REFRESH_SHARE, SHORTEST_PAUSE_SECONDS))
        elif response.status == 423 and self._expires == EXPIRES_SECONDS and self._is_longer(response):
            self.send()
        elif response.status != 503 or not self._go_further():
            self._failed(f"{response.status} {response.reason}")

    def _is_longer(self, response: Response) -> bool:
        """The registrar wants fewer registrations (RFC 3261 10.2.8): each may last as long as it says, from now on."""
        self._expires = uint32(response.get("Min-Expires") or "") or 0
        if EXPIRES_SECONDS < self._expires <= LONGEST_SECONDS:
            return True
        self._expires = EXPIRES_SECONDS
        return False

    def request_failed(self, cause: Failure) -> None:
        if not self._stopped and not self._go_further():
            self._failed("no response")

    def _granted(self, response: Response) -> int:
        """
        How long the registrar keeps us: as our Contact says, among others' who share the account; as one of our name says,
        where a router has rewritten it; else as the header does.
        """
        named = [one for one in response.contacts if one.uri.user == self._user and "expires" in one.parameters]
        named.sort(key=lambda one: self._contact is None or not one.uri.equivalent(self._contact))
        if not named:
            return response.expires or EXPIRES_SECONDS
        return lifetime(named[0].parameters["expires"] or "", self._switch.now()) or EXPIRES_SECONDS

    def _failed(self, why: str) -> None:
        log.warn("trunk {trunk} does not take our registration: {why}", trunk=self._trunk.name, why=why)
        self.failure = why
        if self.until is not None and self.until <= self._switch.now():
            self.until = None
        self._again(self._pause)
        self._pause = min(self._pause * 2, LONGEST_PAUSE_SECONDS)

    def _again(self, seconds: float) -> None:
        self._timer = self._switch.clock.callLater(seconds, self.send)
