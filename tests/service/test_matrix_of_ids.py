"""Ids in queries and bodies, of every route that takes one: those of another project are as ids that are not there."""

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from flask_openapi3.openapi import OpenAPI

from gradyard.jobs.api_keys import Scope
from gradyard.jobs.validation.messages import NO_SUCH_FIELD
from service.http.access.auth import OPEN_ENDPOINTS
from service.http.incoming.whole_requests import TAKE_A_BODY
from service.http.parameters import Query
from tests.service.routes_for_tests import requests_of
from tests.service.test_matrix_of_keys import MEMBER, KeyOf, app, key_of  # noqa: F401 - fixtures

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

Key = dict[str, str]
NONE = str(UUID(int=7))
UNKNOWN = NO_SUCH_FIELD.replace("field", "parameter")
OF_IDS = {"job", "batch", "from", "where", "file"}
"""Parameters that may hold an id, of any route."""
OF_NO_IDS = {
    "action", "actor", "cursor", "curves", "dry_run", "fields", "format", "group", "limit", "losses", "metric", "mode",
    "moves", "name", "of", "points", "precedence", "preview", "project", "smooth", "sort", "stage", "state", "tag",
    "to", "wait",
}  # fmt: skip
BODIES_WITHOUT_IDS = {
    "jobs.change_job", "predict.predict", "fleet.drain_workers", "fleet.pause_queue", "api_keys.make_key",
    "api_keys.rotate_key", "storage.set_retention", "webhooks.create_webhook", "webhooks.change_webhook",
    "webhooks.rotate_webhook_secret", "files.upload_file", "page.sign_in", "page.sign_out",
}  # fmt: skip
JOB = {"stage": "tensor", "steps": 4}
QUESTIONS = ('batch == "{}"', 'retry_of == "{}"', 'recheck_of == "{}"')


def models_of_queries(model: type[Query] = Query) -> Iterator[type[Query]]:
    for each in model.__subclasses__():
        yield each
        yield from models_of_queries(each)


def test_of_every_parameter_it_is_known_whether_it_holds_an_id(app: OpenAPI) -> None:  # noqa: F811
    named = {field.alias or name for model in models_of_queries() for name, field in model.model_fields.items()}
    documented = {
        each["name"]
        for methods in app.api_doc["paths"].values() for operation in methods.values()
        for each in operation.get("parameters", []) if each["in"] == "query"
    }  # fmt: skip
    assert documented <= named == OF_IDS | OF_NO_IDS


@pytest.fixture
def ada(key_of: KeyOf) -> Key:  # noqa: F811
    return key_of("ada")


@pytest.fixture
def eve(key_of: KeyOf) -> Key:  # noqa: F811
    return key_of("eve", "biology", [Scope.ADMIN, *MEMBER])


def made(client: FlaskClient, key: Key) -> tuple[str, str, str]:
    """A cancelled job, a job that was retried from it, and a batch of one job, cancelled."""
    job: Any = client.post("/v1/jobs", json=JOB, headers=key).json
    client.post(f"/v1/jobs/{job['id']}/cancel", headers=key)
    again: Any = client.post(f"/v1/jobs/{job['id']}/retry", headers=key).json
    batch: Any = client.post("/v1/batches", json={"jobs": [JOB]}, headers=key).json
    client.post(f"/v1/batches/{batch['id']}/cancel", headers=key)
    return job["id"], again["id"], batch["id"]


def said(client: FlaskClient, path: str, key: Key, **request: Any) -> tuple[int, str]:
    """Status and text of an answer, without ids and numbers. Of a stream the status alone."""
    has_an_end = not path.partition("?")[0].endswith("/events")
    answer = client.open(path, headers=key, buffered=has_an_end, **request)
    text = answer.text if has_an_end else ""
    answer.close()
    without_ids = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "ID", text)
    return answer.status_code, re.sub("[0-9]+", "0", without_ids)


def differ(client: FlaskClient, key: Key, one: str, other: str) -> bool:
    """Whether they are answered differently. They are asked twice: a page says how long ago things were."""
    return all(said(client, one, key) != said(client, other, key) for _ in range(2))


