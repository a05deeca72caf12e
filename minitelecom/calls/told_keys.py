"""
Keys that the other party pressed, told to a far end by SIP INFO: who knows neither telephone-event nor listens to tones.

A far end that takes no telephone-event is believed when it allows INFO, and says nothing of what it accepts, or names keys
there.  It is told one key after the other, so that none overtakes another; a key that it refuses is pressed as tones
instead, and one that understands nothing of it is not asked again.
"""

from collections import deque
from enum import Enum
from typing import TYPE_CHECKING

from minitelecom.calls.info_keys import DTMF, INFO_KINDS, RELAY, body_of
from minitelecom.media.key_press import MOST_KEYS
from minitelecom.sip.client_user import Failure
from minitelecom.sip.hop import Hop
from minitelecom.sip.message import Message, Response

if TYPE_CHECKING:
    from minitelecom.calls.leg import Leg

NOT_UNDERSTOOD = (405, 415, 420, 469, 489, 501)
NO_SUCH_CALL = 481

Header = tuple[str, str]


class Keys(Enum):
    """How a far end wants to be told keys."""

    LEARNED = "learned"  # as it says itself: telephone-event, else INFO, else tones
    INFO = "info"
    TONES = "tones"


def takes_info(message: Message) -> bool:
    """Whether the INVITE or 2xx of a far end says that it may be told keys by INFO."""
    allows = any(method.upper() == "INFO" for method in message.tokens("Allow"))
    accepted = [one.partition(";")[0].strip().lower() for one in message.tokens("Accept")]
    return allows and (not accepted or not {*INFO_KINDS, "application/*", "*/*"}.isdisjoint(accepted))


class ToldKeys:
    """Of one leg (a ClientUser)."""

    __slots__ = ("_authorization", "_kind", "_leg", "_waiting", "understood")

    def __init__(self, leg: "Leg") -> None:
        self.understood = True
        self._leg = leg
        self._kind = RELAY
        self._waiting: deque[str] = deque()  # the first is on its way
        self._authorization: Header | None = None

    def tell(self, key: str) -> None:
        if len(self._waiting) < MOST_KEYS:
            self._waiting.append(key)
            if len(self._waiting) == 1:
                self._send()

    def _send(self) -> None:
        leg, dialog = self._leg, self._leg.dialog
        assert dialog is not None
        headers = () if self._authorization is None else (self._authorization,)
        request = dialog.request("INFO", headers, body_of(self._waiting[0], self._kind), self._kind)
        leg.switch.layer.request(request, leg.way(dialog), self)

    def response_received(self, response: Response, source: Hop) -> None:
        if response.status < 200 or self._leg.port is None:
            return
        if response.status < 300:
            self._next()
        elif response.status == NO_SUCH_CALL:
            self._leg.lost()
        elif self._asked_for_password(response) or self._asked_for_another_kind(response):
            self._send()
        else:
            self._press(understood=response.status not in NOT_UNDERSTOOD)

    def request_failed(self, cause: Failure) -> None:
        """It answers no INFO; whether it is there at all, others find out."""
        if self._leg.port is not None:
            self._press(understood=False)

    def _asked_for_password(self, response: Response) -> bool:
        if response.status not in (401, 407) or self._authorization is not None:
            return False
        leg = self._leg
        assert leg.dialog is not None
        uri = str(leg.dialog.remote_target)
        self._authorization = leg.credentials.answer(response, "INFO", uri, leg.switch.token())
        return self._authorization is not None

    def _asked_for_another_kind(self, response: Response) -> bool:
        if response.status != 415 or self._kind == DTMF or DTMF not in map(str.lower, response.tokens("Accept")):
            return False
        self._kind = DTMF
        return True

    def _next(self) -> None:
        self._authorization = None
        self._waiting.popleft()
        if self._waiting:
            self._send()

    def _press(self, *, understood: bool) -> None:
        """As tones: this key, or all that wait."""
        self.understood = understood
        port = self._leg.port
        assert port is not None
        while not understood and len(self._waiting) > 1:
            port.press(self._waiting.popleft())
        port.press(self._waiting[0])
        self._next()
