"""The real answer of every JSON route has exactly the fields of the model that the OpenAPI document names for it."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from flask.testing import FlaskClient

from gradyard import shapes
from gradyard.jobs.settings import Settings
from gradyard.jobs.states import Reason
from gradyard.shapes.base import Answer
from gradyard.store import lifecycle
from gradyard.store.database import Database
from gradyard.store.lifecycle import Outcome
from tests.actors import claimed, progress_of, submitted, worker_of

FILE = b"x,y\n1,2\n"
BODIES: dict[str, Any] = {
    "/v1/jobs": {"stage": "tensor"}, "/v1/keys": {"name": "ada"},
    "/v1/jobs/{job_id}/predict": {"x": [0.5]}, "/v1/jobs/{job_id}": {"pinned": False},
    "/v1/storage/retention": {"days": 90},
    "/v1/jobs/actions": {"where": "seed == 77", "action": "cancel"},
    "/v1/batches": {"spec": {"stage": "tensor"}, "grid": {"seed": [1, 2]}},
    "/v1/webhooks": {"url": "https://example.org/told", "events": ["job.failed"]},
    "/v1/webhooks/{webhook_id}": {"description": "the lab's"},
}  # fmt: skip
QUERIES = {"/v1/losses": "?job={}", "/v1/metrics/{name}": "?job={}"}


@pytest.fixture
def values(client: FlaskClient, database: Database, settings: Settings) -> dict[str, str]:
    """A value for each variable of a path: a succeeded job with a metric, a running batch with a failed job, and more.

    `finished` is a batch that may be deleted.
    """
    done = submitted(database, settings, steps=5)
    worker = worker_of(database)
    member = claimed(database, worker).members[0]
    measured = replace(progress_of(member, [5.0, 4.0, 3.0, 2.0, 1.0]), metrics={"nn": np.array([1.0, 2.0])}, every=4)
    outcome = Outcome({"a": 0.5}, "y = 0.5", {"engine": "eager"}, {"weights": np.arange(6)})
    with database.begin() as connection:
        assert lifecycle.record(connection, measured)
        assert lifecycle.keep_log(connection, member.held, "it begins", truncated=False)
        assert lifecycle.succeed(connection, member.held, outcome, actor="worker")
    finished = client.post("/v1/batches", json=BODIES["/v1/batches"]).get_json()["id"]
    client.post(f"/v1/batches/{finished}/cancel")
    batch = client.post("/v1/batches", json=BODIES["/v1/batches"]).get_json()["id"]
    failed = claimed(database, worker).members[0]
    with database.begin() as connection:
        assert lifecycle.fail(connection, failed.held, Reason.ERROR, "it broke", actor="worker")
    queued = submitted(database, settings)
    client.post("/v1/workers/cpu-0@host/drain", json={"reason": "fan"})
    client.post("/v1/queues/cpu/pause")
    key = client.post("/v1/keys", json={"name": "bob"}).get_json()["id"]
    webhook = client.post("/v1/webhooks", json=BODIES["/v1/webhooks"]).get_json()["id"]
    delivery = client.post(f"/v1/webhooks/{webhook}/test").get_json()["id"]
    jobs = {"job_id": str(done), "queued": str(queued), "batch_id": batch, "finished": finished}
    told = {"webhook_id": webhook, "delivery_id": delivery}
    told["file_id"] = client.post("/v1/files", data=FILE).get_json()["id"]
    return {**jobs, **told, "name": "nn", "target": "cpu-0@host", "queue": "cpu", "key_id": key}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_every_answer_has_exactly_the_fields_of_its_model(client: FlaskClient, values: dict[str, str]) -> None:
    document: Any = client.get("/openapi.json").json
    schemas = document["components"]["schemas"]
    seen = set()
    for method, path, model in _json_routes(document):
        is_dry = model.endswith("Checked")
        job = values["queued"] if path.endswith("/cancel") else values["job_id"]
        batch = values["finished"] if method == "delete" else values["batch_id"]
        body = BODIES.get(path) if method in ("post", "patch", "put") else None
        named = path.format(**values | {"job_id": job, "batch_id": batch}) + QUERIES.get(path, "").format(job)
        named += "?dry_run=true" if is_dry else ""
        sent = {"data": FILE} if path == "/v1/files" and method == "post" else {"json": body}
        response = client.open(named, method=method, **sent)
        assert response.status_code < 300, (method, path, response.text)
        _check(response.json, {"$ref": model}, schemas, f"{method} {path}")
        shape: type[Answer] = getattr(shapes, model.rpartition("/")[2])
        assert shape.model_validate(response.json).model_extra == {}
        seen.add(shape.__name__)
    assert len(seen) > 20, seen


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("path", ["/v1/jobs", "/v1/batches", "/v1/nothing"])
def test_every_problem_is_of_one_model(client: FlaskClient, path: str) -> None:
    problem = shapes.Problem.model_validate(client.post(path, json={"jobs": [{"stage": "none"}], "steps": 0}).json)
    assert [each.model_extra for each in (problem, *problem.errors)] == [{}] * (1 + len(problem.errors))
    assert bool(problem.errors) == (path != "/v1/nothing")


def _json_routes(document: Any) -> Iterator[tuple[str, str, str]]:
    """Method, path and model of every route that answers JSON."""
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            for status, answer in operation["responses"].items():
                content = answer.get("content", {})
                if status < "300" and "application/json" in content:
                    yield method, path, content["application/json"]["schema"]["$ref"]


def _check(value: Any, schema: Any, schemas: Any, where: str) -> None:
    """The value has the fields of its schema, in its order, and so have the objects in it."""
    schema = schemas[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    if "anyOf" in schema:
        for each in schema["anyOf"]:
            if value is not None and "$ref" in each and isinstance(value, dict):
                _check(value, each, schemas, where)
    elif "properties" in schema:
        assert list(value) == list(schema["properties"]), where
        # Both are always answered; a Client reads results of services that have none yet.
        assert {*value} - {*schema["required"]} <= {"scaled_coefficients", "attainable", "metrics"}, where
        for name, field in schema["properties"].items():
            _check(value[name], field, schemas, f"{where}: {name}")
    elif isinstance(value, list):
        for each in value:
            _check(each, schema["items"], schemas, where)
