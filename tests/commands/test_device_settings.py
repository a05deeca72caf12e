"""How telephones are treated: told by the command line, and shown by it."""

from datetime import UTC, datetime, timedelta

import pytest

from minitelecom.sip.hop import Hop
from minitelecom.sip.registration import Binding
from minitelecom.store import audit, bindings
from minitelecom.store.synchronous import run


@pytest.fixture
def cabin(minitelecom) -> str:
    minitelecom("device", "add", "cabin1", "--password-stdin", stdin="s3cret")
    return "cabin1"


def test_a_telephone_is_treated_as_usual_until_somebody_says_otherwise(minitelecom, cabin):
    shown = minitelecom("device", "show", cabin, "--json").data
    treatment = ("profile", "profile_learned", "calls", "transfer", "contacts", "ring", "changed_properties")
    assert [shown[key] for key in treatment] == ["standard", True, None, True, None, "preferred", {}]


def test_a_cabin_has_one_call_at_a_time_and_then_transfers_none(minitelecom, database, cabin):
    assert minitelecom("device", "set", cabin, "--calls", 1).out == "telephone cabin1 is changed\n"
    shown = minitelecom("device", "show", cabin, "--json").data
    assert (shown["calls"], shown["transfer"]) == (1, False)
    minitelecom("device", "set", cabin, "--transfer", "yes")
    assert minitelecom("device", "list", "--json").data[0]["transfer"]
    minitelecom("device", "set", cabin, "--calls", "auto", "--transfer", "auto")
    entries = run(audit.entries(database, subject=cabin))
    assert [(entry.before["most_calls"], entry.after["most_calls"]) for entry in entries[:3]] == [
        (1, None),
        (1, 1),
        (None, 1),
    ]


def test_settings_outlive_another_password(minitelecom, cabin):
    minitelecom("device", "set", cabin, "--calls", 2, "--contacts", 1, "--ring", "latest")
    minitelecom("device", "add", cabin, "--password-stdin", stdin="another")
    shown = minitelecom("device", "show", cabin, "--json").data
    assert (shown["calls"], shown["contacts"], shown["ring"]) == (2, 1, "latest")


def test_a_profile_is_given_and_single_properties_differ_from_it(minitelecom, cabin):
    minitelecom(
        "device", "set", cabin, "--profile", "cisco-ata", "--property", "challenge=407", "--property", "qop=auth"
    )
    minitelecom("device", "set", cabin, "--property", "qop=auto")
    shown = minitelecom("device", "show", cabin, "--json").data
    assert (shown["profile"], shown["profile_learned"]) == ("cisco-ata", False)
    assert shown["changed_properties"] == {"challenge": "407"}
    assert (shown["properties"]["challenge"], shown["properties"]["received"]) == ("407", "withheld")
    assert "challenge=407" in minitelecom("device", "show", cabin).out
    minitelecom("device", "set", cabin, "--profile", "auto", "--property", "challenge=auto")
    assert minitelecom("device", "show", cabin, "--json").data["properties"]["challenge"] == "401"


def test_what_is_as_it_was_is_not_written(minitelecom, database, cabin):
    before = run(audit.entries(database, subject=cabin))
    assert minitelecom("device", "set", cabin, "--calls", "auto").out == "telephone cabin1 is as it was\n"
    assert run(audit.entries(database, subject=cabin)) == before


def test_a_telephone_shows_where_it_is_registered(minitelecom, database, cabin):
    until = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
    here = Binding("sip:cabin1@192.168.1.5", Hop("udp", "203.0.113.7", 40001), "c", 1, until, "Cisco ATA v2.12 ata186")
    run(bindings.save(database, cabin, [here]))
    shown = minitelecom("device", "show", cabin, "--json").data
    assert shown["registrations"][0]["source"] == "udp:203.0.113.7:40001"
    assert shown["profile"] == "cisco-ata"
    told = minitelecom("device", "show", cabin).out
    assert "cisco-ata (learned)" in told
    assert "sip:cabin1@192.168.1.5 until" in told


def test_a_telephone_is_removed(minitelecom, cabin):
    assert minitelecom("device", "remove", cabin).out == "telephone cabin1 is removed\n"
    assert minitelecom("device", "list", "--json").data == []


@pytest.mark.parametrize("command", [("set", "--calls", "1"), ("show",), ("remove",)])
def test_a_telephone_that_is_not_there(minitelecom, command):
    verb, *options = command
    told = minitelecom("device", verb, "nobody", *options)
    assert (told.status, told.err) == (1, "minitelecom: there is no telephone nobody: minitelecom device list\n")


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (("--calls", "0"), "expected a whole number from 1 to 1000, not '0'"),
        (("--contacts", "11"), "expected a whole number from 1 to 10, not '11'"),
        (("--property", "colour=red"), "expected one of challenge, qop,"),
        (("--property", "challenge=200"), "challenge: expected 401, 407 or auto, not '200'"),
        (("--profile", "toaster"), "invalid choice: 'toaster'"),
        ((), "nothing to change: give --profile,"),
    ],
)
def test_what_nobody_can_settle(minitelecom, cabin, options, line):
    told = minitelecom("device", "set", cabin, *options)
    assert told.status != 0
    assert line in told.err


def test_the_profiles_are_listed(minitelecom):
    listed = {profile["name"]: profile for profile in minitelecom("device", "profiles", "--json").data}
    assert listed["grandstream-legacy"]["restart"] == "sys-control"
    assert listed["cisco-ata"]["qop"] == "none"
    assert "cisco-phone" in minitelecom("device", "profiles").out


def order(database, cabin, user_agent) -> None:
    """The telephone registers, and calls itself so."""
    until = datetime.now(UTC) + timedelta(hours=1)
    here = Binding("sip:cabin1@10.0.0.7", Hop("udp", "10.0.0.7", 5060), "c", 1, until, user_agent)
    run(bindings.save(database, cabin, [here]))


def test_a_telephone_is_told_to_fetch_its_configuration(minitelecom, database, cabin):
    order(database, cabin, "Cisco ATA v2.12 ata186 (0928a)")
    told = minitelecom("device", "restart", cabin)
    assert told.out == "telephone cabin1 is told to fetch its configuration (check-sync)\n"
    assert run(audit.entries(database, subject=cabin))[0].what == "device restarted"
    order(database, cabin, "Grandstream HT286 1.0.8.32")
    assert "--mac" in minitelecom("device", "restart", cabin).err
    assert minitelecom("device", "restart", cabin, "--mac", "000b82123456").status == 0


def test_a_telephone_that_cannot_be_told(minitelecom, database, cabin):
    assert "is not registered" in minitelecom("device", "restart", cabin).err
    order(database, cabin, "Zoiper")
    minitelecom("device", "set", cabin, "--property", "restart=none")
    assert "restart it by hand" in minitelecom("device", "restart", cabin).err
