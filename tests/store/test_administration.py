"""What is set up rather than used: prices, telephones, trunks, registrations, operators, settings, audit, notices."""

import json
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal

import psycopg2
import pytest

from minitelecom.rating.rate import Rate
from minitelecom.store import (
    audit,
    bindings,
    call_records,
    cards,
    devices,
    exchange_rates,
    notices,
    operators,
    prices,
    processes,
    settings,
    trunks,
)
from minitelecom.store.bindings import StoredBinding
from minitelecom.store.synchronous import SynchronousDatabase, run
from minitelecom.store.trunks import Trunk
from tests.store.shop import SECRETS, Shop

BULGARIA = Rate("359", "Bulgaria", "EUR", Decimal("0.600000"), 60, 1, Decimal("0.050000"), Decimal("0.010000"), "USD")
MOBILE = Rate("35988", "Bulgaria mobile", "EUR", Decimal("0.900000"), connection_fee=Decimal("0.000000"))
TOMORROW = Rate(
    "35988",
    "Bulgaria mobile",
    "EUR",
    Decimal("1.000000"),
    connection_fee=Decimal("0.000000"),
    valid_from=date(2026, 9, 1),
)


def test_the_latest_version_of_a_price_list_holds(shop: Shop) -> None:
    first = run(prices.replace(shop.database, [MOBILE, BULGARIA, TOMORROW], "general", "boss", shop.now))
    assert run(prices.load(shop.database)) == [BULGARIA, TOMORROW, MOBILE]
    second = run(prices.replace(shop.database, [BULGARIA], "general", "boss", shop.now))
    assert run(prices.load(shop.database)) == [BULGARIA]
    assert run(prices.load(shop.database, "night")) == []
    assert run(prices.versions(shop.database)) == [second, first]


def test_a_price_list_is_replaced_whole_or_not_at_all(shop: Shop) -> None:
    run(prices.replace(shop.database, [BULGARIA], "general", "boss", shop.now))
    with pytest.raises(psycopg2.Error):
        run(prices.replace(shop.database, [MOBILE, MOBILE], "general", "boss", shop.now))
    assert run(prices.load(shop.database)) == [BULGARIA]


def test_a_long_price_list_comes_in_several_statements(shop: Shop) -> None:
    rates = [Rate(str(1_000_000 + number), "x", "EUR", Decimal(1)) for number in range(prices.ROWS_AT_ONCE + 1)]
    run(prices.replace(shop.database, rates, "long", "boss", shop.now))
    assert len(run(prices.load(shop.database, "long"))) == len(rates)


def test_what_carriers_ask_is_kept_beside_the_shops_own_list(shop: Shop) -> None:
    asked = [
        Rate("359", "Bulgaria", "USD", Decimal("0.05"), 60, 60, Decimal("0.01"), price_list="first", allow_loss=True)
    ]
    for name in ("first", "second"):
        run(trunks.add(shop.database, SECRETS, Trunk(name, "sip:10.0.0.1"), operator="boss", instant=shop.now))
    run(prices.replace(shop.database, [BULGARIA], "general", "boss", shop.now))
    run(prices.replace_carrier(shop.database, [BULGARIA, *asked][:1], "first", "boss", shop.now))
    run(prices.replace_carrier(shop.database, asked, "first", "boss", shop.now))
    assert run(prices.load_carriers(shop.database)) == {"first": asked}
    assert run(prices.load(shop.database)) == [BULGARIA]
    run(trunks.remove(shop.database, "first", "boss", shop.now))
    assert run(prices.load_carriers(shop.database)) == {}


def test_an_exchange_rate_holds_until_the_next(shop: Shop) -> None:
    def worth() -> dict[str, Decimal]:
        return {one.currency: one.rate for one in run(exchange_rates.at(shop.database, "EUR", shop.now))}

    assert worth() == {}
    first = shop.now
    run(exchange_rates.add(shop.database, "EUR", "USD", Decimal("0.92"), "boss", shop.now))
    run(exchange_rates.add(shop.database, "EUR", "GBP", Decimal("1.15"), "boss", shop.now))
    run(exchange_rates.add(shop.database, "BGN", "USD", Decimal("1.8"), "boss", shop.now))
    shop.later(60)
    run(exchange_rates.add(shop.database, "EUR", "USD", Decimal("0.93"), "boss", shop.now))
    assert worth() == {"USD": Decimal("0.93"), "GBP": Decimal("1.15")}
    assert {one.currency: one.rate for one in run(exchange_rates.at(shop.database, "EUR", first))}["USD"] == Decimal(
        "0.92"
    )
    with pytest.raises(psycopg2.DatabaseError, match="kept as written"):
        run(shop.database.query("UPDATE exchange_rates SET rate = 2"))


