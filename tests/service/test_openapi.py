"""The OpenAPI document is valid, complete and true."""

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, suppress
from functools import partial
from typing import Any

import pytest
import schemathesis
from flask.testing import FlaskClient
from flask_openapi3.openapi import OpenAPI
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings
from hypothesis.errors import Flaky, Unsatisfiable
from openapi_spec_validator import validate
from schemathesis import GenerationMode
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok

from gradyard.jobs.settings import Settings
from gradyard.jobs.stages.registry import STAGES
from gradyard.store.database import Database
from tests.actors import claimed, submitted, succeeds, worker_of
from tests.fuzzing import FUZZ
from tests.service.routes_for_tests import requests_of

WALKS = 5  # of one seed
SEEDS, MOST_SEEDS = 4, 60  # ids differ from run to run, and walks with them: few of them may delete nothing
TO_BE_DONE = {"GET", "POST", "DELETE"}

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
UNDOCUMENTED = re.compile(
    r"/docs|/openapi\.json|/$|/jobs|/batches|/compare|/workers|/projects|/files|/storage|/keys|/audit|/webhooks|/sign-|/submit|/page/"
)


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
    parts = re.findall(r'(?:src|href)="([^":]+)"', page.text)
    assert len(parts) == 3
    for part in parts:
        assert part.startswith("docs/")  # below the page, wherever a proxy serves it
        assert client.get(f"/{part}", buffered=True).status_code == 200


# docs/security.md, "What is documented behavior": a request that fits the schemas may be refused by its values, or ask
# for what was deleted, or for a stream without taking one. Every other check of schemathesis is made as it comes.
DOCUMENTED = ["2xx", "3xx", "401", "403", "404", "406", "409", "410", "422", "429", "5xx"]


def schema_of(app: OpenAPI) -> Any:
    """The document as schemathesis reads it. It closes no answer, as a server does, so the app does it for it."""
    app.wsgi_app = partial(closed_in_the_end, app.wsgi_app)  # type: ignore[method-assign]
    schema: Any = schemathesis.openapi.from_wsgi("/openapi.json", app)
    schema.config.checks.positive_data_acceptance.expected_statuses = DOCUMENTED
    return schema


def closed_in_the_end(app: Any, environ: Any, start_response: Any) -> Iterator[bytes]:
    """The answer of the app, closed when it was read or given up: until then an export keeps its place."""
    answer = app(environ, start_response)
    with closing(answer):
        yield from answer


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["valid", "invalid"])
def test_generated_requests_are_answered_as_documented(
    app: OpenAPI, database: Database, settings: Settings, mode: GenerationMode
) -> None:
    submitted(database, settings)
    succeeds(database, claimed(database, worker_of(database)))
    schema, asked = schema_of(app), Counter[int]()
    tried = 0
    for result in schema.get_all_operations():
        assert isinstance(result, Ok)
        operation = result.ok()
        with suppress(Unsatisfiable):  # a route that takes nothing cannot be asked wrongly
            examples = FUZZ or (12 if operation.method == "post" else 4)
            answered_as_documented(operation.as_strategy(generation_mode=mode), examples, asked)
            tried += 1
    assert tried >= (12 if mode is GenerationMode.POSITIVE else 4)
    tell(asked)


def tell(asked: Counter[int]) -> None:
    """Print how many requests were made, for docs/security.md; pytest shows it with -rP."""
    print(f"{asked.total():,} generated requests, answered {dict(sorted(asked.items()))}, no finding")


def answered_as_documented(cases: Any, examples: int, asked: Counter[int], key: dict[str, str] | None = None) -> None:
    @hypothesis_settings(
        max_examples=examples,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases)
    def ask(case: Any) -> None:
        if leads_elsewhere(case):
            return
        if "wait" in (case.query or {}):
            case.query["wait"] = 0  # what it waits for is not asked here
        response = case.call_and_validate(headers=key)
        refused_with_reason(response)
        asked[response.status_code] += 1

    ask()


def leads_elsewhere(case: Any) -> bool:
    """Whether an id was drawn that is a word of another route (`count`): paths without a template are matched first."""
    return case.path != case.formatted_path and case.formatted_path in case.operation.schema.raw_schema["paths"]


def refused_with_reason(response: Any) -> None:
    """A refusal of values points to each of them, and says in words what is wrong with it."""
    if response.status_code == 422:
        problem = response.json()
        assert problem["detail"]
        assert all(each["message"] for each in problem.get("errors", ()))


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_requests_that_follow_from_each_other_are_answered_as_documented(
    app: OpenAPI, database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    submitted(database, settings)
    succeeds(database, claimed(database, worker_of(database)))
    asked: Counter[int] = Counter()
    done: set[str] = set()
    refuted: list[str] = []
    workflow = workflow_of(app, asked, done, refuted)
    for number in range(FUZZ // WALKS or MOST_SEEDS):
        if not FUZZ and number >= SEEDS and done >= TO_BE_DONE:
            break
        monkeypatch.setattr("hypothesis.core.global_force_seed", number)
        # With derandomize the seed is ignored, and each walk begins like the one before it.
        # A walk that begins like an earlier one may go on otherwise, since jobs and keys of the earlier ones are there.
        with suppress(Flaky):
            workflow.run(settings=hypothesis_settings(
                max_examples=WALKS, stateful_step_count=12, derandomize=False, phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            ))  # fmt: skip
    assert refuted == []
    assert done >= TO_BE_DONE
    tell(asked)


def workflow_of(app: OpenAPI, asked: Counter[int], done: set[str], refuted: list[str]) -> Any:
    """Walks through the service with the ids of its own answers: those of jobs, batches and keys."""
    machine: Any = schema_of(app).as_state_machine()

    class Workflow(machine):  # type: ignore[misc]
        def before_call(self, case: Any) -> None:
            """Do not wait for jobs that no worker trains."""
            if "wait" in (case.query or {}):
                case.query["wait"] = 0

        def validate_response(self, response: Any, case: Any, **_: Any) -> None:
            """Make every check."""
            asked[response.status_code] += 1
            if response.status_code < 400:
                done.add(case.method)
            try:
                case.validate_response(response)
                refused_with_reason(response)
            except (FailureGroup, AssertionError) as finding:
                refuted.append(str(finding))

    return Workflow
