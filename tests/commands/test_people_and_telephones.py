"""Users, telephones and trunks by the command line."""

import os
from datetime import UTC, datetime, timedelta

import pytest

from minitelecom.sip.hop import Hop
from minitelecom.sip.registration import Binding
from minitelecom.store import bindings, devices, operators, processes, trunks
from minitelecom.store.secrets import Secrets
from minitelecom.store.synchronous import run
from minitelecom.web.passwords import is_password


@pytest.fixture
def secrets(config_file) -> Secrets:
    data = config_file.parent / "data"
    data.mkdir(exist_ok=True)
    return Secrets.from_file(data / "secret.key")


@pytest.mark.parametrize(("role", "stored"), [("admin", "administrator"), ("operator", "operator")])
def test_a_user_is_added_with_the_password_from_standard_input(minitelecom, database, role, stored):
    told = minitelecom("user", "add", "olga", "--role", role, stdin="correct horse\n")
    assert (told.status, told.out) == (0, f"olga is a new {stored}\n")
    found = run(operators.find(database, "olga"))
    assert found.role == stored
    assert is_password(found.password_hash, "correct horse")


def test_a_known_user_gets_another_role_and_password(minitelecom, database):
    minitelecom("user", "add", "olga", "--role", "operator", stdin="correct horse\n")
    told = minitelecom("user", "add", "olga", "--role", "admin", stdin="battery staple")
    assert told.out == "olga is now administrator, with a new password\n"
    assert is_password(run(operators.find(database, "olga")).password_hash, "battery staple")


@pytest.mark.parametrize(
    ("stdin", "line"),
    [
        ("", "minitelecom: standard input holds no password\n"),
        ("short\n", "minitelecom: a password has 8 to 256 characters\n"),
    ],
)
def test_a_user_wants_a_password(minitelecom, stdin, line):
    told = minitelecom("user", "add", "olga", "--role", "admin", stdin=stdin)
    assert (told.status, told.err) == (1, line)


def test_a_password_in_another_encoding_is_refused_in_one_line(minitelecom):
    for words in (("user", "add", "olga", "--role", "admin"), ("device", "add", "cabin1", "--password-stdin")):
        told = minitelecom(*words, stdin="p\udce4ssw\udcf6rd")
        assert (told.status, told.err) == (1, "minitelecom: the password on standard input is not UTF-8 text\n")


@pytest.mark.parametrize("name", ["ol\udce4", "ol\x7fga", "ol\u202ega"])
def test_a_name_is_text_that_can_be_read(minitelecom, name):
    assert minitelecom("user", "add", name, "--role", "admin", stdin="correct horse").status == 2


def test_a_telephone_is_added_by_password(minitelecom, database, card, secrets):
    told = minitelecom("device", "add", "101", "--password-stdin", "--account", card["number"], stdin="s3cret\n")
    assert told.out == "telephone 101 is added\n"
    device = run(devices.find(database, secrets, "101"))
    assert (device.account_number, device.address, device.password) == (card["number"], None, "s3cret")


def test_another_password_leaves_the_account_alone(minitelecom, database, card, secrets):
    """Who pays is changed by saying so."""
    minitelecom("device", "add", "101", "--password-stdin", "--account", card["number"], stdin="s3cret\n")
    assert minitelecom("device", "add", "101", "--password-stdin", stdin="other\n").out == "telephone 101 is changed\n"
    device = run(devices.find(database, secrets, "101"))
    assert (device.account_number, device.password) == (card["number"], "other")
    minitelecom("device", "add", "101", "--password-stdin", "--account", "none", stdin="other\n")
    assert run(devices.find(database, secrets, "101")).account_number is None


def test_a_telephone_is_added_by_address(minitelecom, database, secrets):
    told = minitelecom("device", "add", "gateway", "--address", "192.168.1.20:5080")
    assert told.out == "telephone gateway is added, known by the address 192.168.1.20:5080\n"
    assert run(devices.find(database, secrets, "gateway")).address == "192.168.1.20:5080"


@pytest.mark.parametrize("address", ["[2001:db8::20]", "[2001:db8::20]:5080"])
def test_a_telephone_of_ipv6_is_added_by_address(minitelecom, database, secrets, address):
    minitelecom("device", "add", "gateway", "--address", address.replace("db8::", "DB8:0::"))
    assert run(devices.find(database, secrets, "gateway")).address == address


