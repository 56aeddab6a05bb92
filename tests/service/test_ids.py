"""Beginnings of ids stand for whole ones, and an id of the other kind is told what it is."""

from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import insert, select

from gradyard.jobs.identifiers import new_id
from gradyard.jobs.settings import Settings
from gradyard.store.database import Database
from gradyard.store.tables import Batch, Job
from tests.actors import claimed, submitted, submitted_to, succeeds, worker_of
from tests.service.statements import statements

ONE = {"jobs": [{"stage": "tensor", "steps": 4, "name": "the only one"}]}
A_BATCH = "GET /v1/batches/{batch}, `gradyard batches show {batch}` or `gradyard batches watch {batch}`"
A_JOB = "GET /v1/jobs/{job}, `gradyard show {job}` or `gradyard watch {job}`"


def get(client: FlaskClient, path: str) -> Any:
    return client.get(path)


def job_like(database: Database, job_id: UUID, other: UUID) -> None:
    """A copy of the job under that other id."""
    with database.begin() as connection:
        row = connection.execute(select(*Job.__table__.columns).where(Job.id == job_id)).one()
        values = {column.key: value for column, value in zip(Job.__table__.columns, row, strict=True)}
        connection.execute(insert(Job).values(values | {"id": other}))


def batch_like(database: Database, batch_id: UUID, other: UUID) -> None:
    """A copy of the batch, without jobs, under that other id."""
    with database.begin() as connection:
        row = connection.execute(select(*Batch.__table__.columns).where(Batch.id == batch_id)).one()
        connection.execute(insert(Batch).values(dict(row._mapping) | {"id": other}))


def test_a_beginning_of_eight_digits_names_a_job(client: FlaskClient, database: Database, settings: Settings) -> None:
    job = str(submitted(database, settings))
    succeeds(database, claimed(database, worker_of(database)))
    for text in (job[:8], job[:8].upper(), job[:20], job[:13].replace("-", ""), job.replace("-", ""), job[:9]):
        assert get(client, f"/v1/jobs/{text}").json["id"] == job
        assert get(client, f"/v1/jobs/{text}?wait=1").json["id"] == job
        assert get(client, f"/v1/jobs/{text}/losses").status_code == 200
        assert len(get(client, f"/v1/jobs/{text}/events").json["events"]) == 3
    assert client.post(f"/v1/jobs/{job[:8]}/retry").json["retry_of"] == job  # type: ignore[index]


def test_several_jobs_are_read_at_once(client: FlaskClient, database: Database, settings: Settings) -> None:
    ids = [str(submitted(database, settings, seed=seed)) for seed in range(3)]
    asked = f"/compare?job={ids[1]}&job={ids[0]}&job={ids[2].replace('-', '')}"
    get(client, asked)
    with statements(client) as said:
        answer = get(client, asked)
    assert [answer.text.index(each) for each in (ids[1], ids[0], ids[2])] == sorted(map(answer.text.index, ids))
    assert sum("FROM jobs LEFT OUTER JOIN results" in each for each in said) == 1


def test_a_beginning_names_a_batch_too(client: FlaskClient) -> None:
    batch = client.post("/v1/batches", json=ONE).json["id"]  # type: ignore[index]
    begin = batch[:10]
    assert get(client, f"/v1/batches/{begin}").json["id"] == batch
    assert get(client, f"/v1/jobs?batch={begin}").json["jobs"][0]["batch"] == batch
    assert get(client, f"/v1/batches/{begin}/export").text.count("\n") == 1
    assert get(client, f"/v1/batches/{begin}/best").json["jobs"] == []
    assert client.post(f"/v1/batches/{begin}/cancel").json["counts"]["cancelled"] == 1  # type: ignore[index]
    assert client.delete(f"/v1/batches/{begin}").json == {"id": batch, "deleted": 1}


@pytest.mark.parametrize("text", ["01a2081", "01a2081e-zz", "x", "01a2081e" * 4 + "0", "--------", "01a2081e"])
def test_what_is_no_beginning_of_an_id_is_not_found(client: FlaskClient, text: str) -> None:
    for kind in ("job", "batch"):
        refused = get(client, f"/v1/{'jobs' if kind == 'job' else 'batches'}/{text}")
        assert (refused.status_code, refused.json["detail"]) == (404, f"there is no {kind} {text}")


