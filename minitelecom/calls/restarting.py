"""
Having a telephone fetch its configuration anew: a NOTIFY outside any subscription, by the event that its kind knows.

That is nobody's standard, but everybody's habit: `check-sync`, `resync`, and the signed `sys-control` of Grandstream's first
telephones.  Some want to see their own password first, which we know.
"""

from datetime import datetime
from hashlib import md5

from twisted.logger import Logger

from minitelecom.calls.credentials import Credentials
from minitelecom.calls.directory import Directory
from minitelecom.calls.switch import Switch
from minitelecom.sip.client_user import Failure
from minitelecom.sip.hop import Hop
from minitelecom.sip.message import Request, Response
from minitelecom.sip.registration import Binding, ringing

log = Logger()

SYS_CONTROL = "sys-control"
RESET = b"\x00\x01\x00\x00"


class Restarting:
    """Tells telephones."""

    def __init__(self, switch: Switch, directory: Directory) -> None:
        self._switch = switch
        self._directory = directory

    def restart(self, name: str, mac: str | None) -> None:
        """Tell a telephone at every place where it is registered; ``mac`` is its hardware address, in hexadecimal."""
        device = self._directory.devices.get(name)
        if device is None:
            return
        instant = self._switch.now()
        for group in ringing(self._directory.contacts(name, instant), "together"):
            for binding in group:
                profile = self._directory.profile(name, binding.user_agent)
                body = reset(mac or "", device.password or "", instant) if profile.restart == SYS_CONTROL else b""
                hop = self._switch.reach(binding, by_contact=profile.is_sent_to_contact)
                _Notice(self._switch, binding, hop, Credentials(name, device.password or "")).send(
                    profile.restart, body
                )


class _Notice:
    """One NOTIFY, sent once more with the telephone's own password where it asks for that."""

    def __init__(self, switch: Switch, binding: Binding, hop: Hop, credentials: Credentials) -> None:
        self._switch = switch
        self._binding = binding
        self._hop = hop
        self._credentials = credentials
        self._call_id, self._tag = switch.token(), switch.token()
        self._sequence = 0
        self._event, self._body = "", b""

    def send(self, event: str, body: bytes, *more: tuple[str, str]) -> None:
        self._event, self._body = event, body
        self._sequence += 1
        uri = self._binding.contact
        host, _ = self._switch.addresses.towards(self._hop)
        lines = [
            *(("Route", route) for route in self._binding.path),
            ("From", f"<sip:minitelecom@{host}>;tag={self._tag}"),
            ("To", f"<{uri}>"),
            ("Call-ID", self._call_id),
            ("CSeq", f"{self._sequence} NOTIFY"),
            ("Contact", self._switch.contact(self._hop, "minitelecom")),
            ("Max-Forwards", "70"),
            ("Event", event),
            ("Subscription-State", "terminated;reason=noresource"),
            *more,
        ]
        kind = "application/octet-stream" if body else None
        self._switch.layer.request(Request.create("NOTIFY", uri, lines, body, kind), self._hop, self)

    # What comes back (ClientUser).

    def response_received(self, response: Response, source: Hop) -> None:
        if response.status in (401, 407) and self._sequence == 1:
            uri = self._binding.contact
            header = self._credentials.answer(response, "NOTIFY", uri, self._switch.token(), self._body)
            if header is not None:
                self.send(self._event, self._body, header)
                return
        if response.status >= 300:
            log.warn("{uri} does not restart: {status}", uri=self._binding.contact, status=response.status)

    def request_failed(self, cause: Failure) -> None:
        log.warn("{uri} does not restart: nobody answers", uri=self._binding.contact)


def reset(mac: str, password: str, instant: datetime) -> bytes:
    """The body of sys-control: what to do, the time, and a digest of both with the telephone's address and password."""
    seconds = int(instant.timestamp()).to_bytes(4, "big")
    signed = bytes.fromhex(mac) + b":" + password.encode() + b":" + seconds
    return RESET + seconds + md5(signed, usedforsecurity=False).digest()
