"""An app on a database of its own, and a client that asks it as a program of this machine would."""

from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from flask_openapi3.openapi import OpenAPI

from gradyard.jobs.settings import Settings
from service.app import create_app
from service.http.services import Services
from service.live.watcher import Watcher
from tests.service.gunicorn_process import GunicornProcess

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

    jobs_end = Watcher.jobs_end

    def noted(watcher: Watcher, project_id: int, job_ids: Collection[UUID], seconds: float) -> bool:
        if seconds:
            jobs.extend(job_ids)
        return jobs_end(watcher, project_id, job_ids, seconds)

    monkeypatch.setattr(Watcher, "jobs_end", noted)
    return jobs


@pytest.fixture(scope="session", params=[None, "gthread"], ids=["gradyard's", "gthread"])
def gunicorn(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, migrated_sqlite: Path
) -> Iterator[GunicornProcess]:
    """An API as a process, for bytes that no client would send: with our worker of gunicorn, and one of its own."""
    folder = tmp_path_factory.mktemp("gunicorn")
    (folder / "gradyard.db").write_bytes(migrated_sqlite.read_bytes())
    process = GunicornProcess(folder, f"sqlite:///{folder / 'gradyard.db'}", request.param)
    process.start()
    yield process
    process.stop()
