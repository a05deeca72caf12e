"""`ladder`: the messages of one call, as text, as objects, or as a file for Wireshark."""

from argparse import Namespace
from pathlib import Path

from minitelecom.calls.ladders import messages_of
from minitelecom.commands.arguments import Nouns, Parser, add_command, whole
from minitelecom.commands.errors import Mistake
from minitelecom.commands.output import Plain, instant_text, say, say_json_list
from minitelecom.commands.shop import Shop, shop_of
from minitelecom.ladder import text
from minitelecom.ladder.figure import Arrow, Figure, figure
from minitelecom.ladder.pcap import capture
from minitelecom.store import call_records

LARGEST_ID = 10**15 - 1


def add_to(nouns: "Nouns[Parser]") -> None:
    """The words of this noun."""
    parser = add_command(nouns, "ladder", _ladder, "show the messages of a call, all its legs in the order of time")
    parser.add_argument(
        "call", metavar="CALL_ID", type=whole(1, LARGEST_ID, "the id of a call (see minitelecom calls)")
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--pcap", type=Path, metavar="FILE", help="write a file for Wireshark instead")
    form.add_argument("--json", action="store_true")


def _figure(shop: Shop, identifier: int) -> Figure:
    record = shop.do(call_records.numbered(shop.database, identifier))
    if record is None:
        raise Mistake(f"there is no call {identifier}; see minitelecom calls --json")
    return figure(shop.do(messages_of(shop.database, record)))


def plain(arrow: Arrow, ladder: Figure) -> Plain:
    """A message as an object."""
    seen = arrow.seen
    return {
        "number": arrow.number,
        "instant": instant_text(seen.instant),
        "from": text.name_of(ladder.participants[arrow.sender]),
        "to": text.name_of(ladder.participants[arrow.receiver]),
        "source": str(seen.source),
        "destination": str(seen.destination),
        "title": arrow.title,
        "method": arrow.method or None,
        "sdp": arrow.describes,
        "repeated": arrow.repeated,
        "message": seen.data.decode("utf-8", "backslashreplace"),
    }


def _ladder(arguments: Namespace) -> int:
    with shop_of(arguments) as shop:
        found = _figure(shop, arguments.call)
        if not found.arrows and not arguments.json:
            hours = shop.config.sip.ladder_hours
            raise Mistake(f"no messages of call {arguments.call} are kept ([sip] ladder_hours = {hours})")
    if arguments.json:
        return say_json_list(plain(arrow, found) for arrow in found.arrows)
    if arguments.pcap is not None:
        arguments.pcap.write_bytes(capture([arrow.seen for arrow in found.arrows]))
        return say(f"{arguments.pcap}: {len(found.arrows)} messages")
    return say("\n".join(text.lines(found)))
