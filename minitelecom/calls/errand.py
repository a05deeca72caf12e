"""A request within a dialog whose outcome changes nothing: a BYE, or a PRACK."""

from typing import TYPE_CHECKING

from minitelecom.sip.client_user import Failure
from minitelecom.sip.dialog import Dialog
from minitelecom.sip.hop import Hop
from minitelecom.sip.message import Response

if TYPE_CHECKING:
    from minitelecom.calls.leg import Leg

Header = tuple[str, str]


class Errand:
    """Sent at once, and once more with credentials where a carrier asks for them (a ClientUser)."""

    def __init__(self, leg: "Leg", dialog: Dialog, method: str, headers: tuple[Header, ...] = ()) -> None:
        self._leg = leg
        self._dialog = dialog
        self._method = method
        self._headers = headers
        self._way = leg.way(dialog)
        self._challenged = False
        self._send(headers)

    def _send(self, headers: tuple[Header, ...]) -> None:
        self._leg.switch.layer.request(self._dialog.request(self._method, headers), self._way, self)

    def response_received(self, response: Response, source: Hop) -> None:
        if response.status in (401, 407) and not self._challenged:
            self._challenged = True
            leg, uri = self._leg, str(self._dialog.remote_target)
            header = leg.credentials.answer(response, self._method, uri, leg.switch.token())
            if header is not None:
                self._send((*self._headers, header))

    def request_failed(self, cause: Failure) -> None:
        """Nobody is there any more to be told."""
