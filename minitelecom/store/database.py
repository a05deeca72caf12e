"""
What the modules of the store ask of a database: one statement, or several in one transaction.

Two things answer to it: `pool.Pool` on the reactor and `synchronous.SynchronousDatabase`, whose coroutines never wait.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

import psycopg2
import psycopg2.errors
import psycopg2.extensions
import psycopg2.extras

Row = tuple[Any, ...]
P = ParamSpec("P")
T = TypeVar("T")


class DatabaseAway(Exception):
    """The database cannot be reached now. What was being asked may or may not have been done: ask again by its key."""


class TooSlow(DatabaseAway):
    """The database did not answer within the limit; it ended the statement, and nothing of it is done."""


class FailureSwallowed(Exception):
    """
    A function went on after a statement of its transaction had failed, so that nothing of it could be committed.

    PostgreSQL answers COMMIT with a quiet ROLLBACK then; quiet is what money must never be lost by.
    """


class Cursor(Protocol):
    """A transaction in progress."""

    async def query(self, sql: str, parameters: Sequence[object] = ()) -> list[Row]:
        """Run one statement of the transaction; its rows, or none."""


class Database(Protocol):
    """PostgreSQL, as the modules of the store see it."""

    async def query(self, sql: str, parameters: Sequence[object] = ()) -> list[Row]:
        """Run one statement, which is its own transaction; its rows, or none."""

    async def transaction(
        self, function: Callable[Concatenate[Cursor, P], Awaitable[T]], /, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run `await function(cursor, …)` in one transaction: committed when it returns, rolled back when it raises."""


def is_dead(error: BaseException) -> bool:
    """
    Whether this error means that the connection is gone, not that the statement was at fault.

    InterfaceError: psycopg2 knows that it is closed. An OperationalError without a code: the socket broke. Class 08:
    connection exception. 57P01 to 57P05: the server shuts down, crashed, starts up, dropped the database, idled us out.
    Everything else, a serialization failure, a lock or statement timeout, leaves a good connection.
    """
    if isinstance(error, psycopg2.InterfaceError):
        return True
    if not isinstance(error, psycopg2.DatabaseError):
        return False
    code: str | None = error.pgcode
    if code is None:
        return isinstance(error, psycopg2.OperationalError) or type(error) is psycopg2.DatabaseError
    return code.startswith(("08", "57P"))


def translated(error: psycopg2.Error, closed: bool) -> Exception:
    """What to raise for an error of psycopg2: itself when the statement was at fault, else DatabaseAway."""
    if closed or is_dead(error):
        return DatabaseAway(str(error).strip())
    if isinstance(error, psycopg2.errors.QueryCanceled):
        return TooSlow(str(error).strip())
    return error


def session(url: str, statement_seconds: float) -> dict[str, Any]:
    """
    What every connection of ours is opened with: UTC, limits on time, and a keep-alive that notices a dead network.

    The limits hold in the server; 0 is no limit. Options in the URL come after ours and so win.
    """
    limit = round(statement_seconds * 1000)
    ours = f"-c timezone=UTC -c statement_timeout={limit} -c idle_in_transaction_session_timeout={limit}"
    theirs = psycopg2.extensions.parse_dsn(url).get("options", "")
    keep_alive = {"keepalives_idle": 15, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 20_000}
    return {"dsn": url, "options": f"{ours} {theirs}".strip(), **keep_alive}


def _bytes(value: str | bytes | None, cursor: psycopg2.extensions.cursor) -> bytes | None:
    found = psycopg2.BINARY(value, cursor)
    return None if found is None else bytes(found)


BYTEA = psycopg2.extensions.new_type(psycopg2.BINARY.values, "BYTEA", _bytes)
"""bytea comes as bytes, not as memoryview: comparable, hashable, printable."""

psycopg2.extensions.register_type(BYTEA)
psycopg2.extensions.register_adapter(dict, psycopg2.extras.Json)
psycopg2.extras.register_uuid()  # type: ignore[no-untyped-call]
