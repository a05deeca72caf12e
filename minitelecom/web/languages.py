"""
The languages of the pages: texts from locale/<code>.po, dates, numbers and money by CLDR.

English is the language of the sources, so it needs no file; any other is one .po file more. The files are read when the
site is made, there is nothing to compile; tests/web/test_languages.py names what a file lacks or has too much of. Cards
and calls live in the zone of the shop, so an instant is shown in it.
"""

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass
from datetime import UTC, date, datetime
from io import BytesIO
from pathlib import Path
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_datetime, format_time
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_currency, format_decimal
from babel.support import NullTranslations, Translations

from minitelecom.money import Money

FOLDER = Path(__file__).parent / "locale"
HELP = "emergency"  # the destination of calls for help, in their records
# English as Europe writes it: day before month, twenty-four hours.
REGIONS = {"en": "en_GB", "bg": "bg_BG"}


@dataclass(frozen=True)
class Language:
    """One language of the pages, with everything that a page says in it."""

    code: str
    locale: Locale
    translations: NullTranslations
    zone: ZoneInfo

    @property
    def name(self) -> str:
        """What speakers call their language: English, български."""
        return Locale.parse(self.code).get_display_name(self.code) or self.code

    @property
    def tag(self) -> str:
        """The name that browsers know it by (BCP 47)."""
        return str(self.locale).replace("_", "-")

    def text(self, message: str) -> str:
        return self.translations.ugettext(message) if message else ""

    def place(self, destination: str | None) -> str:
        """Where a call goes: as price lists say it, but for one that no price list says."""
        return self.text("emergency call") if destination == HELP else destination or ""

    def money(self, money: Money) -> str:
        """A balance: rounded down to the minor unit, so nobody is shown what he has not got."""
        shown = Money.from_minor(money.minor_down(), money.currency)
        return format_currency(shown.amount, money.currency, locale=self.locale)

    def cost(self, money: Money) -> str:
        """A price or a cost: every digit that it has."""
        return format_currency(money.amount.normalize(), money.currency, locale=self.locale, decimal_quantization=False)

    def running(self, money: Money, digits: int) -> str:
        """A cost that grows: always with so many decimals, so that it does not jump about."""
        pattern = copy(self.locale.currency_formats["standard"])
        pattern.frac_prec = (digits, digits)
        return str(pattern.apply(money.amount, self.locale, money.currency, currency_digits=False))

    def number(self, number: int) -> str:
        return format_decimal(number, locale=self.locale)

    def day(self, instant: datetime | date) -> str:
        local = instant.astimezone(self.zone) if isinstance(instant, datetime) else instant
        return format_date(local, "medium", locale=self.locale)

    def time(self, instant: datetime) -> str:
        return format_time(instant.astimezone(self.zone), "medium", locale=self.locale)

    def moment(self, instant: datetime) -> str:
        return format_datetime(instant.astimezone(self.zone), "short", locale=self.locale)

    def today(self, instant: datetime) -> date:
        return instant.astimezone(self.zone).date()


def mark(message: str) -> str:
    """Marks a text for the catalogue where it is not translated yet."""
    return message


def duration(seconds: int) -> str:
    """125 → 2:05, 3725 → 1:02:05: the same in every language."""
    minutes, second = divmod(seconds, 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"


def day_bounds(day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The instants at which a day of the shop begins and ends; it has 23 or 25 hours twice a year."""
    begin = datetime(day.year, day.month, day.day, tzinfo=zone)
    following = date.fromordinal(day.toordinal() + 1)
    end = datetime(following.year, following.month, following.day, tzinfo=zone)
    return begin.astimezone(UTC), end.astimezone(UTC)


def read_languages(zone: ZoneInfo, first: str) -> Mapping[str, Language]:
    """Every language there is a catalogue for, and English; the shop's own comes first."""
    languages = {"en": Language("en", Locale.parse(REGIONS["en"]), NullTranslations(), zone)}
    for path in sorted(FOLDER.glob("*.po")):
        code = path.stem
        languages[code] = Language(code, Locale.parse(REGIONS.get(code, code)), read_catalogue(path), zone)
    own = first if first in languages else "en"
    return {own: languages[own]} | languages


def read_catalogue(path: Path) -> Translations:
    with path.open("rb") as lines:
        catalogue = read_po(lines, locale=path.stem, abort_invalid=True)
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return Translations(compiled)


def accepted(header: str, languages: Mapping[str, Language]) -> Language | None:
    """The first of the browser's languages that we have (RFC 9110 section 12.5.4), its weights taken as sorted."""
    for part in header[:200].split(","):
        code = part.split(";")[0].strip().split("-")[0].lower()
        if code in languages:
            return languages[code]
    return None
