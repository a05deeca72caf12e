"""
Prepaid cards: making them in groups, finding them, letting their holders in.

A card is known by its number (ten digits, the last a check digit by Luhn's rule, ISO/IEC 7812-1); its password has eight.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from random import Random
from typing import Literal
from zoneinfo import ZoneInfo

from minitelecom.money import Money
from minitelecom.store.accounts import NewStatus, Status
from minitelecom.store.database import Cursor, Database, Row
from minitelecom.store.refusals import NoSuchAccount, refusals
from minitelecom.store.secrets import Secrets

NUMBER_DIGITS = 10
PASSWORD_DIGITS = 8
MOST_CARDS = 10_000  # of one group

Activation = Literal["first-use", "later", "now"]


@dataclass(frozen=True, slots=True)
class Card:
    """A card as it stands at the instant it was asked for."""

    account_id: int
    number: str
    status: Status
    balance: Money
    reserved: Money
    currency: str
    activated: datetime | None
    valid_until: datetime | None
    """The last second of its validity."""
    last_recharge: datetime | None
    group_id: int
    created: datetime

    @property
    def available(self) -> Money:
        return self.balance - self.reserved


@dataclass(frozen=True, slots=True)
class NewCard:
    """What is printed on a card."""

    number: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Group:
    """Cards made by one click; `amount` is what each was charged with."""

    id: int
    created: datetime
    count: int
    amount: Money
    activation: Activation
    operator: str


def check_digit(digits: str) -> str:
    """The digit that completes a number by Luhn's rule."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return str(-total % 10)


def is_number(number: str) -> bool:
    """Whether these could be the digits of a card."""
    return (
        len(number) == NUMBER_DIGITS
        and number.isascii()
        and number.isdigit()
        and check_digit(number[:-1]) == number[-1]
    )


def _new_card(random: Random) -> NewCard:
    digits = str(random.randrange(1, 10)) + _digits(random, NUMBER_DIGITS - 2)  # no leading zero: spreadsheets drop it
    return NewCard(digits + check_digit(digits), _digits(random, PASSWORD_DIGITS))


def _digits(random: Random, count: int) -> str:
    return f"{random.randrange(10**count):0{count}}"


async def add_group(
    database: Database,
    count: int,
    amount: Money,
    activation: Activation,
    operator: str,
    instant: datetime,
    secrets: Secrets,
    random: Random,
    *,
    zone: ZoneInfo | str,
    key: str | None = None,
) -> tuple[int, list[NewCard]]:
    """
    Make cards, each charged with `amount`; their days end in `zone`. The group's id and what is to be printed.

    `random` decides numbers and passwords: `secrets.SystemRandom()`. A key that was used before answers with the group
    it made then (another request with that key raises KeyUsedOtherwise).
    """
    if not 1 <= count <= MOST_CARDS:
        raise ValueError(f"a group has 1 to {MOST_CARDS} cards, not {count}")
    key = key if key is not None else f"group:{random.getrandbits(128):032x}"
    with refusals():
        group_id, new = await database.transaction(
            _add_group, count, amount, activation, operator, instant, secrets, random, str(zone), key
        )
    return group_id, new if new is not None else await group_cards(database, secrets, group_id)


async def _add_group(
    cursor: Cursor,
    count: int,
    amount: Money,
    activation: Activation,
    operator: str,
    instant: datetime,
    secrets: Secrets,
    random: Random,
    zone: str,
    key: str,
) -> tuple[int, list[NewCard] | None]:
    cards: dict[str, NewCard] = {}
    while len(cards) < count:
        drawn = {card.number: card for card in (_new_card(random) for _ in range(count - len(cards)))}
        rows = await cursor.query("SELECT number FROM cards WHERE number = ANY(%s)", (list(drawn),))
        cards |= {number: card for number, card in drawn.items() if number not in {row[0] for row in rows}}
    new = list(cards.values())
    rows = await cursor.query(
        "SELECT group_id, repeated FROM add_card_group(%s, %s::bytea[], %s::bytea[], %s, %s, %s, %s, %s, %s, %s)",
        (
            [card.number for card in new],
            [secrets.seal(card.password, _context(card.number)) for card in new],
            [secrets.mac(card.number, card.password) for card in new],
            amount.amount,
            amount.currency,
            activation,
            zone,
            operator,
            instant,
            key,
        ),
    )
    group_id, repeated = rows[0]
    return group_id, None if repeated else new