def test_a_telephone_signs_in_by_password_or_by_address(shop: Shop) -> None:
    card = shop.card()
    add = {"operator": "boss", "instant": shop.now}
    run(
        devices.add(
            shop.database, SECRETS, "cabin1", account_id=shop.account(card), address=None, password="geheim", **add
        )
    )
    run(devices.add(shop.database, SECRETS, "gate", account_id=None, address="10.0.0.9", password=None, **add))
    cabin, gate = run(devices.all_devices(shop.database, SECRETS))
    assert (cabin.name, cabin.account_number, cabin.address, cabin.password) == (
        "cabin1",
        card.number,
        None,
        "geheim",
    )
    assert (gate.address, gate.password, gate.account_id) == ("10.0.0.9", None, None)
    assert "geheim" not in repr(cabin)
    assert run(devices.find(shop.database, SECRETS, "cabin1")) == cabin
    with pytest.raises(ValueError, match="either"):
        run(devices.add(shop.database, SECRETS, "x", account_id=None, address=None, password=None, **add))


def test_a_telephone_is_changed_and_removed(shop: Shop) -> None:
    add = {"account_id": None, "address": None, "operator": "boss", "instant": shop.now}
    for password in ("one", "two"):
        run(devices.add(shop.database, SECRETS, "cabin1", password=password, **add))
    found = run(devices.find(shop.database, SECRETS, "cabin1"))
    assert found is not None
    assert found.password == "two"
    here = StoredBinding("sip:cabin1@10.0.0.5", ("udp", "10.0.0.5", 5060), "a@b", 7, shop.now, "HandyTone", since=3)
    run(bindings.save(shop.database, "cabin1", [here]))
    assert run(devices.remove(shop.database, "cabin1", "boss", shop.now))
    assert not run(devices.remove(shop.database, "cabin1", "boss", shop.now))
    assert run(bindings.load_all(shop.database)) == {}


def test_registrations_are_those_that_were_saved_last(shop: Shop) -> None:
    for name in ("cabin1", "cabin2"):
        run(
            devices.add(
                shop.database,
                SECRETS,
                name,
                account_id=None,
                address=None,
                password="x",
                operator="boss",
                instant=shop.now,
            )
        )
    one = StoredBinding("sip:cabin1@10.0.0.5", ("udp", "10.0.0.5", 5060), "a@b", 7, shop.now, None)
    two = StoredBinding("sip:cabin1@10.0.0.6", ("udp", "10.0.0.6", 5062), "c@d", 1, shop.now, "ATA186")
    again = StoredBinding(one.contact, one.source, "a@b", 8, shop.now + timedelta(hours=1), None)
    run(bindings.save(shop.database, "cabin1", [one, two]))
    run(bindings.save(shop.database, "cabin2", [one]))
    run(bindings.save(shop.database, "cabin1", [again]))
    assert run(bindings.load_all(shop.database)) == {"cabin1": [again], "cabin2": [one]}
    run(bindings.save(shop.database, "cabin1", []))
    assert list(run(bindings.load_all(shop.database))) == ["cabin2"]


def test_trunks_come_in_the_order_they_are_tried(shop: Shop) -> None:
    second = Trunk(
        "second", "sip:10.0.0.2:5070", "us", "geheim", register=True, match="359", strip=3, add="0", priority=2
    )
    first = Trunk("first", "sip:10.0.0.1")
    for trunk in (second, first, second):
        run(trunks.add(shop.database, SECRETS, trunk, operator="boss", instant=shop.now))
    assert run(trunks.all_trunks(shop.database, SECRETS)) == [first, second]
    assert "geheim" not in repr(second)
    assert run(trunks.remove(shop.database, "first", "boss", shop.now))
    assert not run(trunks.remove(shop.database, "first", "boss", shop.now))


def test_an_operator_logs_in_and_out(shop: Shop) -> None:
    run(operators.add(shop.database, "eva", "operator", "hash", shop.now))
    later = shop.now + timedelta(hours=12)
    run(operators.create_session(shop.database, "eva", b"token", "csrf", shop.now, later))
    session = run(operators.find_session(shop.database, b"token", shop.now))
    assert session == operators.Session("eva", "operator", "csrf", shop.now, later)
    assert run(operators.find_session(shop.database, b"other", shop.now)) is None
    assert run(operators.find_session(shop.database, b"token", later)) is None
    run(operators.drop_session(shop.database, b"token"))
    assert run(operators.find_session(shop.database, b"token", shop.now)) is None


