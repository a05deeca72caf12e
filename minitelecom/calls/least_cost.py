"""
Which carriers are tried for a number, and in which order: priority, then what the call costs us, then the longest match;
weight draws lots among equals.  Plain data in, plain data out.

A carrier with a price list of its own carries what stands in it and nothing else; of one without, the shop's list may say
what it asks.  None is asked by whom a call of any length could cost more than the customer pays, unless the administrator
allows that for the carrier or for the price.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import groupby
from random import Random

from minitelecom.rating.buying import Buying
from minitelecom.rating.exchange import Exchange
from minitelecom.rating.margin import may_lose
from minitelecom.rating.price_table import PriceTable
from minitelecom.rating.rate import Rate
from minitelecom.store.trunks import Trunk

TYPICAL_SECONDS = 180
"""Of a call; carriers are compared by what it costs, steps and fees included."""


@dataclass(frozen=True, slots=True)
class Way:
    """A carrier that may be tried, and what it asks."""

    trunk: Trunk
    buying: Buying | None = None
    """None: nobody knows."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A carrier of this number that may not be tried; the cause is the record's."""

    trunk: str
    cause: str
    """no-price, below-cost, full"""
    buying: Buying | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    ways: list[Way]
    left_out: list[LeftOut]


@dataclass(frozen=True, slots=True)
class Market:
    """What is known of the carriers at one moment."""

    exchange: Exchange
    prices: Mapping[str, PriceTable] = field(default_factory=dict)
    """The price lists of trunks that have one."""
    full: Collection[str] = ()
    """Trunks that take no more calls,"""
    down: Collection[str] = ()
    """and those that do not answer: they are tried last."""


def choose(number: str, rate: Rate, trunks: Iterable[Trunk], market: Market, longest: int, random: Random) -> Choice:
    """The ways for a number that is sold at this rate; every trunk that fits it is tried or left out, once."""
    ways: list[Way] = []
    left_out: list[LeftOut] = []
    for trunk in trunks:
        if not (trunk.enabled and number.startswith(trunk.match)):
            continue
        table = market.prices.get(trunk.name)
        asked = table.find(number) if table is not None else _asked_by_anybody(rate)
        buying = None if asked is None else _converted(asked, market.exchange)
        if table is not None and buying is None:
            left_out.append(LeftOut(trunk.name, "no-price"))
        elif buying is not None and not _may_lose(trunk, rate, buying) and may_lose(buying, rate, longest):
            left_out.append(LeftOut(trunk.name, "below-cost", buying))
        elif trunk.name in market.full:
            left_out.append(LeftOut(trunk.name, "full", buying))
        else:
            ways.append(Way(trunk, buying))
    return Choice(_in_order(ways, market.down, random), left_out)


def _asked_by_anybody(rate: Rate) -> Rate | None:
    """What any carrier asks, as far as the shop's own list says so."""
    if rate.buy is None or rate.buy_currency is None:
        return None
    return Rate(rate.prefix, rate.destination, rate.buy_currency, rate.buy, rate.initial, rate.increment)


def _converted(asked: Rate, exchange: Exchange) -> Buying | None:
    worth = exchange.rate(asked.currency)
    return None if worth is None else Buying(asked, exchange.house, worth)


def _may_lose(trunk: Trunk, rate: Rate, buying: Buying) -> bool:
    """Whether the administrator allows a loss, for the carrier or for the price."""
    return trunk.allow_loss or rate.allow_loss or buying.rate.allow_loss


def _in_order(ways: list[Way], down: Collection[str], random: Random) -> list[Way]:
    def rank(way: Way) -> tuple[bool, int, bool, Decimal, int]:
        cost = Decimal(0) if way.buying is None else way.buying.cost(TYPICAL_SECONDS).amount
        trunk = way.trunk
        return trunk.name in down, trunk.priority, way.buying is None, cost, -len(trunk.match)

    if len(ways) < 2:
        return ways
    ranked = sorted(((rank(way), way) for way in ways), key=lambda pair: pair[0])
    return [
        way
        for _, equals in groupby(ranked, key=lambda pair: pair[0])
        for way in _by_lot([way for _, way in equals], random)
    ]


def _by_lot(ways: list[Way], random: Random) -> list[Way]:
    """In the order of lots drawn by weight; whoever has none comes after all that have one."""
    drawn: list[Way] = []
    while len(ways) > 1:
        weights = [way.trunk.weight for way in ways]
        way = random.choices(ways, weights if any(weights) else None)[0]
        ways.remove(way)
        drawn.append(way)
    return drawn + ways
