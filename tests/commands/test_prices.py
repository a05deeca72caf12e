"""`prices import`: all of a file or nothing."""

from decimal import Decimal
from pathlib import Path

import pytest

from minitelecom.store import prices
from minitelecom.store.synchronous import run

SAMPLE = Path(__file__).parent.parent.parent / "etc" / "prices-sample.csv"
GOOD = "prefix,destination,buy,sell\n44,United Kingdom,0.01,0.02\n49,Germany,0.01,0.03\n359,Bulgaria,,0\n"


@pytest.fixture
def file(tmp_path):
    def write(text: str | bytes) -> Path:
        path = tmp_path / "prices.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def test_a_file_becomes_the_price_list(minitelecom, database, file):
    told = minitelecom("prices", "import", file(GOOD))
    assert told.out == (
        "3 prices imported into general, 3 new, 0 dearer, 0 cheaper, 0 changed otherwise, 0 gone (version 1)\n"
    )
    assert told.err == ""
    stored = {rate.prefix: rate.sell for rate in run(prices.load(database))}
    assert stored == {"44": Decimal("0.02"), "49": Decimal("0.03"), "359": Decimal(0)}


def test_the_next_import_says_what_it_changes(minitelecom, file):
    minitelecom("prices", "import", file(GOOD))
    changed = "prefix,destination,buy,sell\n44,United Kingdom,0.01,0.03\n49,Deutschland,0.01,0.03\n33,France,,0.1\n"
    told = minitelecom("prices", "import", file(changed), "--dry-run")
    assert told.out.endswith(
        "3 prices, 1 new, 1 dearer, 0 cheaper, 1 changed otherwise, 1 gone; nothing was imported\n"
    )
    assert (
        " 1 new, 1 dearer, 0 cheaper, 1 changed otherwise, 1 gone "
        in minitelecom("prices", "import", file(changed)).out
    )


def test_a_dry_run_changes_nothing(minitelecom, database, file):
    assert minitelecom("prices", "import", file(GOOD), "--dry-run").status == 0
    assert run(prices.load(database)) == []


def test_a_list_has_a_name(minitelecom, database, file):
    minitelecom("prices", "import", file(GOOD), "--list", "nights")
    assert run(prices.load(database)) == []
    assert len(run(prices.load(database, "nights"))) == 3


def test_a_quote_that_never_ends_hides_no_bad_row_before_it(minitelecom, file):
    path = file('prefix,destination,buy,sell\n44,UK,0.1,z\n49,"Germany,0.1,0.2\n')
    told = minitelecom("prices", "import", path)
    assert told.status == 1
    assert f"{path}:2: sell: 'z' is not a number" in told.err
    assert f"{path}:3: not CSV: " in told.err
    assert f"{path}: 2 bad rows; nothing was imported" in told.err


def test_every_bad_row_is_told_and_nothing_is_imported(minitelecom, database, file):
    path = file("prefix,destination,buy,sell\n44,UK,0.1,0.2\nx,Nowhere,0.1,z\n49,Germany,0.1,0.2,0.3\n44,UK,0.1,0.2\n")
    told = minitelecom("prices", "import", path)
    assert (told.status, told.out) == (1, "")
    *rows, last = told.err.splitlines()
    assert [row.split(": ")[0] for row in rows] == [f"{path}:3", f"{path}:4", f"{path}:5"]
    assert last == f"minitelecom: {path}: 3 bad rows; nothing was imported"
    assert run(prices.load(database)) == []


def test_a_file_in_another_encoding_is_told_with_its_line(minitelecom, file):
    path = file("prefix,destination,buy,sell\n44,UK,0.1,0.2\n359,България,0.1,0.2\n".encode("cp1251"))
    told = minitelecom("prices", "import", path)
    assert (told.status, told.err) == (1, f"minitelecom: {path}:3: not UTF-8 text; save the file as CSV UTF-8\n")


def test_a_file_that_is_not_there(minitelecom, tmp_path):
    told = minitelecom("prices", "import", tmp_path / "none.csv")
    assert (told.status, told.err) == (1, f"minitelecom: {tmp_path}/none.csv: No such file or directory\n")


def test_a_sale_below_cost_is_remarked_upon(minitelecom, file):
    told = minitelecom("prices", "import", file("prefix,destination,buy,sell\n44,UK,0.3,0.2\n"))
    assert told.status == 0
    assert "UK is sold at 0.2 and bought at 0.3" in told.err