def test_a_beginning_of_what_was_deleted_is_gone(client: FlaskClient, database: Database) -> None:
    batch = client.post("/v1/batches", json=ONE).json["id"]  # type: ignore[index]
    job = get(client, "/v1/jobs").json["jobs"][0]["id"]
    client.post(f"/v1/batches/{batch}/cancel")
    client.delete(f"/v1/batches/{batch}")
    for path, kind, gone in (("jobs", "job", job), ("batches", "batch", batch)):
        refused = get(client, f"/v1/{path}/{gone[:9]}")
        assert (refused.status_code, refused.json["detail"]) == (410, f"the {kind} {gone} was deleted")


def test_an_ambiguous_beginning_names_the_newest_candidates(
    client: FlaskClient, database: Database, settings: Settings
) -> None:
    first = submitted(database, settings, name="first")
    same = [UUID(int=first.int + n) for n in range(1, 3)]
    for each in same:
        job_like(database, first, each)
    begin = str(first)[:18]
    refused = get(client, f"/v1/jobs/{begin}")
    assert (refused.status_code, refused.json["type"]) == (409, "ambiguous_id")
    assert refused.json["candidates"] == [
        {"id": str(each), "stage": "tensor", "name": "first", "state": "queued"} for each in (*same[::-1], first)
    ]
    assert refused.json["detail"] == (
        f"the ids of 3 jobs begin with {begin}: {same[1]}, {same[0]}, {first}; write more digits"
    )
    assert client.delete(f"/v1/jobs/{begin}").status_code == 409
    for number in range(3, 13):
        job_like(database, first, UUID(int=first.int + number))
    refused = get(client, f"/v1/jobs/{begin}")
    assert len(refused.json["candidates"]) == 10
    assert refused.json["detail"].startswith(f"the ids of more than 10 jobs begin with {begin}; the newest are ")


def test_ambiguous_batches_are_named_too(client: FlaskClient, database: Database) -> None:
    first = UUID(client.post("/v1/batches", json=ONE | {"name": "b"}).json["id"])  # type: ignore[index]
    other = UUID(int=first.int + 1)
    batch_like(database, first, other)
    for path in ("/v1/batches/{}", "/v1/jobs?batch={}"):
        refused = get(client, path.format(str(first)[:30]))
        assert (refused.status_code, refused.json["type"]) == (409, "ambiguous_id")
        assert refused.json["candidates"] == [
            {"id": str(other), "stage": None, "name": "b", "state": "finished"},
            {"id": str(first), "stage": None, "name": "b", "state": "queued"},
        ]
    page = client.get(f"/batches/{str(first)[:30]}", headers={"Accept": "text/html"}).text
    assert f'href="/batches/{other}"' in page
    assert f'href="/jobs/{other}"' not in page


def test_a_full_id_costs_no_more_statements_than_a_beginning_less_one(
    client: FlaskClient, database: Database, settings: Settings
) -> None:
    job = str(submitted(database, settings))
    with statements(client) as by_full_id:
        get(client, f"/v1/jobs/{job}/logs")
    with statements(client) as by_beginning:
        get(client, f"/v1/jobs/{job[:8]}/logs")
    assert len(by_full_id) == 2  # the job, its logs
    assert len(by_beginning) == 3


@pytest.mark.parametrize(
    ("method", "path", "hint"),
    [
        ("GET", "/v1/jobs/{batch}", A_BATCH),
        ("GET", "/v1/jobs/{batch}?wait=1", A_BATCH),
        ("GET", "/v1/jobs/{batch}/losses", "GET /v1/batches/{batch}/export, `gradyard batches export {batch} --csv`"),
        ("GET", "/v1/jobs/{batch}/events", "GET /v1/batches/{batch}/events, `gradyard batches watch {batch}`"),
        ("POST", "/v1/jobs/{batch}/cancel", "POST /v1/batches/{batch}/cancel, `gradyard batches cancel {batch}`"),
        ("POST", "/v1/jobs/{batch}/retry", "POST /v1/batches/{batch}/retry, `gradyard batches retry {batch}`"),
        ("DELETE", "/v1/jobs/{batch}", "DELETE /v1/batches/{batch}, `gradyard batches delete {batch}`"),
        ("GET", "/v1/batches/{job}", A_JOB),
        ("GET", "/v1/batches/{job}/export", "GET /v1/jobs/{job}/losses, `gradyard losses {job} --csv`"),
        ("GET", "/v1/batches/{job}/events", "GET /v1/jobs/{job}/events, `gradyard watch {job}`"),
        ("GET", "/v1/jobs?batch={job}", A_JOB),
        ("POST", "/v1/batches/{job}/cancel", "POST /v1/jobs/{job}/cancel, `gradyard cancel {job}`"),
        ("POST", "/v1/batches/{job}/retry", "POST /v1/jobs/{job}/retry, `gradyard retry {job}`"),
        ("DELETE", "/v1/batches/{job}", "DELETE /v1/jobs/{job}, `gradyard delete {job}`"),
    ],
)
def test_an_id_of_the_other_kind_is_told_the_right_route(
    client: FlaskClient, database: Database, settings: Settings, method: str, path: str, hint: str
) -> None:
    job = str(submitted(database, settings))
    batch = client.post("/v1/batches", json=ONE).json["id"]  # type: ignore[index]
    other = UUID(int=UUID(batch).int ^ 1 << 127)  # of which no job has the beginning
    batch_like(database, UUID(batch), other)
    for batch_id in (batch, str(other)):
        refused: Any = client.open(path.format(batch=batch_id, job=job), method=method)
        what = f"{batch_id} is a batch, not a job" if "{batch}" in path else f"{job} is a job, not a batch"
        assert (refused.status_code, refused.json["type"]) == (404, "not_found")
        assert refused.json["detail"] == f"{what}; {hint.format(batch=batch_id, job=job)}"
    begun: Any = client.open(path.format(batch=str(other)[:8], job=job), method=method)
    assert begun.json["detail"] == refused.json["detail"]