def queries_of(an_id: str) -> Iterator[tuple[str, str]]:
    """Every parameter that may hold this id, as a query."""
    for name in sorted(OF_IDS - {"where"}):
        yield name, urlencode({name: an_id})
    for question in QUESTIONS:
        yield question, urlencode({"where": question.format(an_id)})


def reading_routes(app: OpenAPI) -> list[str]:  # noqa: F811
    return sorted(
        {path for method, path, endpoint in requests_of(app) if method == "GET" and endpoint not in OPEN_ENDPOINTS}
    )


@pytest.mark.slow
def test_an_id_of_another_project_in_a_query_is_as_one_that_is_not_there(
    app: OpenAPI, client: FlaskClient, ada: Key, eve: Key  # noqa: F811
) -> None:  # fmt: skip
    seen, told = set[str](), list[str]()
    ids = made(client, ada)
    made(client, eve)
    for path in reading_routes(app):
        for name, query in queries_of(NONE):
            if UNKNOWN in said(client, f"{path}?{query}", eve)[1]:
                continue
            addresses = [f"{path}?{query.replace(NONE, an_id)}" for an_id in ids]
            told += [each for each in addresses if differ(client, eve, each, f"{path}?{query}")]
            if any(differ(client, ada, each, f"{path}?{query}") for each in addresses):
                seen.add(name)
    assert told == []
    assert seen >= {"job", "batch", "from", QUESTIONS[0], QUESTIONS[1]}  # its own are seen, so a leak would be, too


def bodies_of(an_id: str, own_job: str, own_batch: str) -> dict[str, list[tuple[str, dict[str, Any]]]]:
    """Requests with this id in their bodies, by the endpoint that reads them."""
    named = [[an_id], [{"id": an_id}], [{"id": an_id, "condition": "ended"}]]
    actions: list[dict[str, Any]] = [
        {"action": "cancel"},
        {"action": "retry"},
        {"action": "delete"},
        {"action": "tag", "tags": {"a": "b"}},
    ]
    jobs = [JOB | {"depends_on": each} for each in named]
    return {
        "jobs.submit_job": [("/v1/jobs", {"json": job}) for job in jobs],
        "batches.submit_batch": [("/v1/batches", {"json": {"jobs": [job]}}) for job in jobs]
        + [("/v1/batches", {"json": {"jobs": [JOB], "depends_on": each}}) for each in named],
        "batches.retry_batch": [
            (f"/v1/batches/{own_batch}/retry", {"json": {"states": ["cancelled"], "set": {"depends_on": each}}})
            for each in named
        ],
        "retry_and_logs.retry_job": [
            (f"/v1/jobs/{own_job}/retry", {"json": {"set": {"depends_on": each}}}) for each in named
        ],
        "actions.act_on_jobs": [
            ("/v1/jobs/actions", {"json": action | {"where": question.format(an_id)}})
            for action in actions for question in QUESTIONS
        ],
        "page.check": [("/submit/check", {"json": job}) for job in jobs],
        "page.submit": [("/submit", {"data": {"spec": json.dumps(job)}}) for job in jobs],
    }  # fmt: skip


def test_an_id_of_another_project_in_a_body_is_as_one_that_is_not_there(
    client: FlaskClient, ada: Key, eve: Key
) -> None:
    ids, mine = made(client, ada), made(client, eve)
    before = said(client, "/v1/jobs?fields=id,state,tags", ada)
    nothing = bodies_of(NONE, mine[0], mine[2])
    assert nothing.keys() | BODIES_WITHOUT_IDS == TAKE_A_BODY
    for an_id in ids:
        for endpoint, sent in bodies_of(an_id, mine[0], mine[2]).items():
            for (path, body), (_, missing) in zip(sent, nothing[endpoint], strict=True):
                answer = said(client, path, eve, method="POST", **body)
                assert answer == said(client, path, eve, method="POST", **missing), (endpoint, body)
                assert endpoint == "actions.act_on_jobs" or answer[0] not in (201, 202, 303), (endpoint, body)
    assert said(client, "/v1/jobs?fields=id,state,tags", ada) == before
