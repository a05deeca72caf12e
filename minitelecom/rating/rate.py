"""One row of a price list: what a minute to a prefix costs, and in which steps it is counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Rate:
    """
    A price of one prefix.  A call record keeps its rate from its first moment (`to_data`), so that ending or recovering
    the call needs no price list.
    """

    prefix: str
    destination: str
    currency: str
    """The currency of `sell` and `connection_fee`: the house's."""
    sell: Decimal
    """What the customer pays a minute."""
    initial: int = 1
    """Seconds counted as soon as the call is answered."""
    increment: int = 1
    """Seconds of each step after the first."""
    connection_fee: Decimal = Decimal(0)
    """Paid once, when the call is answered."""
    buy: Decimal | None = None
    """What the carrier asks a minute; None: unknown."""
    buy_currency: str | None = None
    price_list: str = "general"
    valid_from: date | None = None
    """The first day on which the price holds; None: always."""
    allow_loss: bool = False
    """Calls at this price may cost us more than they bring."""

    def __post_init__(self) -> None:
        if self.initial < 1 or self.increment < 1:
            raise ValueError(f"{self.prefix}: steps are at least one second")
        if self.sell < 0 or self.connection_fee < 0:
            raise ValueError(f"{self.prefix}: a price is not negative")

    @property
    def is_free(self) -> bool:
        """The call costs nothing: priced at zero, which is not the same as having no price."""
        return not self.sell and not self.connection_fee

    def to_data(self) -> dict[str, str | int | None]:
        """As the call record stores it (JSON); decimals are texts."""
        return {
            "prefix": self.prefix,
            "destination": self.destination,
            "currency": self.currency,
            "sell": f"{self.sell:f}",
            "initial": self.initial,
            "increment": self.increment,
            "connection_fee": f"{self.connection_fee:f}",
            "buy": None if self.buy is None else f"{self.buy:f}",
            "buy_currency": self.buy_currency,
            "price_list": self.price_list,
            "valid_from": None if self.valid_from is None else self.valid_from.isoformat(),
            **({"allow_loss": 1} if self.allow_loss else {}),
        }

    @classmethod
    def from_data(cls, data: Mapping[str, str | int | None]) -> Rate:
        """The rate that `to_data` wrote down."""
        buy, buy_currency, valid_from = data["buy"], data["buy_currency"], data.get("valid_from")
        return cls(
            prefix=str(data["prefix"]),
            destination=str(data["destination"]),
            currency=str(data["currency"]),
            sell=Decimal(str(data["sell"])),
            initial=int(data["initial"] or 0),
            increment=int(data["increment"] or 0),
            connection_fee=Decimal(str(data["connection_fee"])),
            buy=None if buy is None else Decimal(str(buy)),
            buy_currency=None if buy_currency is None else str(buy_currency),
            price_list=str(data["price_list"]),
            valid_from=None if valid_from is None else date.fromisoformat(str(valid_from)),
            allow_loss=bool(data.get("allow_loss")),
        )
