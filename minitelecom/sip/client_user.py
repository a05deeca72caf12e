"""Who sends a request by the transaction layer, and hears what became of it (RFC 3261 section 17.1)."""

from enum import Enum
from typing import Protocol

from minitelecom.sip.hop import Hop
from minitelecom.sip.message import Response


class Failure(Enum):
    """Why a request got no final response; section 8.1.3.1 has it count as this status."""

    TIMEOUT = 408
    TRANSPORT = 503


class ClientUser(Protocol):
    def response_received(self, response: Response, source: Hop) -> None:
        """Each provisional response, the final one, and every 2xx to an INVITE, also when it is repeated."""

    def request_failed(self, cause: Failure) -> None:
        """No final response came, and none will be told of."""


class Nobody:
    """The user of a request whose outcome changes nothing, such as a CANCEL: the INVITE's own end is what counts (9.1)."""

    def response_received(self, response: Response, source: Hop) -> None:
        pass

    def request_failed(self, cause: Failure) -> None:
        pass


NOBODY = Nobody()
