"""`calls`: one line for each number dialled."""

from argparse import Namespace
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from minitelecom.commands.arguments import Nouns, Parser, add_command
from minitelecom.commands.output import Plain, amount_text, instant_text, local_time, say_json_list, say_table
from minitelecom.commands.shop import Shop, shop_of
from minitelecom.store import call_attempts, call_records
from minitelecom.store.call_attempts import CarrierAttempt
from minitelecom.store.call_records import CallRecord

AT_ONCE = 1000
EVER = (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))


def add_to(nouns: "Nouns[Parser]") -> None:
    """The words of this noun."""
    parser = add_command(nouns, "calls", _calls, "list the numbers dialled, oldest first")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--live", action="store_true", help="only calls that are not ended")


def pages(shop: Shop, at_once: int = AT_ONCE) -> Iterator[list[CallRecord]]:
    """Every record, oldest first, read page by page."""
    after = None
    while True:
        page = shop.do(
            call_records.search(shop.database, *EVER, after=after, limit=at_once, oldest_first=True),
        )
        yield page
        if len(page) < at_once:
            return
        after = (page[-1].started, page[-1].id)


def whole(shop: Shop, page: Sequence[CallRecord]) -> Iterator[Plain]:
    """Records with the carriers that were tried for them."""
    tried = shop.do(call_attempts.of_calls(shop.database, [(record.started, record.id) for record in page]))
    for record in page:
        yield plain(record, tried.get((record.started, record.id), ()))


def plain(record: CallRecord, attempts: Sequence[CarrierAttempt]) -> Plain:
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
        "refusal": record.refusal,
        "sip_status": record.sip_status,
        "ended_by": record.ended_by,
        "promised_seconds": record.promised_seconds,
        "buy_cost": amount_text(next((one.cost for one in attempts if one.cost is not None), None)),
        "attempts": [_attempt(one) for one in attempts],
    }


def _attempt(attempt: CarrierAttempt) -> Plain:
    bought = attempt.buy_cost
    return {
        "trunk": attempt.trunk,
        "number": attempt.number,
        "began": instant_text(attempt.began),
        "answered": instant_text(attempt.answered),
        "ended": instant_text(attempt.ended),
        "cause": attempt.cause,
        "sip_status": attempt.sip_status,
        "buy_cost": amount_text(bought),
        "buy_currency": None if bought is None else bought.currency,
        "cost": amount_text(attempt.cost),
    }


def _calls(arguments: Namespace) -> int:
    with shop_of(arguments) as shop:
        found = [shop.do(call_records.live(shop.database))] if arguments.live else pages(shop)
        if arguments.json:
            return say_json_list(shown for page in found for shown in whole(shop, page))
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
                for page in found
                for record in page
            ),
            nothing="nobody is calling" if arguments.live else "no calls yet",
            right="Seconds|Cost",
        )
