"""An app on a database of its own, and a client that asks it as a program of this machine would."""

from collections.abc import Callable, Iterator

import pytest
from flask.testing import FlaskClient
from flask_openapi3.openapi import OpenAPI

from gradyard.jobs.settings import Settings
from service.app import create_app
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
