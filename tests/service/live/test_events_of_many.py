"""Streams of batches, of several things at once, and of a whole project."""

from typing import Any
from uuid import UUID

import orjson
from flask.testing import FlaskClient

from gradyard.jobs.settings import Settings
from gradyard.store import lifecycle, queries
from gradyard.store.database import Database
from gradyard.store.queries import ProjectHead
from service.live.positions import BatchPosition
from service.live.tellers.things import BatchTeller, ProjectTeller
from tests.actors import claimed, fails, submitted, submitted_to, succeeds, worker_of
from tests.service.live.told import STREAM, all_of, next_of, stream, until_one_succeeded
from tests.store.test_batches import stored


def batch_of(database: Database, jobs: int = 2) -> UUID:
    batch_id: UUID = stored(
        database, {"jobs": [{"stage": "tensor", "steps": 4 + each} for each in range(jobs)]}
    ).batch_id
    return batch_id


def ends(database: Database) -> None:
    succeeds(database, claimed(database, worker_of(database)))


def test_a_batch_is_told_by_its_counts_and_ends_with_the_whole(client: FlaskClient, database: Database) -> None:
    batch = batch_of(database)
    path = f"/v1/batches/{batch}/events?moves=false"
    with stream(client, path) as told:
        first = next(told)
        assert (first.name, first.data["state"], first.data["size"]) == ("counts", "queued", 2)
        assert first.data["counts"]["queued"] == 2
        ends(database)
        until_one_succeeded(told)
        fails(database, claimed(database, worker_of(database)))
        end = next_of(told, "batch_ended")
        assert list(told) == []
    shown: Any = client.get(f"/v1/batches/{batch}").json
    assert end.data == shown
    assert [each["reason"] for each in end.data["failures"]] == ["error"]
    again = all_of(client, path, first.id)
    assert [each.name for each in again] == ["counts", "batch_ended"]
    assert all_of(client, path, again[0].id) == again[1:]
    assert client.get(path, headers=STREAM | {"Last-Event-ID": end.id}).status_code == 204


def test_the_end_of_a_batch_is_told_as_it_is_by_then(client: FlaskClient, database: Database) -> None:
    batch = batch_of(database, jobs=1)
    path = f"/v1/batches/{batch}/events"
    fails(database, claimed(database, worker_of(database)))
    first = all_of(client, path)[-1].data
    retried(client, batch)
    fails(database, claimed(database, worker_of(database)))
    shown: Any = client.get(f"/v1/batches/{batch}").json
    assert all_of(client, path)[-1].data == shown != first


def retried(client: FlaskClient, batch: UUID) -> None:
    assert client.post(f"/v1/batches/{batch}/retry").status_code == 202


def test_a_batch_that_is_retried_after_it_was_looked_at_has_not_ended(client: FlaskClient, database: Database) -> None:
    batch = batch_of(database, jobs=1)
    fails(database, claimed(database, worker_of(database)))
    services = client.application.extensions["gradyard"]
    with database.read() as connection:
        head = queries.batch_heads(connection, [(1, batch)])[1, batch]
    teller = BatchTeller(services, 1, batch, BatchPosition(head.counts), moves=False)
    retried(client, batch)
    assert list(teller.tell(head)) == []
    fails(database, claimed(database, worker_of(database)))
    assert list(teller.tell(head)) == [], "there are other moves, which come first"
    with database.read() as connection:
        head = queries.batch_heads(connection, [(1, batch)])[1, batch]
    assert [each.name for each in teller.tell(head)] == ["batch_ended"]


def test_what_comes_as_a_stream_alone_must_be_asked_for_as_one(client: FlaskClient, database: Database) -> None:
    for accept in ({"Accept": "application/json"}, {"Accept": "*/*"}, {}):
        for path in (f"/v1/batches/{batch_of(database)}/events", "/v1/events"):
            refused: Any = client.get(path, headers=accept)
            assert (refused.status_code, "send Accept: text/event-stream" in refused.json["detail"]) == (406, True)


