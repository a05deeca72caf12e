"""What stands in the demo shop, and that it stays there."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from minitelecom.demo import settings
from minitelecom.demo.furniture import ADMINISTRATOR, Furniture, furnish
from minitelecom.demo.notice import notice
from minitelecom.store import cards, devices, operators, prices, trunks
from minitelecom.store.secrets import Secrets
from minitelecom.store.synchronous import run
from minitelecom.web.passwords import is_password

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
SECRETS = Secrets(bytes(32))


def all_free(endpoint) -> bool:
    return True


@pytest.fixture
def config(tmp_path):
    return settings.ensure(tmp_path, all_free, {})


@pytest.fixture
def opened(database, config) -> Furniture:
    return run(furnish(database, SECRETS, config, NOW, all_free))


def test_a_new_shop_has_everything_for_a_first_call(database, config, opened):
    assert len(run(prices.load(database))) >= 200
    assert len(opened.cards) == 3
    for card in opened.cards:
        found = run(cards.find(database, card.number, NOW))
        assert (str(found.balance), found.status) == ("15.00 EUR", "enabled")
    telephones = run(devices.all_devices(database, SECRETS))
    assert {one.name: one.password for one in telephones} == opened.telephones
    assert list(opened.telephones) == ["101", "102"]
    assert len({one.account_number for one in telephones} & {card.number for card in opened.cards}) == 2
    administrator = run(operators.find(database, ADMINISTRATOR))
    assert administrator.role == "administrator"
    assert is_password(administrator.password_hash, opened.administrator)
    (trunk,) = run(trunks.all_trunks(database, SECRETS))
    assert trunk.uri == f"sip:127.0.0.1:{opened.carrier_port}"


def test_a_second_opening_changes_nothing(database, config, opened):
    run(prices.replace(database, run(prices.load(database))[:5], "general", "story", NOW))
    audit = run(database.query("SELECT count(*) FROM audit"))
    assert run(furnish(database, SECRETS, config, NOW, all_free)) == opened
    assert run(database.query("SELECT count(*) FROM audit")) == audit
    assert len(run(prices.load(database))) == 5, "the owner's own list stays"


def test_a_carrier_whose_port_was_taken_moves_with_its_trunk(database, config, opened):
    again = run(furnish(database, SECRETS, config, NOW, lambda endpoint: endpoint.port != opened.carrier_port))
    assert again.carrier_port == opened.carrier_port + 2
    (trunk,) = run(trunks.all_trunks(database, SECRETS))
    assert trunk.uri == f"sip:127.0.0.1:{again.carrier_port}"


def test_the_administrators_password_is_for_its_owner_only(config, opened):
    file = config.data / "administrator"
    assert file.read_text() == opened.administrator + "\n"
    assert file.stat().st_mode & 0o077 == 0


def test_telephones_come_by_udp_or_tcp_at_a_port_that_is_free_for_both(tmp_path):
    written = settings.ensure(tmp_path, lambda endpoint: endpoint[::2] != ("tcp", 5060), {})
    assert [tuple(one) for one in written.sip.listen] == [("udp", "0.0.0.0", 5062), ("tcp", "0.0.0.0", 5062)]


def test_settings_are_written_once(tmp_path):
    first = settings.ensure(tmp_path, all_free, {"LANG": "bg_BG.UTF-8"})
    assert (first.language, first.sip.listen[0].port, first.web.listen.port) == ("bg", 5060, 8080)
    assert first.data == tmp_path
    text = (tmp_path / "minitelecom.toml").read_text()
    assert settings.ensure(tmp_path, lambda endpoint: False, {}) == first
    assert (tmp_path / "minitelecom.toml").read_text() == text


def test_ports_in_use_are_left_to_their_users(tmp_path):
    config = settings.ensure(tmp_path, lambda endpoint: endpoint.port not in (5060, 5062, 8080), {})
    assert (config.sip.listen[0].port, config.web.listen.port) == (5064, 8081)


def test_a_machine_without_a_free_port_is_told_so(tmp_path):
    with pytest.raises(settings.NoFreePort, match="no udp port from 5060 on is free"):
        settings.ensure(tmp_path, lambda endpoint: False, {})


@pytest.mark.parametrize(
    ("environment", "language"),
    [({}, "en"), ({"LANG": "C.UTF-8"}, "en"), ({"LANG": "bg_BG"}, "bg"), ({"LC_ALL": "en_GB", "LANG": "bg_BG"}, "en")],
)
def test_the_demo_speaks_the_machines_language(environment, language):
    assert settings.language(environment) == language


def test_the_notice_is_eight_lines_with_all_that_is_needed(config, opened):
    lines = notice(config, Path("/data/minitelecom.toml"), opened, "192.168.1.5")
    assert len(lines) == 8
    text = "\n".join(lines)
    card = opened.cards[-1]
    for needed in (
        "192.168.1.5:5060 (UDP or TCP)", "user 101", "user 102", *opened.telephones.values(), card.number, card.password,
        opened.administrator, "http://192.168.1.5:8080/", "/data/minitelecom.toml", "Dial 100", "112",
    ):  # fmt: skip
        assert needed in text
    only = replace(config, sip=replace(config.sip, listen=config.sip.listen[:1]))  # as demos of before listen
    assert "192.168.1.5:5060 (UDP), user" in notice(only, Path("/data/minitelecom.toml"), opened, "192.168.1.5")[1]