def _context(number: str) -> str:
    return f"card:{number}"


async def group(database: Database, group_id: int) -> Group | None:
    """One group."""
    rows = await database.query(f"{_GROUP} WHERE id = %s", (group_id,))
    return _group(rows[0]) if rows else None


async def groups(database: Database, before: int | None = None, limit: int = 50) -> list[Group]:
    """The groups, newest first; the next page begins before the last one's id."""
    rows = await database.query(
        f"{_GROUP} WHERE (%s::bigint IS NULL OR id < %s) ORDER BY id DESC LIMIT %s", (before, before, limit)
    )
    return [_group(row) for row in rows]


_GROUP = "SELECT id, created, count, amount, currency, activation, operator FROM card_groups"


def _group(row: Row) -> Group:
    identifier, created, count, amount, currency, activation, operator = row
    return Group(identifier, created, count, Money(amount, currency), activation, operator)


async def group_cards(database: Database, secrets: Secrets, group_id: int) -> list[NewCard]:
    """What is printed on the cards of a group; whoever asks is written down by the caller."""
    rows = await database.query(
        "SELECT number, password FROM cards WHERE group_id = %s ORDER BY account_id", (group_id,)
    )
    return [NewCard(number, secrets.open(sealed, _context(number))) for number, sealed in rows]


async def passwords(database: Database, secrets: Secrets, numbers: Sequence[str]) -> dict[str, str]:
    """The passwords of these cards; whoever asks is written down by the caller."""
    rows = await database.query("SELECT number, password FROM cards WHERE number = ANY(%s::text[])", (list(numbers),))
    return {number: secrets.open(sealed, _context(number)) for number, sealed in rows}


async def password(database: Database, secrets: Secrets, number: str) -> str:
    """The password of one card. Raises NoSuchAccount."""
    found = await passwords(database, secrets, [number])
    if number not in found:
        raise NoSuchAccount(f"there is no card {number}")
    return found[number]


async def set_password(
    database: Database, secrets: Secrets, number: str, new: str, operator: str, instant: datetime
) -> None:
    """Give a card another password. Raises NoSuchAccount."""
    rows = await database.query(
        "WITH changed AS (UPDATE cards SET password = %s, password_mac = %s WHERE number = %s RETURNING account_id),"
        " written AS (INSERT INTO audit (happened, who, what, subject) SELECT %s, %s, 'password set',"
        " 'account ' || account_id FROM changed) SELECT account_id FROM changed",
        (secrets.seal(new, _context(number)), secrets.mac(number, new), number, instant, operator),
    )
    if not rows:
        raise NoSuchAccount(f"there is no card {number}")


# The standing at an instant is part of what is selected, so its parameter comes first.
_CARD = (
    "SELECT c.account_id, c.number, standing(a.status, a.valid_until, %s), a.balance, a.reserved, a.currency,"
    " a.activated, a.valid_until, a.last_recharge, c.group_id, a.created"
    " FROM cards c JOIN accounts a ON a.id = c.account_id"
)


def _card(row: Row) -> Card:
    account_id, number, status, balance, reserved, currency, *rest = row
    return Card(account_id, number, status, Money(balance, currency), Money(reserved, currency), currency, *rest)


async def find(database: Database, number: str, instant: datetime) -> Card | None:
    """The card of this number as it stands now."""
    rows = await database.query(f"{_CARD} WHERE c.number = %s", (instant, number))
    return _card(rows[0]) if rows else None


async def page(
    database: Database,
    after: str | None,
    limit: int,
    query: str | None,
    *,
    instant: datetime,
    group_id: int | None = None,
    with_closed: bool = False,
) -> list[Card]:
    """
    Cards by number, those after `after`; only those whose number begins with `query`, only those of one group.

    Closed ones were removed from the list; they are shown to those who ask for them.
    """
    rows = await database.query(
        f"{_CARD} WHERE (%s::text IS NULL OR c.number > %s) AND (%s::text IS NULL OR starts_with(c.number, %s))"
        " AND (%s::bigint IS NULL OR c.group_id = %s) AND (%s OR a.status <> 'closed') ORDER BY c.number LIMIT %s",
        (instant, after, after, query, query, group_id, group_id, with_closed, limit),
    )
    return [_card(row) for row in rows]


