"""The configuration file: its defaults, its sample, and one good line for each mistake."""

import dataclasses
import re
from pathlib import Path

import pytest

from minitelecom.config import Access, BadConfig, Calls, Config, default_data, find, load, parse
from minitelecom.config_values import Endpoint

SAMPLE = Path(__file__).parent.parent / "etc" / "minitelecom.toml"
FILE = Path("/etc/minitelecom.toml")


def config(text):
    return parse(text, FILE)


def refusal(text):
    with pytest.raises(BadConfig) as caught:
        config(text)
    message = str(caught.value)
    assert "\n" not in message
    return message.removeprefix(f"{FILE}:")


def test_an_empty_file_is_all_defaults():
    assert config("") == load(None) == Config()
    assert Config().sip.listen == (Endpoint("udp", "0.0.0.0", 5060), Endpoint("tcp", "0.0.0.0", 5060))
    assert Config().rtp.ports == range(16384, 32768)
    assert Config().emergency.numbers == ("112",)
    assert (Config().calls.longest_seconds, Config().calls.ringing_seconds, Config().calls.silence_seconds) == (
        14400,
        90,
        60,
    )


def test_the_sample_is_right_as_it_stands():
    assert load(SAMPLE) == Config()


def test_the_sample_shows_every_option_with_its_default():
    """Uncommented whole, it is the defaults and the one access number it explains."""
    text = re.sub(r'^#(?=[a-z_]+ = |\[access\.")', "", SAMPLE.read_text(), flags=re.MULTILINE)
    shown = config(text)
    assert shown.access == {"35921234567": Access(dialogue="card", language="en")}
    assert shown == dataclasses.replace(Config(), data=Path("/var/lib/minitelecom"), access=shown.access)
    for table in (Config, *(field.default.__class__ for field in dataclasses.fields(Config)), Access):
        for field in dataclasses.fields(table) if dataclasses.is_dataclass(table) else ():
            if "read" in field.metadata:
                assert re.search(rf"^{field.name} = ", text, re.MULTILINE), f"{field.name} is not shown"


def test_files_of_tls_begin_at_the_configuration():
    sip = config("[sip]\nlisten = ['udp:0.0.0.0:5060', 'tls:[::]:5061']\ncertificate = 'a.pem'\nkey = '/k/a.key'").sip
    assert (sip.certificate, sip.key, sip.authorities) == (FILE.parent / "a.pem", Path("/k/a.key"), None)
    assert sip.ports == {"udp": 5060, "tls": 5061}


def test_a_shop_writes_its_own():
    shop = config("""
        data = "/srv/shop"
        database = "postgresql://shop@db/shop"
        currency = "BGN"
        timezone = "Europe/London"
        [sip]
        listen = ["udp:[::]:5070"]
        external = "203.0.113.5"
        local = []
        [rtp]
        ports = "20000-20099"
        [web]
        listen = "[::1]:80"
        [access."35921234567"]
        [access."35921234568"]
        language = "en"
        [emergency]
        numbers = ["112", "911"]
        trunk = "carrier-1"
        [calls]
        longest_minutes = 60
    """)
    assert shop.data == Path("/srv/shop")
    assert shop.database == "postgresql://shop@db/shop"
    assert shop.zone.key == "Europe/London"
    assert shop.sip.listen == (Endpoint("udp", "::", 5070),)
    assert shop.web.listen == Endpoint("tcp", "::1", 80)
    assert shop.rtp.ports == range(20000, 20100)
    assert shop.access == {"35921234567": Access(), "35921234568": Access(language="en")}
    assert shop.emergency.trunk == "carrier-1"
    assert shop.calls == Calls(longest_minutes=60)