def test_a_big_file_tells_how_far_it_is(minitelecom, database, file):
    rows = "".join(f"{number},Destination number {number} of a long list,0.01,0.02\n" for number in range(10000, 40000))
    told = minitelecom("prices", "import", file("prefix,destination,buy,sell\n" + rows))
    assert [line.split()[0] for line in told.err.splitlines()] == ["checking", "30000", "writing"]
    assert len(run(prices.load(database))) == 30000


def test_the_sample_list_is_right(minitelecom):
    told = minitelecom("prices", "import", SAMPLE)
    assert told.status == 0
    assert int(told.out.split()[0]) >= 200


# What carriers ask.

ASKED = "prefix,destination,buy,buy_currency,increment\n44,United Kingdom,0.01,USD,60\n49,Germany,0.02,,1\n"


@pytest.fixture
def carrier(minitelecom):
    minitelecom("trunk", "add", "carrier", "--uri", "sip:198.51.100.7")


def test_a_file_becomes_what_a_carrier_asks(minitelecom, database, file, carrier):
    minitelecom("exchange", "set", "USD", "0.92")
    told = minitelecom("prices", "import", file(ASKED), "--trunk", "carrier")
    assert told.out.startswith("2 prices imported into the list of carrier, 2 new,")
    stored = {rate.prefix: (rate.sell, rate.currency) for rate in run(prices.load_carriers(database))["carrier"]}
    assert stored == {"44": (Decimal("0.01"), "USD"), "49": (Decimal("0.02"), "EUR")}
    assert run(prices.load(database)) == []
    assert minitelecom("prices", "import", file(ASKED), "--trunk", "carrier", "--dry-run").out.count(" 0 ") == 5
    assert minitelecom("prices", "drop", "--trunk", "carrier").status == 0
    assert run(prices.load_carriers(database)) == {}
    assert minitelecom("prices", "drop", "--trunk", "carrier").err == "minitelecom: trunk carrier has no price list\n"


def test_a_carriers_currency_must_be_worth_something(minitelecom, database, file, carrier):
    told = minitelecom("prices", "import", file(ASKED), "--trunk", "carrier")
    assert told.err == "minitelecom: nobody has said what USD is worth: minitelecom exchange set USD RATE\n"
    assert run(prices.load_carriers(database)) == {}


def test_a_carriers_list_must_say_what_it_asks(minitelecom, file, carrier):
    path = file("prefix,destination,sell\n44,United Kingdom,0.01\n")
    assert f"{path}:1: column buy is missing" in minitelecom("prices", "import", path, "--trunk", "carrier").err
    path = file("prefix,destination,buy,allow_loss\n44,United Kingdom,,maybe\n")
    told = minitelecom("prices", "import", path, "--trunk", "carrier").err
    assert "buy: a price is missing" in told
    assert "allow_loss: 'maybe' is neither yes nor no" in told


def test_only_a_trunk_that_is_there_asks_anything(minitelecom, file):
    for words in (("import", file(ASKED)), ("drop",)):
        assert minitelecom("prices", *words, "--trunk", "nobody").err == "minitelecom: there is no trunk nobody\n"


def test_exchange_rates_are_set_and_listed(minitelecom):
    assert "minitelecom exchange set" in minitelecom("exchange", "list").out
    assert minitelecom("exchange", "set", "USD", "0.92").out == "one USD is 0.92 EUR from now on\n"
    minitelecom("exchange", "set", "USD", "0.9300")
    (shown,) = minitelecom("exchange", "list", "--json").data
    assert (shown["currency"], shown["rate"]) == ("USD", "0.93")
    assert minitelecom("exchange", "list").out.splitlines()[1].startswith("USD")


@pytest.mark.parametrize(
    ("currency", "rate", "why"),
    [
        ("EUR", "1", "EUR is the house's own currency"),
        ("BGN", "0.5", "the rate of BGN in EUR is fixed by law"),
        ("XXX", "1", "ISO 4217"),
        ("USD", "0", "worth nothing"),
        ("USD", "0,92", "a rate such as 0.92"),
        ("USD", "1e3", "a rate such as 0.92"),
    ],
)
def test_exchange_rates_that_are_none(minitelecom, currency, rate, why):
    told = minitelecom("exchange", "set", currency, rate)
    assert told.status > 0
    assert why in told.err
