"""
`doctor`: what is wrong and what to do about it, above all whether the books are right.

Exit status 1 on a fault: of the ledger, the database or its key, or of a full disk. A warning leaves it 0.
"""

from argparse import Namespace
from collections.abc import Iterable, Iterator

from minitelecom.commands import carrier_checks, checks
from minitelecom.commands.arguments import Nouns, Parser, add_command
from minitelecom.commands.errors import EXPECTED, sentence
from minitelecom.commands.findings import Finding, State, fault, good, warning
from minitelecom.commands.output import say, say_json
from minitelecom.commands.shop import SECRET_KEY, Shop, config_of, now, opened
from minitelecom.commands.status import is_alive, why_not
from minitelecom.config import Config
from minitelecom.store import cards, devices, ledger, operators, prices, processes, trunks
from minitelecom.store.ledger import Fault
from minitelecom.store.processes import Process
from minitelecom.store.secrets import WrongKey

SLOW_HEARTBEAT_SECONDS = 3
MARKS = {State.GOOD: "  good", State.WARNING: "  LOOK", State.FAULT: " WRONG"}


def add_to(nouns: "Nouns[Parser]") -> None:
    """The words of this noun."""
    parser = add_command(nouns, "doctor", _doctor, "say what is wrong and what to do; exit status 1 on a fault")
    parser.add_argument("--json", action="store_true")


def _doctor(arguments: Namespace) -> int:
    config = config_of(arguments)
    findings, faults = examined(config)
    healthy = all(finding.state is not State.FAULT for finding in findings)
    if arguments.json:
        say_json(
            {
                "healthy": healthy,
                "faults": [{"law": one.law, "subject": one.subject, "detail": one.detail} for one in faults],
                "checks": [
                    {"check": one.check, "state": one.state, "detail": one.detail, "advice": one.advice}
                    for one in findings
                ],
            }
        )
    else:
        for finding in findings:
            say(f"{MARKS[finding.state]}  {finding.check}: {finding.detail}")
            if finding.advice is not None:
                say(f"        → {finding.advice}")
    return 0 if healthy else 1


def examined(config: Config) -> tuple[list[Finding], list[Fault]]:
    """Everything found, and the breaches of the ledger among it."""
    findings: list[Finding] = []
    faults: list[Fault] = []
    process = None
    try:
        with opened(config) as shop:
            faults = shop.do(ledger.proof(shop.database, now()))
            process = shop.do(processes.latest(shop.database))
            findings += [*_database(shop), *_books(faults), _daemon(process, config), *_shop(shop)]
    except EXPECTED as error:
        findings.append(fault("database", sentence(error), "nothing works without it"))
    daemon_runs = process is not None and is_alive(process, now())
    try:
        findings += checks.machine(config, daemon_runs=daemon_runs)
    except OSError as error:
        findings.append(fault("machine", sentence(error), "make the folder, or change `data`"))
    return findings, faults


def _database(shop: Shop) -> Iterator[Finding]:
    version = shop.do(shop.database.query("SHOW server_version"))[0][0]
    schema = shop.do(shop.database.query("SELECT max(number) FROM schema_migrations"))[0][0]
    whose = "private" if shop.config.database is None else "external"
    yield good("database", f"PostgreSQL {version}, {whose}, schema {schema}")
    try:
        shop.do(devices.all_devices(shop.database, shop.secrets))
        shop.do(trunks.all_trunks(shop.database, shop.secrets))
        some = shop.do(cards.page(shop.database, None, 1, None, instant=now()))
        shop.do(cards.passwords(shop.database, shop.secrets, [card.number for card in some]))
    except WrongKey:
        path = shop.config.data / SECRET_KEY
        advice = f"put {path} back from a backup; else no card or telephone can sign in until it has a new password"
        yield fault("key file", f"{path} is not the key that this database was sealed with", advice)
    else:
        yield checks.key_file(shop.config.data / SECRET_KEY)


def _books(faults: Iterable[Fault]) -> list[Finding]:
    advice = "keep a copy of the database as it is, and find out who wrote to it besides MiniTelecom"
    dead = "start the daemon: it closes the calls of the dead one"
    found = [
        fault(
            "ledger",
            f"{one.law}: {one.subject}: {one.detail}",
            dead if one.law.startswith("no reservation of a") else advice,
        )
        for one in faults
    ]
    return found or [good("ledger", "every law of the books is kept")]


def _daemon(process: Process | None, config: Config) -> Finding:
    instant = now()
    reason = why_not(process, instant, config)
    if reason is not None or process is None:
        return warning("daemon", str(reason), "minitelecom run, or systemctl start minitelecom")
    age = (instant - process.heartbeat).total_seconds()
    shown = f"process {process.pid} on {process.name}, last heartbeat {max(age, 0.0):.1f} s ago"
    if age > SLOW_HEARTBEAT_SECONDS:
        return warning("daemon", shown, "it should beat every second: look at its log and at the machine's load")
    return good("daemon", shown)


def _shop(shop: Shop) -> Iterator[Finding]:
    """What a shop needs before somebody can call."""
    known = shop.do(trunks.all_trunks(shop.database, shop.secrets))
    chosen = shop.config.emergency.trunk
    numbers = ", ".join(shop.config.emergency.numbers) or "no number"
    names = [trunk.name for trunk in known]
    add_trunk = "minitelecom trunk add NAME --uri sip:HOST"
    if not known:
        yield warning("emergency", f"{numbers}: there is no trunk to call for help by", add_trunk)
    elif chosen and chosen not in names:
        advice = f"change [emergency] trunk to one of: {', '.join(names)}"
        yield warning("emergency", f"{numbers}: there is no trunk {chosen}; {names[0]} is taken instead", advice)
    else:
        yield good("emergency", f"{numbers}: by {chosen or names[0]}")
    yield from carrier_checks.carriers(shop, known)
    sold = shop.do(prices.load(shop.database))
    if sold:
        yield good("prices", f"{len(sold)} in the general list")
        yield from carrier_checks.unsold(shop, known, sold)
    else:
        yield warning("prices", "the general list is empty: no call is possible", "minitelecom prices import FILE.csv")
    if not any(one.role == "administrator" and one.enabled for one in shop.do(operators.all_operators(shop.database))):
        yield warning("users", "no administrator can log in", "minitelecom user add NAME --role admin")
    for lock in shop.do(cards.locks(shop.database, now())):
        if lock.alarmed:
            detail = f"{lock.failures} wrong passwords by {lock.kind} {lock.subject}"
            yield warning("passwords", detail, "somebody may be guessing: ask the carrier where these calls come from")
