"""Exports and curves whose jobs train on, end, begin anew or are deleted between two statements of the answer."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import Any
from unittest.mock import patch
from uuid import UUID

import numpy as np
import orjson
import pytest
from flask.testing import FlaskClient
from sqlalchemy import Connection, delete, event, insert

from gradyard.jobs.exports import Form
from gradyard.jobs.settings import Settings
from gradyard.store import lifecycle
from gradyard.store.database import Database
from gradyard.store.driver_errors import errors_of_sqlalchemy
from gradyard.store.lifecycle import Claim, Outcome
from gradyard.store.queries.exports.rows import ExportReader, ExportRows
from gradyard.store.tables import LossChunk, MetricChunk
from service.exports import slices
from tests.actors import claimed, progress_of, submitted, succeeds, worker_of
from tests.service.test_best import ended
from tests.service.test_exports import exported, losses_in, rows_of

LOSSES = [4.0, 3.0, 2.0, 1.0]


@contextmanager
def before(client: FlaskClient, words: str, happens: Callable[[], None]) -> Iterator[None]:
    """Let something happen before the service's first statement with these words."""
    left = [happens]

    def look(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        if words in statement and left:
            left.pop()()

    def given_to_the_driver(connection: Connection, statement: str) -> AbstractContextManager[None]:
        look(connection, None, statement)
        return errors_of_sqlalchemy(connection, statement)

    engine = client.application.extensions["gradyard"].database.engine
    event.listen(engine, "before_cursor_execute", look)
    try:
        with patch("gradyard.store.database.errors_of_sqlalchemy", given_to_the_driver):
            yield
    finally:
        event.remove(engine, "before_cursor_execute", look)
    assert not left


@pytest.fixture
def running(database: Database, settings: Settings) -> Claim:
    """A job that has recorded two of its four losses."""
    submitted(database, settings)
    claim = claimed(database, worker_of(database))
    with database.begin() as connection:
        assert lifecycle.record(connection, progress_of(claim.members[0], LOSSES[:2]))
    return claim


def end(database: Database, claim: Claim) -> None:
    """Let the running job record the other two, and succeed."""
    with database.begin() as connection:
        assert lifecycle.record(connection, progress_of(claim.members[0], LOSSES[2:], 2))
        assert lifecycle.succeed(connection, claim.members[0].held, Outcome({"a": 0.5}, "y", {}), actor="w")
        lifecycle.release(connection, claim.id, actor="w")


@pytest.mark.parametrize("form", list(Form))
def test_a_job_that_ends_between_two_statements_has_the_losses_that_its_row_tells_of(
    client: FlaskClient, database: Database, running: Claim, form: Form
) -> None:
    with before(client, "loss_chunks.losses", lambda: end(database, running)):
        [row] = rows_of(exported(client, form=form, curves="list"), form)
    assert (row["state"], int(row["steps_done"]), losses_in(row)) == ("running", 2, LOSSES[:2])
    [row] = rows_of(exported(client, form=form, curves="list"), form)
    assert (row["state"], int(row["steps_done"]), losses_in(row)) == ("succeeded", 4, LOSSES)


def test_a_job_of_a_batch_that_ends_meanwhile_is_not_shown_as_ended_beside_half_a_curve(
    client: FlaskClient, database: Database
) -> None:
    batch = client.post("/v1/batches", json={"jobs": [{"stage": "tensor", "steps": 4}]}).json["id"]  # type: ignore[index]
    claim = claimed(database, worker_of(database))
    with database.begin() as connection:
        assert lifecycle.record(connection, progress_of(claim.members[0], LOSSES[:2]))
    path = f"/v1/batches/{batch}/export"
    with before(client, "loss_chunks.losses", lambda: end(database, claim)):
        [meanwhile] = rows_of(exported(client, path), Form.NDJSON)
    [afterwards] = rows_of(exported(client, path), Form.NDJSON)
    shown = [(row["state"], row["steps_done"], row["losses"]) for row in (meanwhile, afterwards)]
    assert shown == [("running", 2, LOSSES[:2]), ("succeeded", 4, LOSSES)]


def test_what_ended_since_the_first_part_is_read_anew_for_its_own(
    client: FlaskClient, database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slices, "SLICE_BYTES", 1)
    monkeypatch.setattr("service.streamed.BLOCK_BYTES", 1)
    ended(database, settings, LOSSES)
    submitted(database, settings)
    parts: Any = iter(client.get("/v1/jobs/export?curves=list", buffered=False).response)
    first = next(parts)
    succeeds(database, claimed(database, worker_of(database)))
    rows = [orjson.loads(line) for line in (first + b"".join(parts)).splitlines()]
    assert [(row["state"], row["losses"]) for row in rows] == [("succeeded", LOSSES)] * 2


def test_jobs_that_train_while_a_client_is_slow_are_no_more_at_once(
    client: FlaskClient, database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slices, "SLICE_BYTES", 2 * 4 * 4)  # two curves
    monkeypatch.setattr("service.streamed.BLOCK_BYTES", 1)
    sizes, read = list[int](), ExportReader.curves

    def curves(self: ExportReader, connection: Connection, rows: ExportRows) -> list[np.ndarray]:
        found = read(self, connection, rows)
        sizes.append(sum(each.nbytes for each in found))
        return found

    monkeypatch.setattr(ExportReader, "curves", curves)
    for _ in range(2):
        ended(database, settings, LOSSES)
    for _ in range(7):
        submitted(database, settings)
    parts: Any = iter(client.get("/v1/jobs/export?curves=list", buffered=False).response)
    first = next(parts)
    succeeds(database, claimed(database, replace(worker_of(database), most_members=7)))
    assert len((first + b"".join(parts)).splitlines()) == 9
    assert max(sizes) <= 2 * 4 * 4


def store_anew(database: Database, job: UUID, cuts: Sequence[int]) -> None:
    """Store the curve of the job, and its metric, in other chunks, as a rewind and a second attempt do."""
    losses, values = np.array(LOSSES, "<f4"), np.arange(5, dtype="<f8")
    with database.begin() as connection:
        for table in (LossChunk, MetricChunk):
            connection.execute(delete(table).where(table.job_id == job))
        for start, after in zip(cuts, [*cuts[1:], 4], strict=True):
            part, measured = losses[start:after], values[start : after if after < 4 else 5]
            own = {"job_id": job, "project_id": 1, "start_step": start}
            connection.execute(insert(LossChunk), own | {"steps": len(part), "losses": part.tobytes()})
            more = {"name": "accuracy", "every": 1, "metric_values": measured.tobytes()}
            connection.execute(insert(MetricChunk), own | more)


@pytest.mark.parametrize(("path", "words"), [
    ("/v1/jobs/{}/losses?from=2", "loss_chunks.losses"), ("/v1/losses?job={}&from=2", "loss_chunks.losses"),
    ("/v1/jobs/{}/metrics/accuracy?from=2", "SELECT metric_chunks.metric_values"),
    ("/v1/metrics/accuracy?job={}&from=2", "SELECT metric_chunks.metric_values"),
])  # fmt: skip
def test_a_range_is_of_one_moment_though_its_chunks_are_stored_anew(
    client: FlaskClient, database: Database, settings: Settings, path: str, words: str
) -> None:
    job = ended(database, settings, LOSSES, {"accuracy": [0.0, 1.0, 2.0, 3.0, 4.0]})
    store_anew(database, job, [0, 1, 2, 3])
    wanted = client.get(path.format(job)).json
    with before(client, words, lambda: store_anew(database, job, [0])):
        assert client.get(path.format(job)).json == wanted


@pytest.mark.parametrize("path", ["/v1/jobs/{}/losses", "/v1/losses?job={}", "/v1/metrics/accuracy?job={}"])
def test_a_job_that_is_deleted_meanwhile_has_no_empty_curve(
    client: FlaskClient, database: Database, settings: Settings, path: str
) -> None:
    job = ended(database, settings, LOSSES, {"accuracy": [0.0, 1.0, 2.0, 3.0, 4.0]})
    whole = client.get(path.format(job)).json

    def deleted() -> None:
        with database.begin() as connection:
            assert lifecycle.delete_job(connection, 1, job)

    words = "FROM metric_chunks" if "metrics" in path else "FROM loss_chunks"
    with before(client, words, deleted):
        answer = client.get(path.format(job))
    assert answer.json == whole if answer.status_code == 200 else answer.status_code == 410
    assert client.get(path.format(job)).status_code == 410
