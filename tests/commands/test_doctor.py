"""`doctor`: what is wrong, and what to do about it."""

import os
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from minitelecom.commands import checks
from minitelecom.config import Config, Emergency, Ivr, Sip, Web
from minitelecom.config_values import Endpoint
from minitelecom.store import ledger, processes
from minitelecom.store.synchronous import run
from tests.commands.test_calls import COUNTERS, NAME
from tests.world.certificates import Authority

SAMPLE = Path(__file__).parent.parent.parent / "etc" / "prices-sample.csv"


@pytest.fixture
def finding(minitelecom):
    """What one check found."""

    def look(check: str) -> dict[str, str]:
        findings = [one for one in minitelecom("doctor", "--json").data["checks"] if one["check"] == check]
        assert findings, f"no check {check}"
        return findings[0]

    return look


def test_a_shop_in_order(minitelecom, database):
    minitelecom("prices", "import", SAMPLE)
    minitelecom("trunk", "add", "carrier", "--uri", "sip:198.51.100.7")
    minitelecom("user", "add", "olga", "--role", "admin", stdin="correct horse")
    minitelecom("card", "add", "--count", 2, "--amount", 1500, "--activate", "now")
    process_id = run(processes.start(database, NAME, os.getpid(), datetime.now(UTC)))
    run(processes.beat(database, process_id, datetime.now(UTC), COUNTERS))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sip, socket.socket() as web:
        sip.bind(("127.0.0.1", 45060))
        web.bind(("127.0.0.1", 48080))
        web.listen()
        report = minitelecom("doctor", "--json").data
    assert set(report) == {"healthy", "faults", "checks"}
    assert (report["healthy"], report["faults"]) == (True, [])
    unwell = [one for one in report["checks"] if one["state"] != "good" and one["check"] != "open files"]
    assert unwell == []
    assert all(set(one) == {"check", "state", "detail", "advice"} for one in report["checks"])


def test_a_new_shop_is_told_what_it_lacks(minitelecom):
    told = minitelecom("doctor")
    assert told.status == 0, "what is missing is no fault"
    for advice in (
        "minitelecom prices import FILE.csv",
        "minitelecom trunk add NAME --uri sip:HOST",
        "minitelecom user add NAME --role admin",
        "minitelecom run",
    ):
        assert advice in told.out


def test_a_ledger_that_somebody_changed_is_a_fault(minitelecom, database, card):
    run(database.query("ALTER TABLE accounts DISABLE TRIGGER USER"))
    run(database.query("UPDATE accounts SET balance = balance + 1 WHERE kind = 'card'"))
    run(database.query("ALTER TABLE accounts ENABLE TRIGGER USER"))
    assert run(ledger.proof(database))
    told = minitelecom("doctor", "--json")
    assert told.status == 1
    assert '"law": "balances equal lines"' in told.out
    shown = minitelecom("doctor")
    assert shown.status == 1
    assert " WRONG  ledger: balances equal lines: account" in shown.out


def test_a_database_that_is_away_is_a_fault(minitelecom, tmp_path):
    config = tmp_path / "away.toml"
    config.write_text('data = "data"\ndatabase = "postgresql:///shop?host=/nonexistent"\n')
    told = minitelecom("doctor", config=config)
    assert told.status == 1
    assert " WRONG  database: the database cannot be reached: " in told.out
    assert "Traceback" not in told.out + told.err


def test_the_key_file_is_the_one_that_everything_was_sealed_with(minitelecom, config_file, card):
    key = config_file.parent / "data" / "secret.key"
    key.chmod(0o644)
    assert f"chmod 600 {key}" in minitelecom("doctor").out
    key.unlink()
    told = minitelecom("doctor")
    assert told.status == 1
    assert "put " in told.out
    assert "back from a backup" in told.out


def test_a_folder_that_is_a_file_is_a_fault(minitelecom, tmp_path):
    (tmp_path / "data").write_text("")
    config = tmp_path / "private.toml"
    config.write_text('data = "data"\n')
    line = f"{tmp_path / 'data'} is a file: make it a folder, or change `data`"
    assert f" WRONG  database: {line}" in minitelecom("doctor", config=config).out
    assert minitelecom("calls", config=config).err == f"minitelecom: {line}\n"


def test_a_daemon_that_died_is_told_with_what_its_next_start_does(minitelecom, database, finding):
    died = datetime.now(UTC) - timedelta(minutes=1)
    run(processes.start(database, "elsewhere:/data", 4242, died))
    found = finding("daemon")
    assert found["state"] == "warning"
    assert "(process 4242) died after" in found["detail"]


def test_a_slow_heartbeat_is_remarked_upon(minitelecom, database, finding):
    run(processes.start(database, NAME, os.getpid(), datetime.now(UTC) - timedelta(seconds=5)))
    assert (finding("daemon")["state"], finding("daemon")["advice"][:26]) == ("warning", "it should beat every secon")


def test_emergency_numbers_need_a_trunk(minitelecom, config_file, finding):
    assert finding("emergency")["state"] == "warning"
    minitelecom("trunk", "add", "carrier", "--uri", "sip:198.51.100.7")
    assert finding("emergency")["detail"] == "112: by carrier"
    config_file.write_text(config_file.read_text() + '[emergency]\ntrunk = "rescue"\n')
    assert finding("emergency")["detail"] == "112: there is no trunk rescue; carrier is taken instead"


# The machine.


def found(config: Config, check: str, *, daemon_runs: bool = False) -> tuple[str, str]:
    one = next(one for one in checks.machine(config, daemon_runs=daemon_runs) if one.check == check)
    return one.state.value, one.detail