def test_an_operator_who_is_shut_out_is_out_at_once(shop: Shop) -> None:
    run(operators.add(shop.database, "eva", "operator", "hash", shop.now))
    later = shop.now + timedelta(hours=12)
    run(operators.create_session(shop.database, "eva", b"token", "csrf", shop.now, later))
    assert run(operators.set_enabled(shop.database, "eva", enabled=False, by="boss", instant=shop.now))
    assert run(operators.find_session(shop.database, b"token", shop.now)) is None
    assert not run(operators.set_enabled(shop.database, "nobody", enabled=True, by="boss", instant=shop.now))


def test_a_new_password_ends_the_sessions_of_the_old(shop: Shop) -> None:
    run(operators.add(shop.database, "eva", "operator", "hash", shop.now))
    run(operators.create_session(shop.database, "eva", b"token", "csrf", shop.now, shop.now + timedelta(hours=1)))
    run(operators.add(shop.database, "eva", "administrator", "other", shop.now))
    assert run(operators.find_session(shop.database, b"token", shop.now)) is None
    assert run(operators.find(shop.database, "eva")) == operators.Operator("eva", "administrator", "other")
    assert [operator.name for operator in run(operators.all_operators(shop.database))] == ["eva"]


def test_settings_are_values_of_json(shop: Shop) -> None:
    assert run(settings.get(shop.database, "till")) is None
    for value in ({"float": "50.00"}, [1, 2], "text", None):
        run(settings.put(shop.database, "till", value))
        assert run(settings.get(shop.database, "till")) == value


def test_the_audit_tells_who_did_what(shop: Shop) -> None:
    run(audit.record(shop.database, "eva", "opened", "cabin 1", None, {"deposit": "5.00"}, shop.now))
    run(audit.record(shop.database, "eva", "closed", "cabin 1", {"deposit": "5.00"}, None, shop.now))
    closed, opened = run(audit.entries(shop.database, "cabin 1"))
    assert (opened.what, opened.after, closed.what, closed.before) == (
        "opened",
        {"deposit": "5.00"},
        "closed",
        {"deposit": "5.00"},
    )
    assert run(audit.entries(shop.database, "cabin 1", before=closed.id)) == [opened]


def heard(url: str, story: Callable[[], object]) -> list[object]:
    """What a listening process hears of a story."""
    connection = psycopg2.connect(url)
    connection.autocommit = True
    connection.cursor().execute(f"LISTEN {notices.CHANNEL}")
    story()
    connection.cursor().execute(f"NOTIFY {notices.CHANNEL}, '\"the end\"'")  # in order: after everything before it
    connection.poll()
    said = [json.loads(notice.payload) for notice in connection.notifies]
    connection.close()
    assert said.pop() == "the end"
    return said


def test_administrative_changes_are_told_to_every_process(database: SynchronousDatabase, database_url: str) -> None:
    shop = Shop(database)
    card = shop.card()
    account = shop.account(card)

    def administer() -> None:
        shop.recharge(card, "1.00", "k1")
        shop.recharge(card, "1.00", "k1")
        run(cards.set_status(database, card.number, "disabled", "boss", shop.now))
        run(cards.extend(database, card.number, "boss", shop.now))
        run(prices.replace(database, [BULGARIA], "general", "boss", shop.now))
        run(
            devices.add(
                database,
                SECRETS,
                "cabin1",
                account_id=None,
                address="10.0.0.9",
                password=None,
                operator="boss",
                instant=shop.now,
            )
        )
        run(trunks.add(database, SECRETS, Trunk("first", "sip:10.0.0.1"), operator="boss", instant=shop.now))
        run(prices.replace_carrier(database, [BULGARIA], "first", "boss", shop.now))
        run(exchange_rates.add(database, "EUR", "USD", Decimal("0.92"), "boss", shop.now))

    assert heard(database_url, administer) == [
        {"account": account},
        {"account": account},
        {"account": account},
        {"prices": "general"},
        {"devices": 1},
        {"trunks": 1},
        {"buy_prices": "first"},
        {"exchange_rates": 1},
    ]


def test_calls_are_told_to_nobody(database: SynchronousDatabase, database_url: str) -> None:
    """A transaction that notifies takes a lock of the whole database."""
    shop = Shop(database)
    card = shop.card(activation="first-use")

    def talk() -> None:
        mac = SECRETS.mac(card.number, card.password)
        run(cards.sign_in(database, card.number, mac, "+1", None, shop.now))
        call = shop.dial(card)
        call.answer()
        call.enlarge()
        run(call_records.ended(database, call.ending(5)))
        shop.dial(card)
        shop.later(60)
        run(processes.recover(database, shop.now))

    assert heard(database_url, talk) == []