def test_jobs_and_batches_share_a_connection_and_each_goes_on_where_it_was(
    client: FlaskClient, database: Database, settings: Settings
) -> None:
    job, batch = submitted(database, settings, steps=3), batch_of(database)
    path = f"/v1/events?job={job}&batch={batch}&job={str(job).upper()}"
    with stream(client, path) as told:
        assert {next(told).name for _ in range(4)} == {"move", "progress", "moves", "counts"}
        ends(database)
        ended = next_of(told, "ended")
    assert ended.data["id"] == str(job)
    for _ in range(2):
        ends(database)
    after = all_of(client, path, ended.id)
    assert {each.name for each in after} == {"moves", "counts", "batch_ended"}
    last: Any = after[-1]
    assert client.get(path, headers=STREAM | {"Last-Event-ID": last.id}).status_code == 204


def test_a_project_is_told_what_waits_runs_and_has_left(
    client: FlaskClient, database: Database, settings: Settings
) -> None:
    job = submitted(database, settings, name="mine")
    with stream(client, "/v1/events") as told:
        now = next(told)
        assert (now.name, now.id) == ("project", "")
        assert (now.data["counts"]["queued"], now.data["running"], now.data["ended"]) == (1, [], [])
        claim = claimed(database, worker_of(database))
        now = next(told)
        assert now.data["counts"]["running"] == 1
        assert now.data["running"] == [{
            "job": str(job), "state": "running", "attempt": 1, "steps": 4, "steps_done": 0, "stage": "tensor",
            "name": "mine", "batch": None, "loss_last": None,
        }]  # fmt: skip
        succeeds(database, claim)
        now = next(told)
        assert (now.data["counts"]["succeeded"], now.data["running"], now.data["ended"]) == (1, [], [str(job)])


def test_jobs_that_left_the_list_because_newer_ones_run_have_not_ended(client: FlaskClient) -> None:
    older, ended, newer, newest = (UUID(int=number) for number in range(1, 5))
    teller = ProjectTeller(client.application.extensions["gradyard"], 1, UUID(int=1), BatchPosition())
    heads = (
        ProjectHead({"running": 3}, more=False, ids=frozenset([older, ended, newer])),
        ProjectHead({"running": 4}, more=True, ids=frozenset([ended, newer, newest])),
        ProjectHead({"running": 5}, more=True, ids=frozenset([ended, newest])),
        ProjectHead({"running": 1}, more=False, ids=frozenset([newest])),
    )
    told = [orjson.loads(message.data)["ended"] for head in heads for message in teller.tell(head)]
    assert told == [[], [], [str(newer)], [str(ended)]]


def test_a_stream_of_what_is_not_there_is_refused_at_once(
    client: FlaskClient, database: Database, settings: Settings
) -> None:
    job, nothing = submitted(database, settings), UUID(int=7)
    for path, status in (
        (f"/v1/jobs/{nothing}/events", 404), (f"/v1/events?job={job}&job={nothing}", 404),
        (f"/v1/batches/{nothing}/events", 404), ("/v1/events?job=nothing", 422),
        (f"/v1/events?job={job}&points=1", 422),
        ("/v1/events?" + "&".join(f"job={UUID(int=each)}" for each in range(65)), 422),
    ):  # fmt: skip
        refused: Any = client.get(path, headers=STREAM)
        assert refused.status_code == status, path
        assert refused.content_type == "application/problem+json"


def test_another_projects_jobs_are_not_told(client: FlaskClient, database: Database, settings: Settings) -> None:
    with database.begin() as connection:
        connection.exec_driver_sql("INSERT INTO projects (id, name) VALUES (2, 'other')")
    theirs = submitted_to(2, database, settings)
    assert client.get(f"/v1/events?job={theirs}", headers=STREAM).status_code == 404
    mine = submitted(database, settings, steps=5)
    forged = STREAM | {"Last-Event-ID": "0.0,0.0"}
    with database.begin() as connection:
        lifecycle.request_cancel(connection, job_id=mine, actor="test")
    response = client.get(f"/v1/events?job={mine}&job={theirs}", headers=forged)
    told = response.get_data(as_text=True)
    assert '"kind":"cancelled"' in told
    assert f"there is no job {theirs}" in told
    assert "tensor" not in told.split(str(theirs))[-1]
