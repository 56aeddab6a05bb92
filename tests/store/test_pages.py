"""Pages of lists follow one another without a gap or a double, and cursors of strangers are refused."""

import base64
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection, insert

from gradyard.jobs.errors import SpecInvalid
from gradyard.jobs.events import EventKind
from gradyard.jobs.settings import Settings
from gradyard.jobs.states import State
from gradyard.store import queries
from gradyard.store.database import Database
from gradyard.store.lifecycle.moves import write_events
from gradyard.store.tables import AttemptLog
from tests.actors import submitted, worker_of

Page = Callable[..., tuple[list[Any], str | None]]


def walked(connection: Connection, page: Page, *about: Any, limit: int) -> list[Any]:
    """The rows of all pages one after another."""
    found, cursor = list[Any](), None
    while True:
        rows, cursor = page(connection, *about, limit=limit, cursor=cursor)
        assert len(rows) == limit or cursor is None
        found += rows
        if cursor is None:
            return found


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 100])
def test_workers_come_by_host_and_slot_and_age(database: Database, limit: int) -> None:
    ids = [worker_of(database, slot).id for slot in ("cpu-1", "cpu-0", "é", "cpu-10", "cpu-1", "'; --", "cpu-1")]
    with database.read() as connection:
        whole = [row.id for row in queries.workers_seen(connection)]
        assert [row.id for row in walked(connection, queries.workers_in_order, limit=limit)] == whole
    assert set(whole) == set(ids)
    assert [each for each in whole if each in (ids[0], ids[4], ids[6])] == [ids[0], ids[4], ids[6]]


@pytest.mark.parametrize("limit", [1, 4, 5, 6])
def test_events_and_logs_come_oldest_first(database: Database, settings: Settings, limit: int) -> None:
    job, other = submitted(database, settings), submitted(database, settings)
    with database.begin() as connection:
        for _ in range(4):
            write_events(connection, [job, other], State.QUEUED, State.QUEUED, EventKind.HANDED_BACK, actor="test")
        rows = [{"job_id": each, "project_id": 1, "attempt": number, "text": f"{number}", "truncated": False}
                for each in (job, other) for number in (5, 1, 3, 2, 4)]  # fmt: skip
        connection.execute(insert(AttemptLog), rows)
    with database.read() as connection:
        events = walked(connection, queries.events_of, 1, job, limit=limit)
        logs = walked(connection, queries.logs_of, 1, job, limit=limit)
        assert [event.sequence for event in events] == [1, 2, 3, 4, 5]
        assert [log.attempt for log in logs] == [1, 2, 3, 4, 5]
        assert walked(connection, queries.events_of, 2, job, limit=limit) == []


@pytest.mark.parametrize(
    "told",
    [b"3[1]x", b"3", b"3{}", b'3["a"]', b"3[1,2]", b"3[true]", b"3[-1]", b"3[1.5]", b"3[9999999999]", b"2[1]", b""],
)
def test_a_cursor_of_another_list_is_refused(database: Database, settings: Settings, told: bytes) -> None:
    cursor = base64.urlsafe_b64encode(told).decode()
    with database.read() as connection, pytest.raises(SpecInvalid, match="/cursor: is not a cursor"):
        queries.events_of(connection, 1, submitted(database, settings), limit=3, cursor=cursor)


@pytest.mark.parametrize(
    "told", [b'3["a","b",7]', b'3["a\\u0000","b","%s"]', b'3["a","b","c"]', b'3["a","\\ud800","b"]']
)
def test_a_cursor_that_was_made_up_reaches_no_database(database: Database, told: bytes) -> None:
    cursor = base64.urlsafe_b64encode(told.replace(b"%s", b"0" * 32)).decode()
    with database.read() as connection, pytest.raises(SpecInvalid):
        queries.workers_in_order(connection, limit=3, cursor=cursor)
