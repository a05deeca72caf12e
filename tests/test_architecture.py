"""
The shape of the code itself: who may import whom, what the pure rooms may never touch, how long a function may be, where
floats and clocks have no place.  Style that matters is a test.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = "minitelecom"

LAYERS = [  # from the ground up: a room imports itself and what stands on a lower line
    {"money", "entropy"},
    {"config_values"},
    {"config", "rating"},
    {"ivr", "store", "sip", "media", "drivers"},
    {"ladder"},
    {"calls"},
    {"callshop"},
    {"web", "provisioning"},
    {"daemon", "commands", "lifetime", "logbook"},
    {"demo"},
    {"__main__"},
]
FLOOR = {room: floor for floor, rooms in enumerate(LAYERS) for room in rooms}

PURE_ROOMS = {"money", "rating", "sip", "ladder"}
EDGES = {f"sip/{edge}.py" for edge in ("transport", "streams", "tls", "sockets", "transaction_layer", "timers")}
"""The only modules of a pure room that meet the world."""
IMPURE = (
    "twisted",
    "socket",
    "time",
    "random",
    "secrets",
    "asyncio",
    "threading",
    "logging",
    "os",
    "select",
    "subprocess",
)

MONEY_ROOMS = {"money", "rating", "store", "callshop"}
SECONDS = re.compile(r"second|timeout|delay|clock|interval|beat|age|pause|uptime", re.IGNORECASE)
"""What a float may be in a room of money: a time."""

MOST_LINES = 70


@dataclass(frozen=True)
class Module:
    path: Path
    inside: str
    """As seen from the package: "sip/message.py", "drivers/quicknet/device.py"."""
    text: str
    tree: ast.Module

    @property
    def room(self) -> str:
        return self.inside.split("/")[0].removesuffix(".py")

    def __str__(self) -> str:
        return self.inside

    def at(self, node: ast.AST) -> str:
        return f"{self.path.relative_to(ROOT)}:{getattr(node, 'lineno', 1)}"


def modules() -> list[Module]:
    found = []
    for folder, mapped in ((ROOT / PACKAGE, ""), (ROOT / "drivers", "drivers/")):
        for path in sorted(folder.rglob("*.py")):
            inside = mapped + path.relative_to(folder).as_posix()
            text = path.read_text()
            found.append(Module(path, inside, text, ast.parse(text, str(path))))
    return found


MODULES = modules()


def imports(module: Module) -> Iterator[tuple[ast.AST, str]]:
    """Full names of all that a module imports, wherever the import stands."""
    package = (PACKAGE, *Path(module.inside).parts[:-1])
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from ((node, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            name = ".".join([*base, *([node.module] if node.module else [])])
            yield node, name
            yield from ((node, f"{name}.{alias.name}") for alias in node.names)


def room_of(name: str) -> str | None:
    """The room a full name lies in; None: not of ours, or the package itself."""
    parts = name.split(".")
    return parts[1] if parts[0] == PACKAGE and len(parts) > 1 else None


def within(name: str, packages: tuple[str, ...]) -> bool:
    return any(name == package or name.startswith(package + ".") for package in packages)


def each(*rooms: str) -> pytest.MarkDecorator:
    """A test for every module, or for every module of some rooms."""
    chosen = [module for module in MODULES if not rooms or module.room in rooms]
    return pytest.mark.parametrize("module", chosen, ids=str)


@each()
def test_every_module_has_a_room_and_says_what_it_is_for(module):
    assert module.inside == "__init__.py" or module.room in FLOOR, f"{module} is in no layer"
    assert ast.get_docstring(module.tree), f"{module} opens without a docstring"


@each()
def test_imports_point_down(module):
    floor = FLOOR.get(module.room, 0)
    for node, name in imports(module):
        target = room_of(name)
        if target in FLOOR and target != module.room:
            assert FLOOR[target] < floor, f"{module.at(node)} imports {name}, which is not below {module.room}"


@each(*PURE_ROOMS)
def test_pure_rooms_are_pure(module):
    if module.inside in EDGES:
        return
    for node, name in imports(module):
        assert not within(name, IMPURE), f"{module.at(node)} imports {name}"
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            assert (node.value.id, node.attr) not in {("datetime", "now"), ("date", "today"), ("datetime", "utcnow")}, (
                f"{module.at(node)} asks for the time"
            )


@each()
def test_the_reactor_is_passed_never_imported(module):
    if module.inside == "__main__.py":
        return
    for node, name in imports(module):
        assert not within(name, ("twisted.internet.reactor",)), f"{module.at(node)} imports the reactor"


@each()
def test_functions_fit_on_a_screen(module):
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or 0) - node.lineno + 1
            assert lines <= MOST_LINES, f"{module.at(node)}: {node.name} has {lines} lines"


@each(*MONEY_ROOMS)
def test_money_is_never_a_float(module):
    """In rooms of money a float constant, annotation or conversion stands only on a line that speaks of time."""
    lines = module.text.splitlines()
    for node in ast.walk(module.tree):
        is_float = (isinstance(node, ast.Name) and node.id == "float") or (
            isinstance(node, ast.Constant) and isinstance(node.value, float)
        )
        if is_float:
            line = lines[node.lineno - 1]
            assert SECONDS.search(line), f"{module.at(node)}: a float among money: {line.strip()}"


SQL_CLOCK = re.compile(
    r"\b(now|clock_timestamp|statement_timestamp|transaction_timestamp|timeofday)\s*\(|"
    r"\b(current_timestamp|current_date|current_time|localtimestamp|localtime)\b",
    re.IGNORECASE,
)


def test_the_instant_is_always_passed_in_to_sql():
    """No statement or function of the schema asks the server's clock: a simulation and a recovery have their own."""
    asked = []
    for module in MODULES:
        if module.room == "store":
            docstrings = {id(text) for text in _docstrings(module.tree)}
            texts = (
                node for node in ast.walk(module.tree) if isinstance(node, ast.Constant) and id(node) not in docstrings
            )
            asked += [module.at(node) for node in texts if isinstance(node.value, str) and SQL_CLOCK.search(node.value)]
    for path in (ROOT / PACKAGE / "store").rglob("*.sql"):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if SQL_CLOCK.search(line.partition("--")[0]):
                asked.append(f"{path.relative_to(ROOT)}:{number}")
    assert not asked