def test_a_relative_folder_begins_at_the_file(tmp_path):
    (tmp_path / "shop.toml").write_text('data = "var"')
    assert load(tmp_path / "shop.toml").data == tmp_path / "var"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("curency = 'EUR'", "1: curency: no such option; did you mean currency?"),
        ("\n\n[sip]\nlisten = []", "4: sip.listen: expected at least one"),
        (
            "[sip]\nlisten = ['tcp:0.0.0.0:5060']",
            '2: sip.listen: expected a udp endpoint among them, such as "udp:0.0.0.0:5060"',
        ),
        ("[spi]", "1: spi: no such option; did you mean sip?"),
        ("[calls]\nlongest = 5", "2: calls.longest: no such option; did you mean longest_minutes?"),
        ("[web]\nqqq = 5", "2: web.qqq: no such option; there are listen"),
        ("currency = 'EURO'", "1: currency: expected a currency code of ISO 4217 such as \"EUR\", not 'EURO'"),
        ("timezone = 'Sofia'", "1: timezone: expected a time zone such as \"Europe/Sofia\", not 'Sofia'"),
        (
            "timezone = '../../etc/passwd'",
            "1: timezone: expected a time zone such as \"Europe/Sofia\", not '../../etc/passwd'",
        ),
        ("language = 5", "1: language: expected a text in quotes, not 5"),
        ("data = ''", "1: data: expected a folder"),
        ("data = '~nobody-here/x'", "1: data: expected a folder"),
        (
            "database = 'mysql://root:secret@x'",
            '1: database: expected "postgresql://user@host/database", or "" for a private server',
        ),
        ("sip = 5", "1: sip: expected a table: [sip]"),
        (
            "[sip]\nlisten = 'udp:0.0.0.0:5060'",
            "2: sip.listen: expected a list such as [\"udp:0.0.0.0:5060\"], not 'udp:0.0.0.0:5060'",
        ),
        (
            "[sip]\nlisten = ['tls:0.0.0.0:5061']",
            "2: sip.listen: expected [sip] certificate beside a tls endpoint: the path of a PEM file",
        ),
        (
            "[sip]\nexternal = 'my.shop'",
            '2: sip.external: expected an address such as "203.0.113.5", or "" when no router is in between, not \'my.shop\'',
        ),
        (
            "[sip]\nlocal = ['192.168.0.1/16']",
            "2: sip.local: expected a network such as \"192.168.0.0/16\", not '192.168.0.1/16'",
        ),
        (
            "[rtp]\nports = '16385-20000'",
            "2: rtp.ports: expected ports such as \"16384-32767\": from an even one, 1024 to 65535, at least four, not '16385-20000'",
        ),
        (
            "[web]\nlisten = 'localhost'",
            "2: web.listen: expected an address and port such as \"127.0.0.1:8080\", not 'localhost'",
        ),
        (
            "[web]\nlisten = '127.0.0.1:65536'",
            "2: web.listen: expected an address and port such as \"127.0.0.1:8080\", not '127.0.0.1:65536'",
        ),
        ("[ivr]\ncard = 100", "2: ivr.card: expected a text in quotes, not 100"),
        ("[ivr]\ncard = '112'", "2: ivr.card: expected a number that is not an emergency number"),
        ("[ivr]\nlanguages = ['bg', 'bg']", "2: ivr.languages: expected a list in which nothing stands twice"),
        (
            "[access]\n'+359' = {}",
            '2: access."+359": expected digits: the number as the carrier delivers it, without +',
        ),
        ("access = 1", '1: access: expected a table for each number: [access."35921234567"]'),
        ("[access.1]\ndialogue = 'x'", "2: access.1.dialogue: expected card, not 'x'"),
        ("[access.1]\n\nlanguage = 'fr'", "3: access.1.language: expected one of [ivr] languages: bg, en"),
        ("[emergency]\nnumbers = [112]", "2: emergency.numbers: expected a text in quotes, not 112"),
        (
            "[emergency]\ntrunk = 'a b'",
            "2: emergency.trunk: expected a name of letters, digits, dots and dashes, not 'a b'",
        ),
        ("[calls]\nlongest_minutes = 0", "2: calls.longest_minutes: expected a whole number from 1 to 1440, not 0"),
        (
            "[calls]\nringing_seconds = true",
            "2: calls.ringing_seconds: expected a whole number from 10 to 600, not True",
        ),
        ("[calls]\nsilence_seconds = 1.5", "2: calls.silence_seconds: expected a whole number from 5 to 3600, not 1.5"),
        ("a b", "1: the file is not TOML: Expected '=' after a key in a key/value pair"),
        ("x = [\n1,\n", "2: the file is not TOML: Invalid value"),
        ("x = " + "[" * 5000, "1: the file is not TOML: maximum recursion depth exceeded"),
        ("data = 'a\\u0000b'".replace("'", '"'), "1: data: expected a folder"),
        ("[sip]\n[sip]", "2: the file is not TOML: Cannot declare ('sip',) twice"),
    ],
)
def test_each_mistake_is_one_line(text, message):
    assert refusal(text) == message


def test_the_line_is_found_in_any_spelling():
    for text in (
        'data = """\nlisten = 1\n"""\n[sip]\nlocal = [\n  "10.0.0.0/8",  # listen\n]\n\nlisten = 1',
        "[ \"sip\" ] # listen = 0\n# listen = 0\n\n\n\n\n\n\n'listen'=1",
        "\n\n\n\n\n\n\n\nsip.listen = 1",
        "\n\n\n\n\n\n\n\nsip = { listen = 1 }",
        "language = 'bg'\r\n\r\n\r\n\r\n\r\n[sip]\r\n\r\n\r\nlisten = 1\r\n",
    ):
        assert refusal(text).startswith("9: sip.listen: "), text


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(BadConfig, match=r"none.toml: the configuration cannot be read: No such file"):
        load(tmp_path / "none.toml")
    (tmp_path / "latin.toml").write_bytes(b"# a\n# caf\xe9\n")
    with pytest.raises(BadConfig, match=r"latin.toml:2: the file is not UTF-8 text"):
        load(tmp_path / "latin.toml")
    (tmp_path / "huge.toml").write_bytes(b"#" * 1_000_001)
    with pytest.raises(BadConfig, match="at most"):
        load(tmp_path / "huge.toml")


def test_a_number_that_no_computer_holds_is_a_mistake():
    assert refusal("[calls]\nlongest_minutes = " + "9" * 5000).startswith("2: the file is not TOML: ")


def test_a_mark_in_front_as_windows_editors_write_it_is_no_mistake(tmp_path):
    (tmp_path / "bom.toml").write_bytes(b"\xef\xbb\xbfcurrency = 'BGN'\r\n")
    assert load(tmp_path / "bom.toml").currency == "BGN"


def test_which_file_is_read():
    assert find(Path("a.toml"), {"MINITELECOM_CONFIG": "b.toml"}) == Path("a.toml")
    assert find(None, {"MINITELECOM_CONFIG": "b.toml"}) == Path("b.toml")


def test_a_plain_user_keeps_data_at_home():
    assert default_data(root=True, environment={}) == Path("/var/lib/minitelecom")
    assert default_data(root=False, environment={"XDG_DATA_HOME": "/home/ann/data"}) == Path(
        "/home/ann/data/minitelecom"
    )
    assert default_data(root=False, environment={}) == Path("~/.local/share/minitelecom").expanduser()