def test_a_host_name_is_looked_up_since_requests_come_from_addresses(minitelecom):
    told = minitelecom("device", "add", "gateway", "--address", "localhost")
    assert told.out == "telephone gateway is added, known by the address 127.0.0.1\n"


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("112", "--address", "10.0.0.1"), "112 is an emergency number"),
        (("100", "--address", "10.0.0.1"), "100 is the number of the card dialogue ([ivr] card)"),
        (("101", "--address", "10.0.0.1", "--account", "1"), "there is no card 1"),
        (("101", "--address", "10.0.0.1:x"), "expected an address such as 192.168.1.20 or 192.168.1.20:5060"),
        (("101", "--address", ""), "'' is neither an address nor the name of one"),
        (("101", "--address", "[192.168.1.20]"), "expected an address such as [2001:db8::20] or [2001:db8::20]:5060"),
        (("101", "--password-stdin"), "standard input holds no password"),
    ],
)
def test_what_a_telephone_cannot_be(minitelecom, words, line):
    told = minitelecom("device", "add", *words)
    assert told.status == 1
    assert told.err.startswith(f"minitelecom: {line}")


def test_telephones_are_listed_with_their_registrations(minitelecom, database):
    for name in ("101", "102", "103"):
        minitelecom("device", "add", name, "--password-stdin", stdin="s3cret")
    now = datetime.now(UTC).replace(microsecond=0)
    hop = Hop("udp", "10.0.0.7", 5060)

    def binding(contact: str, seconds: int) -> Binding:
        return Binding(contact, hop, "call-id", 1, now + timedelta(seconds=seconds), "Grandstream HT286")

    run(bindings.save(database, "101", [binding("sip:101@10.0.0.7", 60), binding("sip:101@10.0.0.8", 3600)]))
    run(bindings.save(database, "102", [binding("sip:102@10.0.0.9", -60)]))
    unregistered = {"registered": False, "contact": None, "user_agent": None, "expires": None}
    promised = ("name", "registered", "contact", "user_agent", "expires")
    listed = minitelecom("device", "list", "--json").data
    assert [{key: device[key] for key in promised} for device in listed] == [
        {
            "name": "101",
            "registered": True,
            "contact": "sip:101@10.0.0.8",
            "user_agent": "Grandstream HT286",
            "expires": (now + timedelta(seconds=3600)).isoformat().replace("+00:00", "Z"),
        },
        {"name": "102", **unregistered},
        {"name": "103", **unregistered},
    ]
    assert [device["profile"] for device in listed] == ["grandstream-legacy", "standard", "standard"]
    head, first, *_ = minitelecom("device", "list").out.splitlines()
    assert head.split() == ["Name", "Account", "Known", "by", "Contact", "Until", "User", "agent"]
    assert "sip:101@10.0.0.8" in first


def test_without_telephones_the_list_says_how_to_add_one(minitelecom):
    assert "minitelecom device add" in minitelecom("device", "list").out
    assert minitelecom("device", "list", "--json").data == []


def test_a_trunk_is_added_with_everything(minitelecom, database, secrets):
    told = minitelecom(
        "trunk", "add", "carrier", "--uri", "sip:198.51.100.7:5080", "--user", "shop", "--password-stdin", "--register",
        "--match", "44", "--strip", 2, "--add", "0044#", "--priority", 5, stdin="s3cret\n",
    )  # fmt: skip
    assert told.out == "trunk carrier is added\n"
    assert run(trunks.all_trunks(database, secrets)) == [
        trunks.Trunk("carrier", "sip:198.51.100.7:5080", "shop", "s3cret", True, "44", 2, "0044#", 5)
    ]
    assert minitelecom("trunk", "add", "carrier", "--uri", "sip:198.51.100.8").out == "trunk carrier is changed\n"
    assert run(trunks.all_trunks(database, secrets)) == [trunks.Trunk("carrier", "sip:198.51.100.8")]


def test_properties_of_a_trunk_are_changed_one_by_one(minitelecom, database, secrets):
    add = ("trunk", "add", "carrier", "--uri", "sip:198.51.100.7", "--user", "shop", "--password-stdin")
    minitelecom(*add, "--priority", 5, stdin="s3cret\n")
    told = minitelecom(
        "trunk", "set", "carrier", "--proxy", "sip:198.51.100.9", "--account-in-from", "--called-format", "plus",
        "--calling-format", "national", "--caller-id", "35921234567", "--asserts", "--trusted", "--diversion",
        "--no-enabled", "--capacity", 30, "--codes", "404=next 5xx=stop", "--progress-seconds", 8, "--check-seconds", 30,
    )  # fmt: skip
    assert told.out == "trunk carrier is changed\n"
    shown = minitelecom("trunk", "show", "carrier", "--json").data
    assert {name: shown[name] for name in ("priority", "proxy", "caller_id", "enabled", "called_format")} == {
        "priority": 5, "proxy": "sip:198.51.100.9", "caller_id": "35921234567", "enabled": False, "called_format": "plus",
    }  # fmt: skip
    assert "password" not in shown
    assert run(trunks.find(database, secrets, "carrier")).password == "s3cret"
    assert (shown["capacity"], shown["codes"], shown["check_seconds"]) == (30, "404=next 5xx=stop", 30)
    minitelecom("trunk", "set", "carrier", "--proxy", "", "--enabled", "--codes", "", "--check-seconds", 0)
    assert minitelecom("trunk", "list", "--json").data == [
        {**shown, "proxy": None, "enabled": True, "codes": "", "check_seconds": 0}
    ]
    assert "sip:198.51.100.7" in minitelecom("trunk", "list").out
    assert minitelecom("trunk", "show", "carrier").out.startswith("name")


