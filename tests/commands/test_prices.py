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
