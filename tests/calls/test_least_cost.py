"""The order of carriers: priority, cost, match, lot; and who is left out."""

from collections import Counter
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minitelecom.calls.least_cost import Choice, Market, Way, choose
from minitelecom.rating.cost import cost
from minitelecom.rating.exchange import Exchange
from minitelecom.rating.price_table import PriceTable
from minitelecom.rating.rate import Rate
from minitelecom.store.trunks import Trunk

LONDON = "442071234567"
LONGEST = 3600
SOLD = Rate("44", "United Kingdom", "EUR", Decimal("0.20"), 60, 60)
EURO = Exchange("EUR", {"USD": Decimal("0.92")})


def trunk(name: str, **data: object) -> Trunk:
    return Trunk(name, f"sip:{name}.example", **data)  # type: ignore[arg-type]


def asks(price: str, currency: str = "EUR", prefix: str = "44", **more: object) -> PriceTable:
    return PriceTable([Rate(prefix, "United Kingdom", currency, Decimal(price), **more)])  # type: ignore[arg-type]


def chosen(trunks: list[Trunk], sold: Rate = SOLD, seed: int = 1, **market: object) -> Choice:
    return choose(LONDON, sold, trunks, Market(EURO, **market), LONGEST, Random(seed))  # type: ignore[arg-type]


def names(choice: Choice) -> list[str]:
    return [way.trunk.name for way in choice.ways]


def left_out(choice: Choice) -> dict[str, str]:
    return {one.trunk: one.cause for one in choice.left_out}


def test_priority_comes_before_cost() -> None:
    trunks = [trunk("cheap", priority=1), trunk("dear")]
    prices = {"cheap": asks("0.01"), "dear": asks("0.10")}
    assert names(chosen(trunks, prices=prices)) == ["dear", "cheap"]


def test_of_one_priority_the_cheapest_is_tried_first() -> None:
    trunks = [trunk(name) for name in ("dear", "dollars", "cheap")]
    prices = {"dear": asks("0.10"), "dollars": asks("0.10", "USD"), "cheap": asks("0.01")}
    choice = chosen(trunks, prices=prices)
    assert names(choice) == ["cheap", "dollars", "dear"]
    assert [way.buying and str(way.buying.cost(60)) for way in choice.ways] == ["0.01 EUR", "0.092 EUR", "0.10 EUR"]


def test_steps_and_fees_count() -> None:
    """Of a call of three minutes, a fee of five cents is more than a cent a minute."""
    trunks = [trunk("fee"), trunk("plain")]
    prices = {"fee": asks("0.04", connection_fee=Decimal("0.05")), "plain": asks("0.05")}
    assert names(chosen(trunks, prices=prices)) == ["plain", "fee"]


def test_whose_cost_nobody_knows_comes_after_those_that_are_known() -> None:
    trunks = [trunk("unknown", match="4420"), trunk("short", match="4"), trunk("known")]
    assert names(chosen(trunks, prices={"known": asks("0.10")})) == ["known", "unknown", "short"]


def test_the_shops_own_list_may_say_what_any_carrier_asks() -> None:
    sold = Rate("44", "United Kingdom", "EUR", Decimal("0.20"), 60, 60, buy=Decimal("0.05"), buy_currency="USD")
    choice = chosen([trunk("one"), trunk("other")], sold, prices={"other": asks("0.01")})
    assert names(choice) == ["other", "one"]
    assert str(choice.ways[1].buying and choice.ways[1].buying.cost(60)) == "0.046 EUR"


def test_a_carrier_with_a_price_list_carries_what_stands_in_it() -> None:
    choice = chosen([trunk("german"), trunk("any")], prices={"german": asks("0.01", prefix="49")})
    assert (names(choice), left_out(choice)) == (["any"], {"german": "no-price"})


def test_a_price_in_a_currency_of_unknown_worth_is_no_price() -> None:
    choice = chosen([trunk("yen")], prices={"yen": asks("0.01", "JPY")})
    assert (names(choice), left_out(choice)) == ([], {"yen": "no-price"})


def test_nobody_is_asked_at_a_loss() -> None:
    choice = chosen([trunk("dear"), trunk("cheap")], prices={"dear": asks("0.21"), "cheap": asks("0.19")})
    assert (names(choice), left_out(choice)) == (["cheap"], {"dear": "below-cost"})


def test_a_loss_may_be_allowed_for_a_carrier_or_for_a_price() -> None:
    prices = {"dear": asks("0.21"), "price": asks("0.21", allow_loss=True), "trunk": asks("0.21")}
    trunks = [trunk("dear"), trunk("price"), trunk("trunk", allow_loss=True)]
    assert sorted(names(chosen(trunks, prices=prices))) == ["price", "trunk"]
    sold = Rate("44", "United Kingdom", "EUR", Decimal("0.20"), 60, 60, allow_loss=True)
    assert sorted(names(chosen(trunks, sold, prices=prices))) == ["dear", "price", "trunk"]