async def set_status(database: Database, number: str, status: NewStatus, operator: str, instant: datetime) -> None:
    """Enable (for the first time: activate), disable or close one card. Raises NoSuchAccount."""
    await change(database, [number], status, operator, instant)


async def change(
    database: Database, numbers: Sequence[str], status: NewStatus, operator: str, instant: datetime
) -> None:
    """The same for several cards: all of them, or none. Raises NoSuchAccount when one is unknown or closed."""
    with refusals():
        await database.transaction(_change, list(dict.fromkeys(numbers)), status, operator, instant)


async def _change(cursor: Cursor, numbers: list[str], status: NewStatus, operator: str, instant: datetime) -> None:
    rows = await cursor.query(
        "SELECT account_id FROM cards WHERE number = ANY(%s::text[]) ORDER BY account_id", (numbers,)
    )
    if len(rows) != len(numbers):
        raise NoSuchAccount("one of these cards is unknown")
    for (account_id,) in rows:
        await cursor.query("SELECT set_account_status(%s, %s, %s, %s)", (account_id, status, operator, instant))


async def extend(database: Database, number: str, operator: str, instant: datetime) -> None:
    """Set the date of the last recharge to today, and so the validity, without money. Raises NoSuchAccount."""
    with refusals():
        rows = await database.query(
            "SELECT extend_validity(account_id, %s, %s) FROM cards WHERE number = %s", (operator, instant, number)
        )
    if not rows:
        raise NoSuchAccount(f"there is no card {number}")


# Signing in.

SignInOutcome = Literal["ok", "wrong", "locked", "expired", "disabled", "inactive", "closed"]


@dataclass(frozen=True, slots=True)
class SignIn:
    """The answer to a number and a password."""

    outcome: SignInOutcome
    delay_seconds: int
    """To be waited before the caller is told anything, right or wrong."""
    account_id: int | None
    """None where the password was wrong or not looked at."""
    locked_until: datetime | None


async def sign_in(
    database: Database,
    number: str,
    password_mac: bytes,
    calling_number: str | None,
    trunk: str | None,
    instant: datetime,
) -> SignIn:
    """
    One attempt: counted, delayed or shut out as the lock-outs say; a card's first use activates it.

    What is wrong with a card (expired, disabled, …) is said only to those who know its password.
    """
    rows = await database.query(
        "SELECT outcome, delay_seconds, account_id, locked_until FROM sign_in(%s, %s, %s, %s, %s)",
        (number, password_mac, calling_number, trunk, instant),
    )
    outcome, delay_seconds, account_id, locked_until = rows[0]
    return SignIn(outcome, _whole(delay_seconds), account_id, locked_until)


def _whole(seconds: Decimal) -> int:
    return -int(-seconds // 1)


@dataclass(frozen=True, slots=True)
class Lock:
    """Failed attempts on a card, from a calling number, from callers without one, or by a trunk."""

    kind: Literal["card", "caller", "anonymous", "trunk"]
    subject: str
    failures: int
    last_failed: datetime
    locked_until: datetime | None
    """None: delayed only."""
    alarmed: bool
    """Of a trunk: so many failures that somebody should look; it is never locked."""


async def locks(database: Database, instant: datetime) -> list[Lock]:
    """Who has failed lately, the locked and the alarming first."""
    rows = await database.query(
        "SELECT kind, subject, failures, last_failed, CASE WHEN locked_until > %s THEN locked_until END, alarmed"
        " FROM lockouts WHERE greatest(last_failed, locked_until) > %s - interval '1 hour'"
        " ORDER BY locked_until > %s DESC NULLS LAST, alarmed DESC, last_failed DESC, kind, subject LIMIT 500",
        (instant, instant, instant),
    )
    return [Lock(*row) for row in rows]


async def unlock(database: Database, kind: str, subject: str, operator: str, instant: datetime) -> bool:
    """Forget the failures; False where there were none."""
    rows = await database.query(
        "WITH forgotten AS (DELETE FROM lockouts WHERE kind = %s AND subject = %s RETURNING kind, subject, failures),"
        " written AS (INSERT INTO audit (happened, who, what, subject, before) SELECT %s, %s, 'unlocked',"
        " kind || ' ' || subject, to_jsonb(failures) FROM forgotten) SELECT kind FROM forgotten",
        (kind, subject, instant, operator),
    )
    return bool(rows)
