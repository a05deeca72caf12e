"""
Where a dialled number leads: the card dialogue, a telephone of the shop, a carrier, or nowhere.  Plain data in, plain
data out.

Emergency numbers come first and ask nothing; the shop's own numbers come before the world's.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from minitelecom.config import Config, Numbers
from minitelecom.rating.number import normalise, without_marks, written
from minitelecom.store.numbers import Number
from minitelecom.store.trunks import Trunk


@dataclass(frozen=True, slots=True)
class Dialogue:
    """A voice dialogue of our own; language None: the caller chooses."""

    name: str
    language: str | None


@dataclass(frozen=True, slots=True)
class Internal:
    """Another telephone of the shop, by device name."""

    device: str


@dataclass(frozen=True, slots=True)
class Outside:
    """A number of the public network, as E.164 digits."""

    number: str


@dataclass(frozen=True, slots=True)
class EmergencyNumber:
    number: str


@dataclass(frozen=True, slots=True)
class Nowhere:
    """Not a number, not a name: nothing to try."""


Destination = Dialogue | Internal | Outside | EmergencyNumber | Nowhere


def help_number(dialled: str, config: Config) -> str | None:
    """
    The emergency number that is meant, however it is written: as telephones copy it ("1-1-2"), with the plus that they put
    before everything, or with parameters (RFC 3966 section 3).  None of these is another number.
    """
    plain = without_marks(dialled.partition(";")[0]).removeprefix("+")
    return plain if plain in config.emergency.numbers else None


def destination(dialled: str, devices: Collection[str], config: Config) -> Destination:
    """What a caller in the shop means by what he dialled."""
    help_ = help_number(dialled, config)
    if help_ is not None:
        return EmergencyNumber(help_)
    if dialled == config.ivr.card:
        return Dialogue("card", None)
    if dialled in devices:
        return Internal(dialled)
    numbers = config.numbers
    number = normalise(
        dialled,
        numbers.country_code,
        international_prefix=numbers.international_prefix,
        national_prefix=numbers.national_prefix,
    )
    return Nowhere() if number is None else Outside(number)


def access(called: str, numbers: Mapping[str, Number], config: Config) -> Dialogue | Internal | None:
    """
    What a number that a carrier delivers to us leads to, or None: as the carrier writes it, else as it would be dialled
    here.  What was said while running comes before the configuration.
    """
    country = config.numbers
    meant = normalise(
        called,
        country.country_code,
        international_prefix=country.international_prefix,
        national_prefix=country.national_prefix,
    )
    for digits in (called.removeprefix("+"), meant or ""):
        number, entry = numbers.get(digits), config.access.get(digits)
        if number is not None:
            return Internal(number.device) if number.device else Dialogue(number.dialogue or "card", number.language)
        if entry is not None:
            return Dialogue(entry.dialogue, entry.language)
    return None


def number_for(trunk: Trunk, number: str, numbers: Numbers) -> str:
    """The number as a trunk wants it: in its format, without the first signs, with others put before."""
    formed = written(
        number,
        trunk.called_format,
        numbers.country_code,
        international_prefix=numbers.international_prefix,
        national_prefix=numbers.national_prefix,
    )
    return trunk.add + formed[trunk.strip :]


def routes(trunk: Trunk) -> tuple[str, ...]:
    """The Route of whatever we send to a trunk that wants it to go by a proxy first (RFC 3261 8.1.2)."""
    return () if trunk.proxy is None else (f"<{trunk.proxy};lr>",)
