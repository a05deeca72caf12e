"""What stands in the demo shop: prices, three cards, two telephones, an administrator, the trunk. What is there stays."""

import secrets as system_secrets
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from random import SystemRandom

from minitelecom.config import Config
from minitelecom.demo import carrier
from minitelecom.demo.settings import IsFree, free_port
from minitelecom.money import Money
from minitelecom.rating.price_file import parse
from minitelecom.sip.uri import Uri
from minitelecom.store import cards, devices, operators, prices, trunks
from minitelecom.store.cards import NewCard
from minitelecom.store.database import Database
from minitelecom.store.secrets import Secrets
from minitelecom.store.trunks import Trunk
from minitelecom.web.passwords import hash_password

SAMPLE = Path(__file__).resolve().parent.parent.parent / "etc" / "prices-sample.csv"

OPERATOR = "demo"
CARDS = 3
CHARGE_MINOR = 1500
TELEPHONES = ("101", "102")
ADMINISTRATOR = "admin"
ADMINISTRATOR_FILE = "administrator"
TRUNK = "test-carrier"
CARRIER_PORT = 5070
PASSWORD_SIGNS = "abcdefghkmnpqrstuvwxyz23456789"  # noqa: S105 - none that look alike
PASSWORD_LENGTH = 10


@dataclass(frozen=True, slots=True)
class Furniture:
    """What a newcomer needs to know."""

    cards: list[NewCard]
    telephones: dict[str, str]
    """Passwords by name."""
    administrator: str
    """His password."""
    carrier_port: int


async def furnish(
    database: Database, secrets: Secrets, config: Config, instant: datetime, is_free: IsFree
) -> Furniture:
    """Put in what is missing."""
    if not await prices.load(database):
        parsed = parse(SAMPLE.read_text(encoding="utf-8"), config.currency)
        await prices.replace(database, parsed.rates, "general", OPERATOR, instant)
    made = await _cards(database, secrets, config, instant)
    return Furniture(
        cards=made,
        telephones=await _telephones(database, secrets, made, instant),
        administrator=await _administrator(database, config.data / ADMINISTRATOR_FILE, instant),
        carrier_port=await _carrier_port(database, secrets, instant, is_free),
    )


def password() -> str:
    return "".join(system_secrets.choice(PASSWORD_SIGNS) for _ in range(PASSWORD_LENGTH))


async def _cards(database: Database, secrets: Secrets, config: Config, instant: datetime) -> list[NewCard]:
    oldest = (await cards.groups(database))[-1:]
    if oldest:
        return (await cards.group_cards(database, secrets, oldest[0].id))[:CARDS]
    amount = Money.from_minor(CHARGE_MINOR, config.currency)
    _, made = await cards.add_group(
        database, CARDS, amount, "now", OPERATOR, instant, secrets, SystemRandom(), zone=config.zone
    )
    return made


async def _telephones(database: Database, secrets: Secrets, made: list[NewCard], instant: datetime) -> dict[str, str]:
    """Each pays from a card of its own."""
    passwords = {}
    for name, card in zip(TELEPHONES, made, strict=False):
        device = await devices.find(database, secrets, name)
        if device is None:
            account = await cards.find(database, card.number, instant)
            new = password()
            await devices.add(
                database,
                secrets,
                name,
                account_id=None if account is None else account.account_id,
                address=None,
                password=new,
                operator=OPERATOR,
                instant=instant,
            )
        passwords[name] = new if device is None else device.password or f"(its address is {device.address})"
    return passwords


async def _administrator(database: Database, file: Path, instant: datetime) -> str:
    """The pages' password; the database has its hash only, so the demo keeps it in a file."""
    kept = _kept(file)
    if kept and await operators.find(database, ADMINISTRATOR) is not None:
        return kept
    new = password()
    _keep(file, new)
    await operators.add(database, ADMINISTRATOR, "administrator", hash_password(new), instant, by=OPERATOR)
    return new


def _kept(file: Path) -> str | None:
    return file.read_text(encoding="utf-8").strip() if file.exists() else None


def _keep(file: Path, text: str) -> None:
    file.touch(mode=0o600)
    file.write_text(text + "\n", encoding="utf-8")


async def _carrier_port(database: Database, secrets: Secrets, instant: datetime, is_free: IsFree) -> int:
    """The test carrier's port: the one of last time, or the next that is free."""
    known = [trunk for trunk in await trunks.all_trunks(database, secrets) if trunk.name == TRUNK]
    last = Uri.parse(known[0].uri).port or CARRIER_PORT if known else CARRIER_PORT
    port = free_port("udp", carrier.HOST, last, is_free)
    if not known or port != last:
        trunk = Trunk(TRUNK, f"sip:{carrier.HOST}:{port}")
        await trunks.add(database, secrets, trunk, operator=OPERATOR, instant=instant)
    return port
