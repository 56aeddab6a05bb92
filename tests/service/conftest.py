"""An app on a database of its own, and a client that asks it as a program of this machine would."""

from collections.abc import Callable, Iterator
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from flask_openapi3.openapi import OpenAPI

from gradyard.jobs.settings import Settings
from gradyard.store.database import Database
from service.app import create_app
from service.http.long_poll import finishes_within
from service.http.services import Services

AppWith = Callable[..., OpenAPI]


@pytest.fixture
def app_with(settings: Settings) -> Iterator[AppWith]:
    """Makes apps of this test's settings, some of them changed."""
    made: list[OpenAPI] = []

    def make(**changes: object) -> OpenAPI:
        made.append(create_app(settings.model_copy(update=changes)))
        return made[-1]

    yield make
    for app in made:
        services = app.extensions["gradyard"]
        assert isinstance(services, Services)
        services.close()


@pytest.fixture
def app(app_with: AppWith) -> OpenAPI:
    """An app of this test's settings."""
    return app_with()


@pytest.fixture
def client(app: OpenAPI) -> FlaskClient:
    """A client of that app."""
    return app.test_client()


@pytest.fixture
def admitted(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """The jobs whose end requests wait for, one for each request that has a place by now or had one."""
    jobs: list[object] = []

    def noted(database: Database, project_id: int, job_id: UUID, seconds: float) -> bool:
        jobs.append(job_id)
        return finishes_within(database, project_id, job_id, seconds)

    monkeypatch.setattr("service.http.long_poll.finishes_within", noted)
    return jobs