def _docstrings(tree: ast.Module) -> Iterator[ast.Constant]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield node.value


def test_the_walk_sees_the_house():
    """A walk that found nothing would pass everything."""
    assert {"money", "rating", "sip", "calls"} <= {module.room for module in MODULES}
    assert set(FLOOR) >= PURE_ROOMS | MONEY_ROOMS


@pytest.mark.parametrize(
    ("inside", "text", "name"),
    [
        ("sip/dialog.py", "from minitelecom.store import ledger", "minitelecom.store.ledger"),
        ("sip/dialog.py", "from .uri import Uri", "minitelecom.sip.uri.Uri"),
        ("sip/dialog.py", "from ..calls import leg", "minitelecom.calls.leg"),
        ("calls/leg.py", "def f():\n    from twisted.internet import reactor", "twisted.internet.reactor"),
        ("calls/leg.py", "import twisted.internet.reactor", "twisted.internet.reactor"),
    ],
)
def test_every_form_of_import_is_seen(inside, text, name):
    module = Module(ROOT / PACKAGE / inside, inside, text, ast.parse(text))
    assert name in [found for _, found in imports(module)]


@pytest.mark.parametrize(
    "text", ["SELECT now()", "DEFAULT CURRENT_TIMESTAMP", "clock_timestamp ()", "current_date + 1"]
)
def test_every_clock_of_postgresql_is_seen(text):
    assert SQL_CLOCK.search(text)
    assert not SQL_CLOCK.search("SELECT known(1), unknown_current_date_of_card FROM nowhere")
