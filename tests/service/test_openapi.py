"""The OpenAPI document is valid, complete and true."""

import os
import re
from contextlib import suppress
from typing import Any

import pytest
import schemathesis
from flask.testing import FlaskClient
from flask_openapi3.openapi import OpenAPI
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis.errors import Unsatisfiable
from openapi_spec_validator import validate
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)  # fmt: skip

from gradyard.jobs.settings import Settings
from gradyard.jobs.stages.registry import STAGES
from gradyard.store.database import Database
from tests.actors import claimed, submitted, succeeds, worker_of
from tests.service.routes_for_tests import requests_of

FUZZ = int(os.environ.get("FUZZ_EXAMPLES", "0"))  # `make fuzz`: so many requests of each route

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
UNDOCUMENTED = re.compile(r"/docs|/openapi\.json")


def document_of(client: FlaskClient) -> Any:
    response = client.get("/openapi.json")
    assert response.status_code == 200
    return response.json


def test_the_document_is_valid(client: FlaskClient) -> None:
    document = document_of(client)
    validate(document)
    assert document["openapi"].startswith("3.1")


def test_every_route_is_documented(app: OpenAPI) -> None:
    paths = document_of(app.test_client())["paths"]
    documented = {(method.upper(), path) for path, methods in paths.items() for method in methods}
    rules = [rule for rule in app.url_map.iter_rules() if not UNDOCUMENTED.match(rule.rule)]
    served = {
        (method, re.sub(r"<(\w+)>", r"{\1}", rule.rule))
        for rule in rules
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert documented == served
    assert len(served) >= 12
    assert requests_of(app)


def test_a_job_spec_is_told_apart_by_its_stage(client: FlaskClient) -> None:
    schemas = document_of(client)["components"]["schemas"]
    spec = schemas["JobSpec"]
    assert spec["discriminator"]["propertyName"] == "stage"
    assert list(spec["discriminator"]["mapping"]) == list(STAGES)
    assert {each["$ref"] for each in spec["oneOf"]} == set(spec["discriminator"]["mapping"].values())
    assert "propertyNames" in schemas["NnSpec"]["properties"]["tags"]  # nothing that pydantic says is lost


def test_the_page_of_the_docs_needs_no_other_server(client: FlaskClient) -> None:
    page = client.get("/docs")
    assert page.mimetype == "text/html"
    assert "default-src 'self'" in page.headers["Content-Security-Policy"]
    parts = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(parts) == 3
    for part in parts:
        assert part.startswith("docs/")  # below the page, wherever a proxy serves it
        assert client.get(f"/{part}", buffered=True).status_code == 200


CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["valid", "invalid"])
def test_generated_requests_are_answered_as_documented(
    app: OpenAPI, database: Database, settings: Settings, mode: GenerationMode
) -> None:
    submitted(database, settings)
    succeeds(database, claimed(database, worker_of(database)))
    schema = schemathesis.openapi.from_wsgi("/openapi.json", app)
    tried = 0
    for result in schema.get_all_operations():
        assert isinstance(result, Ok)
        operation = result.ok()
        with suppress(Unsatisfiable):  # a route that takes nothing cannot be asked wrongly
            examples = FUZZ or (25 if operation.method == "post" else 5)
            answered_as_documented(operation.as_strategy(generation_mode=mode), examples)
            tried += 1
    assert tried >= (12 if mode is GenerationMode.POSITIVE else 4)


def answered_as_documented(cases: Any, examples: int) -> None:
    @hypothesis_settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=not FUZZ,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases)
    def ask(case: Any) -> None:
        if "wait" in (case.query or {}):
            case.query["wait"] = 0  # what it waits for is not asked here
        case.call_and_validate(checks=CHECKS)

    ask()
