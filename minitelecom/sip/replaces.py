"""
The Replaces header: RFC 3891. Which dialog an INVITE takes the place of, as its receiver knows it.

    Replaces = callid *( SEMI replaces-param )   to-tag, from-tag, "early-only"
"""

import re
from dataclasses import dataclass

from minitelecom.sip.grammar import PARAMETERS, BadSyntax, is_token, parse_parameters, write_parameters

NO_TAG = "0"
"""What stands for the tag of a far end of RFC 2543, which has none (section 6.1)."""

# callid = word [ "@" word ], and a word holds no blank, comma, semicolon or equals sign
_REPLACES = re.compile(rf"[ \t]*+([^\s;,=]++)({PARAMETERS})")


@dataclass(frozen=True, slots=True)
class Replaces:
    """``to_tag`` is the tag of whoever receives it."""

    call_id: str
    to_tag: str
    from_tag: str
    early_only: bool = False

    @classmethod
    def parse(cls, text: str) -> "Replaces":
        """Raises BadSyntax; both tags must be there."""
        match = _REPLACES.fullmatch(text)
        if match is None:
            raise BadSyntax("Bad Replaces")
        parameters = parse_parameters(match[2])
        to_tag, from_tag = parameters.get("to-tag") or "", parameters.get("from-tag") or ""
        if not is_token(to_tag) or not is_token(from_tag):
            raise BadSyntax("Bad Replaces")
        return cls(match[1], to_tag, from_tag, "early-only" in parameters)

    def is_from(self, tag: str | None) -> bool:
        """Whether the far end of a dialog is the one that is meant (section 3)."""
        return self.from_tag == tag or (tag is None and self.from_tag == NO_TAG)

    def __str__(self) -> str:
        parameters: dict[str, str | None] = {"to-tag": self.to_tag, "from-tag": self.from_tag}
        if self.early_only:
            parameters["early-only"] = None
        return self.call_id + write_parameters(parameters)