def test_how_trunks_are_doing_is_what_the_last_heartbeat_says(minitelecom, database):
    for name in ("ann", "bob", "cid"):
        minitelecom("trunk", "add", name, "--uri", "sip:198.51.100.7")
    minitelecom("trunk", "set", "cid", "--no-enabled")
    instant = datetime.now(UTC)
    process = run(processes.start(database, "here:/data", os.getpid(), instant))
    ann = {
        "calls": 3, "up": True, "up_since": "2026-11-02T09:00:00+00:00", "health_failure": "no response",
        "registered_until": "2026-11-02T10:00:00+00:00", "registration_failure": None,
    }  # fmt: skip
    bob = {**ann, "calls": 0, "up": False, "registered_until": None, "registration_failure": "403 Forbidden"}
    run(processes.beat(database, process, instant, {"trunks": {"ann": ann, "bob": bob}}))
    shown = {one["name"]: one for one in minitelecom("trunk", "list", "--json").data}
    assert {name: shown["ann"][name] for name in ann} == {
        **ann, "up_since": "2026-11-02T09:00:00Z", "registered_until": "2026-11-02T10:00:00Z",
    }  # fmt: skip
    assert (shown["cid"]["calls"], shown["cid"]["up"], shown["cid"]["registered_until"]) == (0, None, None)
    _, first, second, third = minitelecom("trunk", "list").out.splitlines()
    assert first.endswith("3  up since 2026-11-02 11:00:00; registered until 2026-11-02 12:00:00")
    assert second.endswith("down since 2026-11-02 11:00:00: no response; not registered: 403 Forbidden")
    assert third.endswith("disabled")
    assert minitelecom("trunk", "show", "ann", "--json").data == shown["ann"]
    run(processes.stop(database, process, instant))
    assert minitelecom("trunk", "show", "ann", "--json").data["calls"] == 0


@pytest.mark.parametrize(
    "codes", ["404", "404=maybe", "404=next,486=busy", "7xx=next", "40x=next", "404=next  486=busy"]
)
def test_codes_that_say_nothing(minitelecom, codes):
    told = minitelecom("trunk", "add", "carrier", "--uri", "sip:198.51.100.7", "--codes", codes)
    assert told.status == 2
    assert '"404=next 5xx=busy"' in told.err


def test_what_is_asked_of_a_trunk_that_is_not_there(minitelecom):
    for words in (("set", "nobody", "--asserts"), ("show", "nobody"), ("remove", "nobody")):
        told = minitelecom("trunk", *words)
        assert (told.status, told.err) == (1, "minitelecom: there is no trunk nobody\n")
    assert "minitelecom trunk add" in minitelecom("trunk", "list").out
    assert minitelecom("trunk", "set", "nobody").status == 1


def test_a_trunk_is_removed(minitelecom):
    minitelecom("trunk", "add", "carrier", "--uri", "sip:198.51.100.7")
    assert minitelecom("trunk", "remove", "carrier").out == "trunk carrier is removed\n"
    assert minitelecom("trunk", "list", "--json").data == []


@pytest.mark.parametrize(
    "uri",
    [
        "198.51.100.7",
        "tel:112",
        "sip:",
        "sip:a@b",
        "sips:b;transport=udp",
        "sip:b:0",
        "sip:b;transport=sctp",
        "sip:b?x=y",
    ],
)
def test_a_trunk_wants_an_address(minitelecom, uri):
    told = minitelecom("trunk", "add", "carrier", "--uri", uri)
    assert told.status == 2
    assert "expected sip:HOST, sip:HOST:PORT" in told.err


@pytest.mark.parametrize("option", ["--register", "--password-stdin", "--account-in-from"])
def test_a_trunk_that_asks_for_us_knows_our_name(minitelecom, option):
    told = minitelecom("trunk", "add", "carrier", "--uri", "sip:198.51.100.7", option, stdin="s3cret")
    assert told.status == 1
    assert "--user" in told.err
    assert minitelecom("trunk", "list", "--json").data == []


def test_who_did_it_is_written_down(minitelecom, database):
    minitelecom("trunk", "add", "carrier", "--uri", "sip:198.51.100.7")
    (who,) = run(database.query("SELECT who FROM audit WHERE what = 'trunk set'"))[0]
    assert who.startswith("command line (")
