"""One form for every error of every route, and no error without a word on what to do."""

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_openapi3.openapi import OpenAPI
from pydantic import SecretStr
from sqlalchemy import event

from gradyard.jobs import errors
from gradyard.store.database import Database
from gradyard.store.tables import Table
from service.http.errors import STATUSES, BatchUnreadable
from service.http.incoming.whole_requests import TAKE_A_BODY
from tests.service.conftest import AppWith
from tests.service.routes_for_tests import QUERIES, requests_of

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
JOB = b'{"stage": "nn"}'
NOT_OF_THE_DATABASE = {"/healthz", "/readyz", "/openapi.json", "/docs", "/sign-in", "/sign-out", "/submit"}


def assert_problem(response: Any, status: int) -> None:
    assert (response.status_code, response.content_type) == (status, "application/problem+json")
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    if response.request.method == "HEAD":
        return
    problem = response.get_json()
    assert problem["status"] == status
    assert all(isinstance(problem[name], str) and problem[name] for name in ("type", "title", "detail"))
    assert set(problem) <= {"type", "title", "status", "detail", "errors", "candidates"}


@on_sqlite
def test_a_method_that_a_route_lacks_is_refused_in_that_form(app: OpenAPI) -> None:
    client, served = app.test_client(), {each[:2] for each in requests_of(app)}
    for _, path, endpoint in requests_of(app):
        # At the place of a job's id a word such as `count` may stand, which PATCH takes for one.
        missing = {"PUT"} if path.startswith("/v1/jobs/") else {"PATCH", "PUT"}
        for method in missing - {method for method, there in served if there == path}:
            response = client.open(path, method=method)
            assert_problem(response, 405)
            assert "OPTIONS" in response.headers["Allow"], endpoint


@on_sqlite
@pytest.mark.parametrize(
    "path", ["/nothing", "/v1", "/v1/nothing", "/v1/jobs/", "/v1/jobs/x/y", "/docs/parts/nothing", "/%00"]
)
def test_a_path_that_leads_nowhere_is_refused_in_that_form(client: FlaskClient, path: str) -> None:
    for method in ("GET", "POST"):
        response = client.open(path, method=method)
        assert_problem(response, 405 if (method, path) == ("POST", "/docs/parts/nothing") else 404)


@on_sqlite
def test_an_unknown_parameter_is_refused_by_every_route_of_v1(app: OpenAPI) -> None:
    client = app.test_client()
    for method, path, _ in requests_of(app):
        if path.startswith("/v1") and method != "OPTIONS":
            assert_problem(client.open(f"{path}?unknown=1", method=method), 422)


BODIES = {
    "batches.submit_batch": b'{"spec": ' + JOB + b"}", "batches.retry_batch": b"{}",
    "api_keys.make_key": b'{"name": "ada"}', "api_keys.rotate_key": b"{}", "fleet.drain_workers": b"{}",
    "jobs.change_job": b"{}", "retry_and_logs.retry_job": b"{}",
    "actions.act_on_jobs": b'{"where": "seed == 1", "action": "cancel"}',
    "webhooks.create_webhook": b'{"url": "https://example.org/", "events": ["job.failed"]}',
    "webhooks.change_webhook": b'{"enabled": true}', "webhooks.rotate_webhook_secret": b"{}",
    "storage.set_retention": b"{}", "fleet.pause_queue": b"{}", "predict.predict": b'{"x": [0.5]}',
}  # fmt: skip


def away(app_with: AppWith, sort: str, folder: Any) -> OpenAPI:
    nowhere = f"sqlite:///{folder}/missing/x.db" if sort == "sqlite" else "postgresql://unknown@127.0.0.1:1/nothing"
    return app_with(database_url=SecretStr(nowhere))


