"""The registrar: RFC 3261 section 10.3 over bindings that live in the database and are written through memory."""

from dataclasses import replace

from twisted.internet.defer import Deferred, DeferredLock
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from minitelecom.calls.directory import Directory
from minitelecom.calls.switch import Switch
from minitelecom.sip import registration
from minitelecom.sip.client_user import Nobody
from minitelecom.sip.hop import Hop
from minitelecom.sip.message import Request
from minitelecom.sip.transaction_layer import ServerTransaction
from minitelecom.sip.uri import Uri
from minitelecom.store.database import DatabaseAway
from minitelecom.store.devices import Device

log = Logger()

KEEP_ALIVE_SECONDS = 25.0
RETRY_AFTER_SECONDS = 10
# Some ask for half a minute, to keep their router open, and those of 2003 would not understand 423.
LIMITS = registration.Limits(shortest_seconds=20)


class Registrar:
    """Takes REGISTER of telephones that have been identified."""

    def __init__(self, switch: Switch, directory: Directory) -> None:
        self._switch = switch
        self._directory = directory
        self._locks: dict[str, DeferredLock] = {}

    def register(self, transaction: ServerTransaction, request: Request, source: Hop, device: Device) -> None:
        """Answer a REGISTER, after the bindings are written."""
        if request.to.uri.user != device.name:
            transaction.respond(request.response(403))
            return
        lock = self._locks.setdefault(device.name, DeferredLock())
        lock.run(lambda: Deferred.fromCoroutine(self._register(transaction, request, source, device))).addErrback(
            self._failed, transaction, request
        )

    async def _register(self, transaction: ServerTransaction, request: Request, source: Hop, device: Device) -> None:
        instant = self._switch.now()
        before = self._directory.contacts(device.name, instant)
        most = device.settings.most_contacts
        limits = LIMITS if most is None else replace(LIMITS, most_bindings=most)
        outcome = registration.register(request, before, instant, limits, source)
        try:
            if outcome.changed:
                await self._directory.save_bindings(device.name, outcome.bindings)
        except DatabaseAway:
            headers = [("Retry-After", str(RETRY_AFTER_SECONDS))]
            transaction.respond(request.response(503, headers=headers))
            return
        transaction.respond(outcome.response)
        places = {binding.contact: binding.source for binding in before}
        for binding in outcome.bindings:
            if places.get(binding.contact, binding.source) != binding.source:
                self._switch.moved(binding.contact, places[binding.contact], binding.source)

    def _failed(self, failure: Failure, transaction: ServerTransaction, request: Request) -> None:
        log.failure("REGISTER failed", failure=failure)
        transaction.respond(request.response(500))


class KeepAlive:
    """
    OPTIONS to registered telephones behind a router, so that the router keeps the way to them open.

    A telephone is behind one when it registers another address than the one its packets come from.
    """

    def __init__(self, switch: Switch, directory: Directory) -> None:
        self._switch = switch
        self._directory = directory
        self._loop = LoopingCall(self.send)
        self._loop.clock = switch.clock

    def start(self) -> None:
        self._loop.start(KEEP_ALIVE_SECONDS, now=False).addErrback(
            lambda failure: log.failure("keep-alives stopped", failure=failure)
        )

    def stop(self) -> None:
        if self._loop.running:
            self._loop.stop()

    def send(self) -> None:
        for name in self._directory.bindings:
            for binding in self._directory.contacts(name, self._switch.now()):
                uri = Uri.parse(binding.contact)
                if uri.host.strip("[]") != binding.source.host and not binding.path:  # a proxy keeps its own ways open
                    self._ask(str(uri), binding.source)

    def _ask(self, uri: str, hop: Hop) -> None:
        switch = self._switch
        host, _ = switch.addresses.towards(hop)
        headers = [
            ("From", f"<sip:minitelecom@{host}>;tag={switch.token()}"),
            ("To", f"<{uri}>"),
            ("Call-ID", f"{switch.token()}@{host}"),
            ("CSeq", "1 OPTIONS"),
            ("Max-Forwards", "70"),
        ]
        switch.layer.request(Request.create("OPTIONS", uri, headers), hop, Nobody())
