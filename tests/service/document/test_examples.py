"""What the page of the document fills in is a request that would be accepted."""

from typing import Any

import pytest
from flask.testing import FlaskClient
from flask_openapi3.openapi import OpenAPI
from pydantic import TypeAdapter

from gradyard.jobs.submission.parse import spec_adapter
from service.http.document.build import document
from service.http.document.examples import EXAMPLES
from service.http.document.schemas import BODIES


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_every_json_body_has_an_example(app: OpenAPI) -> None:
    operations = [each for path in document(app)["paths"].values() for each in path.values()]
    bodies: list[Any] = [each["requestBody"]["content"] for each in operations if "requestBody" in each]
    assert len(bodies) > 10
    assert all(body["application/json"]["example"] for body in bodies if "application/octet-stream" not in body)


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_is_valid(name: str) -> None:
    adapter = spec_adapter() if name == "JobSpec" else TypeAdapter(BODIES[name])
    adapter.validate_python(EXAMPLES[name], strict=False)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_examples_of_submissions_are_accepted(client: FlaskClient) -> None:
    assert client.post("/v1/jobs", json=EXAMPLES["JobSpec"]).status_code == 202
    assert client.post("/v1/batches", json=EXAMPLES["BatchSweep"]).get_json()["size"] == 10