def listening(tmp_path, **options) -> Config:
    return Config(
        data=tmp_path,
        sip=Sip(listen=(Endpoint("udp", "127.0.0.1", 45062), Endpoint("tcp", "127.0.0.1", 45062))),
        web=Web(listen=Endpoint("tcp", "127.0.0.1", 48082)),
        **options,
    )


def test_free_ports_are_good_unless_a_daemon_should_hold_them(tmp_path):
    config = listening(tmp_path)
    assert found(config, "sip") == ("good", "udp:127.0.0.1:45062 is free")
    assert found(config, "web", daemon_runs=True)[0] == "warning"


def test_ports_of_another_program_are_named(tmp_path):
    config = listening(tmp_path)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 45062))
        assert found(config, "sip") == ("warning", "udp:127.0.0.1:45062 is taken by another program")
        assert found(config, "sip", daemon_runs=True)[0] == "good"


def test_an_address_of_ipv6_is_written_as_in_the_configuration(tmp_path):
    config = Config(data=tmp_path, sip=Sip(listen=(Endpoint("udp", "::1", 45062),)))
    assert found(config, "sip") == ("good", "udp:[::1]:45062 is free")


def test_an_address_of_another_machine_cannot_be_listened_on(tmp_path):
    config = Config(data=tmp_path, sip=Sip(listen=(Endpoint("udp", "198.51.100.1", 5060),)))
    assert found(config, "sip")[0] == "warning"


def test_a_certificate_is_renewed_in_time_or_remarked_upon(tmp_path):
    authority, instant = Authority(tmp_path), datetime.now(UTC)
    for days, state in ((60.5, "good"), (20.5, "warning"), (-1, "fault")):
        own = authority.identity("shop.example", days=days)
        assert checks.certificate(own.certificate, own.key, instant).state == state
    other = authority.identity("shop.example", file="other")
    assert "is not the key of" in checks.certificate(own.certificate, other.key, instant).detail
    sip = Sip(listen=(Endpoint("udp", "127.0.0.1", 45062),), certificate=other.certificate, key=other.key)
    assert found(Config(data=tmp_path, sip=sip), "certificate")[0] == "good"


def test_a_language_without_prompts_is_remarked_upon(tmp_path):
    assert found(listening(tmp_path), "prompts") == ("good", "complete in bg, en")
    strange = listening(tmp_path, language="xx")
    assert found(strange, "prompts") == ("warning", "no prompts in xx")
    strange = listening(tmp_path, ivr=Ivr(languages=("bg", "xx")))
    assert found(strange, "prompts") == ("warning", "no prompts in xx")


def test_a_recording_that_cannot_be_played_is_remarked_upon(tmp_path):
    (tmp_path / "en").mkdir()
    (tmp_path / "en" / "catalogue.toml").write_text('greeting = "Hello"\n')
    (tmp_path / "en" / "greeting.wav").write_bytes(b"ID3")
    found = checks.prompts(listening(tmp_path, ivr=Ivr(languages=("en",)), language="en"), tmp_path)
    assert found.state == "warning"
    assert f"{tmp_path / 'en' / 'greeting.wav'}: not a wav file" in found.detail


@pytest.mark.parametrize("text", [None, "greeting = 1", "greeting"])
def test_without_its_texts_the_daemon_does_not_start(tmp_path, text):
    if text is not None:
        (tmp_path / "en").mkdir()
        (tmp_path / "en" / "catalogue.toml").write_text(text)
    found = checks.prompts(listening(tmp_path), tmp_path)
    assert found.state == "fault"
    assert "\n" not in found.detail


def test_the_clock_is_shown_in_the_shops_zone(tmp_path):
    state, detail = found(listening(tmp_path, emergency=Emergency()), "clock")
    assert state == "good"
    assert detail.endswith("in Europe/Sofia")


def test_carriers_that_are_not_well(minitelecom, database):
    for name in ("ann", "bob"):
        minitelecom("trunk", "add", name, "--uri", "sip:198.51.100.7")
    process_id = run(processes.start(database, NAME, os.getpid(), datetime.now(UTC)))
    well = {
        "calls": 0, "up": True, "up_since": "2026-11-02T09:00:00+00:00", "health_failure": None,
        "registered_until": "2026-11-02T10:00:00+00:00", "registration_failure": "no response",
    }  # fmt: skip
    ill = {**well, "up": False, "health_failure": "no response", "registered_until": None}
    run(processes.beat(database, process_id, datetime.now(UTC), {**COUNTERS, "trunks": {"ann": well, "bob": ill}}))
    found = [one for one in minitelecom("doctor", "--json").data["checks"] if one["check"].startswith("trunk ")]
    assert [(one["check"], one["state"], one["detail"]) for one in found] == [
        ("trunk bob", "warning", "it is down: no response"),
        ("trunk bob", "warning", "it does not take our registration: no response"),
    ]


def test_what_is_sold_and_nobody_may_be_asked_for(minitelecom, tmp_path):
    minitelecom("trunk", "add", "carrier", "--uri", "sip:198.51.100.7")
    sold, asked = tmp_path / "sold.csv", tmp_path / "asked.csv"
    sold.write_text("prefix,destination,buy,sell\n44,United Kingdom,,0.02\n49,Germany,,0.03\n53,Cuba,,0.50\n")
    asked.write_text("prefix,destination,buy\n44,United Kingdom,0.021\n49,Germany,0.03\n")
    minitelecom("prices", "import", sold)
    minitelecom("prices", "import", asked, "--trunk", "carrier")
    found = [one for one in minitelecom("doctor", "--json").data["checks"] if one["check"] == "prices"]
    assert [one["state"] for one in found] == ["good", "warning"]
    assert found[1]["detail"] == (
        "2 are not called, as every carrier asks more or does not go there: United Kingdom (44), Cuba (53)"
    )
