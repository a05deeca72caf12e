"""
The proof of the books: every law of the ledger, asked of what is really stored.

Triggers keep these laws while the program runs; the proof also finds what was changed behind their back. Each law is one
query that returns (subject, what is wrong) for each breach, so a clean ledger answers nothing at all.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from minitelecom.store.database import Database

DEAD_AFTER = timedelta(seconds=10)
GUARDS = 15  # triggers of ours on the tables below; test_proof counts them
GUARDED = "('accounts', 'movements', 'movement_lines', 'reservations', 'cards', 'call_records', 'audit')"


@dataclass(frozen=True, slots=True)
class Fault:
    """One breach of one law."""

    law: str
    subject: str
    detail: str


LAWS: dict[str, str] = {
    "movements sum to zero": """
        SELECT 'movement ' || m.id, coalesce('its lines sum to ' || sum(l.amount), 'it has no lines')
        FROM movements m LEFT JOIN movement_lines l ON l.movement_id = m.id
        GROUP BY m.id HAVING coalesce(sum(l.amount), 1) <> 0""",
    "movements are as they were sealed": """
        SELECT 'movement ' || m.id, 'its digest is of another text'
        FROM movements m LEFT JOIN LATERAL (
            SELECT string_agg(l.account_id || ':' || l.amount, ',' ORDER BY l.account_id) AS text
            FROM movement_lines l WHERE l.movement_id = m.id) AS l ON true
        WHERE m.digest <> movement_digest(m.key, m.kind, m.currency, m.happened, m.operator, m.note, coalesce(l.text, ''))
            OR m.body <> sha256(convert_to(concat_ws(E'\\n', m.kind, m.currency, l.text), 'UTF8'))""",
    "lines are chained": """
        SELECT 'account ' || account_id, 'its chain breaks at line ' || min(sequence) FROM (
            SELECT l.*, m.digest,
                row_number() OVER chain AS place,
                coalesce(lag(l.hash) OVER chain, '') AS previous,
                sum(l.amount) OVER chain AS summed
            FROM movement_lines l JOIN movements m ON m.id = l.movement_id WHERE l.sequence IS NOT NULL
            WINDOW chain AS (PARTITION BY l.account_id ORDER BY l.sequence)) AS l
        WHERE sequence <> place OR balance_after <> summed
            OR hash <> line_hash(previous, digest, account_id, sequence, amount, balance_after)
        GROUP BY account_id""",
    "only lines of customers are chained": """
        SELECT 'movement ' || l.movement_id, 'its line of account ' || l.account_id || ' is chained wrongly'
        FROM movement_lines l JOIN accounts a ON a.id = l.account_id
        WHERE (a.kind = 'house') <> (l.sequence IS NULL)""",
    "balances equal lines": """
        SELECT 'account ' || a.id, 'its balance is ' || a.balance || ', its lines sum to ' || coalesce(l.summed, 0)
        FROM accounts a LEFT JOIN (
            SELECT account_id, sum(amount) AS summed FROM movement_lines GROUP BY account_id) AS l ON l.account_id = a.id
        WHERE a.kind <> 'house' AND a.balance IS DISTINCT FROM coalesce(l.summed, 0)""",
    "chains end where accounts say": """
        SELECT 'account ' || a.id, 'it counts ' || a.lines || ' lines, its chain has ' || coalesce(l.counted, 0)
            || ' or another head'
        FROM accounts a LEFT JOIN (
            SELECT account_id, count(*) AS counted, (array_agg(hash ORDER BY sequence DESC))[1] AS head
            FROM movement_lines GROUP BY account_id) AS l ON l.account_id = a.id
        WHERE a.kind <> 'house' AND (a.lines, a.head) IS DISTINCT FROM (coalesce(l.counted, 0), coalesce(l.head, ''))""",
    "balances cover what is reserved": """
        SELECT 'account ' || id, 'balance ' || balance || ', reserved ' || reserved
        FROM accounts WHERE kind <> 'house' AND (balance < reserved OR reserved < 0)""",
    "house accounts store no balance": """
        SELECT 'account ' || id, 'it stores ' || balance FROM accounts WHERE kind = 'house' AND balance IS NOT NULL""",
    "what is reserved is held": """
        SELECT 'account ' || a.id, 'reserved ' || a.reserved || ', held ' || coalesce(r.held, 0)
        FROM accounts a LEFT JOIN (
            SELECT account_id, sum(amount) AS held FROM reservations WHERE state = 'held' GROUP BY account_id) AS r
            ON r.account_id = a.id
        WHERE a.kind <> 'house' AND a.reserved IS DISTINCT FROM coalesce(r.held, 0)""",
    "settlements stay within their reservations": """
        SELECT 'reservation ' || id, 'settled ' || settled || ' of ' || amount FROM reservations WHERE settled > amount""",
    "settled reservations have their movement": """
        SELECT 'reservation ' || r.id, 'its settlement is not what was moved'
        FROM reservations r LEFT JOIN movement_lines l ON l.movement_id = r.movement_id AND l.account_id = r.account_id
        WHERE (r.state = 'settled') <> (l.amount IS NOT NULL) OR l.amount <> -r.settled""",
    "a reservation of a call belongs to one call": """
        SELECT 'reservation ' || r.id, 'it belongs to ' || count(c.id) || ' calls'
        FROM reservations r LEFT JOIN call_records c ON c.reservation_id = r.id AND c.account_id = r.account_id
        WHERE r.purpose = 'call' GROUP BY r.id HAVING count(c.id) <> 1""",
    "open calls hold, ended calls do not": """
        SELECT 'call ' || c.id, 'its reservation is ' || r.state
        FROM call_records c JOIN reservations r ON r.id = c.reservation_id
        WHERE (c.ended IS NULL) <> (r.state = 'held')""",
    "every charged call is settled once": """
        SELECT 'call ' || c.id, 'it cost ' || c.cost || ', moved was ' || coalesce(-l.amount, 0)
        FROM call_records c
        LEFT JOIN movements m ON m.id = c.movement_id AND m.key = 'call:' || c.id AND m.kind = 'call'
        LEFT JOIN movement_lines l ON l.movement_id = m.id AND l.account_id = c.account_id
        LEFT JOIN reservations r ON r.id = c.reservation_id
        WHERE coalesce(c.cost, 0) <> coalesce(-l.amount, 0)
            OR (c.cost > 0 AND (r.state, r.settled, r.movement_id) IS DISTINCT FROM ('settled', c.cost, c.movement_id))""",
    "every movement of a call belongs to one call": """
        SELECT 'movement ' || m.id, 'it is settled by ' || count(r.id) || ' reservations, by ' || count(c.id) || ' calls'
        FROM movements m LEFT JOIN reservations r ON r.movement_id = m.id
        LEFT JOIN call_records c ON c.movement_id = m.id
        WHERE m.kind = 'call' GROUP BY m.id
        HAVING count(r.id) <> 1 OR count(c.id) <> count(r.id) FILTER (WHERE r.purpose = 'call')""",
    "no reservation of a dead process": """
        SELECT 'call ' || c.id, 'process ' || p.id || ' is dead and holds ' || r.amount
        FROM call_records c JOIN processes p ON p.id = c.process_id JOIN reservations r ON r.id = c.reservation_id
        WHERE r.state = 'held' AND (p.stopped IS NOT NULL
            OR EXISTS (SELECT FROM processes later WHERE later.name = p.name AND later.id > p.id))""",
    "the guards stand": f"""
        SELECT 'triggers', count(*) || ' of {GUARDS} stand' FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
        WHERE NOT t.tgisinternal AND t.tgenabled = 'O' AND c.relname IN {GUARDED}
            AND c.relnamespace = current_schema()::regnamespace
        HAVING count(*) <> {GUARDS}""",
    "no reservation of a silent process": """
        SELECT 'call ' || c.id, 'process ' || p.id || ' has been silent since ' || p.heartbeat || ' and holds ' || r.amount
        FROM call_records c JOIN processes p ON p.id = c.process_id JOIN reservations r ON r.id = c.reservation_id
        WHERE r.state = 'held' AND p.heartbeat < %s""",
}

# One statement sees one moment: a call that ends between two laws is no fault.
ALL_LAWS = " UNION ALL ".join(f"SELECT '{law}', breach.* FROM ({sql}) AS breach" for law, sql in LAWS.items())


async def proof(database: Database, instant: datetime | None = None, dead_after: timedelta = DEAD_AFTER) -> list[Fault]:
    """
    Every breach of every law; an empty list: the books are right.

    With an instant, a reservation of a process silent for longer than `dead_after` is a fault, too.
    """
    rows = await database.query(ALL_LAWS, (None if instant is None else instant - dead_after,))
    return [Fault(*row) for row in rows]
