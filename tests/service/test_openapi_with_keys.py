"""Where keys are needed, every documented route answers as documented with one, and 401 without one or with another."""

from collections import Counter
from contextlib import suppress

import pytest
from flask import Response
from flask_openapi3.openapi import OpenAPI
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.core.result import Ok

from gradyard.jobs.api_keys import Scope
from gradyard.jobs.settings import Settings
from gradyard.store.database import Database
from tests.actors import claimed, submitted, succeeds, worker_of
from tests.fuzzing import FUZZ
from tests.service.test_matrix_of_keys import KeyOf, app, key_of  # noqa: F401 - fixtures
from tests.service.test_openapi import answered_as_documented, schema_of, tell

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_generated_requests_with_a_key_are_answered_as_documented_and_without_it_not_at_all(
    app: OpenAPI, database: Database, settings: Settings, key_of: KeyOf, monkeypatch: pytest.MonkeyPatch  # noqa: F811
) -> None:  # fmt: skip
    # One document is served by all; it says that a service without keys asks for none.
    monkeypatch.setattr("service.http.document.build.OPEN_TO_ALL", [])
    submitted(database, settings)
    succeeds(database, claimed(database, worker_of(database)))
    answers = Counter[int]()

    @app.after_request
    def count(answer: Response) -> Response:
        answers[answer.status_code] += 1
        return answer

    key, asked, tried = key_of("teacher", "default", [*Scope]), Counter[int](), 0
    for result in schema_of(app).get_all_operations():
        assert isinstance(result, Ok)
        with suppress(Unsatisfiable):
            cases = result.ok().as_strategy(generation_mode=GenerationMode.POSITIVE)
            answered_as_documented(cases, FUZZ or 4, asked, key)
            tried += 1
    assert tried >= 40
    assert not asked[401]
    # Of each route that succeeded, schemathesis asked once more without the key and once with a wrong one.
    assert answers[401] >= sum(count for status, count in asked.items() if status < 300)
    tell(asked)
