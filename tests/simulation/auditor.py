"""
What must hold after the hour.  Every law answers with sentences; none: it holds.

The auditor believes the tap on the wire, the parties, the money that was paid in, and the database.  Of the exchange it
asks only what `status` shows.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

from minitelecom.money import Money
from minitelecom.rating.cost import billed_seconds, cost
from minitelecom.store import processes
from minitelecom.store.call_records import CallRecord
from minitelecom.store.synchronous import run
from tests.simulation.lines import Line
from tests.simulation.wire import Dialogue
from tests.simulation.workload import Shop
from tests.world.house import BEGINNING, CARRIER

GIVEN_UP_AFTER = 32.0
UNWRITTEN = 10.0  # an end that was still to be written when the daemon died, and a beat after it
BLOCKED_WITHIN = 6.0  # a notice, and two ways to a slow database
INSTANT = 0.002  # two looks at one moment
SHORTEST_OUTSIDE = 8  # digits of a number that is no telephone's name
TRUNKS = {CARRIER: "carrier", "10.0.0.98": "second"}
UNCOUNTED = {"registered", "uptime_seconds"}


class Auditor:
    """Judges one finished hour."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self._database = shop.database
        run(processes.beat(shop.database, shop.process_id, shop.now(), {}))
        self.records = shop.records()
        self._answered = [
            dialogue
            for dialogue in shop.network.dialogues.values()
            if dialogue.outgoing and dialogue.answered is not None
        ]

    def faults(self) -> list[str]:
        """Every law that is broken."""
        laws = (
            self.nobody_stumbled,
            self.nothing_is_left,
            self.books_are_right,
            self.balances_are_what_was_paid_less_what_was_talked,
            self.records_are_closed,
            self.records_are_priced,
            self.carriers_are_recorded,
            self.whoever_hands_on_pays,
            self.records_agree_with_the_wire,
            self.calls_have_records,
            self.answers_have_records,
            self.a_block_ends_calls,
            self.help_is_called_at_once,
            self.nobody_talks_for_ever,
            self.callers_are_answered,
        )
        return [f"{law.__name__.replace('_', ' ')}: {fault}" for law in laws for fault in law()]

    def causes(self) -> Counter[str]:
        return Counter(record.cause or "open" for record in self.records)

    # The laws.

    def nobody_stumbled(self) -> Iterator[str]:
        yield from self._shop.failures

    def nothing_is_left(self) -> Iterator[str]:
        """Forty seconds after the last BYE, every counter of `status` is back at zero."""
        for name, count in self._shop.exchange.counters().items():
            if count and name not in UNCOUNTED:
                yield f"{count} {name}"
        connected = len(self._shop.exchange.live)
        if connected:
            yield f"{connected} on the live page"

    def books_are_right(self) -> Iterator[str]:
        yield from map(str, self._shop.faults())
        [(total,)] = self._query("SELECT coalesce(sum(amount), 0) FROM movement_lines")
        if total:
            yield f"the ledger sums to {total}"
        for row in self._query("SELECT id, balance, reserved FROM accounts WHERE kind <> 'house' AND reserved <> 0"):
            yield "account {} has {}, of which {} are still reserved".format(*row)
        for row in self._query("SELECT id, balance FROM accounts WHERE kind <> 'house' AND balance < 0"):
            yield "account {} has {}".format(*row)

    def balances_are_what_was_paid_less_what_was_talked(self) -> Iterator[str]:
        spent: Counter[int] = Counter()
        for record in self.records:
            if record.account_id is not None and record.cost is not None:
                spent[record.account_id] += record.cost.amount  # type: ignore[assignment]
        for account, paid in self._shop.paid.items():
            [(balance,)] = self._query("SELECT balance FROM accounts WHERE id = %s", account)
            if balance != paid - Decimal(spent[account]):
                yield f"account {account} has {balance}; {paid} were paid and {spent[account]} talked"

    def records_are_closed(self) -> Iterator[str]:
        for record in self.records:
            if record.ended is None:
                yield f"{_named(record)} is open"
            elif record.account_id is not None and record.answered is not None and record.cost != 0:
                [(settled,)] = self._query("SELECT count(*) FROM movements WHERE key = %s", f"call:{record.id}")
                if settled != 1 and record.cost is not None and not record.cost.is_zero:
                    yield f"{_named(record)} is settled {settled} times"

    def records_are_priced(self) -> Iterator[str]:
        """The charge is the frozen rate's for the time between answer and end, within the promise."""
        for record in self.records:
            if record.ended is None or record.cost is None:
                continue
            seconds = self._seconds(record)
            if record.rate is None:
                right, billed = Money.zero(record.currency), seconds
            else:
                right, billed = cost(record.rate, seconds), billed_seconds(record.rate, seconds)
            if record.cause == "interrupted" and record.ended_by == "switch":  # whole seconds that are proven
                if record.rate is not None and record.cost > cost(record.rate, max(seconds, 1)):
                    yield f"{_named(record)}: {seconds} s are proven"
                continue
            if (record.cost, record.billed_seconds) != (right, billed):
                yield f"{_named(record)}: {seconds} s are {billed} s for {right}"

    def carriers_are_recorded(self) -> Iterator[str]:
        """Each attempt is closed, and a call that a carrier answered has one attempt that was answered."""
        for call, trunk, began in self._query("SELECT call_id, trunk, began FROM call_attempts WHERE ended IS NULL"):
            yield f"call {call} is still being tried by {trunk}, since {began}"
        for call, count in self._query(
            "SELECT r.id, count(a) FROM call_records r LEFT JOIN call_attempts a ON a.started = r.started"
            " AND a.call_id = r.id AND a.answered IS NOT NULL AND a.trunk = r.trunk WHERE r.trunk IS NOT NULL AND r.rate IS NOT NULL"
            " GROUP BY r.id, r.answered HAVING count(a) <> (r.answered IS NOT NULL)::int"
        ):
            yield f"call {call} was answered by {count} attempts"

    def whoever_hands_on_pays(self) -> Iterator[str]:
        """A number to which a talk was handed on is the transferring telephone's call, and on its account if on any."""
        accounts = self._shop.accounts_of_telephones
        for telephone, number in self._shop.handed_on:
            for record in self.records:
                if len(number) < SHORTEST_OUTSIDE or not record.called_number.endswith(number[-7:]):
                    continue
                if record.device != telephone:
                    yield f"{_named(record)} was handed on by {telephone}, and is {record.device}'s"
                elif record.account_id not in (None, accounts.get(telephone)):
                    yield f"{_named(record)} was handed on by {telephone}, and account {record.account_id} pays"

    def records_agree_with_the_wire(self) -> Iterator[str]:
        for record in self.records:
            if record.answered is None or record.ended is None or self._was_replaced(record):
                continue
            dialogues = [dialogue for dialogue in self._answered if _is_of(record, dialogue)]
            if len(dialogues) > 1:  # two telephones of one name at once
                dialogues = [dialogue for dialogue in dialogues if not self._turned_away(dialogue)]
            if len(dialogues) != 1:
                yield f"{_named(record)} was answered {len(dialogues)} times"
                continue
            yield from self._compare(record, dialogues[0])

    def _compare(self, record: CallRecord, dialogue: Dialogue) -> Iterator[str]:
        assert record.ended is not None
        assert dialogue.answered is not None
        trunk = TRUNKS.get(dialogue.peer)
        if trunk is not None and record.trunk != trunk:
            yield f"{_named(record)} is {record.trunk}'s, and was answered by {trunk}"
        ended = _seconds_of(record.ended - BEGINNING)
        over = self._over(dialogue)
        interrupted = record.cause == "interrupted" and record.ended_by == "switch"
        if ended > over + (UNWRITTEN if interrupted else INSTANT):
            yield f"{_named(record)} ended {ended:.3f}, on the wire {over:.3f}"
        stays = record.ended_by != "silence" and record.cause != "interrupted" and dialogue.handed_on is None
        if ended < over - INSTANT and stays:  # who hands a talk on is parted from when he has heard that it is done
            yield f"{_named(record)} ended {ended:.3f}, but was talked until {over:.3f}"
        talked = over - dialogue.answered
        promised = record.promised_seconds
        if promised is not None and talked > promised + INSTANT:
            yield f"{_named(record)}: {promised} s promised, {talked:.3f} s talked"
        if not interrupted:
            yield from self._compare_party(record, dialogue)

    def _compare_party(self, record: CallRecord, dialogue: Dialogue) -> Iterator[str]:
        """As the one who was called saw it; what a lost BYE took longer is the network's."""
        line = self._line(dialogue)
        if line is None or line.answered_at is None or record.billed_seconds is None or record.account_id is None:
            return
        lateness = 0.0
        if dialogue.bye is not None and dialogue.bye_uttered is not None:
            lateness = max(0.0, dialogue.bye - dialogue.bye_uttered)
        ended = line.ended_at if line.ended_at is not None and not line.vanished else self._over(dialogue)
        seen = ended - line.answered_at + lateness
        if self._seconds(record) > seen + 1:
            yield f"{_named(record)}: the party called saw {seen:.3f} s"

    def calls_have_records(self) -> Iterator[str]:
        """Nobody is called but on a record; that of a call for help may come later."""
        for dialogue in self._shop.network.dialogues.values():
            if not dialogue.outgoing or (dialogue.number == "112" and self._interrupted(dialogue)):
                continue
            if not any(_may_be_of(record, dialogue) for record in self.records):
                yield f"{dialogue.number} was called at {dialogue.invited:.3f} without a record"

    def answers_have_records(self) -> Iterator[str]:
        """Whoever answered us is in exactly one record, or was told at once that it was too late."""
        for dialogue in self._answered:
            found = sum(_is_of(record, dialogue) for record in self.records)
            if found > 1:
                yield f"the answer of {dialogue.number} at {dialogue.answered:.3f} is in {found} records"
            if (
                found == 0
                and not self._turned_away(dialogue)
                and not _too_late(dialogue)
                and not self._interrupted(dialogue)
            ):
                yield f"the answer of {dialogue.number} at {dialogue.answered:.3f} is in no record"

    def a_block_ends_calls(self) -> Iterator[str]:
        """Soon after an account is blocked nobody talks on it, unless the database was away just then."""
        for block in self._shop.blocks:
            limit = block.instant + BLOCKED_WITHIN
            if any(begin < limit and end > block.instant for begin, end in self._shop.outages):
                continue
            for record in self.records:
                if record.account_id != block.account_id or record.answered is None or record.ended is None:
                    continue
                answered, ended = _seconds_of(record.answered - BEGINNING), _seconds_of(record.ended - BEGINNING)
                if answered < block.instant and ended > limit:
                    yield f"{_named(record)} was talked until {ended:.3f}, but blocked at {block.instant:.3f}"

    def help_is_called_at_once(self) -> Iterator[str]:
        """Whoever has dialled 112 rings there within a second, whatever else is the matter."""
        dialogues = self._shop.network.dialogues.values()
        calls = [dialogue.invited for dialogue in dialogues if dialogue.outgoing and dialogue.number == "112"]
        for dialogue in dialogues:
            if dialogue.outgoing or dialogue.number != "112":
                continue
            if not any(0 <= call - dialogue.invited < 1 for call in calls) and 487 not in dialogue.statuses:
                yield f"help was asked for at {dialogue.invited:.3f}, and not called"

    def nobody_talks_for_ever(self) -> Iterator[str]:
        """No party still believes in a call, unless it vanished or the daemon died under it."""
        for line in self._shop.lines:
            if line.alive:
                yield f"{line.party.name} still talks since {line.answered_at:.3f}"

    def callers_are_answered(self) -> Iterator[str]:
        for line in self._shop.lines:
            unanswered = line.client is not None and line.final is None and line.failure is None
            cut = self._shop.network.was_cut(line.party.host, line.begun)
            if unanswered and not line.vanished and not line.leaving and not cut:
                yield f"{line.party.name} was never answered, calling since {line.begun:.3f}"

    # What they look at.

    def _query(self, sql: str, *parameters: object) -> list[tuple[object, ...]]:
        return run(self._database.query(sql, parameters))

    def _seconds(self, record: CallRecord) -> int:
        """Between answer and end, to the nearest second and at least one; none without an answer."""
        if record.answered is None or record.ended is None:
            return 0
        seconds = max(1, int(_seconds_of(record.ended - record.answered) + 0.5))
        return seconds if record.promised_seconds is None else min(seconds, record.promised_seconds)

    def _over(self, dialogue: Dialogue) -> float:
        """When the exchange and the party called parted: a BYE, or the daemon's death."""
        assert dialogue.answered is not None
        instants = [death.instant for death in self._shop.deaths if death.instant >= dialogue.answered]
        if dialogue.bye is not None:
            instants.append(dialogue.bye)
        return min(instants, default=self._shop.clock.seconds())

    def _line(self, dialogue: Dialogue) -> Line | None:
        return next(
            (
                line
                for line in self._shop.lines
                if line.request is not None
                and line.request.call_id == dialogue.call_id
                and line.answered_at is not None
                and line._tag.encode() == dialogue.tag
            ),
            None,
        )

    def _was_replaced(self, record: CallRecord) -> bool:
        """Another set of the telephone may have answered for it, or gone on with its talk: that leg is none that we called."""
        dialogues = self._shop.network.dialogues.values()
        return any(one.replaced and one.outgoing and _may_be_of(record, one) for one in dialogues)

    def _turned_away(self, dialogue: Dialogue) -> bool:
        assert dialogue.answered is not None
        return dialogue.bye is not None and dialogue.bye - dialogue.answered < INSTANT and dialogue.bye_by_exchange

    def _interrupted(self, dialogue: Dialogue) -> bool:
        """The daemon died before this answer came, or before it could be written."""
        known = dialogue.invited if dialogue.answered is None else dialogue.answered
        return any(dialogue.invited <= death.instant < known + 60 for death in self._shop.deaths) or any(
            burial.since <= known <= burial.until for burial in self._shop.burials
        )


