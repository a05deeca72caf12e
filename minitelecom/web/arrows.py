"""
The figure of a ladder as SVG: an arrow as a strip of the page, and the whole as a picture that stands by itself.

A strip is as wide as there is room, so its places are percentages; the lines of the participants are drawn by the page,
behind all strips. The picture brings its colours with it, as it is looked at elsewhere.
"""

from markupsafe import Markup

from minitelecom.ladder.figure import Arrow, Figure
from minitelecom.ladder.text import name_of
from minitelecom.web.languages import Language, mark

STRIP = 42  # pixels from one arrow to the next
BASE = 31  # in them, where the arrow runs
COLUMN = 230  # pixels from one participant to the next, in the picture;
MARGIN = 80  # before the first, for the times
TOP = 64

HEADS = {True: "M0 0l-9-4.5v9z", False: "M0 0l9-4.5v9z"}  # to the right, to the left
STYLE = """\
text { font: 13px sans-serif; text-anchor: middle; fill: #17212b; }
.who { font-weight: bold; }
.hop, .when, .of { font-size: 11px; fill: #52606d; font-weight: normal; }
.life { stroke: #d5dce3; stroke-width: 1.5; }
.arrow { stroke-width: 1.5; color: #0d5c63; }
.arrow line { stroke: currentcolor; }
.arrow :is(path, circle, text) { fill: currentcolor; stroke: none; }
.arrow .of { fill: #52606d; }
.provisional { color: #52606d; }
.success { color: #146c3a; }
.failure { color: #a3241c; }
.unreadable { color: #7a4d00; }
.repeated line { stroke-dasharray: 5 4; }
"""


def strip(arrow: Arrow, participants: int, language: Language) -> Markup:
    """An arrow between the lines of two participants, with its words above it."""
    begin, end = (f"{100 * (place + 0.5) / participants:.4g}%" for place in (arrow.sender, arrow.receiver))
    middle = f"{100 * (arrow.sender + arrow.receiver + 1) / 2 / participants:.4g}%"
    return _arrow(arrow, begin, middle, end, BASE, particulars(arrow, language))


def particulars(arrow: Arrow, language: Language) -> str:
    """What is particular about a message, in few words."""
    words = [
        *([arrow.method] if arrow.method not in ("", "INVITE", arrow.title) else []),
        *([f"SDP {arrow.direction}".rstrip()] if arrow.describes else []),
        *([language.text(mark("repeated"))] if arrow.repeated else []),
    ]
    return " · ".join(words)


def picture(ladder: Figure, language: Language) -> bytes:
    """The whole figure, to be kept or printed."""
    width = MARGIN + COLUMN * len(ladder.participants)
    height = TOP + STRIP * len(ladder.arrows) + 20
    lines = [MARGIN + COLUMN * place + COLUMN // 2 for place in range(len(ladder.participants))]
    parts = [
        Markup(
            '<svg xmlns="http://www.w3.org/2000/svg" width="{0}" height="{1}" viewBox="0 0 {0} {1}"><style>{2}</style>'
            '<rect width="100%" height="100%" fill="#fff"/>'
        ).format(width, height, STYLE)
    ]
    for x, participant in zip(lines, ladder.participants, strict=True):
        parts.append(
            Markup(
                '<text x="{0}" y="24" class="who">{1}</text><text x="{0}" y="42" class="hop">{2}</text>'
                '<line x1="{0}" y1="{3}" x2="{0}" y2="{4}" class="life"/>'
            ).format(x, name_of(participant), participant.hop, TOP - 12, height - 8)
        )
    for number, arrow in enumerate(ladder.arrows):
        begin, end, base = lines[arrow.sender], lines[arrow.receiver], TOP + STRIP * number + BASE
        parts.append(
            Markup('<text x="{0}" y="{1}" class="when">+{2:.3f}</text><g class="arrow {3}{4}">{5}</g>').format(
                MARGIN // 2,
                base + 4,
                arrow.seconds,
                arrow.kind.value,
                " repeated" if arrow.repeated else "",
                _arrow(arrow, str(begin), str((begin + end) // 2), str(end), base, particulars(arrow, language)),
            )
        )
    return "".join([*parts, "</svg>\n"]).encode("utf-8", "replace")


def _arrow(arrow: Arrow, begin: str, middle: str, end: str, base: int, more: str) -> Markup:
    return Markup(
        '<line x1="{0}" y1="{3}" x2="{2}" y2="{3}"/><circle cx="{0}" cy="{3}" r="3"/>'
        '<svg x="{2}" y="{3}" overflow="visible"><path d="{4}"/></svg><text x="{1}" y="{5}">{6}{7}</text>'
    ).format(
        begin,
        middle,
        end,
        base,
        HEADS[arrow.sender < arrow.receiver],
        base - 10,
        arrow.title,
        Markup(' <tspan class="of">{}</tspan>').format(more) if more else "",
    )
