from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minitelecom.rating.price_file import BadRows, parse, serialise
from minitelecom.rating.rate import Rate

HEADER = "prefix,destination,buy,sell\n"


def reasons(text):
    with pytest.raises(BadRows) as caught:
        parse(text, "EUR")
    return {
        row.line: "; ".join(other.reason for other in caught.value.rows if other.line == row.line)
        for row in caught.value.rows
    }


def test_the_smallest_file():
    (rate,) = parse(HEADER + "49,Germany,0.0100,0.05\n", "EUR").rates
    assert rate == Rate("49", "Germany", "EUR", Decimal("0.05"), 1, 1, Decimal(0), Decimal("0.01"), "EUR", "general")


def test_every_column_in_any_order():
    text = (
        "Destination, prefix,sell,buy,buy_currency,initial,increment,connection_fee,valid_from\r\n"
        '"Korea, South",82,0.25,0.2,USD,60,30,0.05,2026-05-01\r\n'
    )
    (rate,) = parse(text, "EUR", "nights").rates
    assert rate == Rate(
        "82",
        "Korea, South",
        "EUR",
        Decimal("0.25"),
        60,
        30,
        Decimal("0.05"),
        Decimal("0.2"),
        "USD",
        "nights",
        date(2026, 5, 1),
    )


def test_what_spreadsheets_leave_behind_is_forgiven():
    parsed = parse("\ufeff" + HEADER + "\n49,Germany,,0.05,,\n,,,\n\n 359 , Bulgaria ,, 0\n\n", "EUR")
    assert [(rate.prefix, rate.sell, rate.buy, rate.buy_currency) for rate in parsed.rates] == [
        ("49", Decimal("0.05"), None, None),
        ("359", Decimal(0), None, None),
    ]


def test_all_bad_rows_are_listed_with_their_lines():
    bad = reasons(
        "prefix,destination,buy,sell,initial,increment,valid_from,buy_currency\n"
        "49,Germany,0.01,0.05,60,1,,USD\n"
        "+44,United Kingdom,0.01,0.05,,,,\n"
        '33,France,0.01,"0,05",,,,\n'
        "34,Spain,-0.01,0.05,,,,\n"
        "39,,0.01,five,0,1.5,,\n"
        "49,Germany again,0.01,0.05,,,,\n"
        "\n"
        "41,Switzerland,0.01,,,,,\n"
        "43,Austria,0.01,0.1234567,,,,\n"
        "45,Denmark,0.01,NaN,,,,\n"
        "46,Sweden,0.01,0.05,,,1.5.2026,usd\n"
        "47,Norway,0,01,0,05,60,1,,USD\n"
        "4x,Nowhere,0,0,,,,\n"
        "48,Poland\n"
    )
    assert list(bad) == [3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14, 15]
    assert "without + or 00" in bad[3]
    assert "write a decimal point: 0.05" in bad[4]
    assert bad[5] == "buy: -0.01 is negative"
    for part in ("destination: a name is missing", "sell: 'five' is not a number", "initial: '0'", "increment: '1.5'"):
        assert part in bad[6]
    assert bad[7] == "prefix 49 is already in line 2"
    assert "a free destination has 0" in bad[9]
    assert "more than 6 decimals" in bad[10]
    assert "'NaN' is not a number" in bad[11]
    assert "2026-01-31" in bad[12]
    assert "such as USD" in bad[12]
    assert "a decimal comma?" in bad[13]
    assert "not a telephone prefix" in bad[14]
    assert "2 cells under a header of 8" in bad[15]


def test_a_row_of_several_lines_is_named_by_its_first():
    assert list(reasons(HEADER + '49,"Ger\nmany",,0.05\n50,,,1\n')) == [2, 4]


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "the file is empty"),
        ("\n \n", "the file is empty"),
        (HEADER, "no price in this file"),
        ("prefix;destination;buy;sell\n", "separated by commas"),
        ("prefx,destination,buy,sell\n", "did you mean prefix?"),
        ("prefix,destination,buy,sell,sell\n", "column sell stands twice"),
        (HEADER + '49,"Germany,0,0\n', "not CSV"),
    ],
)
def test_files_that_are_no_price_list(text, part):
    assert part in "; ".join(reasons(text).values())


def test_a_wrong_header_names_everything_that_is_missing():
    with pytest.raises(BadRows) as caught:
        parse("country,price\n", "EUR")
    assert {row.line for row in caught.value.rows} == {1}
    assert str(caught.value).count("is missing") == 4


def test_the_same_prefix_may_have_a_price_to_come():
    text = "prefix,destination,buy,sell,valid_from\n49,Germany,,0.05,\n49,Germany,,0.06,2026-05-01\n49,Germany,,0.07,2026-05-01\n"
    assert reasons(text) == {4: "prefix 49 is already in line 3"}


def test_a_sale_below_cost_is_remarked_not_refused():
    parsed = parse(HEADER + "49,Germany,0.06,0.05\n44,United Kingdom,0.05,0.05\n", "EUR")
    assert [line for line, _ in parsed.remarks] == [2]
    assert len(parsed.rates) == 2


prices = st.decimals(min_value=0, max_value=999_999, places=6)
names = st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=30)
lists = st.lists(
    st.builds(
        lambda prefix, name, sell, initial, increment, fee, buy, since: Rate(
            prefix, name, "EUR", sell, initial, increment, fee, buy, None if buy is None else "USD", "general", since
        ),
        st.from_regex(r"[1-9][0-9]{0,14}", fullmatch=True),
        names,
        prices,
        st.integers(1, 3600),
        st.integers(1, 3600),
        prices,
        st.none() | prices,
        st.none() | st.dates(),
    ),
    min_size=1,
    max_size=20,
    unique_by=lambda rate: (rate.prefix, rate.valid_from),
)


@given(lists)
def test_what_is_written_reads_back(rates):
    assert list(parse(serialise(rates), "EUR").rates) == rates


@given(st.text())
def test_any_text_is_a_list_or_a_list_of_mistakes(text):
    try:
        assert parse(text, "EUR").rates
    except BadRows as bad:
        assert bad.rows


@given(st.lists(st.text(st.sampled_from('0159.,;"-+eE \nAж'), max_size=12), max_size=12))
def test_any_rows_under_a_right_header_are_taken_or_refused(lines):
    try:
        assert parse(HEADER + "\n".join(lines), "EUR").rates
    except BadRows as bad:
        assert all(row.line >= 1 and row.reason for row in bad.rows)
