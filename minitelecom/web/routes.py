"""Every page there is, and the one place that says who may see it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum

from minitelecom.web.languages import mark
from minitelecom.web.pages import add_users, call, calls, locks, login, online, recharge, users
from minitelecom.web.visit import Answer, Role, Visit

EVERYBODY = frozenset(Role)
SHOP = frozenset({Role.OPERATOR, Role.ADMINISTRATOR})
ADMINISTRATOR = frozenset({Role.ADMINISTRATOR})

PageFunction = Callable[[Visit], Awaitable[Answer]]


@dataclass(frozen=True)
class Route:
    """A method and a path, who may, and what answers; `stale` answers a form whose token is out of date."""

    method: str
    path: str
    allowed: frozenset[Role]
    page: PageFunction
    stale: PageFunction | None = None


ROUTES = (
    Route("GET", "/", SHOP, login.home),
    Route("GET", "/login", EVERYBODY, login.show),
    Route("POST", "/login", EVERYBODY, login.enter, stale=login.stale),
    Route("POST", "/logout", SHOP, login.leave),
    Route("POST", "/language", EVERYBODY, login.choose_language),
    Route("GET", "/users/add", SHOP, add_users.show),
    Route("POST", "/users/add", SHOP, add_users.add),
    Route("GET", "/groups/<int:group>", SHOP, add_users.group),
    Route("GET", "/groups/<int:group>.csv", SHOP, add_users.export),
    Route("GET", "/users", SHOP, users.show),
    Route("POST", "/users/passwords", SHOP, users.show_passwords),
    Route("POST", "/users/change", SHOP, users.change),
    Route("POST", "/users/drop", SHOP, users.drop),
    Route("GET", "/recharge", SHOP, recharge.show),
    Route("POST", "/recharge", SHOP, recharge.charge),
    Route("GET", "/calls", SHOP, calls.show),
    Route("GET", "/calls/<int:call>", SHOP, call.show),
    Route("GET", "/calls/<int:call>.svg", SHOP, call.as_picture),
    Route("GET", "/calls/<int:call>.txt", ADMINISTRATOR, call.as_text),
    Route("GET", "/calls/<int:call>.pcap", ADMINISTRATOR, call.as_capture),
    Route("GET", "/online", SHOP, online.show),
    Route("GET", "/online/events", SHOP, online.events),
    Route("GET", "/locks", ADMINISTRATOR, locks.show),
    Route("POST", "/locks/unlock", ADMINISTRATOR, locks.unlock),
)

PAGES = frozenset(route.path for route in ROUTES if route.method == "GET")
FORMS_ONLY = frozenset(route.path for route in ROUTES) - PAGES


def page_of(path: str) -> str:
    """Where to come back to: an address that only takes forms cannot be opened, but the page before it can."""
    while path in FORMS_ONLY:
        path = path.rpartition("/")[0] or "/"
    return path


# The menus by the product's names, in its order; a menu is shown to those who may open its page.
MENU = (
    ("/users/add", mark("Add Users")),
    ("/users", mark("List Of Users")),
    ("/recharge", mark("Recharge Account")),
    ("/calls", mark("View Calls")),
    ("/online", mark("View Online Users")),
    ("/locks", mark("Locks")),
)


class Decision(Enum):
    """What a visitor meets at a page."""

    LET_IN = "let in"
    LOG_IN = "log in first"
    REFUSE = "refuse"


def decide(route: Route, role: Role) -> Decision:
    """The one decision on access in the whole site."""
    if role in route.allowed:
        return Decision.LET_IN
    return Decision.LOG_IN if role is Role.NOBODY else Decision.REFUSE


def menu_of(role: Role) -> list[tuple[str, str]]:
    open_to = {route.path for route in ROUTES if route.method == "GET" and role in route.allowed}
    return [(path, name) for path, name in MENU if path in open_to]
