"""Query parameters: each given once, known and valid, or refused with what to write instead."""

import re
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient
from flask_openapi3.openapi import OpenAPI

from service.http.document.build import document
from service.http.incoming.whole_requests import TAKE_A_BODY
from tests.service.routes_for_tests import QUERIES, VALUES, requests_of

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
NOWHERE = "0199c0de-0000-7000-8000-000000000001"
STATES = '"queued", "running", "succeeded", "failed" or "cancelled"'


@pytest.mark.parametrize(
    ("asked", "pointer", "message"),
    [
        ("/v1/jobs?state=queued&state=failed", "/state", "is given 2 times; give it once"),
        ("/v1/jobs?limit=1&limit=1&limit=1", "/limit", "is given 3 times; give it once"),
        ("/v1/stages?a/b=1&a/b=2", "/a~1b", "is given 2 times; give it once"),
        ("/v1/jobs?stat=queued", "/stat", 'there is no such parameter here; did you mean "state"?'),
        ("/v1/batches?q=1", "/q", "there is no such parameter here; the parameters are limit, cursor, project"),
        ("/v1/queues?q=1", "/q", "there is no such parameter here; the only parameter is project"),
        ("/v1/stages?q=1", "/q", "there is no such parameter here"),
        ("/v1/jobs?state=quued", "/state", f'must be {STATES}, not "quued"; did you mean "queued"?'),
        ("/v1/jobs?limit=500", "/limit", 'must be at most 200, not "500"'),
        ("/v1/jobs?limit=many", "/limit", 'must be a whole number, not "many"'),
        ("/v1/jobs?limit=", "/limit", 'must be a whole number, not ""'),
    ],
)  # fmt: skip
def test_a_parameter_is_refused_with_the_cure(client: FlaskClient, asked: str, pointer: str, message: str) -> None:
    response = client.get(asked)
    problem = response.get_json()
    assert (response.status_code, problem["type"]) == (422, "parameters_invalid")
    assert [(each["pointer"], each["message"]) for each in problem["errors"]] == [(pointer, message)]


def test_an_unknown_stage_gets_the_nearest_name(client: FlaskClient) -> None:
    assert client.get("/v1/jobs?stage=tensr").get_json()["detail"].endswith('not "tensr"; did you mean "tensor"?')
    assert client.get("/v1/stages/tensr").get_json()["detail"].endswith('did you mean "tensor"?')


def test_a_repeated_parameter_is_refused_for_changes_too(client: FlaskClient) -> None:
    response = client.post("/v1/jobs?x=1&x=2", json={"stage": "nn"})
    assert (response.status_code, response.get_json()["errors"][0]["pointer"]) == (422, "/x")
    assert client.get("/v1/jobs").get_json()["jobs"] == []


def test_a_path_that_is_nowhere_is_404_whatever_its_parameters(client: FlaskClient) -> None:
    assert client.get("/v1/nowhere?a=1&a=2").status_code == 404


def test_a_body_that_would_not_be_read_is_refused(app: OpenAPI, client: FlaskClient) -> None:
    paths = document(app)["paths"]
    for method, path, endpoint in requests_of(app):
        rule = next(rule.rule for rule in app.url_map.iter_rules(endpoint))
        described = paths.get(re.sub(r"<(\w+)>", r"{\1}", rule), {}).get(method.lower(), {})
        if method not in ("GET", "POST", "DELETE") or not described:
            continue
        assert ("requestBody" in described) == (endpoint in TAKE_A_BODY), endpoint
        if endpoint not in TAKE_A_BODY:
            response = client.open(path, method=method, json={"set": {"steps": 5}})
            assert (response.status_code, response.get_json()["type"]) == (422, "body_invalid"), path
            query = QUERIES.get(endpoint, "")
            assert client.open(path, method=method, json={}, query_string=query).status_code != 422, path


OF_JSON = {each for each in TAKE_A_BODY if not each.startswith(("page.", "files."))}


def test_a_refusal_of_a_body_says_what_is_not_valid(app: OpenAPI, client: FlaskClient) -> None:
    titles = {"jobs.submit_job": ("spec_invalid", "The job spec is not valid"),
              "batches.submit_batch": ("spec_invalid", "The batch or sweep is not valid"),
              "api_keys.make_key": ("api_key_invalid", "The request for an API key is not valid"),
              "api_keys.rotate_key": ("api_key_invalid", "The request for an API key is not valid")}  # fmt: skip
    job = client.post("/v1/jobs", json={"stage": "nn"}).get_json()["id"]
    hook = {"url": "https://example.org/", "events": ["job.failed"]}
    ids = {"job_id": job, "batch_id": client.post("/v1/batches", json={"jobs": [{"stage": "nn"}]}).get_json()["id"],
           "key_id": client.post("/v1/keys", json={"name": "ada"}).get_json()["id"],
           "webhook_id": client.post("/v1/webhooks", json=hook).get_json()["id"]}  # fmt: skip
    asked = set()
    for method, path, endpoint in requests_of(app):
        if endpoint not in OF_JSON or method not in ("POST", "PATCH", "PUT"):
            continue
        for name, value in ids.items():
            path = path.replace(VALUES[name], value)
        refused = client.open(path, method=method, json={"no_such_field": 1}).get_json()
        said = titles.get(endpoint, ("body_invalid", "The body is not valid"))
        assert (refused["status"], refused["type"], refused["title"]) == (422, *said), path
        asked.add(endpoint)
    assert asked == OF_JSON


def whole_number_parameters(app: OpenAPI) -> set[tuple[str, str, str]]:
    """Method, URL up to the value, and name of every parameter of a query that is a whole number."""
    found = set()
    for path, verbs in document(app)["paths"].items():
        for method, verb in verbs.items():
            asked = {each["name"]: each["schema"].get("type") for each in verb.get("parameters", [])}
            url = re.sub(r"{\w+}", NOWHERE, path) + (f"?job={NOWHERE}&" if "job" in asked else "?")
            found |= {(method.upper(), f"{url}{name}=", name) for name, kind in asked.items() if kind == "integer"}
    return found


@pytest.mark.parametrize("number", ["11", "11.0", "1.1e1", "1.1E+1", "110e-1"])
def test_a_whole_number_may_be_written_as_any_number(app: OpenAPI, client: FlaskClient, number: str) -> None:
    asked = whole_number_parameters(app)
    assert len(asked) > 20
    for method, url, name in asked:
        answer = client.open(url + quote(number), method=method)
        errors = answer.get_json()["errors"] if answer.status_code == 422 else []
        assert f"/{name}" not in [each["pointer"] for each in errors], (method, url)


@pytest.mark.parametrize("number", ["1.5", "1e-1", "1e999", "nan", "1e", "ten"])
def test_no_other_number_is_a_whole_one(app: OpenAPI, client: FlaskClient, number: str) -> None:
    for method, url, name in whole_number_parameters(app):
        errors = client.open(url + number, method=method).get_json()["errors"]
        told = next(each["message"] for each in errors if each["pointer"] == f"/{name}")
        assert told.startswith("must be a whole number"), (method, url)
