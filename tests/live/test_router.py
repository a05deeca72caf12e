"""Two telephones behind one real router that hides them (nftables), and one day forgets them."""

import os
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.live.baresip import ENDED, Baresip
from tests.live.house import House, lived_in
from tests.live.programs import PATIENCE_SECONDS, wait_until
from tests.live.router import OUTER, OUTSIDE, TELEPHONES, Router
from tests.live.scenarios import answers, pause, rings
from tests.live.shop import RunningShop, running_shop

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces want root: run tests/live/test_router.py as root"),
]

NAMES = ("101", "102")
TONES = {"101": 700.0, "102": 1100.0}
REGISTERED_SECONDS = 20  # no less is given


@dataclass
class Home:
    """A shop outside, a router, and two telephones behind it, each of them at port 5060."""

    shop: RunningShop
    router: Router
    telephones: dict[str, Baresip]

    def sources(self) -> list[str]:
        """Where the shop hears each telephone."""
        shown = [self.shop.answer("device", "show", name)["registrations"] for name in NAMES]
        return [place["source"] for (place,) in shown]

    def moved(self, before: list[str]) -> bool:
        return not set(before).intersection(self.sources())


@pytest.fixture(scope="module")
def home() -> Iterator[Home]:
    router = Router()
    try:
        with running_shop(OUTSIDE) as shop:
            home = Home(shop, router, {})
            for name, host in zip(NAMES, TELEPHONES, strict=True):
                shop.telephone(name, "secret", shop.card(500, "now"))
                with router.in_the_home():
                    home.telephones[name] = Baresip(
                        shop.folder / name,
                        shop,
                        name,
                        "secret",
                        host=host,
                        hertz=TONES[name],
                        port=5060,
                        registered_seconds=REGISTERED_SECONDS,
                    )
            yield home
            for telephone in home.telephones.values():
                telephone.close()
            shop.stop()
    finally:
        router.close()


def both_hear(home: Home) -> None:
    """The one the other's tone, and not his own."""
    home.telephones["101"].hears(TONES["102"])
    home.telephones["102"].hears(TONES["101"])


def test_both_are_registered_at_one_address_and_told_apart(home: Home) -> None:
    first, second = home.sources()
    assert first != second
    for name, source in zip(NAMES, (first, second), strict=True):
        assert source.startswith(f"udp:{OUTER}:")
        assert source != f"udp:{OUTER}:5060"
        contact = home.shop.answer("device", "show", name)["contact"]
        assert "192.168.77." in contact


def test_one_calls_the_other_and_both_hear(home: Home) -> None:
    first, second = home.telephones["101"], home.telephones["102"]
    first.dial("102")
    both_hear(home)
    first.hang_up()
    second.waits_for(ENDED)
    (record,) = home.shop.ended(called_number="102")
    assert (record["device"], record["cause"], record["ended_by"]) == ("101", "normal", "caller")


def test_one_calls_out(home: Home) -> None:
    with lived_in(home.shop, home.shop.folder) as house:
        _calls_out(home, house)


def _calls_out(home: Home, house: House) -> None:
    carrier = house.carrier(rings(), pause(0.2), answers)
    home.telephones["102"].dial(carrier.dialled)
    carrier.answered()
    carrier.ear.say(1500)
    carrier.ear.hears(TONES["102"], 1500)
    home.telephones["102"].hears(1500)
    home.telephones["102"].hang_up()
    carrier.sipp.finish()
    (record,) = home.shop.ended(called_number=carrier.number)
    assert (record["device"], record["cause"]) == ("102", "normal")


def test_the_router_forgets_them_in_the_middle_of_a_call(home: Home) -> None:
    """Both come from other ports then: their sound at once, they themselves when they register again."""
    first, second = home.telephones["101"], home.telephones["102"]
    before = home.sources()
    first.dial("102")
    both_hear(home)
    home.router.forget()
    both_hear(home)
    wait_until(lambda: home.moved(before), "both at other ports", REGISTERED_SECONDS + PATIENCE_SECONDS)
    both_hear(home)
    ended = first.program.said.count(ENDED)
    second.hang_up()
    first.waits_for(ENDED, count=ended + 1)
    record = home.shop.ended(2, called_number="102")[-1]
    assert (record["cause"], record["ended_by"]) == ("normal", "callee")
    assert not home.shop.faults()
