"""What we answer a carrier with when it asks who we are: RFC 3261 section 22.2 from the client's side."""

from dataclasses import dataclass
from typing import Self

from minitelecom.sip import digest
from minitelecom.sip.message import Response
from minitelecom.store.trunks import Trunk

CHALLENGES = {
    401: ("WWW-Authenticate", "Authorization"),
    407: ("Proxy-Authenticate", "Proxy-Authorization"),
}


@dataclass(frozen=True, slots=True)
class Credentials:
    """Our name and password at a carrier.  Without a name there is nothing to answer with."""

    username: str | None = None
    password: str = ""

    @classmethod
    def of(cls, trunk: Trunk) -> Self:
        return cls(trunk.username, trunk.password or "")

    def answer(
        self, response: Response, method: str, uri: str, cnonce: str, body: bytes = b""
    ) -> tuple[str, str] | None:
        """The header that answers a 401 or 407 to a request of this method, Request-URI and body, if we can."""
        if self.username is None or response.status not in CHALLENGES:
            return None
        asked, answered = CHALLENGES[response.status]
        challenge = digest.strongest(response.get_all(asked))
        if challenge is None:
            return None
        credentials = digest.respond(challenge, self.username, self.password, method, uri, cnonce=cnonce, body=body)
        return answered, str(credentials)


NONE = Credentials()