def test_a_carrier_that_takes_no_more_calls_is_left_out_and_one_that_is_down_comes_last() -> None:
    trunks = [trunk("full"), trunk("down", priority=-1), trunk("other", priority=5)]
    choice = chosen(trunks, full={"full"}, down={"down"})
    assert (names(choice), left_out(choice)) == (["other", "down"], {"full": "full"})


def test_trunks_that_do_not_fit_are_not_even_left_out() -> None:
    choice = chosen([trunk("disabled", enabled=False), trunk("german", match="49"), trunk("fits", match="442")])
    assert (names(choice), left_out(choice)) == (["fits"], {})


def test_lots_are_drawn_by_weight() -> None:
    trunks = [trunk("three", weight=3), trunk("one", weight=1), trunk("none", weight=0)]
    first = Counter(names(chosen(trunks, seed=seed))[0] for seed in range(1000))
    assert 700 < first["three"] < 800
    assert first["none"] == 0
    assert {names(chosen(trunks, seed=seed))[2] for seed in range(100)} == {"none"}


def test_carriers_without_any_weight_are_equal() -> None:
    trunks = [trunk("one", weight=0), trunk("other", weight=0)]
    assert {names(chosen(trunks, seed=seed))[0] for seed in range(20)} == {"one", "other"}


# Laws.

cents = st.decimals(0, "0.5", places=3)
steps = st.sampled_from([1, 6, 30, 60])
sold_rates = st.builds(
    Rate, st.just("44"), st.just("x"), st.just("EUR"), cents, steps, steps, cents, allow_loss=st.sampled_from([False] * 4 + [True])
)  # fmt: skip
asked_rates = st.builds(
    Rate,
    st.sampled_from(["44", "442", "49"]),
    st.just("x"),
    st.sampled_from(["EUR", "USD", "JPY"]),
    cents,
    steps,
    steps,
    cents,
)
some_trunks = st.lists(
    st.builds(
        trunk,
        st.sampled_from("abcdefgh"),
        match=st.sampled_from(["", "44", "4420", "49"]),
        priority=st.integers(0, 2),
        weight=st.integers(0, 3),
        enabled=st.sampled_from([True, True, True, False]),
        allow_loss=st.sampled_from([False, False, True]),
    ),
    unique_by=lambda trunk: trunk.name,
    max_size=8,
)
markets = st.builds(
    Market,
    st.just(EURO),
    st.dictionaries(st.sampled_from("abcdefgh"), asked_rates.map(lambda rate: PriceTable([rate]))),
    st.frozensets(st.sampled_from("abcdefgh"), max_size=3),
    st.frozensets(st.sampled_from("abcdefgh"), max_size=3),
)


@given(sold_rates, some_trunks, markets, st.integers(0, 2**32))
def test_every_carrier_that_fits_is_tried_or_left_out_once(
    sold: Rate, trunks: list[Trunk], market: Market, seed: int
) -> None:
    choice = choose(LONDON, sold, trunks, market, LONGEST, Random(seed))
    fitting = [one.name for one in trunks if one.enabled and LONDON.startswith(one.match)]
    assert sorted([*names(choice), *left_out(choice)]) == sorted(fitting)
    assert not set(names(choice)) & set(market.full)


@given(sold_rates, some_trunks, markets, st.integers(0, 2**32), st.integers(1, LONGEST))
def test_no_call_is_sold_below_cost_unless_that_is_allowed(
    sold: Rate, trunks: list[Trunk], market: Market, seed: int, seconds: int
) -> None:
    for way in choose(LONDON, sold, trunks, market, LONGEST, Random(seed)).ways:
        if way.buying is not None and not way.trunk.allow_loss and not sold.allow_loss:
            rounding = Decimal("0.000001")
            assert way.buying.cost(seconds).amount <= cost(sold, seconds).amount + rounding


@given(sold_rates, some_trunks, markets, st.integers(0, 2**32))
def test_nobody_stands_before_one_that_is_better(sold: Rate, trunks: list[Trunk], market: Market, seed: int) -> None:
    def rank(way: Way) -> tuple[object, ...]:
        asked = Decimal(0) if way.buying is None else way.buying.cost(180).amount
        return way.trunk.name in market.down, way.trunk.priority, way.buying is None, asked, -len(way.trunk.match)

    ranks = [rank(way) for way in choose(LONDON, sold, trunks, market, LONGEST, Random(seed)).ways]
    assert ranks == sorted(ranks)


@pytest.mark.parametrize("prices", [None, "0.10"])
def test_without_trunks_there_is_no_way(prices: str | None) -> None:
    assert chosen([], prices={"gone": asks(prices)} if prices else {}) == Choice([], [])
