"""Pages of messages in the database: what goes in comes out, byte for byte, and what is old goes."""

from datetime import UTC, datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from minitelecom.store import ladders
from minitelecom.store.ladders import Page
from minitelecom.store.synchronous import SynchronousDatabase, run

BEGUN = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.binary(max_size=200) | st.text("a'\\%s\n\0\u0436", max_size=9).map(str.encode), min_size=1, max_size=5)
)
def test_any_bytes_come_back_as_they_were(database: SynchronousDatabase, messages: list[bytes]) -> None:
    run(ladders.remove(database, BEGUN + timedelta(days=1)))
    pages = [Page("one", BEGUN + timedelta(seconds=place), data) for place, data in enumerate(messages)]
    run(ladders.keep(database, pages))
    assert run(ladders.of_session(database, "one", 100)) == pages


def test_a_statement_that_is_repeated_changes_nothing(database: SynchronousDatabase) -> None:
    page = Page("one", BEGUN, b"first")
    run(ladders.keep(database, [page]))
    run(ladders.keep(database, [page._replace(messages=b"again"), Page("two", BEGUN, b"other")]))
    assert run(ladders.of_session(database, "one", 100)) == [page]
    assert [page.messages for page in run(ladders.of_session(database, "two", 100))] == [b"other"]


def test_old_pages_go_the_oldest_first_and_a_few_at_a_time(database: SynchronousDatabase) -> None:
    run(ladders.keep(database, [Page("one", BEGUN + timedelta(hours=hour), b"") for hour in range(5)]))
    assert run(ladders.remove(database, BEGUN + timedelta(hours=3), limit=2)) == 2
    assert run(ladders.remove(database, BEGUN + timedelta(hours=3), limit=2)) == 1
    assert run(ladders.remove(database, BEGUN + timedelta(hours=3), limit=2)) == 0
    left = [page.begun for page in run(ladders.of_session(database, "one", 100))]
    assert left == [BEGUN + timedelta(hours=hour) for hour in (3, 4)]
