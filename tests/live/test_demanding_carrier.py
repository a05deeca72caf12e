"""
A carrier that demands registration, a password for each call and the way that it recorded: Kamailio, with SIPp behind it.

The cheaper one before it is out of order; both ask in money of their own.
"""

import re
from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.live.bill import BY_THE_SECOND, check_bill, check_books
from tests.live.demanding_carrier import ACCOUNT, DOMAIN, PASSWORD, DemandingCarrier
from tests.live.house import House, hear_each_other
from tests.live.programs import free_port, wait_until
from tests.live.scenarios import Calling, answers, called, description, refuses, rings
from tests.live.shop import RunningShop

pytestmark = pytest.mark.live

FRONT, BEHIND = "127.0.0.10", "127.0.0.11"
ASKED = {"cheap": ("0.01", "EUR"), "demanding": ("0.06", "USD")}
DOLLAR = Decimal("0.5")
TALK_SECONDS = 2.0
MICRO = Decimal("0.000001")


@pytest.fixture(scope="module")
def callee_port() -> int:
    return free_port(BEHIND)


@pytest.fixture(scope="module")
def kamailio(shop: RunningShop, callee_port: int) -> Iterator[DemandingCarrier]:
    carrier = DemandingCarrier(shop.folder / "kamailio-carrier", FRONT, f"{BEHIND}:{callee_port}")
    try:
        yield carrier
    finally:
        carrier.close()


def asks(shop: RunningShop, trunk: str, prefix: str, price: str, currency: str) -> None:
    path: Path = shop.folder / f"{trunk}.csv"
    path.write_text(f"prefix,destination,buy,buy_currency\n{prefix},by the second,{price},{currency}\n")
    shop.command("prices", "import", path, "--trunk", trunk)


def state(shop: RunningShop, trunk: str) -> dict[str, object]:
    shown: dict[str, object] = shop.answer("trunk", "show", trunk)
    return shown


@pytest.fixture
def trunk_to(shop: RunningShop) -> Iterator[Callable[[DemandingCarrier, str], None]]:
    """Adds the trunk; it is gone when the story is told, since a carrier is asked for ever whether it is there."""

    def add(kamailio: DemandingCarrier, match: str) -> None:
        proxy = f"sip:{kamailio.host}:{kamailio.port}"
        shop.command(
            *("trunk", "add", "demanding", "--uri", f"sip:{DOMAIN}", "--proxy", proxy, "--match", match),
            *("--user", ACCOUNT, "--password-stdin", "--register", "--account-in-from", "--asserts"),
            *("--called-format", "plus", "--caller-id", "35921234567", "--calling-format", "plus"),
            *("--check-seconds", 5, "--capacity", 1),
            entered=PASSWORD + "\n",
        )

    yield add
    shop.command("trunk", "remove", "demanding")


def test_a_call_by_a_carrier_that_demands_everything(
    shop: RunningShop,
    house: House,
    kamailio: DemandingCarrier,
    callee_port: int,
    trunk_to: Callable[[DemandingCarrier, str], None],
) -> None:
    card = shop.card(1000, "now")
    shop.telephone("140", "secret", card)
    cheap = house.carrier(refuses(503))
    match = cheap.number[:-4]
    shop.command("exchange", "set", "USD", DOLLAR)
    trunk_to(kamailio, match)
    asks(shop, cheap.trunk, match, *ASKED["cheap"])
    asks(shop, "demanding", match, *ASKED["demanding"])
    wait_until(lambda: state(shop, "demanding")["registered_until"], "the registration at Kamailio")
    wait_until(lambda: state(shop, "demanding")["up"], "its answer to our OPTIONS")

    ear = house.ear(BEHIND)
    body = description(ear.port)
    callee = house.sipp("callee", called(rings(), answers(body)), BEHIND, callee_port)
    caller = house.telephone(cheap.dialled, "140", "secret", Calling.answered, Calling.talk)
    caller.answered()
    callee.wait_for("ACK")
    ear.speak_to(*callee.far_sound())
    hear_each_other(caller.ear, ear, TALK_SECONDS)
    wait_until(lambda: state(shop, "demanding")["calls"] == 1, "the call in its count")
    caller.sipp.go_on()
    caller.sipp.finish()
    callee.finish()
    cheap.sipp.finish()

    invite = callee.find("INVITE")[0].text
    assert invite.startswith(f"INVITE sip:+{cheap.number}@{DOMAIN} SIP/2.0")
    assert re.search(rf"^From: <sip:{ACCOUNT}@{DOMAIN}>;tag=", invite, re.MULTILINE)
    assert re.search(r"^P-Asserted-Identity: <sip:\+35921234567@", invite, re.MULTILINE)
    assert not re.search("^(Route|Proxy-Authorization):", invite, re.MULTILINE)
    assert callee.find("BYE")[0].text.count("Via:") == 2, "it came by Kamailio, which had recorded its route"
    (record,) = shop.ended(called_number=cheap.number)
    check_record(record, cheap.number, callee.find("SIP/2.0 200", sent=True)[0].instant)
    check_books(shop, card, Decimal(10) - Decimal(record["cost"]))
    wait_until(lambda: state(shop, "demanding")["calls"] == 0, "nobody calls any more")


def check_record(record: dict[str, Any], number: str, answered: datetime) -> None:
    """Both attempts with their causes, and the cost of the one that answered, reckoned apart from the product."""
    check_bill(record, BY_THE_SECOND, answered, datetime.fromisoformat(record["ended"]))
    assert record["trunk"] == "demanding"
    failed, talked = record["attempts"]
    assert (failed["cause"], failed["sip_status"], failed["cost"]) == ("failed", 503, None)
    assert (talked["trunk"], talked["number"], talked["cause"]) == ("demanding", f"+{number}", "normal")
    price, currency = ASKED["demanding"]
    asked = (Decimal(price) * record["billed_seconds"] / 60).quantize(MICRO, ROUND_HALF_UP)
    assert (Decimal(talked["buy_cost"]), talked["buy_currency"]) == (asked, currency)
    assert Decimal(talked["cost"]) == Decimal(record["buy_cost"]) == (asked * DOLLAR).quantize(MICRO, ROUND_HALF_UP)
