"""What we answer a carrier with when it asks who we are: RFC 3261 section 22.2 from the client's side."""

from dataclasses import dataclass
from typing import Self

from minitelecom.sip import digest
from minitelecom.sip.grammar import BadSyntax
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

    def answer(self, response: Response, method: str, uri: str, cnonce: str) -> tuple[str, str] | None:
        """The header that answers a 401 or 407 to this method and Request-URI, if we can."""
        if self.username is None or response.status not in CHALLENGES:
            return None
        asked, answered = CHALLENGES[response.status]
        for value in response.get_all(asked):
            try:
                challenge = digest.Challenge.parse(value)
            except BadSyntax:  # a scheme or an algorithm we do not speak; the carrier may offer another
                continue
            return answered, str(digest.respond(challenge, self.username, self.password, method, uri, cnonce=cnonce))
        return None


NONE = Credentials()
