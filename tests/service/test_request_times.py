"""The thread that writes down how long requests took ends with the API, and leaves no connection open."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Connection

from gradyard.store import fleet
from gradyard.store.database import Database
from service.http import request_times
from service.http.request_times import Answered, RequestTimes


def test_an_end_waits_for_what_is_being_written(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    writes, may_end = threading.Event(), threading.Event()
    count = fleet.count

    def slowly(connection: Connection, kind: str, counts: dict[str, int]) -> None:
        writes.set()
        assert may_end.wait(30)
        count(connection, kind, counts)

    monkeypatch.setattr(request_times, "WRITE_SECONDS", 0.001)
    monkeypatch.setattr(request_times, "LONGEST_WRITE_SECONDS", 30.0)
    monkeypatch.setattr(fleet, "count", slowly)
    times = RequestTimes(database)
    times.noted.append(Answered("GET", "/v1/jobs", 200, 0.01))
    times.start()
    assert writes.wait(30)
    with ThreadPoolExecutor(1) as caller:
        closing = caller.submit(times.close)
        with pytest.raises(TimeoutError):
            closing.result(0.1)
        may_end.set()
        closing.result(30)
    assert database.engine.pool.checkedout() == 0  # type: ignore[attr-defined]


def test_one_that_was_never_started_is_closed_as_well(database: Database) -> None:
    RequestTimes(database).close()
