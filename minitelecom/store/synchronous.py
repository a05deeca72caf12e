"""The same Database without a reactor: coroutines that never wait, for commands of the shell and for simulations."""

import contextlib
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

import psycopg2
import psycopg2.extensions

from minitelecom.store.database import Cursor, DatabaseAway, FailureSwallowed, Row, TooSlow, session, translated

P = ParamSpec("P")
T = TypeVar("T")

STATEMENT_SECONDS = 30.0

NEXT = "release savepoint statement; savepoint statement"
CHECK_DEFERRED = "set constraints all immediate; set constraints all deferred"
HAS_DEFERRED = "select exists (select from pg_trigger where tginitdeferred)"


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine that never really waits, as those over a SynchronousDatabase."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]
    coroutine.close()
    raise RuntimeError(f"{coroutine!r} waited for something: only the reactor can run it")


class SynchronousDatabase:
    """One psycopg2 connection. Not for threads."""

    def __init__(self, url: str, *, statement_seconds: float = STATEMENT_SECONDS) -> None:
        try:
            self._connection = psycopg2.connect(**session(url, statement_seconds))
        except psycopg2.OperationalError as error:
            raise DatabaseAway(str(error).strip()) from error
        self._connection.autocommit = True
        self._cursor = self._connection.cursor()
        self._outer = False
        self._busy = False
        self._next = NEXT

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def query(self, sql: str, parameters: Sequence[object] = ()) -> list[Row]:
        """One statement, its own transaction; inside `rolled_back` its own savepoint."""
        assert not self._busy, "a transaction is open: ask its cursor"
        if not self._outer:
            return self._execute(sql, parameters)
        try:
            rows = self._execute(sql, parameters)
            self._execute(self._next)
        except (psycopg2.Error, TooSlow):
            self._execute("rollback to savepoint statement")
            raise
        return rows

    async def transaction(
        self, function: Callable[Concatenate[Cursor, P], Awaitable[T]], /, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Several statements, all or none; inside `rolled_back` a savepoint, with the checks a commit would make."""
        assert not self._busy, "a transaction is open: ask its cursor"
        if not self._outer:
            self._execute("begin")
        self._busy = True
        cursor = _Cursor(self)
        try:
            result = await function(cursor, *args, **kwargs)
            self._finish()
        except BaseException:
            with contextlib.suppress(psycopg2.Error, DatabaseAway):
                self._execute("rollback to savepoint statement" if self._outer else "rollback")
            raise
        finally:
            self._busy = False
            cursor.open = False
        return result

    @contextlib.contextmanager
    def rolled_back(self) -> Iterator[None]:
        """
        Everything done inside is one transaction that is rolled back at the end: a simulation's seed leaves nothing.

        Statements and transactions inside stand alone as ever: a failed one undoes itself only. Deferred constraints
        are checked where a commit would check them. Notices (NOTIFY) are not delivered.
        """
        assert not self._outer, "already inside"
        self._next = f"{CHECK_DEFERRED}; {NEXT}" if self._execute(HAS_DEFERRED)[0][0] else NEXT
        self._execute("begin; savepoint statement")
        self._outer = True
        try:
            yield
        finally:
            self._outer = False
            with contextlib.suppress(DatabaseAway):
                self._execute("rollback")

    def _finish(self) -> None:
        """Commit, or in `rolled_back` what stands for it."""
        self._execute(self._next if self._outer else "commit")
        if self._cursor.statusmessage == "ROLLBACK":
            raise FailureSwallowed

    def _execute(self, sql: str, parameters: Sequence[object] = ()) -> list[Row]:
        try:
            self._cursor.execute(sql, parameters or None)
            return self._cursor.fetchall() if self._cursor.description else []
        except psycopg2.Error as error:
            raised = translated(error, bool(self._connection.closed))
            if raised is error:
                raise
            raise raised from error


class _Cursor:
    """The statements of one transaction; of no use after it."""

    def __init__(self, database: SynchronousDatabase) -> None:
        self._database = database
        self.open = True

    async def query(self, sql: str, parameters: Sequence[object] = ()) -> list[Row]:
        assert self.open, "this transaction is over"
        return self._database._execute(sql, parameters)  # noqa: SLF001 - a part of it
