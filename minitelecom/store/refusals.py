"""
What the database refuses: one exception for each rule that a request can break.

The functions of schema/ raise them with an SQLSTATE of class MT; whoever calls one wraps the call in `refusals()`.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg2


class Refusal(Exception):
    """The database kept a rule; nothing was changed."""


class LedgerIsKept(Refusal):
    """What is written in the ledger, or in a closed call record, changes no more."""


class Unbalanced(Refusal):
    """The lines of a movement do not sum to zero."""


class Disagrees(Refusal):
    """A balance or a reserved sum was to change without its movement or reservation."""


class KeyUsedOtherwise(Refusal):
    """The idempotency key belongs to another request."""


class InsufficientFunds(Refusal):
    """More was asked for than is available (the balance less what is reserved)."""


class NoSuchAccount(Refusal):
    """The account is closed or unknown."""


class WrongCurrency(Refusal):
    """The account is in another currency."""


class NoSuchReservation(Refusal):
    """There is no such reservation."""


class AlreadySettled(Refusal):
    """The reservation was settled before."""


class AlreadyReleased(Refusal):
    """The reservation was released before."""


class BeyondReservation(Refusal):
    """A settlement may not exceed its reservation."""


class AlreadyExpired(Refusal):
    """The reservation expired: its process died."""


class ProcessIsDead(Refusal):
    """The process was taken for dead and its calls were closed: it must stop."""


class NoSuchCall(Refusal):
    """There is no such call record."""


BY_STATE: dict[str, type[Refusal]] = {
    "MT001": LedgerIsKept,
    "MT002": Unbalanced,
    "MT003": Disagrees,
    "MT010": KeyUsedOtherwise,
    "MT011": InsufficientFunds,
    "MT012": NoSuchAccount,
    "MT013": WrongCurrency,
    "MT020": NoSuchReservation,
    "MT021": AlreadySettled,
    "MT022": AlreadyReleased,
    "MT023": BeyondReservation,
    "MT024": AlreadyExpired,
    "MT030": ProcessIsDead,
    "MT031": NoSuchCall,
    "MT032": LedgerIsKept,
}


@contextmanager
def refusals() -> Iterator[None]:
    """Errors of class MT become their exceptions; any other error passes."""
    try:
        yield
    except psycopg2.Error as error:
        kind = BY_STATE.get(error.pgcode or "")
        if kind is None:
            raise
        raise kind(error.diag.message_primary or str(error)) from error
