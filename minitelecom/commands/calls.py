"""`calls`: one line for each number dialled."""

from argparse import Namespace
from collections.abc import Iterator
from datetime import UTC, datetime

from minitelecom.commands.arguments import Nouns, Parser, add_command
from minitelecom.commands.output import Plain, amount_text, instant_text, local_time, say_json_list, say_table
from minitelecom.commands.shop import Shop, shop_of
from minitelecom.store import call_records
from minitelecom.store.call_records import CallRecord

AT_ONCE = 1000
EVER = (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))


def add_to(nouns: "Nouns[Parser]") -> None:
    """The words of this noun."""
    parser = add_command(nouns, "calls", _calls, "list the numbers dialled, oldest first")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--live", action="store_true", help="only calls that are not ended")


def records(shop: Shop, at_once: int = AT_ONCE) -> Iterator[CallRecord]:
    """Every record, oldest first, read page by page."""
    after = None
    while True:
        page = shop.do(
            call_records.search(shop.database, *EVER, after=after, limit=at_once, oldest_first=True),
        )
        yield from page
        if len(page) < at_once:
            return
        after = (page[-1].started, page[-1].id)


def plain(record: CallRecord) -> Plain:
    """A record as the outer contract shows it."""
    return {
        "id": record.id,
        "session": record.session,
        "account": record.account,
        "device": record.device,
        "calling_number": record.calling_number,
        "called_number": record.called_number,
        "destination": record.destination,
        "trunk": record.trunk,
        "started": instant_text(record.started),
        "answered": instant_text(record.answered),
        "ended": instant_text(record.ended),
        "billed_seconds": record.billed_seconds,
        "price": amount_text(record.price),
        "cost": amount_text(record.cost),
        "currency": record.currency,
        "cause": record.cause,
        "sip_status": record.sip_status,
        "ended_by": record.ended_by,
        "promised_seconds": record.promised_seconds,
    }


def _calls(arguments: Namespace) -> int:
    with shop_of(arguments) as shop:
        found = shop.do(call_records.live(shop.database)) if arguments.live else records(shop)
        if arguments.json:
            return say_json_list(map(plain, found))
        zone = shop.config.zone
        return say_table(
            ["Started", "Account", "Device", "Called", "Destination", "Trunk", "Seconds", "Cost", "Cause"],
            (
                (
                    local_time(record.started, zone),
                    record.account,
                    record.device,
                    record.called_number,
                    record.destination,
                    record.trunk,
                    record.billed_seconds,
                    record.cost,
                    record.cause or ("talking" if record.answered else "dialling"),
                )
                for record in found
            ),
            nothing="nobody is calling" if arguments.live else "no calls yet",
            right="Seconds|Cost",
        )
