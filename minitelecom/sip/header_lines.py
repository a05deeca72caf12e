"""
The header of a message as its lines (RFC 3261 section 7.3): split once, each line kept as it came, written as it came.

Names are compared in one form only, the key: long name, lower case. Folding is undone when a value is asked for.
"""

import re
from collections.abc import Callable, Iterator
from typing import TypeVar

from minitelecom.sip.grammar import BLANKS, BadSyntax, is_token

MOST_LINES = 200
LONGEST_LINE = 8192

# Section 7.3.3 and the register of header fields (RFC 3515, 3841, 3892, 4028, 4474, 6665).
COMPACT = {
    "a": "accept-contact",
    "b": "referred-by",
    "c": "content-type",
    "d": "request-disposition",
    "e": "content-encoding",
    "f": "from",
    "i": "call-id",
    "j": "reject-contact",
    "k": "supported",
    "l": "content-length",
    "m": "contact",
    "n": "identity-info",
    "o": "event",
    "r": "refer-to",
    "s": "subject",
    "t": "to",
    "u": "allow-events",
    "v": "via",
    "x": "session-expires",
    "y": "identity",
}

_USUAL_NAMES = (
    "Accept",
    "Allow",
    "Authorization",
    "Call-ID",
    "Contact",
    "Content-Disposition",
    "Content-Encoding",
    "Content-Length",
    "Content-Type",
    "CSeq",
    "Date",
    "Expires",
    "From",
    "Max-Forwards",
    "P-Asserted-Identity",
    "Proxy-Authenticate",
    "Proxy-Authorization",
    "Reason",
    "Record-Route",
    "Require",
    "Route",
    "Server",
    "Session-Expires",
    "Subject",
    "Supported",
    "Timestamp",
    "To",
    "User-Agent",
    "Via",
    "Warning",
    "WWW-Authenticate",
)

# Every name in the spelling most peers use, so that the usual line costs one look into a dict.
_KEYS = {name: name.lower() for name in _USUAL_NAMES}
_KEYS |= {name.lower(): name.lower() for name in _USUAL_NAMES}
_KEYS |= COMPACT | {name.upper(): key for name, key in COMPACT.items()}

_FOLD = re.compile(r"[ \t]*\r\n[ \t]+")
_LINE_END = re.compile(r"\r\n(?![ \t])")

T = TypeVar("T")


def key_of(name: str) -> str:
    """The one form of a header name; the name may be compact, in any case, with blanks behind it (section 7.3.1)."""
    key = _KEYS.get(name)
    if key is not None:
        return key
    name = name.rstrip(" \t").lower()
    return COMPACT.get(name, name)


def _value(line: str) -> str:
    value = line.partition(":")[2].strip(BLANKS)
    return _FOLD.sub(" ", value) if "\n" in value else value


def _unusual_key(line: str) -> str:
    """The key of a line whose name is not among the usual ones; "" where there is no name."""
    name, colon, _ = line.partition(":")
    key = key_of(name)
    return key if colon and is_token(key) else ""


