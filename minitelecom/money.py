"""
An exact decimal amount and its currency (ISO 4217), and the one place that rounds costs.

Amounts are Decimal, never float.  Inside the house they carry up to six decimals, as numeric(20,6) does in the database;
what a caller hears or a page shows is rounded down to the minor unit, so that nobody is promised more than is there.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

PLACES = 6
_SMALLEST = Decimal(1).scaleb(-PLACES)

# ISO 4217 list one, without the codes that no customer can pay in (gold, test, bond units); BGN stays, old cards were sold in it.
_DIGITS = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF",
    2: "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC "
    "CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES "
    "KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR "
    "NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT "
    "TOP TRY TTD TWD TZS UAH USD UYU UZS VES WST XCD XCG YER ZAR ZMW ZWG",
    3: "BHD IQD JOD KWD LYD OMR TND",
}
MINOR_DIGITS = {code: digits for digits, codes in _DIGITS.items() for code in codes.split()}


def minor_digits(currency: str) -> int:
    """How many decimals the minor unit has: 2 for EUR (cent), 0 for JPY, 3 for KWD (fils)."""
    try:
        return MINOR_DIGITS[currency]
    except KeyError:
        raise ValueError(f"{currency!r} is not a currency code of ISO 4217") from None


def round_cost(amount: Decimal) -> Decimal:
    """Half up to six places; each cost is rounded once, here."""
    return amount.quantize(_SMALLEST, ROUND_HALF_UP)


@dataclass(frozen=True, slots=True)
class Money:
    """(amount in the major unit, currency).  Two currencies never meet in a sum or a comparison."""

    amount: Decimal
    currency: str

    def __post_init__(self) -> None:
        if not isinstance(self.amount, Decimal) or not self.amount.is_finite():
            raise ValueError(f"{self.amount!r} is not an amount: a finite Decimal is expected")
        minor_digits(self.currency)

    @classmethod
    def from_minor(cls, minor: int, currency: str) -> Money:
        """1500 as an operator types it: 15.00 EUR."""
        return cls(Decimal(minor).scaleb(-minor_digits(currency)), currency)

    @classmethod
    def zero(cls, currency: str) -> Money:
        return cls(Decimal(0), currency)

    @property
    def is_zero(self) -> bool:
        return not self.amount

    def minor_down(self) -> int:
        """Whole minor units, rounded down (towards minus infinity): what is spoken or shown."""
        units = self.amount.scaleb(minor_digits(self.currency))
        whole = int(units)
        return whole - 1 if units < whole else whole

    def major(self) -> str:
        """The exact amount, as short as it goes but with at least the currency's decimals: "12.50", "0.012345"."""
        whole, _, decimals = f"{self.amount:f}".partition(".")
        digits = minor_digits(self.currency)
        decimals = decimals.rstrip("0").ljust(digits, "0")
        return f"{whole}.{decimals}" if decimals else whole

    def __str__(self) -> str:
        return f"{self.major()} {self.currency}"

    def __add__(self, other: Money) -> Money:
        return Money(self.amount + self._same(other), self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.amount - self._same(other), self.currency)

    def __neg__(self) -> Money:
        return Money(-self.amount, self.currency)

    def __lt__(self, other: Money) -> bool:
        return self.amount < self._same(other)

    def __le__(self, other: Money) -> bool:
        return self.amount <= self._same(other)

    def __gt__(self, other: Money) -> bool:
        return self.amount > self._same(other)

    def __ge__(self, other: Money) -> bool:
        return self.amount >= self._same(other)

    def _same(self, other: Money) -> Decimal:
        if other.currency != self.currency:
            raise ValueError(f"{self} and {other} are of two currencies")
        return other.amount
