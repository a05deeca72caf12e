"""
The grammar of SIP: RFC 3261 section 25, as regular expressions, each under the rule it stands for.

Text here is a head decoded once as UTF-8 with surrogateescape, so that any byte survives the way in and out. Folded lines
have been joined before a rule sees them: linear white space is blanks and tabs. Where peers are known to be looser than the
rule, so are we, and the comment says so. An attacker's text must be read once, never twice: repetitions of one character are
possessive (`*+`), and where a group repeats, no turn can begin with what its predecessor may end with. (Possessive groups
would say it better, but Python 3.11.2, Debian 12's, gets them wrong: gh-106052.)
"""

import re
from urllib.parse import quote as _percent
from urllib.parse import unquote_to_bytes

BLANKS = " \t\r\n"

# token = 1*(alphanum / "-" / "." / "!" / "%" / "*" / "_" / "+" / "`" / "'" / "~")
TOKEN = r"[A-Za-z0-9\-.!%*_+`'~]++"  # noqa: S105 - the RFC's word

# quoted-string = SWS DQUOTE *(qdtext / quoted-pair ) DQUOTE
QUOTED = r'"[^"\\]*+(?:\\.[^"\\]*+)*"'

# host = hostname / IPv4address / IPv6reference.   Looser: the underscore that so many machines have in their name.
HOST = r"(?:[A-Za-z0-9_][A-Za-z0-9_.\-]*+|\[[0-9A-Fa-f:.]++\])"

# *( SEMI generic-param ) ;  generic-param = token [ EQUAL ( token / host / quoted-string ) ]
# Looser: any visible character in a value (an undelimited IPv6 `received`, RFC 5118 section 4.5), an empty parameter.
PARAMETERS = rf'(?:[ \t]*+;[ \t]*+(?:[^;,"<>=\s]++[ \t]*+(?:=[ \t]*+(?:{QUOTED}|[^;,"<>\s]*+))?)?)*[ \t]*+'

_TOKEN_ONLY = re.compile(TOKEN)
_PARAMETER = re.compile(rf';[ \t]*+([^;,"<>=\s]++)[ \t]*+(=[ \t]*+({QUOTED}|[^;,"<>\s]*+))?')
_PLAIN_VALUE = re.compile(r'[^;,"<>\s\\]++')
_ELEMENT = re.compile(rf'(?:[^,"<]++|{QUOTED}|<[^<>]*+>)*')
_QUOTED_PAIR = re.compile(r"\\(.)", re.DOTALL)
_TO_QUOTE = re.compile(r'(["\\])')
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_UNREADABLE = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")

LARGEST_UINT32 = 2**32 - 1
# Values of one header field in one message: more than any way through a network has hops.
MOST_VALUES = 100
MOST_DIGITS = 10  # of a number that fits 32 bits


class BadSyntax(ValueError):
    """A value that breaks its rule. Carries the status that a request with it deserves."""

    def __init__(self, reason: str, status: int = 400) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status


def is_token(text: str) -> bool:
    return _TOKEN_ONLY.fullmatch(text) is not None


def split_values(text: str) -> list[str]:
    """The elements of a comma-separated header value; commas in quotes and in angle brackets don't count."""
    if "," not in text:
        return [text]
    if '"' not in text and "<" not in text:
        parts = text.split(",")
        if len(parts) > MOST_VALUES:
            raise BadSyntax("Too Many Values")
        return [part.strip(BLANKS) for part in parts]
    found: list[str] = []
    position = 0
    while len(found) < MOST_VALUES:
        match = _ELEMENT.match(text, position)
        assert match is not None  # the rule matches the empty string too
        found.append(match.group().strip(BLANKS))
        position = match.end() + 1
        if position > len(text):
            return found
        if text[position - 1] != ",":
            raise BadSyntax("Unbalanced Quotes or Brackets")
    raise BadSyntax("Too Many Values")


def parse_parameters(text: str) -> dict[str, str | None]:
    """The parameters of a text that matched PARAMETERS; names in lower case, quotes taken off the values."""
    found: dict[str, str | None] = {}
    if '"' in text:
        for name, equals, value in _PARAMETER.findall(text):
            found.setdefault(name.lower(), unquote(value) if equals else None)
        return found
    if " " in text or "\t" in text:
        text = "".join(text.split())
    for part in text.split(";"):
        name, equals, value = part.partition("=")
        if name:
            found.setdefault(name.lower(), value if equals else None)
    return found


def write_parameters(parameters: dict[str, str | None]) -> str:
    written = []
    for name, value in parameters.items():
        if value is None:
            written.append(f";{name}")
        elif _PLAIN_VALUE.fullmatch(value):
            written.append(f";{name}={value}")
        else:
            written.append(f";{name}={quote(value)}")
    return "".join(written)


def quote(text: str) -> str:
    return '"' + _TO_QUOTE.sub(r"\\\1", text) + '"'


def unquote(text: str) -> str:
    """The content of a quoted-string; any other text as it is."""
    if len(text) < 2 or text[0] != '"' or text[-1] != '"':
        return text
    inner = text[1:-1]
    return _QUOTED_PAIR.sub(r"\1", inner) if "\\" in inner else inner


def check_escapes(text: str) -> None:
    """Raises BadSyntax where a "%" is not followed by two hexadecimal digits."""
    if _BAD_ESCAPE.search(text):
        raise BadSyntax("Bad Escape in URI")


def unescape(text: str) -> str:
    """The characters that %HH stands for. What is no UTF-8 becomes U+FFFD, so that the result can be stored and shown."""
    return unquote_to_bytes(text).decode("utf-8", "replace") if "%" in text else text


def escape(text: str, allowed: str) -> str:
    """The reverse: whatever is neither unreserved nor allowed here becomes %HH."""
    return _percent(text, safe=allowed + "-_.!~*'()")


def uint32(text: str) -> int | None:
    """A number of at most 32 bits without sign, else None. Leading zeros are blameless (RFC 4475 section 3.1.1.1)."""
    if not (text.isascii() and text.isdecimal()):
        return None
    text = text.lstrip("0") or "0"
    if len(text) > MOST_DIGITS:
        return None
    number = int(text)
    return number if number <= LARGEST_UINT32 else None


def readable(text: str) -> str:
    """A peer's text fit for a database, a log or a page: control characters and stray bytes become U+FFFD."""
    return _UNREADABLE.sub("\ufffd", text)