@pytest.mark.parametrize(
    ("method", "path", "lacks"),
    [
        ("GET", "/v1/jobs/{}/logs", "has no logs"),
        ("GET", "/v1/jobs/{}/receipt", "has no receipt"),
        ("GET", "/v1/jobs/{}/metrics", "has no metrics"),
        ("GET", "/v1/jobs/{}/metrics/losses", "has no metrics"),
        ("GET", "/v1/jobs/{}/artifacts", "has no artifacts"),
        ("POST", "/v1/jobs/{}/predict", "predicts nothing"),
        ("POST", "/v1/jobs/{}/recheck", "cannot be rechecked"),
        ("PATCH", "/v1/jobs/{}", "cannot be changed"),
    ],
)
def test_what_a_batch_does_not_have_is_found_in_its_jobs(
    client: FlaskClient, method: str, path: str, lacks: str
) -> None:
    batch = client.post("/v1/batches", json=ONE).json["id"]  # type: ignore[index]
    body = {"pinned": True} if method == "PATCH" else {"x": [1.0]} if "predict" in path else None
    refused: Any = client.open(path.format(batch), method=method, json=body)
    hint = f"its jobs: GET /v1/jobs?batch={batch}, `gradyard jobs --batch {batch}`"
    assert (refused.status_code, refused.json["detail"]) == (404, f"{batch} is a batch, not a job and {lacks}; {hint}")


@pytest.mark.parametrize("path", ["/v1/batches/{}/best", "/v1/jobs/best?batch={}"])
def test_a_job_has_no_best_jobs(client: FlaskClient, database: Database, settings: Settings, path: str) -> None:
    job = str(submitted(database, settings))
    hint = f"GET /v1/jobs/{job}, `gradyard show {job}`"
    assert get(client, path.format(job)).json["detail"] == f"{job} is a job, not a batch and has no best jobs; {hint}"


def test_ids_of_another_project_are_not_hinted_at(client: FlaskClient, database: Database, settings: Settings) -> None:
    batch = client.post("/v1/batches", json=ONE).json["id"]  # type: ignore[index]
    job = str(submitted_to(1, database, settings))
    made = client.post("/v1/keys", json={"name": "ada", "project": "other"}).json["key"]  # type: ignore[index]
    key = {"Authorization": f"Bearer {made}"}
    for path, kind, text in (
        ("jobs", "job", batch), ("batches", "batch", job), ("jobs", "job", job[:8]), ("batches", "batch", batch[:8]),
    ):  # fmt: skip
        refused: Any = client.get(f"/v1/{path}/{text}", headers=key)
        assert (refused.status_code, refused.json["detail"]) == (404, f"there is no {kind} {text}")


def test_an_empty_list_says_where_there_is_no_such_batch(client: FlaskClient) -> None:
    missing = new_id()
    refused = get(client, f"/v1/jobs?batch={missing}")
    assert (refused.status_code, refused.json["detail"]) == (404, f"there is no batch {missing}")
    assert get(client, "/v1/jobs?batch=nonsense").status_code == 422
    batch = client.post("/v1/batches", json=ONE).json["id"]  # type: ignore[index]
    assert get(client, f"/v1/jobs?batch={batch}&state=failed").json["jobs"] == []