@on_sqlite
@pytest.mark.parametrize("sort", ["sqlite", "postgresql"])
def test_without_its_database_every_route_that_needs_it_says_come_again(
    app_with: AppWith, sort: str, tmp_path: Any
) -> None:
    app = away(app_with, sort, tmp_path)
    client = app.test_client()
    asked = set()
    for method, path, endpoint in requests_of(app):
        if method == "OPTIONS" or path in NOT_OF_THE_DATABASE or path.startswith(("/docs/", "/page/", "/v1/stages")):
            continue
        body = BODIES.get(endpoint, JOB) if endpoint in TAKE_A_BODY else b""
        query = QUERIES.get(endpoint, "")
        response = client.open(path, method=method, data=body, content_type="application/json", query_string=query)
        assert_problem(response, 503)
        assert response.headers["Retry-After"] == "1"
        assert method == "HEAD" or response.get_json()["type"] == "database_unavailable"
        asked.add((method, path))
    assert ("POST", "/v1/jobs") in asked
    assert client.get("/healthz").status_code == client.get("/v1/stages").status_code == 200


def test_without_tables_jobs_are_not_accepted(client: FlaskClient, database: Database) -> None:
    with database.begin() as connection:
        connection.exec_driver_sql("DROP VIEW job_history")
        for table in reversed(Table.metadata.sorted_tables):
            connection.exec_driver_sql(f"DROP TABLE {table.name}")
    response = client.post("/v1/jobs", data=JOB, content_type="application/json")
    assert_problem(response, 503)
    assert response.get_json()["type"] == "database_not_ready"
    assert response.headers["Retry-After"] == "1"


@pytest.fixture
def full(app: OpenAPI) -> OpenAPI:
    """An app whose database may not grow by a page more."""
    engine = app.extensions["gradyard"].database.engine

    @event.listens_for(engine, "connect")
    def fill(connection: Any, _: Any) -> None:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count={pages}")

    return app


@on_sqlite
def test_a_full_disk_refuses_jobs_and_still_reads(full: OpenAPI) -> None:
    client = full.test_client()
    big = {"stage": "nn", "dataset": {"kind": "inline", "x": [0.1] * 9_000, "y": [0.2] * 9_000}}
    response = client.post("/v1/jobs", json=big)
    assert_problem(response, 503)
    assert (response.get_json()["type"], response.headers["Retry-After"]) == ("storage_full", "1")
    assert client.get("/v1/jobs").get_json()["jobs"] == []


def every(kind: type[Exception]) -> Iterator[type[Exception]]:
    for each in kind.__subclasses__():
        yield each
        yield from every(each)


def test_every_error_of_ours_has_a_status() -> None:
    not_of_a_request = {errors.SettingsInvalid, errors.Refused, errors.SlotTaken}
    # `database_unavailable`: to a client both say come again; `spec_invalid`: a fault of one of its jobs, or of a sweep
    told_as_another = {errors.DatabaseReadOnly, BatchUnreadable}
    homes = ("gradyard.jobs.errors", "service.http.errors")
    ours = {each for each in every(errors.GradyardError) if each.__module__ in homes}
    assert ours - not_of_a_request - told_as_another == set(STATUSES)


@on_sqlite
def test_what_a_refusal_repeats_of_a_request_cannot_control_a_terminal(client: FlaskClient) -> None:
    evil = "\x1b]0;owned\x07\u202e\x9b"
    asked = [client.post("/v1/jobs", json={"stage": "nn", evil: 1}), client.post("/v1/jobs", json={"stage": evil})]
    asked += [client.get("/v1/jobs", query_string={"state": evil}), client.get(f"/v1/{evil}"), client.get(f"/{evil}")]
    asked += [client.post("/v1/jobs", json={"stage": "nn", "loss": evil})]
    for response in asked:
        shown = [response.json["detail"], *(each["message"] for each in response.json.get("errors", ()))]  # type: ignore[index, union-attr]
        assert [each for each in shown if not each.isprintable()] == []
    assert r"\u202e" in asked[0].json["detail"]  # type: ignore[index]


@on_sqlite
def test_a_fault_of_ours_shows_no_cause_and_is_logged(app: OpenAPI, caplog: pytest.LogCaptureFixture) -> None:
    def broken() -> str:
        raise RuntimeError("canary: a secret of ours")

    Flask.add_url_rule(app, "/broken", view_func=broken)
    response = app.test_client().get("/broken")
    assert_problem(response, 500)
    assert "canary" not in response.text
    assert response.headers["X-Request-Id"] in response.get_json()["detail"]
    assert "canary: a secret of ours" in caplog.text
