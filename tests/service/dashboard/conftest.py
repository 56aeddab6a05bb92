"""What a browser would ask of the page."""

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from flask_openapi3.openapi import OpenAPI

Look = Callable[..., str]


@pytest.fixture
def look(app: OpenAPI) -> Look:
    """A function: the HTML at a path, as a browser without scripts gets it."""
    client: FlaskClient = app.test_client()

    def of(path: str, status: int = 200) -> str:
        response = client.get(path, headers={"Accept": "text/html,*/*;q=0.8"})
        assert (response.status_code, response.content_type) == (status, "text/html; charset=utf-8"), response.text
        return response.text

    return of
