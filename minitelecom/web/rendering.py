"""
Templates to bytes: one Jinja2 environment a language, compiled once for all when the site is made.

A page is written in slices: after SLICE_SECONDS the reactor gets its turn, so that no call waits for a long list.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from jinja2 import BytecodeCache, Environment, FileSystemLoader, StrictUndefined
from jinja2.bccache import Bucket
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from minitelecom.money import minor_digits
from minitelecom.web.languages import Language, duration

HERE = Path(__file__).parent
SLICE_SECONDS = 0.003
CHUNKS_AT_ONCE = 16  # between two looks at the clock

CONTENT_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}


class StaticFiles:
    """The stylesheet, the script and the icon: few and small, so they are kept in memory."""

    def __init__(self, folder: Path = HERE / "static") -> None:
        self.files = {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix in CONTENT_TYPES}
        self._versions = {name: hashlib.sha256(body).hexdigest()[:12] for name, body in self.files.items()}

    def address(self, name: str) -> str:
        """The address of a file with its version, so that a browser may keep it for ever."""
        return f"/static/{name}?v={self._versions[name]}"


class Compiled(BytecodeCache):
    """What one language's environment has compiled, for the others: a start that takes half as long."""

    def __init__(self) -> None:
        self._compiled: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._compiled:
            bucket.bytecode_from_string(self._compiled[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._compiled[bucket.key] = bucket.bytecode_to_string()


class Renderer:
    """Writes the templates in every language."""

    def __init__(
        self,
        languages: Mapping[str, Language],
        static: StaticFiles,
        clock: IReactorTime,
        templates: Path = HERE / "templates",
    ) -> None:
        self._clock = clock
        compiled = Compiled()
        self._environments = {
            code: _environment(language, static, templates, compiled) for code, language in languages.items()
        }

    async def render(self, language: Language, template: str, values: Mapping[str, object]) -> bytes:
        """One page; lets others work after each slice."""
        parts: list[str] = []
        begun = self._clock.seconds()
        for number, part in enumerate(self._environments[language.code].get_template(template).generate(values)):
            parts.append(part)
            if number % CHUNKS_AT_ONCE == 0 and self._clock.seconds() - begun > SLICE_SECONDS:
                await self._turn()
                begun = self._clock.seconds()
        return "".join(parts).encode("utf-8", "replace")  # a telephone may send what is no text

    def _turn(self) -> Deferred[None]:
        waiting: Deferred[None] = Deferred()
        self._clock.callLater(0, waiting.callback, None)
        return waiting


def _environment(language: Language, static: StaticFiles, templates: Path, compiled: Compiled) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(templates),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        bytecode_cache=compiled,
        extensions=["jinja2.ext.i18n"],
    )
    environment.install_gettext_translations(language.translations, newstyle=True)  # type: ignore[attr-defined]
    environment.globals.update(language=language, static=static.address, duration=duration, minor_digits=minor_digits)
    for name in environment.list_templates():
        environment.get_template(name)
    return environment