def _seconds_of(span: timedelta) -> float:
    return span.total_seconds()


def _is_of(record: CallRecord, dialogue: Dialogue) -> bool:
    """Whether this answer is the one in the record."""
    if record.answered is None or dialogue.answered is None or record.called_number != dialogue.number:
        return False
    return abs(_seconds_of(record.answered - BEGINNING) - dialogue.answered) < INSTANT


def _too_late(dialogue: Dialogue) -> bool:
    """Nothing had been heard for 64·T1: the INVITE had failed, and a 2xx that comes then is nobody's."""
    assert dialogue.heard is not None
    return dialogue.heard - dialogue.invited > GIVEN_UP_AFTER - INSTANT


def _may_be_of(record: CallRecord, dialogue: Dialogue) -> bool:
    """Whether this INVITE can have been sent for the record."""
    if record.called_number != dialogue.number or _seconds_of(record.started - BEGINNING) > dialogue.invited + INSTANT:
        return False
    if record.ended is None or record.cause == "interrupted":  # at the last proof of life, before the INVITE
        return True
    return dialogue.invited <= _seconds_of(record.ended - BEGINNING) + INSTANT


def _named(record: CallRecord) -> str:
    answered = "" if record.answered is None else f", answered {_seconds_of(record.answered - BEGINNING):.3f}"
    return (
        f"call {record.id} to {record.called_number} at {_seconds_of(record.started - BEGINNING):.3f}{answered}"
        f" ({record.cause} by {record.ended_by}, {record.billed_seconds} s, {record.cost})"
    )
