"""One visit of a browser to one page: what a page is given, and what it may answer."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum
from random import Random
from zoneinfo import ZoneInfo

from twisted.internet.interfaces import IReactorTime
from twisted.web.http import Request

from minitelecom.config import Numbers
from minitelecom.money import Money
from minitelecom.rating.number import normalise
from minitelecom.store.database import Database
from minitelecom.store.secrets import Secrets
from minitelecom.web.feed import LiveFeed
from minitelecom.web.languages import Language
from minitelecom.web.passwords import InThread
from minitelecom.web.throttle import Throttle

MOST_FIELDS = 1200  # the ticked rows of a page, and more than enough for any form
LONGEST_FIELD = 200


class Role(Enum):
    """Who looks. The names are those of the database and of the command line."""

    NOBODY = "nobody"
    OPERATOR = "operator"
    ADMINISTRATOR = "administrator"


@dataclass(frozen=True)
class Visitor:
    """Who a browser is to us; for nobody the name is empty."""

    name: str
    role: Role
    csrf: str
    token_hash: bytes = b""


@dataclass(frozen=True)
class Shop:
    """What the pages work with: one for the whole site."""

    database: Database
    secrets: Secrets
    feed: LiveFeed
    throttle: Throttle
    clock: IReactorTime
    now: Callable[[], datetime]
    token: Callable[[], str]
    random: Random
    in_thread: InThread
    currency: str
    numbers: Numbers
    zone: ZoneInfo
    languages: Mapping[str, Language]
    write_ladder: Callable[[str], Awaitable[None]]
    """Writes down what this process holds of a visit's messages, so that whoever looks sees the latest."""

    def dialled(self, number: str) -> str:
        """A number as call records have it; what is no number stays as it is and finds nothing."""
        return (
            normalise(
                number,
                self.numbers.country_code,
                international_prefix=self.numbers.international_prefix,
                national_prefix=self.numbers.national_prefix,
            )
            or number
        )

    def money(self, minor: int) -> Money:
        return Money.from_minor(minor, self.currency)


@dataclass(frozen=True)
class Visit:
    """A request, read and let in: pages see this and never the connection."""

    shop: Shop
    visitor: Visitor
    language: Language
    path: str
    address: str
    secure: bool
    fields: Mapping[str, Sequence[str]]
    arguments: Mapping[str, str] = field(default_factory=dict)

    def seen_as(self, visitor: Visitor) -> "Visit":
        return replace(self, visitor=visitor)

    def field(self, name: str) -> str:
        """What was typed into a field, without the blanks around it."""
        values = self.fields.get(name)
        return values[0].strip()[:LONGEST_FIELD] if values else ""

    def ticked(self, name: str) -> list[str]:
        return [value[:LONGEST_FIELD] for value in self.fields.get(name, ())]

    def secret(self, name: str) -> str:
        """A password field, blanks and all."""
        values = self.fields.get(name)
        return values[0] if values else ""


@dataclass(frozen=True)
class Page:
    """A template and its values."""

    template: str
    values: Mapping[str, object] = field(default_factory=dict)
    status: int = 200
    retry_seconds: int | None = None


@dataclass(frozen=True)
class Cookie:
    """A cookie to set; no value takes it away."""

    name: str
    value: str | None
    seconds: int = 0


@dataclass(frozen=True)
class Redirect:
    """See other (303): what follows a form that was done, so that a reload repeats nothing."""

    location: str
    cookies: tuple[Cookie, ...] = ()


@dataclass(frozen=True)
class Download:
    """A file to keep."""

    name: str
    content_type: str
    body: bytes


@dataclass(frozen=True)
class Stream:
    """An answer without end; `start` writes to the request for as long as it lasts."""

    start: Callable[[Request], None]


Answer = Page | Redirect | Download | Stream


class NotFoundError(Exception):
    """There is no such card, group or page."""


def local_path(target: str, otherwise: str = "/") -> str:
    """A path on this site and nothing else: never somebody else's site, whatever a link says."""
    plain = target.startswith("/") and not target.startswith(("//", "/\\"))
    return target if plain and target.isprintable() and " " not in target and "\\" not in target else otherwise
