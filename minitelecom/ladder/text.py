"""A ladder as text, for a carrier's support desk: a line for each message with its instant and both ends, then its words."""

from collections.abc import Iterator

from minitelecom.ladder.figure import Arrow, Figure, Participant, Side, readable

RULE = "-" * 100
US = "MiniTelecom"


def name_of(participant: Participant) -> str:
    """Whom a participant stands for, in the technician's words."""
    if participant.side is Side.US:
        return US
    return participant.name or str(participant.hop)


def lines(ladder: Figure) -> Iterator[str]:
    """The whole of it, message by message."""
    if not ladder.arrows:
        return
    names = [name_of(participant) for participant in ladder.participants]
    yield f"Messages: {len(ladder.arrows)}, from {ladder.arrows[0].seen.instant.isoformat(sep=' ')} on."
    yield "Participants: " + ", ".join(
        f"{name} ({participant.hop})" for name, participant in zip(names, ladder.participants, strict=True)
    )
    yield ""
    yield from overview(ladder)
    for arrow in ladder.arrows:
        yield ""
        yield RULE
        yield _head(arrow, names)
        yield ""
        yield from readable(arrow.seen.data).rstrip("\n").split("\n")


def overview(ladder: Figure) -> Iterator[str]:
    """A line a message."""
    names = [name_of(participant) for participant in ladder.participants]
    width = max((len(name) for name in names), default=0)
    for arrow in ladder.arrows:
        described = f" [SDP {arrow.direction}".rstrip() + "]" if arrow.describes else ""
        marks = described + (" [repeated]" if arrow.repeated else "")
        of = f" ({arrow.method})" if arrow.method and not arrow.title.startswith(arrow.method) else ""
        ends = f"{names[arrow.sender]:>{width}} -> {names[arrow.receiver]:<{width}}"
        yield f"{arrow.number:>4}  {arrow.seconds:>+10.3f} s  {ends}  {arrow.title}{of}{marks}"


def _head(arrow: Arrow, names: list[str]) -> str:
    seen = arrow.seen
    instant = seen.instant.isoformat(sep=" ", timespec="milliseconds")
    again = ", repeated" if arrow.repeated else ""
    return (
        f"{arrow.number}.  {instant}  {arrow.seconds:+.3f} s  {names[arrow.sender]} -> {names[arrow.receiver]}"
        f"  {seen.source} -> {seen.destination}, {len(seen.data)} bytes{again}"
    )
