"""What `doctor` says of carriers: whether they are there and take us, and what is sold that nobody may be asked for."""

from collections.abc import Iterable, Iterator, Sequence
from random import Random

from minitelecom.calls.least_cost import Market, choose
from minitelecom.commands.findings import Finding, warning
from minitelecom.commands.shop import Shop, now
from minitelecom.commands.trunk import states
from minitelecom.rating.price_table import PriceTable
from minitelecom.rating.rate import Rate
from minitelecom.store import exchange_rates, prices
from minitelecom.store.trunks import Trunk

MOST_NAMED = 3


def carriers(shop: Shop, trunks: Sequence[Trunk]) -> Iterator[Finding]:
    """Trunks that are down or not registered, as the daemon says."""
    doing = states(shop)
    for trunk in trunks:
        state = doing.get(trunk.name, {})
        if state.get("up") is False:
            detail = f"it is down: {state['health_failure']}"
            yield warning(f"trunk {trunk.name}", detail, "calls go by the others first; ask the carrier")
        if trunk.enabled and state.get("registration_failure") and not state.get("registered_until"):
            detail = f"it does not take our registration: {state['registration_failure']}"
            advice = f"look at its user and password: minitelecom trunk set {trunk.name} --user U --password-stdin"
            yield warning(f"trunk {trunk.name}", detail, advice)


def unsold(shop: Shop, trunks: Sequence[Trunk], sold: Iterable[Rate]) -> Iterator[Finding]:
    """Prices at which nobody is called, since every carrier asks more, or does not go there."""
    instant = now()
    day = instant.astimezone(shop.config.zone).date()
    exchange = shop.do(exchange_rates.exchange(shop.database, shop.config.currency, instant))
    asked = shop.do(prices.load_carriers(shop.database))
    market = Market(exchange, {name: PriceTable(rates, day) for name, rates in asked.items()})
    longest, random = shop.config.calls.longest_seconds, Random(0)
    lost = []
    for rate in PriceTable(sold, day):
        choice = choose(rate.prefix, rate, trunks, market, longest, random)
        if choice.left_out and not choice.ways:
            lost.append(f"{rate.destination} ({rate.prefix})")
    if lost:
        named = ", ".join(lost[:MOST_NAMED]) + (" …" if len(lost) > MOST_NAMED else "")
        detail = f"{len(lost)} are not called, as every carrier asks more or does not go there: {named}"
        yield warning("prices", detail, "raise them, ask another carrier, or allow the loss: column allow_loss")