class Headers:
    """The lines and, beside each, its key. Values read by `typed` are kept until their header changes."""

    __slots__ = ("_typed", "changed", "fault", "keys", "lines")

    def __init__(self, keys: list[str] | None = None, lines: list[str] | None = None) -> None:
        self.keys = [] if keys is None else keys
        self.lines = [] if lines is None else lines
        self.changed = False
        self.fault: BadSyntax | None = None
        self._typed: dict[str, object] = {}

    @classmethod
    def split(cls, text: str) -> "Headers":
        """Lines without a name are left out and remembered in `fault`: the rest may be enough to answer with."""
        folded = "\r\n " in text or "\r\n\t" in text
        lines = _LINE_END.split(text) if folded else text.split("\r\n")
        # A line that is a usual name and nothing else counts as one with an empty value.
        keys = [_KEYS.get(line.partition(":")[0]) for line in lines]
        fault: BadSyntax | None = None
        if None in keys:
            keys = [key or _unusual_key(line) for key, line in zip(keys, lines, strict=True)]
        if "" in keys:
            fault = BadSyntax("Bad Header Line")
            lines = [line for key, line in zip(keys, lines, strict=True) if key]
        if len(lines) > MOST_LINES:
            fault = BadSyntax("Too Many Headers", 513)
        elif len(text) > LONGEST_LINE and max(map(len, lines), default=0) > LONGEST_LINE:
            fault = BadSyntax("Header Too Long", 513)
        headers = cls([key for key in keys if key], lines)
        headers.fault = fault
        return headers

    def value(self, key: str) -> str | None:
        """`get` for one who has the key at hand."""
        keys = self.keys
        return _value(self.lines[keys.index(key)]) if key in keys else None

    def values(self, key: str) -> list[str]:
        keys = self.keys
        count = keys.count(key)
        if count < 2:
            return [_value(self.lines[keys.index(key)])] if count else []
        return [_value(line) for at, line in zip(keys, self.lines, strict=True) if at == key]

    def has_repeats(self) -> bool:
        return len(set(self.keys)) < len(self.keys)

    def get(self, name: str) -> str | None:
        """The value of the first line of that name, unfolded, without the blanks around it."""
        return self.value(key_of(name))

    def get_all(self, name: str) -> list[str]:
        """One value a line; a value may itself hold several, with commas between."""
        return self.values(key_of(name))

    def typed(self, key: str, read: Callable[["Headers"], T]) -> T:
        """What `read` makes of the header of this key; read once, until the header changes."""
        found = self._typed.get(key)
        if found is None:
            self._typed[key] = found = read(self)
        return found  # type: ignore[return-value]

    def remember(self, key: str, value: object) -> None:
        """What `typed` would read, for one who has just written it."""
        self._typed[key] = value

    def forget(self) -> None:
        """Let go of what was read; it is read again when somebody asks again."""
        self._typed = {}

    def copy(self, *wanted: str) -> "Headers":
        """The lines of these keys, in their order there, as they came."""
        kept = [(key, line) for key, line in zip(self.keys, self.lines, strict=True) if key in wanted]
        return Headers([key for key, _ in kept], [line for _, line in kept])

    def set(self, name: str, value: str) -> None:
        """One line of that name, where its first one stood or at the end."""
        key = key_of(name)
        line = self._line(name, value)
        if key not in self.keys:
            self.keys.append(key)
            self.lines.append(line)
        else:
            place = self.keys.index(key)
            self.lines[place] = line
            for other in range(len(self.keys) - 1, place, -1):
                if self.keys[other] == key:
                    del self.keys[other], self.lines[other]
        self._touch(key)

    def add(self, name: str, value: str, *, first: bool = False) -> None:
        """One line more, at the end; or, for Via and Record-Route, before all others."""
        key = key_of(name)
        place = 0 if first else len(self.keys)
        self.keys.insert(place, key)
        self.lines.insert(place, self._line(name, value))
        self._touch(key)

    def replace_first(self, name: str, value: str) -> None:
        """Another value for the first line of that name; the others stay."""
        key = key_of(name)
        self.lines[self.keys.index(key)] = self._line(name, value)
        self._touch(key)

    def remove(self, name: str) -> None:
        key = key_of(name)
        if key in self.keys:
            self.lines = [line for at, line in zip(self.keys, self.lines, strict=True) if at != key]
            self.keys = [at for at in self.keys if at != key]
            self._touch(key)

    def _touch(self, key: str) -> None:
        self.changed = True
        self._typed.pop(key, None)

    @staticmethod
    def _line(name: str, value: str) -> str:
        if "\n" in value or "\r" in value:
            raise ValueError(f"{name}: a value must not bring header lines of its own")
        return f"{name}: {value}"

    def __contains__(self, name: str) -> bool:
        return key_of(name) in self.keys

    def __len__(self) -> int:
        return len(self.keys)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        """(key, value) of every line."""
        return zip(self.keys, map(_value, self.lines), strict=True)
